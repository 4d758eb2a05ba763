using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json.Nodes;
using LfrEngine.Cover;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary><c>lfr enrol</c> has photos decoded by a process without rights: the same results, and what kills that process is one photo.</summary>
[Trait("Speed", "slow")]
public sealed class EnrolSandboxTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string List => folder["out/list.lfr"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Enrol_PhotosOfAllKinds_ComeToWhatTheEngineMakesOfThemToTheBit()
    {
        Put(material.Photo, "people/woman/p.jpg");
        Put(material.OtherPhoto, "people/man/p.jpg");
        Put(material.GroupPhoto, "people/group/p.jpg");
        Put(material.EmptyPhoto, "people/nobody/p.jpg");
        Folder("people/woman-again");
        Ffmpeg.Run("-i", material.Photo, "-vf", "transpose=1", folder["people/woman-again/turned.png"]);
        Ffmpeg.Run("-i", material.Photo, "-vf", "scale=60:-1", folder["people/woman-again/small.bmp"]);
        foreach (string name in (string[])["p.tif", "p.gif", "p.webp"])
            Ffmpeg.Run("-i", material.Photo, folder[$"people/woman-again/{name}"]);
        await File.WriteAllBytesAsync(folder["people/woman-again/cut.jpg"], (await File.ReadAllBytesAsync(material.Photo, TestContext.Current.CancellationToken))[..3000], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["people/woman-again/text.jpg"], "This is not a picture.", TestContext.Current.CancellationToken);

        JsonNode report = (await EnrolAsync()).Exits(ExitCode.Incomplete).IsCivil().Json;

        using WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile);
        using Watchlist list = WatchlistFile.Read(List, key);
        using EngineModels models = EngineModels.Load(ModelCatalog.Default);
        using var enroller = new WatchlistEnroller(models);
        int kept = 0, row = 0;
        foreach (JsonNode? photo in report["photos"]!.AsArray())
        {
            using VettedPhoto here = enroller.Vet(await File.ReadAllBytesAsync((string)photo!["photo"]!, TestContext.Current.CancellationToken));
            Assert.Equal(here.Verdict.ToString(), (string?)photo["verdict"], ignoreCase: true);
            Assert.Equal(here.Reasons, photo["reasons"]!.AsArray().Select(r => (string?)r));
            Assert.Equal(here.Quality, (float)photo["quality"]!);
            if (here.Verdict == PhotoVerdict.Rejected)
                continue;
            Assert.Equal(CoveredTemplateMaker.Covers.Count + 1, here.Templates!.Count);
            for (int i = 0; i < here.Templates.Count; i++, row++)
            {
                Assert.True(here.Templates[i].SequenceEqual(list.Embedding(row)) && here.Chip.SequenceEqual(list.Photo(row)), $"{photo["photo"]}, template {i}");
                Assert.Equal((here.Quality, here.Templates.Cover(i)), (list.Quality(row), list.Cover(row)));
            }
            kept++;
        }
        Assert.Equal((list.TemplateCount, list.PhotoCount), (row, kept));
        Assert.True(kept >= 6 && report["photos"]!.AsArray().Count - kept >= 4, $"{kept} photos kept");
    }

    [Theory]
    [InlineData("KILL", "decoding crashed the decoder: the photo may be damaged or malicious")]
    [InlineData("STOP", "decoding took longer than 10 s: the photo may be damaged or malicious")]
    public async Task Enrol_DecoderDiesOrHangsOverAPhoto_RefusesItByNameAndEnrolsTheOthers(string signal, string reason)
    {
        Put(material.Photo, "people/a/p.jpg");
        Folder("people/b");
        Ffmpeg.Run("-f", "lavfi", "-i", "color=c=gray:s=16000x16000:d=1", "-frames:v", "1", "-pix_fmt", "rgb24", "-pred", "none", "-compression_level", "1", folder["people/b/huge.png"]);
        Put(material.OtherPhoto, "people/c/p.jpg");
        // The shortest limit that a busy machine still keeps for the photos that are sound.
        using Lfr lfr = Start(("LFR_TEST_PHOTO_SECONDS", "10"));
        int decoder = await Processes.ChildOfAsync(lfr.Id);
        using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
        {
            // So much only for the second photo.
            while (Processes.MemoryOf(decoder) < 500 << 20)
                await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
        AssertShutIn(decoder);
        if (Environment.IsPrivilegedProcess)
            Assert.DoesNotContain(File.ReadLines($"/proc/{lfr.Id}/maps"), l => l.Contains("libavcodec", StringComparison.Ordinal) || l.Contains("libonnxruntime", StringComparison.Ordinal));

        using (Process kill = Process.Start("kill", [$"-{signal}", $"{decoder}"]))
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);

        JsonNode report = (await lfr.EndAsync()).Exits(ExitCode.Incomplete).IsCivil().Json;
        Assert.Equal((2, 2), ((int)report["identities"]!, (int)report["templates"]!));
        Assert.Equal(["b"], report["notEnrolled"]!.AsArray().Select(n => (string?)n));
        Assert.Equal(reason, Reason(report, "b"));
        Assert.False(Directory.Exists($"/proc/{decoder}"));
        using WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile);
        using Watchlist list = WatchlistFile.Read(List, key);
        Assert.Equal(["a", "c"], list.Identities.Select(i => i.Id));
    }

    [Fact]
    public async Task Enrol_PictureThatNeedsAllMemory_IsRefusedAndTheOthersEnrolled()
    {
        if (!LfrEngine.Native.Hardening.DecodeSandbox.IsOffered)
            Assert.Skip("This system offers no seccomp.");
        Put(material.Photo, "people/a/p.jpg");
        Folder("people/b");
        await File.WriteAllBytesAsync(folder["people/b/bomb.jpg"], Bomb(), TestContext.Current.CancellationToken);
        Put(material.OtherPhoto, "people/c/p.jpg");

        JsonNode report = (await EnrolAsync()).Exits(ExitCode.Incomplete).IsCivil().Json;

        Assert.Equal((2, 2), ((int)report["identities"]!, (int)report["templates"]!));
        Assert.Equal("there is not enough memory for this JPEG picture: scale it down", Reason(report, "b"));
    }

    [Fact]
    public async Task Enrol_WithASystemThatOffersNoSandbox_SaysSoOnceAndEnrols()
    {
        Put(material.Photo, "people/a/p.jpg");
        Put(material.OtherPhoto, "people/c/p.jpg");
        Folder("out");
        // As an older kernel, or a container whose profile forbids it.
        string python = folder["without_seccomp.py"];
        await File.WriteAllTextAsync(python, """
            import ctypes, os, platform, struct, sys
            call = {"x86_64": 317, "aarch64": 277}[platform.machine()]
            code = struct.pack("HBBI", 0x20, 0, 0, 0) + struct.pack("HBBI", 0x15, 0, 1, call) + struct.pack("HBBI", 0x06, 0, 0, 0x50026) + struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000)
            program = ctypes.create_string_buffer(code, len(code))
            class Filter(ctypes.Structure):
                _fields_ = [("length", ctypes.c_ushort), ("first", ctypes.c_void_p)]
            libc = ctypes.CDLL(None, use_errno=True)
            libc.prctl(38, 1, 0, 0, 0)
            if libc.prctl(22, 2, ctypes.byref(Filter(4, ctypes.addressof(program))), 0, 0) != 0:
                sys.exit("no filter")
            os.execvp(sys.argv[1], sys.argv[1:])
            """, TestContext.Current.CancellationToken);

        using Lfr lfr = Lfr.StartInShell($"python3 {python} \"$@\"", "enrol", folder["people"], "-o", List, "--key-file", material.KeyFile, "--json");
        Outcome enrol = await lfr.EndAsync();
        using Lfr doctor = Lfr.StartInShell($"python3 {python} \"$@\"", "doctor", "--json");
        Outcome found = await doctor.EndAsync();

        if (enrol.Error.Contains("no filter", StringComparison.Ordinal) || enrol.ExitCode == 127)
            Assert.Skip("No python3 or no seccomp to forbid seccomp with.");
        Assert.Equal(2, (int)enrol.Exits(ExitCode.Success).IsCivil().Json["templates"]!);
        Assert.Single(enrol.Error.Split('\n'), l => l.StartsWith("This system cannot sandbox the process", StringComparison.Ordinal));
        Assert.Equal("note", (string?)found.Json.AsArray().Single(f => (string?)f!["what"] == "decoding of photos")!["state"]);
    }

    [Fact]
    public async Task Enrol_OnThisSystem_SaysNothingOfTheSandboxAndDoctorKnowsIt()
    {
        if (!LfrEngine.Native.Hardening.DecodeSandbox.IsOffered)
            Assert.Skip("This system offers no seccomp.");
        Put(material.Photo, "people/a/p.jpg");

        Assert.DoesNotContain("shut", (await EnrolAsync()).Exits(ExitCode.Success).Error, StringComparison.Ordinal);
        Assert.Equal("ok", (string?)(await Lfr.RunAsync("doctor", "--json")).Json.AsArray().Single(f => (string?)f!["what"] == "decoding of photos")!["state"]);
    }

    private static string Reason(JsonNode report, string id) => string.Join("; ", report["photos"]!.AsArray().Single(p => (string?)p!["id"] == id)!["reasons"]!.AsArray().Select(r => (string?)r));

    private static void AssertShutIn(int process)
    {
        if (!LfrEngine.Native.Hardening.DecodeSandbox.IsOffered)
            return;
        foreach (string task in Directory.GetDirectories($"/proc/{process}/task"))
        {
            string status = File.ReadAllText(Path.Combine(task, "status"));
            Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
            Assert.Contains("Seccomp:\t2", status, StringComparison.Ordinal);
        }
        string limits = File.ReadAllText($"/proc/{process}/limits");
        Assert.Matches(@"Max file size\s+0\s+0", limits);
        Assert.DoesNotMatch(@"Max address space\s+unlimited", limits);
    }

    // A progressive JPEG of 16200×16200 pixels with four components, in 200 bytes: 1 GB of pixels, and 2 GB of coefficients that wait for the last scan.
    private static byte[] Bomb()
    {
        byte[] frame = [8, 0, 0, 0, 0, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), 16200);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(3), 16200);
        byte[] quantisation = [0, .. Enumerable.Repeat((byte)1, 64)], huffman = [0, 1, .. new byte[16]], scan = [4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 0, 0];
        return [0xFF, 0xD8, .. Segment(0xDB, quantisation), .. Segment(0xC2, frame), .. Segment(0xC4, huffman), .. Segment(0xDA, scan), .. new byte[64], 0xFF, 0xD9];

        static byte[] Segment(byte marker, byte[] content) => [0xFF, marker, 0, (byte)(content.Length + 2), .. content];
    }

    private void Folder(string path) => Directory.CreateDirectory(folder[path]);

    private void Put(string photo, string to)
    {
        Folder(Path.GetDirectoryName(to)!);
        File.Copy(photo, folder[to]);
    }

    private Lfr Start(params (string Name, string Value)[] variables)
    {
        Folder("out");
        return Lfr.Start(null, variables, "enrol", folder["people"], "-o", List, "--key-file", material.KeyFile, "--json");
    }

    private async Task<Outcome> EnrolAsync()
    {
        using Lfr lfr = Start();
        return await lfr.EndAsync();
    }
}
