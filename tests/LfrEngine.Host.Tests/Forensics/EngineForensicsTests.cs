using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Native.Tests.Forensics;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;

namespace LfrEngine.Host.Tests.Forensics;

/// <summary>
/// Proves the promise: the real program watches a clip of real faces under unique noise with nobody of them on its list; when the last one has been
/// judged and the deadline has passed, and while it still runs, all of its memory is searched for any of them.
/// </summary>
/// <remarks>
/// What is searched for comes from this process, which takes the same frames through the same stages (the pipeline is deterministic), and from
/// ffmpeg: rows of decoded frames, detector tensors, aligned crops, pictures, embeddings, compressed packets, 32 bytes each. The positive control
/// is the same program built without its wipes.
/// </remarks>
public sealed class EngineForensicsTests : IDisposable
{
    private const string HardenedHeap = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0";

    private readonly string folder = Directory.CreateTempSubdirectory("lfr-forensics-").FullName;
    private readonly ModelCatalog catalog = ModelCatalog.Default;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Run_NobodyListed_LeavesNoByteOfAnyoneInMemory()
    {
        RequireLinux();
        string clip = MakeClip(), list = MakeWatchlist(out string key);
        NeedleSet needles = CollectNeedles(clip);
        MemoryScan control = ScanIdle(list, key, needles);
        using Child child = Start(Program("Release"), clip, list, key);
        child.WaitForEnd("clip");
        MemoryScan scan = MemoryScanner.Scan(child.Id, needles);

        TestContext.Current.TestOutputHelper?.WriteLine($"{needles.Count} needles; {scan}; in a program that saw no video: {control}");
        // What a program that never saw the clip holds as well (a codec's name in a library) is not of the clip.
        Assert.All(scan.ByPlace, place => Assert.True(place.Value <= control.ByPlace.GetValueOrDefault(place.Key), scan.ToString()));
    }

    [Fact]
    public void Run_BuiltWithoutWipes_IsFoundOut()
    {
        RequireLinux();
        string clip = MakeClip(), list = MakeWatchlist(out string key);
        NeedleSet needles = CollectNeedles(clip);
        string program = BuildWithoutWipes();
        using Child child = Start(program, clip, list, key, ("LFR_TEST_NO_WIPE", "1"), ("LFR_MEDIA_LIBRARY", BuildShimWithHooks()), ("GLIBC_TUNABLES", ""));
        child.WaitForEnd("clip");
        MemoryScan scan = MemoryScanner.Scan(child.Id, needles);

        TestContext.Current.TestOutputHelper?.WriteLine(scan.ToString());
        foreach (string kind in (string[])["frame", "tensor", "crop", "picture", "embedding", "packet"])
            Assert.True(scan.Of(kind) > 0, $"no {kind} was found: the search would not notice one. {scan}");
    }

    [Theory]
    [InlineData("KILL")]
    [InlineData("ABRT")]
    [InlineData("SEGV")]
    [InlineData("memory")]
    public void Run_Dies_LeavesNoByteOfAnyoneOnDisk(string how)
    {
        RequireLinux();
        string clip = MakeClip(), list = MakeWatchlist(out string key);
        NeedleSet needles = CollectNeedles(clip);
        string home = Path.Combine(folder, "child-" + how);
        Directory.CreateDirectory(home);
        // The core limit is raised for the child: that it writes no core file must be its own doing.
        using (Child child = Start(Program("Release"), clip, list, key, home, ("LFR_CONFIG", home)))
        {
            child.WaitForFrames();
            if (how == "memory")
                Run("prlimit", $"--pid={child.Id}", "--as=1");
            Run("kill", how == "memory" ? "-TERM" : "-" + how, child.Id.ToString(CultureInfo.InvariantCulture));
            child.WaitForExit();
        }

        foreach (string file in Directory.EnumerateFiles(home, "*", SearchOption.AllDirectories))
        {
            Assert.False(Path.GetFileName(file).StartsWith("core", StringComparison.Ordinal), $"{file} is a core dump.");
            ReadOnlySpan<byte> content = File.ReadAllBytes(file);
            for (int at = needles.FindCandidate(content, 0); at >= 0; at = needles.FindCandidate(content, at + 1))
                Assert.True(needles.Match(content[at..]) is null, $"{file} holds a {needles.Match(content[at..])}.");
        }
    }

    private static void RequireLinux()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Reads /proc, which only Linux has.");
    }

    // Four seconds of the demonstration's street, under noise that no other picture has.
    private string MakeClip()
    {
        string clip = Path.Combine(folder, "clip.mp4");
        if (File.Exists(clip))
            return clip;
        string street = new DemoClip(catalog).MakeAsync(TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        Run("ffmpeg", "-loglevel", "error", "-nostdin", "-i", street, "-ss", "1", "-t", "3", "-vf", "noise=alls=12:allf=t+u:all_seed=7071", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", clip);
        return clip;
    }

    private string MakeWatchlist(out string key)
    {
        key = Path.Combine(folder, "list.key");
        string list = Path.Combine(folder, "list.lfr");
        if (File.Exists(list))
            return list;
        string person = Directory.CreateDirectory(Path.Combine(folder, "people", "somebody-else")).FullName;
        Run("ffmpeg", "-loglevel", "error", "-nostdin", "-i", catalog.SamplePath("@vladmandic/face-api", "demo/sample6.jpg"), "-vf", "crop=400:560:150:360", "-frames:v", "1", Path.Combine(person, "photo.jpg"));
        LfrEngine.Watchlists.WatchlistKey.CreateKeyFile(key);
        Run("dotnet", Program("Release"), "enrol", Path.Combine(folder, "people"), "-o", list, "--key-file", key);
        return list;
    }

    private unsafe NeedleSet CollectNeedles(string clip)
    {
        var needles = new NeedleSet();
        using EngineModels models = EngineModels.Load(catalog);
        var settings = new DetectorSettings { MinimumScore = new TrackerSettings().ContinueScore };
        using var detector = new FaceDetector(models.Detector, settings);
        using var faces = new CandidateList(512);
        var tracker = new FaceTracker(new TrackerSettings());
        using var selector = new BestShotSelector(new BestShotPolicy(), models.Landmarks, models.Embedder.Manifest.Input, tracker.SlotCount);
        using var embedder = new Embedder(models.Embedder);
        using var letterbox = new Letterbox();
        using MediaReader reader = MediaReader.Open(clip);
        int number = 0, shotCount = 0;
        Span<float> norm = stackalloc float[1];
        var shots = new List<FaceShot>();
        while (reader.Read(out MediaFrame? frame) == DecodeResult.Frame)
        {
            using (frame)
            {
                FrameView view = FrameLease.ViewOf(frame!);
                for (int plane = 0; plane < frame!.Info.PlaneCount; plane++)
                {
                    for (int row = number % 8; row < frame.Info.RowCount(plane); row += 8)
                        needles.Add("frame", frame.Row(plane, row), step: 64);
                }
                detector.Detect(view, faces);
                tracker.Update(faces.Items, frame.Info.PtsUs, view.Width, view.Height);
                selector.Select(view, 0, tracker, faces.Items, shots);
                if (number % 10 == 0)
                {
                    LetterboxTransform transform = LetterboxTransform.Fit(view.Width, view.Height, 640, 384, 0.5f);
                    using HostBuffer<float> tensor = BufferPool.Rent<float>(3 * 640 * 384);
                    letterbox.Fill(view, transform, models.Detector.Manifest.Input, tensor.Pointer);
                    needles.Add("tensor", MemoryMarshal.AsBytes(tensor.Span), step: 512);
                }
                foreach (FaceShot shot in shots)
                {
                    using HostBuffer<float> embedding = BufferPool.Rent<float>(embedder.Length);
                    embedder.Embed([shot.Crop], embedding.Span, norm);
                    needles.Add("embedding", MemoryMarshal.AsBytes(embedding.Span), step: 4);
                    needles.Add("crop", MemoryMarshal.AsBytes(shot.Crop.Span), step: 256);
                    needles.Add("picture", new ReadOnlySpan<byte>(shot.Picture.View.Y, shot.Picture.Width * shot.Picture.Height), step: 64);
                    shot.Dispose();
                    shotCount++;
                }
                shots.Clear();
                number++;
            }
        }
        string packets = Path.Combine(folder, "packets.h264");
        Run("ffmpeg", "-loglevel", "error", "-nostdin", "-y", "-i", clip, "-c", "copy", "-bsf:v", "h264_mp4toannexb", packets);
        needles.Add("packet", File.ReadAllBytes(packets), step: 64);
        Assert.True(shotCount > 3, "The clip shows too few faces to prove anything.");
        return needles;
    }

    private MemoryScan ScanIdle(string list, string key, NeedleSet needles)
    {
        using Child child = Start(Program("Release"), null, list, key);
        child.WaitForLine("\"opening\"");
        return MemoryScanner.Scan(child.Id, needles);
    }

    private static string Program(string configuration) =>
        Path.Combine(RepositoryRoot(), "host", "LfrEngine.Host", "bin", configuration, "net10.0", "lfr.dll");

    // ./test.sh may build it beforehand; otherwise this takes half a minute.
    private static string BuildWithoutWipes()
    {
        string root = RepositoryRoot(), output = Path.Combine(root, "build", "no-wipe");
        Run("dotnet", "build", Path.Combine(root, "host", "LfrEngine.Host"), "-c", "Release", "--artifacts-path", output, "-p:LfrNoWipe=true", "-v", "quiet", "-clp:NoSummary");
        return Path.Combine(output, "bin", "LfrEngine.Host", "release", "lfr.dll");
    }

    private static string BuildShimWithHooks()
    {
        string root = RepositoryRoot(), output = Path.Combine(root, "build", "media-hooks");
        Run("cmake", "-S", Path.Combine(root, "native-interop", "media"), "-B", output, "-DCMAKE_BUILD_TYPE=Release", "-DLFR_TEST_HOOKS=ON");
        Run("cmake", "--build", output);
        return Path.Combine(output, "liblfr_media.so");
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "LfrEngine.sln")))
            at = at.Parent;
        return at?.FullName ?? throw new DirectoryNotFoundException("LfrEngine.sln is in no folder above the tests.");
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}{errors.Result}");
    }

    private Child Start(string program, string? clip, string list, string key, params (string Name, string Value)[] environment) =>
        Start(program, clip, list, key, folder, environment);

    // The second camera waits for a stream that never comes, and so keeps the program running when the clip is over.
    private static Child Start(string program, string? clip, string list, string key, string workingFolder, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("prlimit") { RedirectStandardOutput = true, WorkingDirectory = workingFolder };
        string[] camera = clip is null ? [] : ["--camera", "clip=" + clip];
        foreach (string argument in (string[])["--core=unlimited", "dotnet", program, "run", "--json", "--watchlist", list, "--key-file", key, .. camera, "--camera", $"hold=udp://127.0.0.1:{FreePort()}"])
            start.ArgumentList.Add(argument);
        start.Environment["GLIBC_TUNABLES"] = HardenedHeap;
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["TMPDIR"] = workingFolder;
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return new Child(Process.Start(start)!);
    }

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.UdpClient(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        return ((System.Net.IPEndPoint)socket.Client.LocalEndPoint!).Port;
    }

    private sealed class Child(Process process) : IDisposable
    {
        // prlimit becomes the program: same process.
        public int Id => process.Id;

        public void WaitForLine(string part)
        {
            while (process.StandardOutput.ReadLine() is { } line)
            {
                if (line.Contains(part, StringComparison.Ordinal))
                    return;
            }
            Assert.Fail($"The program ended ({process.ExitCode}) before it said {part}.");
        }

        /// <summary>Waits until a camera has ended and the deadline of its last face has passed.</summary>
        public void WaitForEnd(string camera)
        {
            while (process.StandardOutput.ReadLine() is { } line)
            {
                if (line.Contains($"\"{camera}\"", StringComparison.Ordinal) && line.Contains("\"ended\"", StringComparison.Ordinal))
                {
                    // The promise is about the time after the deadline, so this waits for it, and for nothing else.
                    Task.Delay(ErasureClock.DeadlineMs + 100).Wait();
                    return;
                }
            }
            Assert.Fail($"The program ended ({process.ExitCode}) before the clip did.");
        }

        /// <summary>Waits until the clip is being watched.</summary>
        public void WaitForFrames() => WaitForLine("\"running\"");

        public void WaitForExit() => Assert.True(process.WaitForExit(60_000), "The program did not end.");

        public void Dispose()
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
