using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Alerts;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Frames;

/// <summary>The clocks of strangers: stamps made up in every way that cameras and files have been seen to make them.</summary>
public sealed class StreamClockTests
{
    private const long Second = 1_000_000;
    private const int EveryMs = 120;
    private static readonly Config s_many = Config.QuickThrowOnFailure.WithMaxTest(500);

    // Counters that run over, microseconds: 2^33 and 2^32 at 90 kHz.
    private const long Wrap33 = 95_443_717_688;
    private const long Wrap32 = 47_721_858_844;

    [Fact]
    public void Next_HealthyRecording_IsItsStamps()
    {
        var clock = new StreamClock(isLive: false, 0, 25);
        long[] stamps = [0, 40_000, 81_000, 120_000, 3_000_000, 3_040_000, 12_000_000];

        Assert.Equal(stamps, stamps.Select(s => clock.Next(s, 0)));
        Assert.Equal((ClockHealth.Good, ""), (clock.Health, clock.Describe()));
    }

    [Fact]
    public void Next_RecordingWithoutStamps_RunsByItsFrameRate()
    {
        var clock = new StreamClock(isLive: false, 0, 10);

        Assert.Equal(Enumerable.Range(0, 20).Select(i => i * 100_000L), Enumerable.Range(0, 20).Select(_ => clock.Next(FrameInfo.NoPts, 0)));
        Assert.Equal((ClockHealth.Missing, "the stream has no time stamps; the frame rate is used instead"), (clock.Health, clock.Describe()));
    }

    [Fact]
    public void Next_RecordingWithConstantStamps_UsesItsFrameRate()
    {
        var clock = new StreamClock(isLive: false, 0, 25);

        Assert.Equal(Enumerable.Range(0, 50).Select(i => i * 40_000L), Enumerable.Range(0, 50).Select(_ => clock.Next(0, 0)));
        Assert.Equal(ClockHealth.StandStill, clock.Health);
    }

    [Fact]
    public void Next_RecordingThatCreepsAndCatchesUp_KeepsItsPace()
    {
        var clock = new StreamClock(isLive: false, 0, 25);
        // A second of ticks of 90 kHz, in place of a second that was written twice.
        long[] times = [.. Enumerable.Range(0, 100).Select(i => clock.Next(i is >= 25 and < 50 ? 960_000 + ((i - 24) * 11L) : i * 40_000L, 0))];

        Assert.All(times.Select((t, i) => t - (i * 40_000L)), off => Assert.InRange(off, -50_000, 50_000));
        Assert.Equal(ClockHealth.StandStill, clock.Health);
    }

    [Fact]
    public void Next_ElevenHoursMissing_AreReportedAndShortened()
    {
        var clock = new StreamClock(isLive: false, 0, 25);
        clock.Next(0, 0);
        clock.Next(40_000, 0);

        Assert.Equal(40_000 + StreamClock.LongestPauseUs, clock.Next(40_000 + (40_000 * Second), 0));
        Assert.Equal("the recording has a gap of 11:06:40 h, shortened to 10 s", clock.Describe());
        Assert.Equal(80_000 + StreamClock.LongestPauseUs, clock.Next(80_000 + (40_000 * Second), 0));
    }

    [Fact]
    public void Next_StampsOfReorderedFrames_KeepTheirPace()
    {
        var clock = new StreamClock(isLive: false, 0, 25);
        // Pairs swapped: 1 0 3 2 5 4 …
        long last = Enumerable.Range(0, 100).Select(i => clock.Next((i ^ 1) * 40_000L, 0)).ToArray()[^1];

        Assert.InRange(last, 98 * 40_000L, 102 * 40_000L);
        Assert.Equal(ClockHealth.Good, clock.Health);
    }

    [Theory]
    [InlineData(Wrap33)]
    [InlineData(Wrap32)]
    public void Next_CounterRunsOver_NothingHappens(long wrapUs)
    {
        foreach (bool isLive in (bool[])[false, true])
        {
            var clock = new StreamClock(isLive, 0, 25);
            long[] times = [.. Enumerable.Range(0, 250).Select(i => clock.Next((i * 40_000L) - (i < 100 ? 0 : wrapUs), i * 40_000L))];

            Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 39_000, 41_000));
            Assert.Equal(ClockHealth.Good, clock.Health);
        }
    }

    [Fact]
    public void Next_LiveStreamOfFivePerSecondStampedAsTwentyFive_RunsByArrival()
    {
        var clock = new StreamClock(isLive: true, 0, 25);
        long[] times = [.. Enumerable.Range(0, 60).Select(i => clock.Next(i * 40_000L, i * 200_000L))];

        // It takes a second to notice, and a few to make up for it.
        Assert.All(times.Select((t, i) => t - (i * 200_000L)).Skip(30), off => Assert.InRange(off, -100_000, 100_000));
        Assert.Equal(ClockHealth.WrongSpeed, clock.Health);
    }

    [Fact]
    public void Next_LiveStreamInBursts_StampsSpreadThem()
    {
        var clock = new StreamClock(isLive: true, 0, 25);
        // The network holds ten frames back and sends them at once.
        long[] times = [.. Enumerable.Range(0, 500).Select(i => clock.Next(i * 40_000L, ((i / 10) + 1) * 400_000L))];

        Assert.All(times.Zip(times.Skip(1)).Skip(100), pair => Assert.InRange(pair.Second - pair.First, 20_000, 60_000));
        Assert.Equal(ClockHealth.Good, clock.Health);
    }

    [Theory]
    [InlineData(2000)]
    [InlineData(6000)]
    public void Next_LiveStreamInSegments_IsSearchedAsOften(int segmentMs)
    {
        // As a live HLS list comes: all frames of a segment at once, when it is whole.
        var clock = new StreamClock(isLive: true, 0, 25);
        int perSegment = segmentMs / 40;
        int searched = Searched([.. Enumerable.Range(0, 1500).Select(i => clock.Next(i * 40_000L, ((i / perSegment) + 1L) * segmentMs * 1000))]);

        Assert.InRange(searched, 400, 501);
        Assert.Equal(ClockHealth.Good, clock.Health);
    }

    [Theory]
    [InlineData(1500)]
    [InlineData(3000)]
    public void Next_NetworkThatStalls_IsSearchedAsOften(int stallMs)
    {
        var clock = new StreamClock(isLive: true, 0, 25);
        // Every five seconds nothing comes for a while, then all of it.
        int searched = Searched([.. Enumerable.Range(0, 1500).Select(i => clock.Next(i * 40_000L, (i * 40_000L % 5_000_000) < stallMs * 1000L ? (i * 40_000L / 5_000_000 * 5_000_000) + (stallMs * 1000L) : i * 40_000L))]);

        Assert.InRange(searched, 400, 501);
        Assert.Equal(ClockHealth.Good, clock.Health);
    }

    [Fact]
    public void Next_LiveClockJumpsThreeHours_TimeDoesNot()
    {
        foreach (long jumpUs in (long[])[3 * 3600 * Second, -3 * 3600 * Second, -900_000])
        {
            var clock = new StreamClock(isLive: true, 0, 25);
            long[] times = [.. Enumerable.Range(0, 500).Select(i => clock.Next((i * 40_000L) + (i < 250 ? 0 : jumpUs), i * 40_000L))];

            Assert.All(times.Select((t, i) => t - (i * 40_000L)), off => Assert.InRange(off, -50_000, 50_000));
            Assert.Equal(ClockHealth.Jump, clock.Health);
        }
    }

    [Fact]
    public void Health_FaultLongPast_IsGoodAgain()
    {
        var clock = new StreamClock(isLive: true, 0, 25);
        for (int i = 0; i < 1500; i++)
            clock.Next((i * 40_000L) + (i < 250 ? 0 : 7200 * Second), i * 40_000L);

        Assert.Equal((ClockHealth.Good, ""), (clock.Health, clock.Describe()));
    }

    [Fact]
    public void Next_AnyNumbers_GoesUp()
    {
        Gen<long> stamp = Gen.OneOf(Gen.Constant(FrameInfo.NoPts), Gen.Constant(long.MaxValue), Gen.Constant(long.MinValue + 1), Gen.Constant(0L), ArbMap.Default.GeneratorFor<long>(), Gen.Choose(-1_000_000, 1_000_000).Select(i => (long)i));
        Gen<(long, int)[]> frames = stamp.Zip(Gen.Choose(0, 2_000_000)).ArrayOf();
        Prop.ForAll(frames.ToArbitrary(), sequence =>
        {
            foreach (bool isLive in (bool[])[false, true])
            {
                var clock = new StreamClock(isLive, 0, 25);
                long last = long.MinValue, arrival = 0;
                foreach ((long stampUs, int waitUs) in sequence)
                {
                    long time = clock.Next(stampUs, arrival += waitUs);
                    if (time <= last || (isLive && Math.Abs(time - arrival) > 11 * Second) || clock.Describe() is null)
                        return false;
                    last = time;
                }
            }
            return true;
        }).Check(s_many);
    }

    [Fact]
    public void Search_LiveStreamWithAnyClock_KeepsItsInterval() => Prop.ForAll(Streams().ToArbitrary(), stream =>
    {
        var clock = new StreamClock(isLive: true, 0, stream.FramesPerSecond);
        long[] times = [.. stream.Frames.Select(f => clock.Next(f.StampUs, f.ArrivalUs))];
        int searched = Searched(times);
        double seconds = stream.Frames[^1].ArrivalUs / 1e6;
        // The wrong speed of a few frames a second takes longer to notice than these ten seconds.
        Assert.True((stream.Kind == StampKind.WrongSpeed && stream.FramesPerSecond < 5) || Math.Abs((times[^1] / 1e6) - seconds) < 1, $"{stream}: {times[^1] / 1e6:0.00} s for {seconds:0.00} s");
        double expected = Searched([.. stream.Frames.Select(f => f.TrueUs)]);
        Assert.True(Math.Abs(searched - expected) <= (0.2 * expected) + 1, $"{stream}: {searched} searches, {expected} expected");
    }).Check(s_many);

    [Fact]
    public void Search_RecordingWithAnyClock_KeepsItsInterval() => Prop.ForAll(Streams().Where(s => s.Kind != StampKind.WrongSpeed).ToArbitrary(), stream =>
    {
        var clock = new StreamClock(isLive: false, 0, stream.FramesPerSecond);
        int searched = Searched([.. stream.Frames.Select(f => clock.Next(f.StampUs, f.ArrivalUs))]);
        double expected = Searched([.. stream.Frames.Select(f => f.TrueUs)]);
        Assert.True(Math.Abs(searched - expected) <= (0.2 * expected) + 2, $"{stream}: {searched} searches, {expected} expected");
    }).Check(s_many);

    [Fact]
    public void Passage_LiveStreamWithAnyClock_IsOneTrackletAndOneCoolDown() => Prop.ForAll(Streams().Where(s => s.FramesPerSecond >= 5).ToArbitrary(), stream =>
    {
        var clock = new StreamClock(isLive: true, 0, stream.FramesPerSecond);
        var rhythm = new SearchRhythm(EveryMs, 0);
        var tracker = new FaceTracker(new TrackerSettings());
        long first = 0, last = 0;
        var tracklets = new HashSet<long>();
        foreach (Frame frame in stream.Frames)
        {
            long time = clock.Next(frame.StampUs, frame.ArrivalUs);
            if (!rhythm.Wants(time))
                continue;
            // One person walks across the view at a walker's pace.
            float x = 100 + (80 * (frame.TrueUs / 1e6f));
            tracker.Update([new FaceCandidate { Box = new FaceBox(x, 200, x + 60, 280), Score = 0.9f }], time, 1920, 1080);
            (first, last) = (first == 0 ? time : first, time);
            tracklets.UnionWith(tracker.Live.ToArray().Select(t => t.Id));
        }
        // Until the wrong speed is noticed a walker seems to run; the cool-down joins what that tears apart.
        Assert.True(tracklets.Count == 1 || (stream.Kind == StampKind.WrongSpeed && tracklets.Count <= 3), $"{stream}: {tracklets.Count} tracklets");
        Assert.True(last - first <= new AlertPolicy().CoolDownMs * 1000L, $"{stream}: {(last - first) / 1e6} s for one passage");
    }).Check(s_many);

    private static int Searched(long[] times)
    {
        var rhythm = new SearchRhythm(EveryMs, 0);
        return times.Count(t => rhythm.Wants(t));
    }

    /// <summary>Ten seconds of somebody's camera.</summary>
    private static Gen<Stream> Streams() =>
        from kind in Gen.Elements(Enum.GetValues<StampKind>())
        from framesPerSecond in Gen.Choose(1, 60)
        from jitterMs in Gen.Choose(0, 30)
        from at in Gen.Choose(1, 9)
        from seed in Gen.Choose(0, int.MaxValue)
        select Stream.Make(kind, framesPerSecond, jitterMs, at, seed);

    internal enum StampKind { Healthy, Missing, Frozen, Creeping, Back, BackALittle, Ahead, Wrap33, Wrap32, WrongSpeed, Variable, Jitter }

    internal readonly record struct Frame(long StampUs, long ArrivalUs, long TrueUs);

    internal sealed record Stream(StampKind Kind, int FramesPerSecond, int JitterMs, int AtSecond, Frame[] Frames)
    {
        public static Stream Make(StampKind kind, int framesPerSecond, int jitterMs, int at, int seed)
        {
            var random = new Random(seed);
            var frames = new Frame[10 * framesPerSecond];
            long interval = Second / framesPerSecond, time = 0, arrival = 0;
            for (int i = 0; i < frames.Length; i++)
            {
                bool after = time >= at * Second;
                long stamp = kind switch
                {
                    StampKind.Missing => FrameInfo.NoPts,
                    StampKind.Frozen => 0,
                    StampKind.Creeping => i * 11L,
                    StampKind.Back => after ? time - (3 * 3600 * Second) : time,
                    StampKind.BackALittle => after ? time - 900_000 : time,
                    StampKind.Ahead => after ? time + (3 * 3600 * Second) : time,
                    StampKind.Wrap33 => after ? time - Wrap33 : time,
                    StampKind.Wrap32 => after ? time - Wrap32 : time,
                    StampKind.WrongSpeed => time / 5,
                    StampKind.Jitter => time + random.Next(-(int)interval / 20, (int)interval / 20),
                    _ => time,
                };
                arrival = Math.Max(arrival, time + random.Next(0, (jitterMs * 1000) + 1));
                frames[i] = new Frame(stamp, arrival, time);
                time += kind == StampKind.Variable ? interval * random.Next(50, 150) / 100 : interval;
            }
            return new Stream(kind, framesPerSecond, jitterMs, at, frames);
        }

        public override string ToString() => $"{Kind}, {FramesPerSecond} fps, arrivals shaken by {JitterMs} ms, at {AtSecond} s";
    }
}
