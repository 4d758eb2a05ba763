using System.Diagnostics;
using System.Globalization;
using LfrEngine.Memory;
using LfrEngine.Native.Tests.Forensics;

namespace LfrEngine.Cli.Tests.Forensics;

/// <summary>
/// Proves the promise: the real program watches a clip of real faces under unique noise with nobody of them on its list; when the last one has been
/// judged and the deadline has passed, and while it still runs, all of its memory is searched for any of them.
/// </summary>
/// <remarks>
/// What is searched for comes from this process, which takes the same frames through the same stages (the pipeline is deterministic), and from
/// ffmpeg: rows of decoded frames, detector tensors, aligned crops, pictures, embeddings, compressed packets, 32 bytes each. The positive control
/// is the same program built without its wipes.
/// </remarks>
[Trait("Speed", "slow")]
public sealed class EngineForensicsTests(ForensicMaterial material) : IClassFixture<ForensicMaterial>
{
    private readonly string clip = material.Clip, list = material.Watchlist, key = material.KeyFile, folder = material.Folder;
    private readonly NeedleSet needles = material.Needles;

    [Fact]
    public void Run_NobodyListed_LeavesNoByteOfAnyoneInMemory()
    {
        using Child child = Start(ForensicMaterial.Program, clip, list, key);
        child.WaitForEnd("clip");
        MemoryScan scan = MemoryScanner.Scan(child.Id, needles);

        TestContext.Current.TestOutputHelper?.WriteLine($"{needles.Count} needles; {scan}");
        // A library holds some strings that the stream quotes (the encoder's name): what lies in a library's file is not of the clip.
        Assert.All(scan.ByPlace, place => Assert.True(place.Key.Contains(".so", StringComparison.Ordinal), scan.ToString()));
    }

    [Fact]
    public async Task Run_RtspSourceIsLost_LeavesNoByteOfAnyoneInMemory()
    {
        int port = FreePort.Tcp();
        using RtspServer server = RtspServer.Start(port, clip);
        using Child child = Start(ForensicMaterial.Program, $"rtsp://127.0.0.1:{port}/live", list, key);
        // A server that says how long its recording is: it ends with it.
        child.WaitForEnd("clip");
        server.Dispose();
        MemoryScan scan = MemoryScanner.Scan(child.Id, needles);

        TestContext.Current.TestOutputHelper?.WriteLine($"{needles.Count} needles; {scan}");
        Assert.All(scan.ByPlace, place => Assert.True(place.Key.Contains(".so", StringComparison.Ordinal), scan.ToString()));
    }

    /// <summary>A vendor's program in C. Frames, packets and pictures are the same to the bit on every processor; crops and embeddings where liblfr.so was built for this one.</summary>
    [Fact]
    public void Library_NobodyListed_LeavesNoByteOfAnyoneInMemory()
    {
        string root = ForensicMaterial.RepositoryRoot(), program = Path.Combine(root, "build", "capi", "held");
        if (!File.Exists(program))
            Assert.Skip("There is no build/capi/held: scripts/capi.sh makes it.");
        var start = new ProcessStartInfo(program, [Path.Combine(root, "models"), LfrEngine.Models.UserFolders.Cache, list, key, clip]) { RedirectStandardOutput = true, WorkingDirectory = folder };
        start.Environment["GLIBC_TUNABLES"] = LfrEngine.Native.Hardening.ProcessHardening.Tunables;
        using var child = new Child(Process.Start(start)!);
        child.WaitForEnd("clip");
        MemoryScan scan = MemoryScanner.Scan(child.Id, needles);

        TestContext.Current.TestOutputHelper?.WriteLine($"{needles.Count} needles; {scan}");
        Assert.All(scan.ByPlace, place => Assert.True(place.Key.Contains(".so", StringComparison.Ordinal), scan.ToString()));
    }

    [Fact]
    public void Run_BuiltWithoutWipes_IsFoundOut()
    {
        using Child child = Start(ForensicMaterial.ProgramWithoutWipes.Value, clip, list, key, ("LFR_TEST_NO_WIPE", "1"), ("LFR_MEDIA_LIBRARY", BuildShimWithHooks()), ("GLIBC_TUNABLES", ""));
        child.WaitForEnd("clip");
        MemoryScan scan = MemoryScanner.Scan(child.Id, needles);

        TestContext.Current.TestOutputHelper?.WriteLine(scan.ToString());
        // Decoded frames are not among them: their pages went back to the system with the closed reader. Nor are packets: the heap that held them is in
        // use again now and then by the time of the search. The shim's own control finds both.
        foreach (string kind in (string[])["crop", "picture", "embedding"])
            Assert.True(scan.Of(kind) > 0, $"no {kind} was found: the search would not notice one. {scan}");
    }

    [Theory]
    [InlineData("KILL")]
    [InlineData("ABRT")]
    [InlineData("SEGV")]
    [InlineData("memory")]
    public void Run_Dies_LeavesNoByteOfAnyoneOnDisk(string how)
    {
        string home = Path.Combine(folder, "child-" + how);
        Directory.CreateDirectory(home);
        // The core limit is raised for the child: that it writes no core file must be its own doing.
        using (Child child = Start(ForensicMaterial.Program, clip, list, key, home, ("LFR_CONFIG", home)))
        {
            child.WaitForFrames();
            if (how == "memory")
                ForensicMaterial.Run("prlimit", $"--pid={child.Id}", "--as=1");
            // .NET takes the first signal from outside and leaves the second to the system, as it would a fault that repeats.
            child.KillWith(how == "memory" ? "TERM" : how);
        }

        foreach (string file in Directory.EnumerateFiles(home, "*", SearchOption.AllDirectories))
        {
            Assert.False(Path.GetFileName(file).StartsWith("core", StringComparison.Ordinal), $"{file} is a core dump.");
            ReadOnlySpan<byte> content = File.ReadAllBytes(file);
            for (int at = needles.FindCandidate(content, 0); at >= 0; at = needles.FindCandidate(content, at + 1))
                Assert.True(needles.Match(content[at..]) is null, $"{file} holds a {needles.Match(content[at..])}.");
        }
    }

    private static string BuildShimWithHooks()
    {
        string root = ForensicMaterial.RepositoryRoot(), output = Path.Combine(root, "build", "media-hooks");
        ForensicMaterial.Run("cmake", "-S", Path.Combine(root, "native-interop", "media"), "-B", output, "-DCMAKE_BUILD_TYPE=Release", "-DLFR_TEST_HOOKS=ON");
        ForensicMaterial.Run("cmake", "--build", output);
        return Path.Combine(output, "liblfr_media.so");
    }

    private Child Start(string program, string? clip, string list, string key, params (string Name, string Value)[] environment) =>
        Start(program, clip, list, key, folder, environment);

    // The second camera waits for a stream that never comes, and so keeps the program running when the clip is over.
    private static Child Start(string program, string? clip, string list, string key, string workingFolder, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("prlimit") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = workingFolder };
        string[] camera = clip is null ? [] : ["--camera", "clip=" + clip];
        foreach (string argument in (string[])["--core=unlimited", "dotnet", program, .. Lfr.Accept(["run", "--json", "--detect-every", "0", "--watchlist", list, "--key-file", key, .. camera, "--camera", $"hold=udp://127.0.0.1:{FreePort.Udp()}"])])
            start.ArgumentList.Add(argument);
        start.Environment["GLIBC_TUNABLES"] = LfrEngine.Native.Hardening.ProcessHardening.Tunables;
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["TMPDIR"] = workingFolder;
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        Process process = Process.Start(start)!;
        // What a dying runtime says of itself is of no interest here, but must not fill the pipe.
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return new Child(process);
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

        /// <summary>Sends a signal until it is obeyed.</summary>
        public void KillWith(string signal)
        {
            for (int i = 0; i < 30 && !process.WaitForExit(1000); i++)
                ForensicMaterial.TryRun("kill", "-" + signal, process.Id.ToString(CultureInfo.InvariantCulture));
            Assert.True(process.HasExited, "The program did not end.");
        }

        public void Dispose()
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
