using System.Text.Json.Nodes;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Tests.Commands;

[Trait("Speed", "slow")]
public sealed class EnrolCommandTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<string, string[]> BadLists => new()
    {
        { "id,nmae\na,b\n", ["\"nmae\"", "Allowed: id, name, category"] },
        { "name,photos\nAnn,a.jpg\n", ["no column \"id\""] },
        { "id,image_date\na,31.01.2026\n", ["line 2", "\"31.01.2026\" is not a date", "2026-01-31"] },
        { "id,image_date\na,2026-02-30\n", ["line 2", "\"2026-02-30\" is not a date"] },
        { "id,category\na,wanted\nb,criminal\n", ["line 3", "\"criminal\" is not a category; use one of wanted", "missing-or-vulnerable"] },
        { "id,name\n,Ann\n", ["line 2", "the id is empty"] },
        { "id,name\na,\"Ann\n", ["line 2", "quotation mark"] },
        { "id,name\na,Smith, John\n", ["line 2", "3 fields where the header has 2"] },
        { "id,id\na,b\n", ["\"id\" twice"] },
        { "id,photos\na,she.jpg\na,other.jpg\n", ["line 3", "\"a\" is already used in line 2"] },
        { "id,name\n", ["contains nobody"] },
        { "", ["id"] },
    };

    private string List => folder["out/list.lfr"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Enrol_SubFolders_WritesAListForItsOwnerAlone()
    {
        Put(material.Photo, "people/Fair_Haired/a.jpg");
        Put(material.OtherPhoto, "people/zed/1.jpeg");

        Outcome enrol = (await EnrolAsync(folder["people"])).Exits(ExitCode.Success).IsCivil();

        JsonNode report = enrol.Json;
        Assert.Equal((2, 2, "1", "mobilefacenet-512"), ((int)report["identities"]!, (int)report["templates"]!, (string?)report["version"], (string?)report["embedder"]));
        Assert.Empty(report["notEnrolled"]!.AsArray());
        Assert.Empty(report["similar"]!.AsArray());
        Assert.Equal(["Fair_Haired", "zed"], report["photos"]!.AsArray().Select(p => (string?)p!["id"]));
        Assert.All(report["photos"]!.AsArray(), p => Assert.Contains((string?)p!["verdict"], new[] { "accepted", "doubtful" }));
        using WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile);
        using Watchlist list = WatchlistFile.Read(List, key);
        Assert.Equal(["Fair Haired", "zed"], list.Identities.Select(i => i.Name));
        Assert.All(list.Identities, i => Assert.Equal(WatchlistCategory.Wanted, i.Category));
        Assert.Equal(["list.lfr"], Directory.EnumerateFiles(folder["out"]).Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(List));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Enrol_CsvWithAllColumns_KeepsEveryField(bool byFolder)
    {
        Put(material.Photo, "people/she.jpg");
        Put(material.Photo, "people/more/again.jpg");
        Put(material.OtherPhoto, "people/b-2/only.jpg");
        await File.WriteAllTextAsync(folder["people/people.csv"],
            "ID,Name,Category,Reference,Image Date,Source,Photos\n"
            + "a-1,\"Doe, \"\"Jane\"\" Åsa\",missing-or-vulnerable,\"case 7, file 3\",2026-01-31,family,she.jpg; more/again.jpg\n"
            + "b-2,,,,,,\n", TestContext.Current.CancellationToken);

        Outcome enrol = (await EnrolAsync(byFolder ? folder["people"] : folder["people/people.csv"], "--category", "court-order", "--list-version", "night shift")).Exits(ExitCode.Success);

        Assert.Equal(3, (int)enrol.Json["templates"]!);
        using WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile);
        using Watchlist list = WatchlistFile.Read(List, key);
        Assert.Equal("night shift", list.Version);
        Assert.Equal(
            [
                new WatchlistIdentity("a-1", "Doe, \"Jane\" Åsa", WatchlistCategory.MissingOrVulnerable, "case 7, file 3", new DateOnly(2026, 1, 31), "family"),
                new WatchlistIdentity("b-2", "b-2", WatchlistCategory.CourtOrder),
            ],
            list.Identities);
    }

    [Theory]
    [MemberData(nameof(BadLists))]
    public async Task Enrol_BadCsv_NamesFileAndFault(string csv, string[] said)
    {
        Put(material.Photo, "people/she.jpg");
        Put(material.OtherPhoto, "people/other.jpg");
        await File.WriteAllTextAsync(folder["people/people.csv"], csv, TestContext.Current.CancellationToken);

        Outcome enrol = (await EnrolAsync(folder["people/people.csv"])).Exits(ExitCode.Input).IsCivil();

        enrol.Says(said);
        Assert.False(File.Exists(List));
    }

    [Fact]
    public async Task Enrol_PeopleNowhere_SaysWhatToGive()
    {
        (await EnrolAsync(folder["nobody"])).Exits(ExitCode.Input).Says(folder["nobody"], "does not exist", "one sub-folder of photos per person").IsCivil();
        Directory.CreateDirectory(folder["nobody"]);
        (await EnrolAsync(folder["nobody"])).Exits(ExitCode.Input).Says(folder["nobody"], "contains nobody").IsCivil();
    }

    [Fact]
    public async Task Enrol_SomePhotosUnusable_SaysWhyForEachAndEnrolsTheRest()
    {
        PutUnusable();
        Put(material.Photo, "people/she/1.jpg");
        await File.WriteAllTextAsync(folder["people/she/2.jpg"], "This is not a picture.", TestContext.Current.CancellationToken);

        Outcome enrol = (await EnrolAsync(folder["people/people.csv"])).Exits(ExitCode.Incomplete).IsCivil();

        JsonNode report = enrol.Json;
        Assert.Equal((1, 1), ((int)report["identities"]!, (int)report["templates"]!));
        Assert.Equal(["nobody", "several", "corrupt", "cut", "empty", "missing", "none"], report["notEnrolled"]!.AsArray().Select(n => (string?)n));
        Assert.Equal("no face found: use a sharp photo that shows the whole face", Reason("nobody"));
        Assert.Contains("crop the photo to one person", Reason("several"), StringComparison.Ordinal);
        Assert.NotEqual("", Reason("corrupt"));
        Assert.NotEqual("", Reason("cut"));
        Assert.Equal("the file is empty", Reason("empty"));
        Assert.Contains("cannot be read", Reason("missing"), StringComparison.Ordinal);
        Assert.Equal(["accepted", "rejected"], report["photos"]!.AsArray().Where(p => (string?)p!["id"] == "she").Select(p => (string?)p!["verdict"]));

        string Reason(string id)
        {
            JsonNode photo = Assert.Single(report["photos"]!.AsArray(), p => (string?)p!["id"] == id)!;
            Assert.Equal("rejected", (string?)photo["verdict"]);
            return string.Join("; ", photo["reasons"]!.AsArray().Select(r => (string?)r));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Enrol_NobodyUsable_SaysWhyAndWritesNoFile(bool json)
    {
        PutUnusable();
        string[] lines = [.. File.ReadLines(folder["people/people.csv"]).Where(l => !l.StartsWith("she", StringComparison.Ordinal))];
        await File.WriteAllLinesAsync(folder["people/people.csv"], lines, TestContext.Current.CancellationToken);

        Outcome enrol = (await Lfr.RunAsync(["enrol", folder["people"], "-o", Prepared(), "--key-file", material.KeyFile, .. (string[])(json ? ["--json"] : [])])).Exits(ExitCode.Input).IsCivil();

        enrol.Says("Nobody could be enrolled, so no watchlist was written", "no face found", "the file is empty");
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["out"]));
    }

    [Fact]
    public async Task Enrol_WithoutJson_SaysTheSame()
    {
        PutUnusable();
        Put(material.Photo, "people/she/1.jpg");

        (await Lfr.RunAsync("enrol", folder["people"], "-o", Prepared(), "--key-file", material.KeyFile)).Exits(ExitCode.Incomplete).IsCivil()
            .Says("rejected nobody: gradient.jpg: no face found", "not enrolled missing: no usable photo", "rejected empty: empty.jpg: the file is empty",
                $"1 person with 1 photo enrolled in {List}.");
    }

    /// <summary>Photos one folder too high or too deep were left out without a word.</summary>
    [Fact]
    public async Task Enrol_PhotosInTheWrongFolder_AreNamedWithTheWayOut()
    {
        Put(material.Photo, "people/ann/1.jpg");
        Put(material.OtherPhoto, "people/loose.jpg");
        Put(material.OtherPhoto, "people/beth/2025/1.jpg");
        Directory.CreateDirectory(folder["people/carl"]);
        await File.WriteAllTextAsync(folder["people/notes.txt"], "notes", TestContext.Current.CancellationToken);

        Outcome enrol = (await Lfr.RunAsync("enrol", folder["people"], "-o", Prepared(), "--key-file", material.KeyFile)).Exits(ExitCode.Incomplete).IsCivil()
            .Says("file \"loose.jpg\": It is next to the folders of people.", "folder \"beth\": It contains folders, but no photos.", "folder \"carl\": It is empty.");

        Assert.DoesNotContain("notes.txt", enrol.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enrol_SameFaceUnderTwoIds_Warns()
    {
        Put(material.Photo, "people/ann/1.jpg");
        Put(material.Photo, "people/beth/1.jpg");
        Put(material.OtherPhoto, "people/carl/1.jpg");

        JsonNode alike = Assert.Single((await EnrolAsync(folder["people"])).Exits(ExitCode.Success).Json["similar"]!.AsArray())!;

        Assert.Equal(("ann", "beth", "same person under two ids?"), ((string?)alike["firstId"], (string?)alike["secondId"], (string?)alike["meaning"]));
        Assert.Equal(1, (double)alike["score"]!, 1e-3);
    }

    [Fact]
    public async Task Enrol_TwoPeopleUnderOneId_Warns()
    {
        Put(material.Photo, "people/ann/1.jpg");
        Put(material.OtherPhoto, "people/ann/2.jpg");

        Outcome enrol = await EnrolAsync(folder["people"]);

        JsonNode unlike = Assert.Single(enrol.Exits(ExitCode.Success).Json["similar"]!.AsArray())!;
        Assert.Equal(("ann", "ann", "photos of two people under one id?"), ((string?)unlike["firstId"], (string?)unlike["secondId"], (string?)unlike["meaning"]));
        Assert.InRange((double)unlike["score"]!, -1, 0.2);
    }

    [Fact]
    public async Task Enrol_LookalikesAndTwoSpellingsOfOneName_WarnsOfBothApart()
    {
        // Two people who score 0.49, and one minister whom LFW lists twice.
        foreach (string name in (string[])["Conchita_Martinez", "Janet_Thorpe", "Hasan_Wirayuda", "Hassan_Wirajuda"])
            Put(Directory.GetFiles(Shared.Need($"lfw/images/{name}")).Order(StringComparer.Ordinal).First(), $"people/{name}/1.jpg");

        JsonArray similar = (await EnrolAsync(folder["people"])).Exits(ExitCode.Success).Json["similar"]!.AsArray();

        Assert.Equal(
            [
                ("Conchita_Martinez", "Janet_Thorpe", "lookalikes: either may raise an alert for the other"),
                ("Hasan_Wirayuda", "Hassan_Wirajuda", "same person under two ids?"),
            ],
            similar.Select(s => ((string?)s!["firstId"], (string?)s["secondId"], (string?)s["meaning"])));
    }

    [Fact]
    public async Task Enrol_PhotoTurnedByExif_GivesTheSameTemplate()
    {
        Put(material.Photo, "people/upright/1.jpg");
        Directory.CreateDirectory(folder["people/turned"]);
        Ffmpeg.Run("-i", material.Photo, "-vf", "transpose=2", "-q:v", "2", folder["turned.jpg"]);
        byte[] jpeg = await File.ReadAllBytesAsync(folder["turned.jpg"], TestContext.Current.CancellationToken);
        // An APP1 segment with one tag: orientation 6, to be shown turned by 90 degrees clockwise.
        byte[] exif = [0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
        await File.WriteAllBytesAsync(folder["people/turned/1.jpg"], [.. jpeg[..2], .. exif, .. jpeg[2..]], TestContext.Current.CancellationToken);

        JsonNode alike = Assert.Single((await EnrolAsync(folder["people"])).Exits(ExitCode.Success).Json["similar"]!.AsArray())!;

        Assert.InRange((float)alike["score"]!, 0.95f, 1.001f);
    }

    [Theory]
    [InlineData("out/file/list.lfr")]
    [InlineData("out/no-such-folder/list.lfr")]
    [InlineData("out/folder")]
    public async Task Enrol_OutputCannotBeWritten_SaysSoAndLeavesNothing(string output)
    {
        Put(material.Photo, "people/she/1.jpg");
        Directory.CreateDirectory(folder["out/folder"]);
        await File.WriteAllTextAsync(folder["out/file"], "kept", TestContext.Current.CancellationToken);

        (await Lfr.RunAsync("enrol", folder["people"], "-o", folder[output], "--key-file", material.KeyFile)).Exits(ExitCode.Output)
            .Says(folder[output], "cannot be written; nothing was changed").IsCivil();

        Assert.Equal(["out/file", "people/she/1.jpg"], folder.Files);
    }

    [Fact]
    public async Task Enrol_FullDisk_KeepsTheOldListAndLeavesNoTemporaryFile()
    {
        using TinyDisk disk = TinyDisk.Mount(64);
        string list = Path.Combine(disk.Path, "list.lfr");
        Put(material.Photo, "people/she/1.jpg");
        (await Lfr.RunAsync("enrol", folder["people"], "-o", list, "--key-file", material.KeyFile)).Exits(ExitCode.Success);
        byte[] before = await File.ReadAllBytesAsync(list, TestContext.Current.CancellationToken);
        Put(material.Photo, "people/she/2.jpg");
        Put(material.Photo, "people/she/3.jpg");

        (await Lfr.RunAsync("enrol", folder["people"], "-o", list, "--key-file", material.KeyFile)).Exits(ExitCode.Output)
            .Says(list, "the disk is full; nothing was changed", "Free some space").IsCivil();

        Assert.Equal([list], Directory.EnumerateFileSystemEntries(disk.Path));
        Assert.Equal(before, await File.ReadAllBytesAsync(list, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("--category", "criminal", ExitCode.Usage, "--category takes wanted, court-order, suspect, missing-or-vulnerable or at-risk, not \"criminal\"")]
    [InlineData("--bogus", "1", ExitCode.Usage, "--bogus")]
    [InlineData("--embedder", "no-such", ExitCode.Usage, "Unknown model \"no-such\"")]
    [InlineData("--detector", "no-such", ExitCode.Usage, "Unknown model \"no-such\"")]
    public async Task Enrol_NonsensicalArguments_SaysWhich(string option, string value, int code, string said)
    {
        Put(material.Photo, "people/she/1.jpg");

        (await EnrolAsync(folder["people"], option, value)).Exits(code).Says(said).IsCivil();
        Assert.False(File.Exists(List));
    }

    [Fact]
    public async Task Enrol_CtrlC_StopsAndLeavesNothing()
    {
        // Long enough that it cannot end first: the same photo, many times.
        string photos = string.Join(';', Enumerable.Repeat("she.jpg", 5));
        Put(material.Photo, "people/she.jpg");
        await File.WriteAllLinesAsync(folder["people/people.csv"], ["id,photos", .. Enumerable.Range(0, 2000).Select(i => $"p{i},{photos}")], TestContext.Current.CancellationToken);
        using var temporary = new TemporaryFolder();
        using Lfr lfr = Lfr.Start(null, [("TMPDIR", temporary.Path)], "enrol", folder["people"], "-o", Prepared(), "--key-file", material.KeyFile);
        int decoder = await Processes.ChildOfAsync(lfr.Id);
        await Processes.UntilItIsAtWorkAsync(decoder);

        lfr.Interrupt();

        Outcome outcome = (await lfr.EndAsync()).Exits(ExitCode.Stopped).Says("Stopped.").IsCivil();
        Assert.False(Directory.Exists($"/proc/{decoder}"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["out"]));
        Assert.Empty(temporary.Files);
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public async Task Enrol_PhotosThatLieOrStandOnTheirHead_AreTurnedAndMatchTheUprightOne()
    {
        Put(material.Photo, "people/upright/p.jpg");
        foreach ((string id, string turn) in ((string, string)[])[("quarter", "transpose=1"), ("half", "hflip,vflip"), ("three-quarters", "transpose=2")])
        {
            Directory.CreateDirectory(folder[$"people/{id}"]);
            Ffmpeg.Run("-i", material.Photo, "-vf", turn, "-q:v", "2", folder[$"people/{id}/p.jpg"]);
        }

        JsonNode report = (await EnrolAsync(folder["people"])).Exits(ExitCode.Success).Json;

        Dictionary<string, string> reasons = report["photos"]!.AsArray().ToDictionary(p => (string)p!["id"]!, p => string.Join("; ", p!["reasons"]!.AsArray().Select(r => (string?)r)));
        Assert.DoesNotContain("rotated by", reasons["upright"], StringComparison.Ordinal);
        Assert.Contains("rotated by 270° to be upright", reasons["quarter"], StringComparison.Ordinal);
        Assert.Contains("rotated by 180° to be upright", reasons["half"], StringComparison.Ordinal);
        Assert.Contains("rotated by 90° to be upright", reasons["three-quarters"], StringComparison.Ordinal);
        // All four are one face, each pair of them.
        Assert.Equal(6, report["similar"]!.AsArray().Count(s => (double)s!["score"]! > 0.9));
    }

    [Fact]
    public async Task Enrol_PhotosByContent_TheEndingDecidesNothingAndNoFileIsPassedOver()
    {
        Put(material.Photo, "people/she/p.jfif");
        Put(material.Photo, "people/she/without-ending");
        foreach (string name in (string[])["p.tif", "p.gif", "p.png"])
            Ffmpeg.Run("-i", material.Photo, folder[$"people/she/{name}"]);
        await File.WriteAllBytesAsync(folder["people/she/IMG_1.HEIC"], [0, 0, 0, 0x18, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["people/she/page.jpg"], "<html>403 Forbidden</html>", TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(folder["people/she/Thumbs.db"], [1, 2, 3], TestContext.Current.CancellationToken);

        JsonNode report = (await EnrolAsync(folder["people"])).Exits(ExitCode.Success).Json;

        Dictionary<string, JsonNode> photos = report["photos"]!.AsArray().ToDictionary(p => Path.GetFileName((string)p!["photo"]!), p => p!);
        Assert.Equal(["IMG_1.HEIC", "p.gif", "p.jfif", "p.png", "p.tif", "page.jpg", "without-ending"], photos.Keys.Order(StringComparer.Ordinal));
        Assert.All(photos.Where(p => p.Key is not ("IMG_1.HEIC" or "page.jpg")), p => Assert.NotEqual("rejected", (string?)p.Value["verdict"]));
        Assert.Contains("a HEIC picture", (string?)photos["IMG_1.HEIC"]["reasons"]![0], StringComparison.Ordinal);
        Assert.Contains("save it as JPEG", (string?)photos["IMG_1.HEIC"]["reasons"]![0], StringComparison.Ordinal);
        Assert.StartsWith("not a picture", (string?)photos["page.jpg"]["reasons"]![0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enrol_InvalidNames_AreRefusedByNameAndTheOthersEnrolled()
    {
        Put(material.Photo, "people/she/p.jpg");
        Put(material.OtherPhoto, $"people/{new string('x', 129)}/p.jpg");
        Put(material.OtherPhoto, "people/new\nline/p.jpg");
        Put(material.OtherPhoto, "people/esc\x1b[31mred/p.jpg");
        // A byte that is no UTF-8 comes only from a shell.
        using (System.Diagnostics.Process shell = System.Diagnostics.Process.Start("sh", ["-c", $"d=\"$1/people/M$(printf '\\374')ller\"; mkdir \"$d\" && cp \"$2\" \"$d/p.jpg\"; cp \"$2\" \"$1/people/she/M$(printf '\\374').jpg\"", "sh", folder[""], material.OtherPhoto]))
            await shell.WaitForExitAsync(TestContext.Current.CancellationToken);

        Outcome enrol = await EnrolAsync(folder["people"]);
        // What a shell made, a shell takes away.
        using (System.Diagnostics.Process shell = System.Diagnostics.Process.Start("rm", ["-r", folder["people"]]))
            await shell.WaitForExitAsync(TestContext.Current.CancellationToken);

        JsonNode report = enrol.Exits(ExitCode.Incomplete).IsCivil().Json;
        Assert.Equal(1, (int)report["identities"]!);
        string[] refusals = [.. report["refusals"]!.AsArray().Select(r => (string)r!)];
        Assert.Equal(4, refusals.Length);
        Assert.Contains(refusals, r => r.Contains("xxx", StringComparison.Ordinal) && r.Contains("longer than 128 characters", StringComparison.Ordinal));
        Assert.Contains(refusals, r => r.Contains("new\\x0Aline", StringComparison.Ordinal) && r.Contains("control character", StringComparison.Ordinal));
        Assert.Contains(refusals, r => r.Contains("esc\\x1B[31mred", StringComparison.Ordinal));
        Assert.Contains(refusals, r => r.Contains("not valid UTF-8", StringComparison.Ordinal) && r.Contains("Rename the folder", StringComparison.Ordinal));
        Assert.Contains(report["photos"]!.AsArray(), p => p!["reasons"]!.AsArray().Any(r => ((string?)r)!.Contains("not valid UTF-8", StringComparison.Ordinal)));
    }

    private void PutUnusable()
    {
        Put(material.EmptyPhoto, "people/gradient.jpg");
        Put(material.GroupPhoto, "people/group.jpg");
        File.WriteAllText(folder["people/corrupt.jpg"], "This is not a picture.");
        File.WriteAllBytes(folder["people/cut.jpg"], File.ReadAllBytes(material.Photo)[..300]);
        File.WriteAllBytes(folder["people/empty.jpg"], []);
        File.WriteAllLines(folder["people/people.csv"],
            ["id,photos", "nobody,gradient.jpg", "several,group.jpg", "corrupt,corrupt.jpg", "cut,cut.jpg", "empty,empty.jpg", "missing,nowhere.jpg", "none,", "she,"]);
    }

    /// <summary>A place in the column "face" takes that face of a group; without one, or beside all faces, the photo is refused with where the faces are.</summary>
    [Fact]
    public async Task Enrol_FaceColumn_EnrolsTheFaceChosen()
    {
        Put(material.GroupPhoto, "people/group.jpg");
        Put(material.Photo, "people/alone.jpg");
        await File.WriteAllLinesAsync(folder["people/people.csv"],
            ["id,photos,face", "chosen,group.jpg,1575 330", "second,alone.jpg;group.jpg,\";500.5,480.4\"", "missed,group.jpg,5 5", "open,group.jpg,"], TestContext.Current.CancellationToken);

        JsonNode report = (await EnrolAsync(folder["people/people.csv"])).Exits(ExitCode.Incomplete).IsCivil().Json;

        Assert.Equal(["missed", "open"], report["notEnrolled"]!.AsArray().Select(n => (string?)n));
        Assert.Equal((2, 3), ((int)report["identities"]!, (int)report["templates"]!));
        JsonNode Of(string id) => report["photos"]!.AsArray().Last(p => (string?)p!["id"] == id)!;
        Assert.All((string[])["chosen", "second"], id => Assert.DoesNotContain("other faces", string.Join("; ", Of(id)["reasons"]!.AsArray()), StringComparison.Ordinal));
        Assert.StartsWith("no face at 5,5: choose one of ", (string?)Of("missed")["reasons"]![0], StringComparison.Ordinal);
        Assert.StartsWith("3 faces found: ", (string?)Of("open")["reasons"]![0], StringComparison.Ordinal);
        Assert.Contains(Of("open")["faces"]!.AsArray(), f => (int)f!["left"]! < 1575 && (int)f["right"]! > 1575 && (int)f["top"]! < 330 && (int)f["bottom"]! > 330);

        await File.WriteAllLinesAsync(folder["people/people.csv"], ["id,photos,face", "chosen,group.jpg,upper right"], TestContext.Current.CancellationToken);
        (await EnrolAsync(folder["people/people.csv"])).Exits(ExitCode.Input).Says("line 2", "\"upper right\" in \"face\"", "190 125").IsCivil();

        await File.WriteAllLinesAsync(folder["people/people.csv"], ["id,photos,face", "chosen,group.jpg,1575 330;1 1"], TestContext.Current.CancellationToken);
        (await EnrolAsync(folder["people/people.csv"])).Exits(ExitCode.Input).Says("line 2", "2 points in \"face\" for 1 photo;").IsCivil();
    }

    private void Put(string photo, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[to])!);
        File.Copy(photo, folder[to]);
    }

    private string Prepared()
    {
        Directory.CreateDirectory(folder["out"]);
        return List;
    }

    private Task<Outcome> EnrolAsync(string people, params string[] more) => Lfr.RunAsync(["enrol", people, "-o", Prepared(), "--key-file", material.KeyFile, "--json", .. more]);
}
