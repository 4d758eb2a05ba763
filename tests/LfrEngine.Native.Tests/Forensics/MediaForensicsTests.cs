using System.Diagnostics;
using System.Globalization;
using LfrEngine.Native.Tests.Media;

[assembly: AssemblyFixture(typeof(LfrEngine.Native.Tests.Forensics.MediaForensicsOnce))]

namespace LfrEngine.Native.Tests.Forensics;

/// <summary>Clips of noise, what they decode to and what their packets are by ffmpeg's account, and the programs to search.</summary>
public sealed class MediaForensicsFixture : IDisposable
{
    internal const int Width = 640, Height = 480, FrameCount = 60;

    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, (string Clip, NeedleSet Needles)> clips = [];

    public MediaForensicsFixture()
    {
        string root = FindRoot();
        // Sharp noise that moves, so that intra and inter prediction both work, and every frame is its own.
        Make("h264.mp4", "-c:v libx264 -crf 20 -g 20 -bf 2", "h264", "1-5");
        Make("hevc.mp4", "-c:v libx265 -crf 24 -x265-params log-level=none:keyint=20 -tag:v hvc1", "hevc", "0-31");
        Build(root, "shipped", "");
        Build(root, "hooks", "-DLFR_TEST_HOOKS=ON");
    }

    public void Dispose() => folder.Dispose();

    /// <summary>Starts the program, waits until it is ready, and searches it.</summary>
    internal MemoryScan Search(string clip, int threads, string how, bool tunables, bool keepEverything = false)
    {
        string library = folder[keepEverything ? "hooks" : "shipped"];
        ProcessStartInfo start = new(Path.Combine(library, "media_child"), [clips[clip].Clip, threads.ToString(CultureInfo.InvariantCulture), how])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["LD_LIBRARY_PATH"] = library;
        start.Environment.Remove("GLIBC_TUNABLES");
        if (tunables)
            start.Environment["GLIBC_TUNABLES"] = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0";
        // The shipped library does not know this variable: that it changes nothing there is part of the proof.
        start.Environment["LFR_TEST_NO_WIPE"] = "1";
        using Process process = Process.Start(start)!;
        try
        {
            Assert.Equal("ready", process.StandardOutput.ReadLine());
            return MemoryScanner.Scan(process.Id, clips[clip].Needles);
        }
        finally
        {
            process.StandardInput.Close();
            process.WaitForExit();
        }
    }

    private void Make(string name, string output, string rawFormat, string slices)
    {
        string clip = folder[name];
        Ffmpeg.Run($"-f lavfi -i nullsrc=s={Width}x{Height}:r=25,geq=random(1)*255:128:128,boxblur=1,scroll=h=0.01:v=0.005 -frames:v {FrameCount} -pix_fmt yuv420p {output} \"{clip}\"");
        NeedleSet needles = new();
        needles.Add("luma", Ffmpeg.Run($"-i \"{clip}\" -f rawvideo -pix_fmt gray -vf extractplanes=y -"), rowBytes: Width);
        // Slices only: encoders put the same words into parameter sets and messages that their libraries hold.
        needles.Add("packet", Ffmpeg.Run($"-i \"{clip}\" -c copy -bsf:v {rawFormat}_mp4toannexb,filter_units=pass_types={slices} -f {rawFormat} -"), step: 16);
        clips[name] = (clip, needles);
    }

    private void Build(string root, string name, string options)
    {
        string build = folder[name];
        Run("cmake", $"-S \"{root}/native-interop/media\" -B \"{build}\" -DCMAKE_BUILD_TYPE=Release {options}");
        Run("cmake", $"--build \"{build}\"");
        Run("cc", $"-O2 -Wall -I\"{root}/native-interop/media/include\" \"{root}/tests/LfrEngine.Native.Tests/Forensics/media_child.c\" -o \"{build}/media_child\" -L\"{build}\" -llfr_media");
    }

    private static void Run(string program, string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {arguments}: {output}{errors.Result}");
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder != null && !File.Exists(Path.Combine(folder.FullName, "LfrEngine.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("LfrEngine.sln is in no folder above the test program.");
    }
}

/// <summary>One fixture for all classes of the run, made when the first of them asks.</summary>
public sealed class MediaForensicsOnce : IDisposable
{
    private readonly Lazy<MediaForensicsFixture> made = new();

    internal MediaForensicsFixture Fixture => made.Value;

    public void Dispose()
    {
        if (made.IsValueCreated)
            made.Value.Dispose();
    }
}

/// <summary>No 32 bytes of a decoded frame or of a packet are left in a process that has released them.</summary>
[Trait("Speed", "slow")]
public sealed class MediaForensicsTests(MediaForensicsOnce once, ITestOutputHelper output)
{
    [Theory]
    [InlineData("h264.mp4", 1, "close")]
    [InlineData("h264.mp4", 2, "close")]
    [InlineData("h264.mp4", 1, "memory")]
    [InlineData("h264.mp4", 1, "abandon")]
    [InlineData("h264.mp4", 2, "abandon")]
    [InlineData("h264.mp4", 1, "picture")]
    [InlineData("hevc.mp4", 1, "close")]
    [InlineData("hevc.mp4", 2, "close")]
    public void ClosedReader_WithTunables_LeavesNothing(string clip, int threads, string how)
    {
        MemoryScan scan = once.Fixture.Search(clip, threads, how, tunables: true);
        output.WriteLine(scan.ToString());
        Assert.True(scan.Hits == 0, scan.ToString());
        Assert.True(scan.BytesRead > 10 << 20, scan.ToString());
    }

    [Theory]
    [InlineData("h264.mp4")]
    [InlineData("hevc.mp4")]
    public void PositiveControl_WipingSwitchedOff_IsFound(string clip)
    {
        MemoryScan scan = once.Fixture.Search(clip, 1, "close", tunables: true, keepEverything: true);
        output.WriteLine(scan.ToString());
        Assert.True(scan.Of("luma") > 1000 && scan.Of("packet") > 1000, scan.ToString());
    }
}

/// <summary>What stays in a decoder that is paused, and on a heap that nobody overwrites: all of it is known.</summary>
[Trait("Speed", "slow")]
public sealed class MediaRemainsTests(MediaForensicsOnce once, ITestOutputHelper output)
{
    [Theory]
    [InlineData("h264.mp4", 1, "close")]
    [InlineData("h264.mp4", 2, "close")]
    [InlineData("h264.mp4", 1, "picture")]
    [InlineData("hevc.mp4", 1, "close")]
    [InlineData("hevc.mp4", 2, "close")]
    public void ClosedReader_WithoutTunables_LeavesFragments(string clip, int threads, string how)
    {
        MemoryScan scan = once.Fixture.Search(clip, threads, how, tunables: false);
        output.WriteLine(scan.ToString());
        // Heap that libavcodec frees as it is: a decoder thread's last packet, a few rows at the borders of slices.
        Assert.True(scan.Hits < 10_000, scan.ToString());
        if (clip == "h264.mp4" && threads == 1 && how == "close")
            Assert.True(scan.Hits == 0, scan.ToString());
    }

    [Theory]
    [InlineData("h264.mp4", 1)]
    [InlineData("h264.mp4", 2)]
    [InlineData("hevc.mp4", 1)]
    [InlineData("hevc.mp4", 2)]
    public void PausedReader_AfterScrub_KeepsReferenceFramesButNoPackets(string clip, int threads)
    {
        MemoryScan scan = once.Fixture.Search(clip, threads, "pause", tunables: true);
        output.WriteLine(scan.ToString());
        Assert.True(scan.Of("packet") == 0, scan.ToString());
        Assert.True(scan.Of("luma") > 1000, $"the decoder predicts from its reference frames, but: {scan}");
    }
}
