using LfrEngine.Detection;
using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Tracking;

public sealed class FaceTrackerTests
{
    private const long FrameUs = 40_000;

    private static FaceCandidate Face(double x, double y = 300, double height = 50, float score = 0.9f) =>
        new() { Box = Scene.Box(x, y, 0.8 * height, height), Score = score };

    private static void Update(FaceTracker tracker, long timestampUs, params FaceCandidate[] faces) =>
        tracker.Update(faces, timestampUs, Scene.Width, Scene.Height);

    private static FaceTracker Confirmed(TrackerSettings? settings = null)
    {
        var tracker = new FaceTracker(settings ?? new TrackerSettings());
        Update(tracker, 0, Face(500));
        Update(tracker, FrameUs, Face(500));
        return tracker;
    }

    [Fact]
    public void Update_SecondHit_Confirms()
    {
        var tracker = new FaceTracker(new TrackerSettings());
        Update(tracker, 1000, Face(500));
        Tracklet tracklet = Assert.Single(tracker.Live.ToArray());
        Assert.Equal((1L, 0, TrackletState.Tentative, 1, false), (tracklet.Id, tracklet.Slot, tracklet.State, tracklet.Hits, tracklet.WasConfirmed));

        FaceCandidate second = Face(503, score: 0.8f);
        Update(tracker, 41_000, Face(1500), second);

        Assert.Equal((TrackletState.Confirmed, 2, 1, true), (tracklet.State, tracklet.Hits, tracklet.DetectionIndex, tracklet.DetectedNow));
        Assert.Equal((1000L, 41_000L, 41_000L), (tracklet.FirstSeenUs, tracklet.LastSeenUs, tracklet.TimestampUs));
        Assert.Equal((second.Box, 0.8f), (tracklet.DetectedBox, tracklet.Score));
        Assert.Equal([1, 2], tracker.Live.ToArray().Select(t => t.Id));
    }

    [Theory]
    [InlineData(0.6f, 1)]
    [InlineData(0.599f, 0)]
    public void Update_ScoreAtStartThreshold_IsInclusive(float score, int expected)
    {
        var tracker = new FaceTracker(new TrackerSettings());
        Update(tracker, 0, Face(500, score: score));
        Assert.Equal(expected, tracker.Live.Length);
    }

    [Theory]
    [InlineData(0.3f, true)]
    [InlineData(0.299f, false)]
    public void Update_ScoreAtContinueThreshold_IsInclusive(float score, bool detected)
    {
        FaceTracker tracker = Confirmed();
        Update(tracker, 2 * FrameUs, Face(500, score: score));
        Assert.Equal(detected, tracker.Live[0].DetectedNow);
    }

    [Fact]
    public void Update_LowScoreAfterOneHit_DoesNotConfirm()
    {
        var tracker = new FaceTracker(new TrackerSettings());
        Update(tracker, 0, Face(500));
        Update(tracker, FrameUs, Face(500, score: 0.5f));
        Assert.Equal(TrackletState.Tentative, tracker.Live[0].State);
    }

    [Fact]
    public void Update_HighScoreNextToBetterPlacedLow_HighTakesTheTracklet()
    {
        FaceTracker tracker = Confirmed();
        Update(tracker, 2 * FrameUs, Face(500, score: 0.5f), Face(504));
        Assert.Equal(1, Assert.Single(tracker.Live.ToArray()).DetectionIndex);
    }

    [Fact]
    public void Update_Coasting_EndsJustAfterMaxCoast()
    {
        FaceTracker tracker = Confirmed(new TrackerSettings { MaxCoastMs = 200 });
        for (long t = 2 * FrameUs; t <= FrameUs + 200_000; t += FrameUs)
        {
            Update(tracker, t);
            Assert.False(Assert.Single(tracker.Live.ToArray()).DetectedNow);
            Assert.Equal(-1, tracker.Live[0].DetectionIndex);
        }
        Update(tracker, FrameUs + 200_001);
        Assert.Equal(0, tracker.Live.Length);
        Tracklet ended = Assert.Single(tracker.Ended.ToArray());
        Assert.Equal((TrackletState.Ended, true, FrameUs), (ended.State, ended.WasConfirmed, ended.LastSeenUs));
        Update(tracker, 10 * FrameUs);
        Assert.Equal(0, tracker.Ended.Length);
    }

    [Fact]
    public void Update_SingleDetection_EndsUnconfirmed()
    {
        var tracker = new FaceTracker(new TrackerSettings());
        Update(tracker, 0, Face(500));
        Update(tracker, FrameUs);
        Assert.Equal(1, tracker.Live.Length);
        Update(tracker, 2 * FrameUs);
        Assert.False(Assert.Single(tracker.Ended.ToArray()).WasConfirmed);
    }

    [Theory]
    [InlineData(FrameUs - 1, Scene.Width, Scene.Height)]
    [InlineData(FrameUs + 2_000_001, Scene.Width, Scene.Height)]
    [InlineData(long.MinValue, Scene.Width, Scene.Height)]
    [InlineData(long.MaxValue, Scene.Width, Scene.Height)]
    [InlineData(2 * FrameUs, Scene.Width - 1, Scene.Height)]
    [InlineData(2 * FrameUs, Scene.Width, Scene.Height + 1)]
    public void Update_BreakInTheStream_EndsAllAndStartsAfresh(long timestampUs, int width, int height)
    {
        FaceTracker tracker = Confirmed();
        tracker.Update([Face(500)], timestampUs, width, height);
        Assert.Equal(1, Assert.Single(tracker.Ended.ToArray()).Id);
        Tracklet fresh = Assert.Single(tracker.Live.ToArray());
        Assert.Equal((2L, TrackletState.Tentative, 1), (fresh.Id, fresh.State, fresh.Slot));
    }

    [Fact]
    public void Update_SameTimestampAgain_Continues()
    {
        FaceTracker tracker = Confirmed();
        Update(tracker, FrameUs, Face(501));
        Assert.Equal(3, Assert.Single(tracker.Live.ToArray()).Hits);
    }

    [Fact]
    public void Update_LeavesTheFrame_EndsBeforeMaxCoast()
    {
        var tracker = new FaceTracker(new TrackerSettings());
        int frame = 0;
        for (double x = 150; x > 0; x -= 15)
            Update(tracker, frame++ * FrameUs, Face(x));
        Update(tracker, frame++ * FrameUs);
        Update(tracker, frame * FrameUs);
        Assert.Equal(0, tracker.Live.Length);
    }

    [Fact]
    public void Update_SlotOfEnded_IsFreeOnlyAfterTheNextCall()
    {
        FaceTracker tracker = Confirmed(new TrackerSettings { MaxCoastMs = 200 });
        Update(tracker, 500_000, Face(1500));
        Assert.Equal((1L, 0), (tracker.Ended[0].Id, tracker.Ended[0].Slot));
        Assert.Equal((2L, 1), (tracker.Live[0].Id, tracker.Live[0].Slot));
        Update(tracker, 540_000, Face(1500), Face(300));
        Assert.Equal((3L, 0), (tracker.Live[1].Id, tracker.Live[1].Slot));
    }

    [Fact]
    public void Update_MoreFacesThanRoom_CountsAndKeepsTheFirst()
    {
        var tracker = new FaceTracker(new TrackerSettings { MaxTracklets = 2 });
        FaceCandidate[] faces = [Face(200), Face(400), Face(600), Face(800), Face(1000)];
        Update(tracker, 0, faces);
        Update(tracker, -1, faces);
        Assert.Equal((2, 2, 6L), (tracker.Live.Length, tracker.Ended.Length, tracker.DroppedStarts));
        Assert.Equal(4, tracker.SlotCount);
    }

    [Fact]
    public void Update_UnusableBoxes_ArePassedOver()
    {
        var tracker = new FaceTracker(new TrackerSettings());
        Update(tracker, 0,
            new FaceCandidate { Box = new FaceBox(float.NaN, 0, 10, 10), Score = 1 },
            new FaceCandidate { Box = new FaceBox(0, 0, float.PositiveInfinity, 10), Score = 1 },
            new FaceCandidate { Box = new FaceBox(20, 0, 10, 10), Score = 1 },
            new FaceCandidate { Box = new FaceBox(0, 0, 10, 10), Score = float.NaN },
            Face(500));
        Assert.Equal(4, Assert.Single(tracker.Live.ToArray()).DetectionIndex);
    }

    [Fact]
    public void EndAll_EndsLive_AndIdsContinue()
    {
        FaceTracker tracker = Confirmed();
        tracker.EndAll();
        Assert.Equal((0, 1), (tracker.Live.Length, tracker.Ended.Length));
        Update(tracker, 0, Face(500));
        Assert.Equal((2L, 0), (tracker.Live[0].Id, tracker.Ended.Length));
        tracker.EndAll();
        tracker.EndAll();
        Assert.Equal(0, tracker.Ended.Length);
    }

    [Fact]
    public void Update_MisuseOfFrameSize_Throws()
    {
        var tracker = new FaceTracker(new TrackerSettings());
        Assert.Throws<ArgumentOutOfRangeException>(() => tracker.Update([], 0, 0, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => tracker.Update([], 0, 10, -1));
        Assert.Throws<ArgumentNullException>(() => new FaceTracker(null!));
    }

    [Fact]
    public void Settings_OutsideRange_Throw()
    {
        var good = new TrackerSettings();
        good.Validate();
        TrackerSettings[] bad =
        [
            good with { StartScore = 1.1f }, good with { StartScore = float.NaN }, good with { ContinueScore = 0.7f }, good with { ConfirmHits = 1 },
            good with { MaxCoastMs = -1 }, good with { MaxTentativeCoastMs = 601 }, good with { MaxGapMs = 0 }, good with { MinIoU = 0 },
            good with { MaxDistance = -1 }, good with { MaxSigmas = 0 }, good with { MaxSizeRatio = 0.9f }, good with { MeasurementNoise = 0 },
            good with { AccelerationNoise = float.PositiveInfinity }, good with { StartSpeed = 0 }, good with { MaxTracklets = 0 },
        ];
        Assert.All(bad, settings => Assert.Throws<ArgumentOutOfRangeException>(() => new FaceTracker(settings)));
    }

    [Fact]
    public void Update_SteadyState_AllocatesNothing()
    {
        // Faces come, cross, go and return, with false ones between, so that starts, ends and both stages all run.
        var random = new Random(9);
        var frames = new FaceCandidate[400][];
        for (int frame = 0; frame < frames.Length; frame++)
        {
            var faces = new List<FaceCandidate>();
            for (int i = 0; i < 30; i++)
            {
                if (random.Next(6) > 0 && (frame + (13 * i)) % 100 < 70)
                    faces.Add(Face((60 * i) + (4 * (frame % 50)), 200 + (20 * (i % 5)), 40, random.Next(4) == 0 ? 0.4f : 0.9f));
            }
            faces.Add(Face(random.Next(Scene.Width), random.Next(Scene.Height)));
            frames[frame] = [.. faces];
        }
        var tracker = new FaceTracker(new TrackerSettings { MaxTracklets = 16 });
        long time = 0;
        long ended = Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        ended += Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(ended > 100, $"{ended}");

        long Run()
        {
            long count = 0;
            foreach (FaceCandidate[] faces in frames)
            {
                tracker.Update(faces, time += FrameUs, Scene.Width, Scene.Height);
                count += tracker.Ended.Length;
                foreach (Tracklet tracklet in tracker.Live)
                    count += tracklet.Box.Width < 0 ? 1 : 0;
            }
            return count;
        }
    }
}
