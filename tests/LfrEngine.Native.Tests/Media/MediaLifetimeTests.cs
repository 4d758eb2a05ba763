using LfrEngine.Native.Media;

namespace LfrEngine.Native.Tests.Media;

/// <summary>Counters are of the whole process, so nothing else may run meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MediaStatisticsGroup
{
    public const string Name = "Media statistics";
}

/// <summary>Nothing stays behind: frames are wiped when the last holder lets go, and given back at the end.</summary>
[Collection(MediaStatisticsGroup.Name)]
public sealed class MediaLifetimeTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public MediaLifetimeTests() => AssertNothingHeld();

    public void Dispose()
    {
        folder.Dispose();
        AssertNothingHeld();
    }

    [Theory]
    [InlineData("clip.mp4", "-c:v libx264 -bf 3 -pix_fmt yuv420p", 1)]
    [InlineData("clip.mp4", "-c:v libx264 -bf 3 -pix_fmt yuv420p", 2)]
    [InlineData("clip.mkv", "-c:v libx264 -pix_fmt yuv420p10le", 1)]
    [InlineData("clip.nut", "-c:v rawvideo -pix_fmt nv12", 1)]
    [InlineData("clip.gif", "", 1)]
    public void Dispose_AfterReading_HoldsNothingAndHasWipedEveryFrame(string name, string output, int threads)
    {
        string clip = Ffmpeg.Clip(folder, name, output, frames: 30);
        MediaStatistics before = MediaStatistics.Read();

        using (MediaReader reader = Frames.Open(clip, new MediaOptions { DecoderThreads = threads }))
        {
            Assert.Equal(30, Frames.ForEach(reader, _ => { }));
            // At the end the decoder has released its reference frames as well.
            Assert.Equal(0, MediaStatistics.Read().BuffersOutstanding);
            Assert.Equal(0, reader.CountResidue());
        }

        MediaStatistics after = MediaStatistics.Read();
        Assert.True(after.BuffersWiped - before.BuffersWiped >= 30);
        Assert.Equal((0L, 0L, 0L), (after.BuffersOutstanding, after.BytesAllocated, after.BytesUnlocked));
    }

    [Fact]
    public void Read_PacketsOfH264_AreWiped()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264", frames: 30);
        MediaStatistics before = MediaStatistics.Read();

        Frames.Decode(clip);

        MediaStatistics after = MediaStatistics.Read();
        Assert.Equal((30, 0), (after.PacketsWiped - before.PacketsWiped, after.PacketsShared - before.PacketsShared));
    }

    [Fact]
    public void Dispose_Midway_HoldsNothing()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264 -bf 3", frames: 30);
        using MediaReader reader = Frames.Open(clip);
        for (int i = 0; i < 10; i++)
        {
            reader.Read(out MediaFrame? frame);
            frame!.Dispose();
            Assert.Equal(0, reader.CountResidue());
        }
        Assert.True(MediaStatistics.Read().BuffersOutstanding > 0, "the decoder holds its reference frames");
    }

    [Fact]
    public unsafe void Release_LastHolder_LeavesZeros()
    {
        // Raw video is copied into our buffer, so nobody but this frame holds it.
        string clip = Ffmpeg.Clip(folder, "clip.nut", "-c:v rawvideo -pix_fmt yuv420p", frames: 2);
        using MediaReader reader = Frames.Open(clip);
        reader.Read(out MediaFrame? frame);
        byte* luma = frame!.Info.PlanePointer(0);
        int length = frame.Plane(0).Length;
        Assert.True(new ReadOnlySpan<byte>(luma, length).ContainsAnyExcept((byte)0));

        frame.Dispose();

        // The buffer is on the reader's free list, still mapped.
        Assert.False(new ReadOnlySpan<byte>(luma, length).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Frame_OutlivingItsReader_StaysValidAndIsWipedLater()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264 -pix_fmt yuv420p", frames: 3);
        MediaReader reader = Frames.Open(clip);
        reader.Read(out MediaFrame? frame);
        byte[] before = Frames.Pack(frame!);

        reader.Dispose();

        Assert.Equal(before, Frames.Pack(frame!));
        Assert.Equal(1, MediaStatistics.Read().BuffersOutstanding);
        frame!.Dispose();
        Assert.Equal(0, MediaStatistics.Read().BytesAllocated);
    }

    [Fact]
    public void Account_AmongOthers_CountsItsOwnReadersAlsoAfterTheyAreClosed()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264 -pix_fmt yuv420p", frames: 6);
        using var account = new MediaAccount();
        MediaReader reader = MediaReader.Open(clip, new MediaOptions { Account = account }, TestContext.Current.CancellationToken);
        using MediaReader other = Frames.Open(clip);
        reader.Read(out MediaFrame? frame);
        other.Read(out MediaFrame? others);
        using MediaFrame kept = others!;
        long held = account.Read().BuffersOutstanding;
        Assert.InRange(held, 1, MediaStatistics.Read().BuffersOutstanding - 1);

        reader.Dispose();
        Assert.Equal((1L, 0L), (account.Read().BuffersOutstanding, account.Read().PacketsOutstanding));
        frame!.Dispose();

        MediaStatistics after = account.Read();
        Assert.Equal((0L, 0L), (after.BuffersOutstanding, after.BytesAllocated));
        Assert.True(after.BuffersWiped >= held && after.PacketsWiped > 0 && after.Scrubs > 0, after.ToString());
        Assert.True(MediaStatistics.Read().BuffersOutstanding > 0, "the other reader's are counted for the process alone");
    }

    [Fact]
    public void Account_ClosedBeforeItsReaderAndFrame_IsNoLongerNeeded()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264 -pix_fmt yuv420p", frames: 3);
        var account = new MediaAccount();
        MediaReader reader = MediaReader.Open(clip, new MediaOptions { Account = account }, TestContext.Current.CancellationToken);
        reader.Read(out MediaFrame? frame);
        account.Dispose();

        reader.Dispose();
        frame!.Dispose();

        Assert.Equal((0L, 0L), (MediaStatistics.Read().BuffersOutstanding, MediaStatistics.Read().BytesAllocated));
        Assert.Throws<ObjectDisposedException>(() => account.Read());
    }

    [Fact]
    public void Buffers_OfManySizes_DoNotPileUp()
    {
        for (int i = 0; i < 40; i++)
            File.WriteAllBytes(folder[$"{i:00}.png"], Png(300 + 40 * i, 300));
        using MediaReader reader = Frames.Open(folder.Path);
        long peak = 0;

        Assert.Equal(40, Frames.ForEach(reader, _ => peak = Math.Max(peak, MediaStatistics.Read().BytesAllocated)));

        Assert.InRange(peak, 1, 40L << 20);
    }

    [Fact]
    public void Open_Failing_LeaksNothing()
    {
        File.WriteAllText(folder["text.mp4"], "no video");
        for (int i = 0; i < 20; i++)
            Assert.Throws<MediaException>(() => Frames.Open(folder["text.mp4"]));
    }

    [Fact]
    public void Encode_AnyPicture_HoldsNothing()
    {
        byte[] pixels = new byte[64 * 64 * 3];
        byte[] room = new byte[ImageEncoder.MaxSizeBytes(64, 64)];
        foreach (ImageCodec codec in new[] { ImageCodec.Jpeg, ImageCodec.Png })
        {
            using var encoder = new ImageEncoder(codec);
            Assert.True(encoder.TryEncode(ImagePlanes.Rgb24(pixels, 64, 64, 192), room, out _));
        }
    }

    [Fact]
    public void Use_AfterDispose_ThrowsAndDisposingAgainDoesNot()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264", frames: 3);
        MediaReader reader = Frames.Open(clip);
        reader.Read(out MediaFrame? frame);
        reader.Dispose();
        reader.Dispose();
        reader.Interrupt();
        frame!.Dispose();
        frame.Dispose();

        Assert.Throws<ObjectDisposedException>(() => reader.Read(out _));
        Assert.Throws<ObjectDisposedException>(() => reader.GetInfo());
        Assert.Throws<ObjectDisposedException>(() => frame.Plane(0).Length);
        Assert.Throws<ObjectDisposedException>(() => frame.Info.Width);
    }

    [Fact]
    public async Task Dispose_WhileAnotherThreadReads_IsSafe()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264", frames: 100);
        for (int round = 0; round < 20; round++)
        {
            MediaReader reader = Frames.Open(clip);
            using ManualResetEventSlim started = new();
            Task reading = Task.Run(() =>
            {
                try
                {
                    while (reader.Read(out MediaFrame? frame) == DecodeResult.Frame)
                    {
                        frame!.Dispose();
                        started.Set();
                    }
                }
                catch (ObjectDisposedException)
                {
                    // Between two reads: just as well.
                }
            }, TestContext.Current.CancellationToken);
            started.Wait(TestContext.Current.CancellationToken);
            reader.Dispose();
            await reading.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void Locking_OfBuffers_IsCounted()
    {
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264", frames: 3);
        using MediaReader reader = Frames.Open(clip);
        reader.Read(out MediaFrame? frame);
        using MediaFrame held = frame!;

        MediaStatistics statistics = MediaStatistics.Read();
        Assert.InRange(statistics.BytesUnlocked, 0, statistics.BytesAllocated);
        // The kernel's own account of locked memory agrees.
        string locked = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmLck:", StringComparison.Ordinal));
        long lockedBytes = long.Parse(locked.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], System.Globalization.CultureInfo.InvariantCulture) * 1024;
        Assert.True(lockedBytes >= statistics.BytesAllocated - statistics.BytesUnlocked);
    }

    private byte[] Png(int width, int height)
    {
        byte[] room = new byte[ImageEncoder.MaxSizeBytes(width, height)];
        using var encoder = new ImageEncoder(ImageCodec.Png);
        Assert.True(encoder.TryEncode(ImagePlanes.Rgb24(new byte[width * height * 3], width, height, width * 3), room, out int size));
        return room[..size];
    }

    private static void AssertNothingHeld()
    {
        MediaStatistics statistics = MediaStatistics.Read();
        Assert.Equal((0L, 0L), (statistics.BuffersOutstanding, statistics.BytesAllocated));
    }
}
