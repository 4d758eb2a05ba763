using System.Diagnostics;
using System.Runtime.InteropServices;
using LfrEngine.Alignment;
using LfrEngine.Cli.Commands;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Native.Tests.Forensics;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;

namespace LfrEngine.Cli.Tests.Forensics;

/// <summary>A clip of real faces under unique noise, a watchlist with nobody of them, and 32-byte pieces of all that the engine makes of the clip.</summary>
public sealed class ForensicMaterial : IDisposable
{
    private readonly ModelCatalog catalog = ModelCatalog.Default;

    public ForensicMaterial()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Reads /proc, which only Linux has.");
        KeyFile = Path.Combine(Folder, "list.key");
        Clip = MakeClip();
        Watchlist = MakeWatchlist();
        Needles = CollectNeedles(Clip);
    }

    /// <summary>The program as it ships.</summary>
    public static string Program => Path.Combine(RepositoryRoot(), "host", "LfrEngine.Cli", "bin", "Release", "net10.0", "lfr.dll");

    /// <summary>The same program, built without its wipes: the positive control of these tests. Made once per test run.</summary>
    public static Lazy<string> ProgramWithoutWipes { get; } = new(BuildWithoutWipes);

    public string Folder { get; } = Directory.CreateTempSubdirectory("lfr-forensics-").FullName;

    public string Clip { get; }

    public string Watchlist { get; }

    public string KeyFile { get; }

    internal NeedleSet Needles { get; }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    // All memory that is wiped, and the stack's scrub, are in one assembly, so only this assembly is rebuilt.
    private static string BuildWithoutWipes()
    {
        string root = RepositoryRoot(), output = Path.Combine(root, "build", "no-wipe"), library = Path.Combine("bin", "LfrEngine.Native", "release", "LfrEngine.Native.dll");
        Run("dotnet", "build", Path.Combine(root, "native-interop", "LfrEngine.Native"), "-c", "Release", "--artifacts-path", output, "-p:LfrNoWipe=true", "-p:RunAnalyzers=false", "-p:UseSharedCompilation=true", "-v", "quiet", "-clp:NoSummary");
        string shipped = Path.GetDirectoryName(Program)!, program = Path.Combine(output, "program");
        if (Directory.Exists(program))
            Directory.Delete(program, recursive: true);
        foreach (string file in Directory.EnumerateFiles(shipped, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(program, Path.GetRelativePath(shipped, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        File.Copy(Path.Combine(output, library), Path.Combine(program, Path.GetFileName(library)), overwrite: true);
        return Path.Combine(program, Path.GetFileName(Program));
    }

    // A second and a half of the demonstration's street, under noise that no other picture has.
    private string MakeClip()
    {
        string clip = Path.Combine(Folder, "clip.mp4");
        string street = new DemoClip(catalog).MakeAsync(CancellationToken.None).GetAwaiter().GetResult();
        Run("ffmpeg", "-loglevel", "error", "-nostdin", "-i", street, "-ss", "1", "-t", "1.6", "-vf", "noise=alls=12:allf=t+u:all_seed=7071", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", clip);
        return clip;
    }

    private string MakeWatchlist()
    {
        string list = Path.Combine(Folder, "list.lfr");
        string person = Directory.CreateDirectory(Path.Combine(Folder, "people", "somebody-else")).FullName;
        Run("ffmpeg", "-loglevel", "error", "-nostdin", "-i", catalog.SamplePath("@vladmandic/face-api", "demo/sample6.jpg"), "-vf", "crop=400:560:150:360", "-frames:v", "1", Path.Combine(person, "photo.jpg"));
        LfrEngine.Watchlists.WatchlistKey.CreateKeyFile(KeyFile);
        Run("dotnet", [Program, .. Lfr.Accept("enrol", Path.Combine(Folder, "people"), "-o", list, "--key-file", KeyFile)]);
        return list;
    }

    private unsafe NeedleSet CollectNeedles(string clip)
    {
        var needles = new NeedleSet();
        using EngineModels models = EngineModels.Load(catalog);
        var settings = new DetectorSettings { MinimumScore = new TrackerSettings().ContinueScore };
        using var detector = new FaceDetector(models.Detector, settings);
        using var faces = new CandidateList(512);
        var tracker = new FaceTracker(models.Tracking(new TrackerSettings()));
        using var selector = new BestShotSelector(new BestShotPolicy(), models, tracker.SlotCount);
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
                    for (int row = number % 16; row < frame.Info.RowCount(plane); row += 16)
                        needles.Add("frame", frame.Row(plane, row), step: 128);
                }
                detector.Detect(view, faces);
                tracker.Update(faces.Items, frame.Info.PtsUs, view.Width, view.Height);
                selector.Select(view, 0, tracker, faces.Items, shots);
                if (number % 10 == 0)
                {
                    LetterboxTransform transform = LetterboxTransform.Fit(view.Width, view.Height, 640, 384, 0.5f);
                    using HostBuffer<float> tensor = BufferPool.Rent<float>(3 * 640 * 384);
                    letterbox.Fill(view, transform, models.Detector.Manifest.Input, tensor.Pointer);
                    needles.Add("tensor", MemoryMarshal.AsBytes(tensor.Span), step: 2048);
                }
                foreach (FaceShot shot in shots)
                {
                    using HostBuffer<float> embedding = BufferPool.Rent<float>(embedder.Length);
                    embedder.Embed([shot.Crop], embedding.Span, norm);
                    needles.Add("embedding", MemoryMarshal.AsBytes(embedding.Span), step: 8);
                    needles.Add("crop", MemoryMarshal.AsBytes(shot.Crop.Span), step: 512);
                    needles.Add("picture", new ReadOnlySpan<byte>(shot.Picture.View.Y, shot.Picture.Width * shot.Picture.Height), step: 128);
                    shot.Dispose();
                    shotCount++;
                }
                shots.Clear();
                number++;
            }
        }
        string packets = Path.Combine(Folder, "packets.h264");
        Run("ffmpeg", "-loglevel", "error", "-nostdin", "-y", "-i", clip, "-c", "copy", "-bsf:v", "h264_mp4toannexb", packets);
        needles.Add("packet", File.ReadAllBytes(packets), step: 128);
        Assert.True(shotCount > 3, "The clip shows too few faces to prove anything.");
        return needles;
    }

    public static string RepositoryRoot()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "LfrEngine.sln")))
            at = at.Parent;
        return at?.FullName ?? throw new DirectoryNotFoundException("LfrEngine.sln is in no folder above the tests.");
    }

    public static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {output}{errors.Result}");
    }

    /// <summary>Runs a program that may fail.</summary>
    public static void TryRun(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
    }
}
