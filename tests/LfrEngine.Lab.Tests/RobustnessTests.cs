using LfrEngine.Cli.Tests.Support;


namespace LfrEngine.Lab.Tests;

/// <summary>Kills, stops, full disks and wrong input.</summary>
[Trait("Speed", "slow")]
public sealed class RobustnessTests(Laboratory lab) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Verify_KilledInTheMiddle_ResumesToTheSameResult()
    {
        Multiply(10);
        string[] verify = ["verify", folder["many"], "--cache", folder["cache"], "--json"];
        using (Lfr killed = lab.Start(verify))
        {
            // Some templates are on disk, not all.
            using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (!Directory.Exists(folder["cache"]) || Directory.GetFiles(folder["cache"], "*.templates", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length) < 30_000)
                await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        Outcome resumed = (await lab.RunAsync(verify)).Exits(ExitCode.Success).Says("templates came from the cache");

        Outcome whole = (await lab.RunAsync("verify", folder["many"], "--cache", "none", "--json")).Exits(ExitCode.Success);
        Assert.Equal(whole.Json.Result(), resumed.Json.Result());
        int reused = int.Parse(resumed.Error.Split('\n').Single(l => l.Contains("came from the cache", StringComparison.Ordinal)).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(reused, 1, 159);
        // Nothing of a face lies there in the clear: no float of a template repeats the cleartext head.
        Assert.All(Directory.GetFiles(folder["cache"], "*.templates", SearchOption.AllDirectories), f => Assert.True(IsNoise(File.ReadAllBytes(f).AsSpan(8))));
        (await lab.RunAsync("cache", "erase", "--cache", folder["cache"])).Exits(ExitCode.Success).Says("erased");
        Assert.DoesNotContain(folder.Files, f => f.StartsWith("cache", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_CacheWithAnotherKey_SaysWhichAndHowToGoOn()
    {
        (await lab.RunAsync("verify", lab.Faces, "--cache", folder["cache"], "--json")).Exits(ExitCode.Success);
        await File.WriteAllBytesAsync(folder["other.key"], new byte[32], TestContext.Current.CancellationToken);

        Outcome other = (await lab.RunAsync("verify", lab.Faces, "--cache", folder["cache"], "--cache-key", folder["other.key"], "--json")).Exits(ExitCode.Input);

        other.Says("--cache-key", "cache erase").IsCivil();
        Assert.Empty(other.Output);
    }

    [Fact]
    public async Task Verify_CtrlC_LeavesNoReport()
    {
        Multiply(40);
        using Lfr stopped = lab.Start("verify", folder["many"], "--cache", "none", "--out", folder["report"], "--json");
        await Processes.UntilItIsAtWorkAsync(stopped.Id);

        stopped.Interrupt();

        Outcome outcome = (await stopped.EndAsync()).Exits(ExitCode.Stopped).Says("Stopped.").IsCivil();
        Assert.Empty(outcome.Output);
        Assert.False(Directory.Exists(folder["report"]));
    }

    [Fact]
    public async Task Verify_FullDisk_LeavesNothingHalf()
    {
        using TinyDisk disk = TinyDisk.Mount(64);

        (await lab.RunAsync("verify", lab.Faces, "--cache", "none", "--out", Path.Combine(disk.Path, "report"))).Exits(ExitCode.Output).Says("cannot be written", "--out").IsCivil();

        Assert.Empty(Directory.GetFileSystemEntries(disk.Path));
    }

    [Theory]
    [InlineData("subject,file\nAnn\n", "line 2", "1 fields where the header has 2")]
    [InlineData("subject,file\nAnn,a.jpg\n,b.jpg\n", "line 3", "the subject is empty")]
    [InlineData("subject,file\nAnn,a.jpg\nBob,a.jpg\n", "line 3", "listed twice")]
    [InlineData("subject,picture\nAnn,a.jpg\n", "no column \"file\"", "picture")]
    [InlineData("subject,file\n\"Ann,a.jpg\n", "line 2", "a quotation mark is opened and not closed")]
    public async Task Verify_WrongCsv_SaysWhere(string csv, string where, string what)
    {
        await File.WriteAllTextAsync(folder["data.csv"], csv, TestContext.Current.CancellationToken);

        Outcome verify = (await lab.RunAsync("verify", folder["data.csv"], "--cache", "none")).Exits(ExitCode.Input);

        verify.Says(folder["data.csv"], where, what).IsCivil();
    }

    [Theory]
    [InlineData("video,camera,from,to,subject\nnowhere.mp4,a,0,1,Ann\n", "line 2", "does not exist")]
    [InlineData("video,camera,from,to,subject\nv,a,2,1,Ann\n", "line 2", "ends before it begins")]
    [InlineData("video,camera,from,to,subject\nv,a,zero,1,Ann\n", "line 2", "\"zero\" in from is not a number")]
    public async Task Passages_WrongList_SaysWhere(string csv, string where, string what)
    {
        Directory.CreateDirectory(folder["v"]);
        await File.WriteAllTextAsync(folder["passages.csv"], csv, TestContext.Current.CancellationToken);

        (await lab.RunAsync("passages", folder["passages.csv"], "--watchlist", "none.lfr")).Exits(ExitCode.Input).Says(where, what).IsCivil();
    }

    [Theory]
    [InlineData("verify", "nowhere")]
    [InlineData("identify", "nowhere")]
    [InlineData("quality", "nowhere")]
    public async Task AnyProtocol_NoData_SaysSo(string protocol, string path) =>
        (await lab.RunAsync(protocol, path, "--cache", "none")).Exits(ExitCode.Input).Says("does not exist").IsCivil();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnyProtocol_TooLittleData_IsNoStatistic(bool json)
    {
        string[] how = json ? ["--cache", "none", "--json"] : ["--cache", "none"];
        Directory.CreateDirectory(folder["lone/person-0"]);
        foreach (string photo in Directory.GetFiles(Path.Combine(lab.Faces, "person-0")))
            File.Copy(photo, folder[$"lone/person-0/{Path.GetFileName(photo)}"]);
        await File.WriteAllTextAsync(folder["list.csv"], $"file,subject\n{lab.Faces}/person-0/1.jpg,a\n{lab.Faces}/person-0/3.jpg,a\n", TestContext.Current.CancellationToken);

        foreach ((string said, string[] command) in Cases())
        {
            Outcome outcome = (await lab.RunAsync([.. command, .. how])).Exits(ExitCode.Input);
            outcome.Says(said).IsCivil();
            Assert.Empty(outcome.Output);
        }

        IEnumerable<(string, string[])> Cases() =>
        [
            ("Too few people for a rate", ["verify", folder["lone"]]),
            ("only 8 have two or more images", ["identify", lab.Faces, "--gallery", "100"]),
            ("line 3", ["quality", folder["list.csv"]]),
        ];
    }

    [Fact]
    public async Task Identify_EverybodyEnrolled_HasNoFalsePositiveRateAndNoEvidence()
    {
        Outcome outcome = (await lab.RunAsync("identify", lab.Faces, "--gallery", "all", "--cache", "none", "--json")).Exits(ExitCode.Success).IsCivil();

        Assert.Contains("no non-mated search", outcome.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", outcome.Output, StringComparison.Ordinal);
        (await lab.RunAsync("identify", lab.Faces, "--gallery", "all", "--cache", "none", "--evidence", folder["e.json"])).Exits(ExitCode.Input).Says("no evidence to write").IsCivil();
        Assert.False(File.Exists(folder["e.json"]));
    }

    [Theory]
    [InlineData("first,second,mated,score\na/1,a/2,1,0.5\na/1,a/2,1,0.5\n", "line 3", "twice")]
    [InlineData("first,second,mated,score\na/1,a/2,yes,0.5\n", "line 2", "neither 0 nor 1")]
    [InlineData("first,second,mated,score\na/1,a/2,1,NaN\n", "line 2", "is not a score")]
    [InlineData("first,second,mated,score\na/1,b/2,0,0.5\n", "no mated comparison", "")]
    public async Task Compare_ReportThatCannotBeCompared_SaysWhy(string csv, string where, string what)
    {
        await File.WriteAllTextAsync(folder["attempts.csv"], csv, TestContext.Current.CancellationToken);

        (await lab.RunAsync("compare", folder.Path, folder.Path, "--json")).Exits(ExitCode.Input).Says(where, what).IsCivil();
    }

    [Fact]
    public async Task Arguments_ThatMakeNoSense_AreRefused()
    {
        (await lab.RunAsync("verify", lab.Faces, "--threshold", "nan")).Exits(ExitCode.Usage).Says("--threshold").IsCivil();
        (await lab.RunAsync("verify", lab.Faces, "--threshold", "2", "--cache", "none")).Exits(ExitCode.Usage).Says("above -1 and at most 1").IsCivil();
        (await lab.RunAsync("verify", lab.Faces, "--engine", "abacus")).Exits(ExitCode.Usage).IsCivil();
        (await lab.RunAsync("identify", lab.Faces, "--gallery", "some")).Exits(ExitCode.Usage).Says("--gallery").IsCivil();
        (await lab.RunAsync("identify", lab.Faces, "--fpir", "2")).Exits(ExitCode.Usage).Says("--fpir").IsCivil();
        (await lab.RunAsync("simulate", lab.Faces, "--out", folder["s"], "--listed", "50")).Exits(ExitCode.Input).Says("too few").IsCivil();
        Assert.False(Directory.Exists(folder["s"]));
    }

    // The same faces many times: a byte after the end of a JPEG changes its hash and nothing else.
    private void Multiply(int times)
    {
        foreach (string file in Directory.GetFiles(lab.Faces, "*.jpg", SearchOption.AllDirectories))
        {
            string person = Path.GetFileName(Path.GetDirectoryName(file)!);
            Directory.CreateDirectory(folder[$"many/{person}"]);
            for (int i = 0; i < times; i++)
                File.WriteAllBytes(folder[$"many/{person}/{Path.GetFileNameWithoutExtension(file)}-{i}.jpg"], [.. File.ReadAllBytes(file), (byte)i]);
        }
    }

    // Bytes of ciphertext fall evenly into 256 bins: chi-squared, with room for chance.
    private static bool IsNoise(ReadOnlySpan<byte> bytes)
    {
        var counts = new double[256];
        foreach (byte b in bytes)
            counts[b]++;
        double expected = bytes.Length / 256.0;
        return bytes.Length < 5000 || counts.Sum(c => (c - expected) * (c - expected) / expected) < 400;
    }
}
