using System.Text;
using System.Text.Json.Nodes;
using LfrEngine.Cli.Screen;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Lines, pictures and receipts of one run are never replaced or torn by another.</summary>
[Trait("Speed", "slow")]
public sealed class RunEvidenceTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Run_Twice_KeepsLinesAndPicturesOfBothApart()
    {
        string[] arguments = material.Run("--camera", $"gate={material.ShortClip}", "--out", folder["alerts.jsonl"], "--crops", folder["crops"]);
        (await Lfr.RunAsync(arguments)).Exits(ExitCode.Success);
        string first = Assert.Single(Directory.GetFiles(folder["crops"]));
        byte[] before = await File.ReadAllBytesAsync(first, TestContext.Current.CancellationToken);

        (await Lfr.RunAsync(arguments)).Exits(ExitCode.Success);

        JsonObject[] lines = await LinesAsync();
        Assert.Equal(["alert", "summary", "alert", "summary"], lines.Select(l => (string?)l["type"]));
        Assert.Equal(2, lines.Select(l => (string?)l["run"]).Distinct().Count());
        Assert.NotEqual((string?)lines[0]["id"], (string?)lines[2]["id"]);
        Assert.All(lines.Where(l => (string?)l["type"] == "alert"), l => Assert.StartsWith($"{(string?)l["run"]}/", (string?)l["id"], StringComparison.Ordinal));
        Assert.Equal(lines.Select(l => (string?)l["picture"]).OfType<string>().Order(), Directory.GetFiles(folder["crops"]).Select(Path.GetFileName).Order());
        Assert.Equal(before, await File.ReadAllBytesAsync(first, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Run_DuringAnotherRun_MaySharePicturesButNeitherLinesNorReceipt()
    {
        string[] shared = ["--crops", folder["crops"]];
        using Lfr first = Lfr.Start(null, [], material.Run(["--camera", $"gate={material.ShortClip}", "--camera", "endless=rtsp://127.0.0.1:9/nothing", "--out", folder["alerts.jsonl"], "--receipt", folder["receipt.json"], .. shared]));
        await first.SeesAsync("\"type\":\"alert\"");

        // Refused before any camera is opened: this one could not be.
        (await Lfr.RunAsync(material.Run("--camera", "hall=no-such-clip.mp4", "--out", folder["alerts.jsonl"]))).Exits(ExitCode.Output)
            .Says(folder["alerts.jsonl"], "Another run is writing", "--out").IsCivil();
        (await Lfr.RunAsync(material.Run("--camera", "hall=no-such-clip.mp4", "--receipt", folder["receipt.json"]))).Exits(ExitCode.Output)
            .Says(folder["receipt.json"], "Another run", "--receipt").IsCivil();
        (await Lfr.RunAsync(material.Run(["--camera", $"gate={material.ShortClip}", "--out", folder["others.jsonl"], .. shared]))).Exits(ExitCode.Success);
        first.Interrupt();
        await first.EndAsync();

        Assert.Equal(["alert", "summary"], (await LinesAsync()).Select(l => (string?)l["type"]));
        Assert.Equal(2, Directory.GetFiles(folder["crops"]).Length);
        Assert.Contains("receipt.json", folder.Files);
        Assert.DoesNotContain(folder.Files, f => f.EndsWith(".partial", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_ReceiptIsThereAlready_KeepsItAndSaysTheWayOut()
    {
        await File.WriteAllTextAsync(folder["receipt.json"], "evidence", TestContext.Current.CancellationToken);

        (await Lfr.RunAsync(material.Run("--camera", "gate=no-such-clip.mp4", "--receipt", folder["receipt.json"]))).Exits(ExitCode.Output).Says(folder["receipt.json"], "never replaced", "--receipt").IsCivil();

        Assert.Equal(["receipt.json"], folder.Files);
        Assert.Equal("evidence", await File.ReadAllTextAsync(folder["receipt.json"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Run_ReceiptsInAFolder_GivesEachRunItsOwn()
    {
        Directory.CreateDirectory(folder["receipts"]);
        var runs = new List<string>();
        for (int round = 0; round < 2; round++)
            runs.Add((string)(await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--receipt", folder["receipts"]))).Exits(ExitCode.Success).Lines.Summary()["run"]!);

        Assert.Equal(runs.Select(r => $"receipts/{r}.json").Order(StringComparer.Ordinal), folder.Files);
        (await Lfr.RunAsync("receipt", "verify", folder[folder.Files[0]])).Exits(ExitCode.Success).Says("genuine");
    }

    /// <summary>As long as an id may be on most file systems.</summary>
    [Fact]
    public async Task Run_IdOf240Bytes_KeepsItsPicture()
    {
        string id = new('é', 120);
        Directory.CreateDirectory(folder[$"people/{id}"]);
        File.Copy(material.Photo, folder[$"people/{id}/photo.jpg"]);
        (await Lfr.RunAsync("enrol", folder["people"], "-o", folder["list.lfr"], "--key-file", material.KeyFile)).Exits(ExitCode.Success);

        (await Lfr.RunAsync("run", "--watchlist", folder["list.lfr"], "--key-file", material.KeyFile, "--camera", $"gate={material.ShortClip}", "--crops", folder["crops"], "--out", folder["alerts.jsonl"])).Exits(ExitCode.Success);

        string picture = Path.GetFileName(Assert.Single(Directory.GetFiles(folder["crops"])));
        Assert.Equal(picture, (string?)(await LinesAsync())[0]["picture"]);
        Assert.True(Encoding.UTF8.GetByteCount(picture) <= 255);
    }

    [Theory]
    [InlineData("gate", "Colin_Powell", "run-gate-7-Colin_Powell.jpg")]
    [InlineData("main gate/1", "../../etc/passwd", "run-main_gate_1-7-.._.._etc_passwd.jpg")]
    [InlineData("\u001b[31m", "a\nb\t\"c\":*?<>|\\", "run-__31m-7-a_b__c________.jpg")]
    [InlineData("\u202egpj", "日本語", "run-_gpj-7-日本語.jpg")]
    [InlineData("", "", "run--7-.jpg")]
    public void Name_OfAnyWords_IsOneThatEveryFileSystemTakes(string camera, string identity, string expected) => Assert.Equal(expected, PictureNames.Of("run", camera, 7, identity, 1));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Name_OfEndlessWords_IsCutBetweenLetters(int bytesPerLetter)
    {
        string words = string.Concat(Enumerable.Repeat(bytesPerLetter switch { 1 => "a", 2 => "é", 3 => "語", _ => "𠮷" }, 500));

        foreach (int count in (int[])[1, 2, 10_000])
        {
            string name = PictureNames.Of("20260514T093012-k3f9x2", words, 7, words, count);

            Assert.InRange(Encoding.UTF8.GetByteCount(name), 250, PictureNames.LongestName);
            Assert.DoesNotContain('\uFFFD', name);
            Assert.EndsWith(count == 1 ? ".jpg" : $"-{count}.jpg", name, StringComparison.Ordinal);
            Assert.Contains("-7-", name, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Write_NameIsTaken_TakesAnother()
    {
        File.WriteAllText(folder["run-gate-7-a_b.jpg"], "evidence");

        string path = PictureNames.Write(folder.Path, "run", "gate", 7, "a b", "picture"u8);

        Assert.Equal(["run-gate-7-a_b-2.jpg", "run-gate-7-a_b.jpg"], folder.Files);
        Assert.Equal("picture", File.ReadAllText(path));
        Assert.Equal("evidence", File.ReadAllText(folder["run-gate-7-a_b.jpg"]));
    }

    /// <summary>Four writers want the same names: none is replaced, and a picture is never seen half written.</summary>
    [Fact]
    public async Task Write_ByManyAtOnce_IsWholeWheneverSomebodyLooks()
    {
        const int Writers = 4, Each = 50, Bytes = 300_000;
        int shorter = 0;
        using var over = new CancellationTokenSource();
        Task looking = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
                shorter += new DirectoryInfo(folder.Path).EnumerateFiles("*.jpg").Count(f => f.Length != Bytes);
        }, TestContext.Current.CancellationToken);

        Parallel.For(0, Writers, writer =>
        {
            byte[] picture = new byte[Bytes];
            Array.Fill(picture, (byte)(writer + 1));
            for (int i = 0; i < Each; i++)
                PictureNames.Write(folder.Path, "run", "gate", 7, "a", picture);
        });
        await over.CancelAsync();
        await looking;

        Assert.Equal(0, shorter);
        Assert.Equal(Writers * Each, folder.Files.Length);
        Assert.Equal(Enumerable.Repeat(Each, Writers), folder.Files.GroupBy(f => File.ReadAllBytes(folder[f]).Distinct().Single()).Select(g => g.Count()));
    }

    /// <summary>What was found: the lines after a deletion went into a file without a name, and the run said nothing.</summary>
    [Fact]
    public async Task Run_LinesAreDeletedMeanwhile_ContinuesInANewFileAndSaysSo()
    {
        using Lfr run = Lfr.Start(null, [], material.Run("--camera", $"gate={material.ShortClip}", "--camera", "endless=rtsp://127.0.0.1:9/nothing", "--out", folder["alerts.jsonl"]));
        await run.SeesAsync("\"type\":\"alert\"");
        File.Delete(folder["alerts.jsonl"]);
        run.Interrupt();

        (await run.EndAsync()).Exits(ExitCode.Output).Says(folder["alerts.jsonl"], "was deleted during the run, with 1 line.").IsCivil();

        Assert.Equal(["summary"], (await LinesAsync()).Select(l => (string?)l["type"]));
    }

    [Fact]
    public async Task Run_ReceiptCannotBeWrittenAnyMore_ShowsItCompletely()
    {
        Directory.CreateDirectory(folder["receipts"]);
        using Lfr run = Lfr.Start(null, [], material.Run("--camera", $"gate={material.ShortClip}", "--camera", "endless=rtsp://127.0.0.1:9/nothing", "--receipt", folder["receipts/r.json"]));
        await run.SeesAsync("\"type\":\"alert\"");
        Directory.Delete(folder["receipts"], recursive: true);
        run.Interrupt();

        Outcome ended = (await run.EndAsync()).Exits(ExitCode.Output).Says("The erasure receipt cannot be written", folder["receipts/r.json"], "Copy the complete signed text from here").IsCivil();

        await File.WriteAllTextAsync(folder["copied.json"], ended.Error[ended.Error.IndexOf("{\"receipt\"", StringComparison.Ordinal)..].Trim(), TestContext.Current.CancellationToken);
        (await Lfr.RunAsync("receipt", "verify", folder["copied.json"])).Exits(ExitCode.Success).Says("genuine");
    }

    private async Task<JsonObject[]> LinesAsync() => JsonLines.Parse(await File.ReadAllTextAsync(folder["alerts.jsonl"], TestContext.Current.CancellationToken));
}
