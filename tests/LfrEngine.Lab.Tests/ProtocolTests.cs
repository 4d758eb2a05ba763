using System.Text.Json.Nodes;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Cover;
using LfrEngine.Evaluation.Data;

namespace LfrEngine.Lab.Tests;

/// <summary>The protocols, through the real program.</summary>
[Trait("Speed", "slow")]
public sealed class ProtocolTests(Laboratory lab, Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Verify_BothEngines_CountTheSameAndReportEverything()
    {
        Outcome verify = (await lab.RunAsync("verify", lab.Faces, "--engine", "simd", "torch", "--cache", "none", "--out", folder["report"], "--json")).Exits(ExitCode.Success);

        JsonNode report = verify.Json;
        Assert.Equal(16 * 15 / 2, (int)report.Figure("comparisons")["value"]!);
        Assert.True((double)report.Figure("comparisonsPerSecond.torch")["value"]! > 0);
        Assert.Equal(8, report.Rows("histogram").Sum(r => (int)r![1]!));
        string html = await File.ReadAllTextAsync(folder["report/report.html"], TestContext.Current.CancellationToken);
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        // Self-contained: nothing is fetched from anywhere.
        Assert.DoesNotContain("src=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<link", html, StringComparison.Ordinal);
        Assert.Contains((string)report["origin"]!["dataSha256"]!, html, StringComparison.Ordinal);
        Assert.Equal(report.Result(), JsonNode.Parse(await File.ReadAllTextAsync(folder["report/report.json"], TestContext.Current.CancellationToken))!.Result());
        foreach (string name in (string[])["figures.csv", "thresholds.csv", "top.csv", "det.csv", "det.png"])
            Assert.True(new FileInfo(folder[$"report/{name}"]).Length > 0, name);
        Assert.DoesNotContain(folder.Files, f => f.Contains("partial", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_CsvWithGroups_TellsRawCellsAndEveryFailure()
    {
        string[] lines = [.. Laboratory.Names.SelectMany((name, i) => new[] { 1, 2 }.Select(n => $"\"{lab.Faces}/{name}/{n}.jpg\",{name},{(i % 2 == 0 ? "a" : "b")}"))];
        await File.WriteAllLinesAsync(folder["data.csv"], ["file,subject,group", .. lines, $"{material.EmptyPhoto},nobody,a", "empty.jpg,nobody,b"], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(folder["empty.jpg"], [], TestContext.Current.CancellationToken);

        JsonNode report = (await lab.RunAsync("verify", folder["data.csv"], "--cache", "none", "--json")).Exits(ExitCode.Success).Json;

        Assert.Equal(["a", "b"], report.Rows("cells-group").Select(r => (string)r![0]!));
        JsonNode[] failures = [.. report["failures"]!.AsArray().Select(f => f!)];
        Assert.Equal(2, failures.Length);
        Assert.Contains(failures, f => (string)f["reason"]! == "no face found");
        Assert.Contains(failures, f => (string)f["name"]! == "empty.jpg" && (string)f["reason"]! == "the file is empty");
        Assert.Equal(18, (int)report["origin"]!["images"]!);
    }

    [Fact]
    public async Task Identify_Evidence_IsSignedCheckedAndExplained()
    {
        string evidence = folder["evidence.json"];
        Outcome identify = (await lab.RunAsync("identify", lab.Faces, "--gallery", "3", "9", "--fpir", "0.5", "0.001", "--draws", "40", "--cache", "none", "--evidence", evidence, "--json")).Exits(ExitCode.Success);
        Assert.Contains($"Evidence signed and written to {evidence}.", identify.Error, StringComparison.Ordinal);
        JsonNode report = identify.Json;

        JsonArray rows = report.Rows("identification");
        // 3 enrolled: 5 others with 2 pictures each in each of 40 draws, of which one half sets and the other reports.
        JsonNode half = rows.Single(r => (double?)r![1] == 0.5 && (int)r[0]! == 3)!;
        Assert.InRange((int)half[7]!, 1, 399);
        Assert.Equal(120, (int)half[14]!);
        Assert.Contains("rule of three", (string)rows.Single(r => (double?)r![1] == 0.001 && (int)r[0]! == 3)![15]!, StringComparison.Ordinal);
        Assert.Contains("only 8 people", (string)rows.Single(r => (int)r![0]! == 9)![15]!, StringComparison.Ordinal);
        (await Lfr.RunInAsync(null, lab.Variables, "evidence", "verify", evidence)).Exits(ExitCode.Success).Says("genuine", "3 enrolled");
        string[] explain = ["explain", evidence, "--threshold", "0.48", "--list", "3", "--passers-by", "40"];
        (await lab.RunAsync(explain)).Exits(ExitCode.Success).Says("With 3 people on the list and 40 passers-by", "false alerts", "Of 100 people on the list");
        (await lab.RunAsync("explain", evidence, "--threshold", "0.48", "--list", "5000", "--passers-by", "40")).Exits(ExitCode.Input).Says("covers lists of up to 30 people; yours has 5000").IsCivil();
        (await lab.RunAsync("explain", evidence, "--threshold", "0.123", "--list", "3", "--passers-by", "40")).Exits(ExitCode.Input).Says("no measurement at threshold").IsCivil();
        string text = await File.ReadAllTextAsync(evidence, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(evidence, text.Replace("\"gallerySize\":3", "\"gallerySize\":4", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        (await lab.RunAsync(explain)).Exits(ExitCode.Input).Says("has been altered").IsCivil();
        await File.WriteAllTextAsync(evidence, text, TestContext.Current.CancellationToken);
        (await Lfr.RunInAsync(null, [("LFR_CONFIG", folder["other"])], "evidence", "verify", evidence)).Exits(ExitCode.Input).Says("is signed by the installation").IsCivil();
        // Another installation believes it with the laboratory's key.
        await File.WriteAllTextAsync(folder["lab.pem"], (await lab.RunAsync("key")).Exits(ExitCode.Success).IsCivil().Output, TestContext.Current.CancellationToken);
        (await Lfr.RunInAsync(null, [("LFR_CONFIG", folder["other"])], "evidence", "verify", evidence, "--key", folder["lab.pem"])).Exits(ExitCode.Success).Says("genuine");
    }

    [Fact]
    public async Task Calibrate_Evidence_IsMeasuredOnOtherPeopleSignedAndReported()
    {
        string evidence = folder["evidence.json"];
        string[] calibrate = ["calibrate", lab.Faces, "--gallery", "1", "2", "--covered", "2", "--cache", "none", "--json"];
        JsonNode report = (await lab.RunAsync([.. calibrate, "--evidence", evidence])).Exits(ExitCode.Success).Json;

        Dictionary<string, JsonArray> costs = report.Rows("cost").ToDictionary(r => (string)r![0]!, r => r!.AsArray());
        foreach (string name in (string[])["all", "none", "12 pixels between the eyes", "list of 1"])
            Assert.True((double)costs[name][1]! >= (double)costs[name][4]! && (double)costs[name][4]! >= 0, name);
        Assert.InRange((double)report.Figure("cllr")["value"]!, (double)report.Figure("cllr")["low"]!, (double)report.Figure("cllr")["high"]!);
        // Two masked people cannot speak for others under a mask.
        JsonArray masked = report.Rows("faces").Single(r => (string)r![0]! == "mask")!.AsArray();
        Assert.Equal(((int)masked[2]!, true), ((int)masked[3]!, (int)masked[3]! > 0));
        Assert.Equal(["ece", "reliability-cover", "reliability-list", "reliability-stratum"], report["curves"]!.AsArray().Select(c => (string)c!["id"]!).Order());
        // Eight people do not support a ratio above the number of their pairs.
        Assert.InRange((double)report.Figure("highest")["value"]!, 0, 2);
        Assert.Equal(report.Result(), (await lab.RunAsync(calibrate)).Exits(ExitCode.Success).Json.Result());

        (await Lfr.RunInAsync(null, lab.Variables, "evidence", "verify", evidence)).Exits(ExitCode.Success).Says("genuine", "protocol calibrate", "Calibrated on", "Cllr");
        string[] explain = ["explain", evidence, "--threshold", "0.48", "--list", "2", "--passers-by", "40"];
        (await lab.RunAsync(explain)).Exits(ExitCode.Success).Says("With 2 people on the list", "Calibrated on", "officers see a likelihood ratio");
        string text = await File.ReadAllTextAsync(evidence, TestContext.Current.CancellationToken);
        Assert.Contains("\"highest\":", text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(evidence, text.Replace("\"highest\":", "\"highest\":9", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        (await lab.RunAsync(explain)).Exits(ExitCode.Input).Says("has been altered").IsCivil();
    }

    [Fact]
    public async Task Calibrate_OnePerson_IsRefused()
    {
        Directory.CreateDirectory(folder["one/anna"]);
        foreach (string picture in (string[])["1.jpg", "2.jpg"])
            File.Copy(Path.Combine(lab.Faces, Laboratory.Names[0], picture), folder[$"one/anna/{picture}"]);

        (await lab.RunAsync("calibrate", folder["one"], "--cache", "none")).Exits(ExitCode.Input).Says("Too few people").IsCivil();
        (await lab.RunAsync("calibrate", folder["one"], "--gallery", "0")).Exits(ExitCode.Usage).Says("--gallery").IsCivil();
    }

    [Fact]
    public async Task Passages_RecordingOfTheVan_GiveTheSameScores()
    {
        await File.WriteAllLinesAsync(folder["passages.csv"],
            ["video,camera,from,to,subject", $"{material.ShortClip},street,0,3,{Material.Woman}", $"{material.ShortClip},street,0,3,not listed"], TestContext.Current.CancellationToken);

        JsonObject van = (await Lfr.RunAsync(material.Run("--camera", $"street={material.ShortClip}", "--pace", "max"))).Exits(ExitCode.Success).Lines.Summary().Camera("street");
        JsonNode report = (await lab.RunAsync("passages", folder["passages.csv"], "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--json")).Exits(ExitCode.Success).Json;

        JsonArray camera = report.Rows("cameras")[0]!.AsArray();
        Assert.Equal((string)van["traceSha256"]!, (string)camera[6]!);
        Assert.Equal((int)van["shotsCompared"]!, (int)camera[4]!);
        Assert.True((int)camera[4]! > 0);
        Assert.Equal((1, 1), ((int)report.Figure("tpir")["count"]!, (int)report.Figure("tpir")["total"]!));
        Assert.Equal(0, (int)report.Figure("fpir")["count"]!);
        // A lower start of the curve changes no judgement at the threshold.
        JsonNode lower = (await lab.RunAsync("passages", folder["passages.csv"], "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--from", "0.2", "--json")).Exits(ExitCode.Success).Json;
        foreach (string figure in (string[])["tpir", "fpir", "alertAfterMs.p50"])
            Assert.Equal(report.Figure(figure).ToJsonString(), lower.Figure(figure).ToJsonString());
    }

    [Fact]
    public async Task Simulate_ThenPassages_FindsThePeopleWhoWalkPast()
    {
        string[] stills = [.. Laboratory.Names.SelectMany((name, i) => new[] { 1, 2 }.Select(n => $"{lab.Faces}/{name}/{n}.jpg,{name},{(i % 2 == 0 ? "a" : "b")}"))];
        await File.WriteAllLinesAsync(folder["stills.csv"], ["file,subject,group", .. stills], TestContext.Current.CancellationToken);
        (await lab.RunAsync("simulate", folder["stills.csv"], "--out", folder["street"], "--listed", "2", "--others", "2", "--seed", "5")).Exits(ExitCode.Success).Says("4 passages");
        Assert.Equal(4, Directory.GetFiles(folder["street/tracks"]).Length);
        (await Lfr.RunAsync("enrol", folder["street/people.csv"], "-o", folder["list.lfr"], "--key-file", material.KeyFile)).Exits(ExitCode.Success);

        JsonNode report = (await lab.RunAsync("passages", folder["street/passages.csv"], "--watchlist", folder["list.lfr"], "--key-file", material.KeyFile, "--from", "0.1", "--ways", "--evidence", folder["evidence.json"], "--json")).Exits(ExitCode.Success).Json;

        // The stills' groups walk along: raw cells that add up to all passages, in the report and in the evidence.
        JsonArray cells = report.Rows("cells-group");
        Assert.Equal((2, 2), (cells.Sum(c => (int)c![10]!), cells.Sum(c => (int)c![5]!)));
        JsonNode point = JsonNode.Parse(await File.ReadAllTextAsync(folder["evidence.json"], TestContext.Current.CancellationToken))!["evidence"]!["points"]![0]!;
        Assert.Equal((int)point["truePositives"]!, point["groups"]!.AsArray().Sum(g => (int)g!["truePositives"]!));
        Assert.Equal(["group"], point["groups"]!.AsArray().Select(g => (string)g!["column"]!).Distinct());
        Assert.Equal((2, 2), ((int)report.Figure("tpir")["total"]!, (int)report.Figure("fpir")["total"]!));
        // The walkers' stills are the enrolled ones' mirror images; everybody who is large enough is found.
        Assert.True((int)report.Figure("tpir")["count"]! >= 1, report.ToJsonString());
        Assert.Equal(0, (int)report.Figure("fpir")["count"]!);
        Assert.All(report.Rows("passages"), r => Assert.True((int)r![5]! > 0));
        // Every passage of a listed person was found or lost somewhere, and each was followed before it was compared.
        JsonArray lost = report.Rows("lost");
        Assert.Equal(2, lost.Sum(r => (int)r![2]!));
        Assert.Equal((int)report.Figure("tpir")["count"]!, (int)lost.Single(r => (string)r![0]! == "found")![2]!);
        Assert.All(report.Rows("passages"), r => Assert.InRange((int)r![11]!, 1, (int)r[9]!));
        // What is replayed of the looks is what the engine did: as many shots, as many found.
        JsonArray asIs = report.Rows("ways")[0]!.AsArray();
        Assert.Equal((int)report.Rows("cameras")[0]![4]!, (int)asIs[1]!);
        Assert.Equal((int)report.Figure("tpir")["count"]!, (int)asIs[2]!);
    }

    [Fact]
    public async Task Cover_EveryStratum_HasItsRow()
    {
        JsonNode report = (await lab.RunAsync("cover", lab.Faces, "--subjects", "4", "--cache", "none", "--json")).Exits(ExitCode.Success).Json;

        Dictionary<string, JsonArray> rows = report.Rows("strata").ToDictionary(r => (string)r![0]!, r => r!.AsArray());
        Assert.True(rows.Count > 20);
        Assert.Equal(1.0, (double)rows["none"][2]!);
        // Something over the face costs likeness, and eight pixels between the eyes more than any.
        foreach (string covered in (string[])["mask", "scarf", "sunglasses", "mask + cap", "8 pixels between the eyes"])
            Assert.True((double?)rows[covered][12] is not { } median || median < (double)rows["none"][12]!, covered);
        // Every combination of the three parts, none and all among them, once for each cover.
        foreach (IGrouping<string, JsonNode?> cover in report.Rows("parts").GroupBy(r => (string)r![0]!))
            Assert.Equal(8, cover.Select(r => $"{r![1]},{r[2]},{r[3]}").Distinct().Count());
    }

    [Fact]
    public async Task CoverJudge_EightPeople_FitsOnOneHalfReportsOnTheOtherAndIsRepeatable()
    {
        string[] files = [folder["first.json"], folder["second.json"]];
        foreach (string file in files)
        {
            JsonNode report = (await lab.RunAsync("cover-judge", lab.Faces, "--write", file, "--json")).Exits(ExitCode.Success).Json;
            JsonArray rows = report.Rows("judged");
            Assert.Equal(9, rows.Count);
            // As many faces under each cover as there are people in the half that was not fitted on.
            int kept = Laboratory.Names.Count(n => FaceDataSet.HalfOf(n) == 1);
            Assert.All(rows, r => Assert.Equal(kept, (int)r![1]!));
            Assert.InRange((double)report.Figure("auc.drawn.lowerface")["value"]!, 0, 1);
        }
        byte[] weights = await File.ReadAllBytesAsync(files[0], TestContext.Current.CancellationToken);
        Assert.Equal(weights, await File.ReadAllBytesAsync(files[1], TestContext.Current.CancellationToken));
        Assert.True(CoverWeights.Read(weights).Hidden > 0);
    }

    [Fact]
    public async Task CoverScale_EightPeople_ReportsEveryCoverOnTheOtherHalf()
    {
        JsonNode report = (await lab.RunAsync("cover-scale", lab.Faces, "--subjects", "2", "--others", "5", "--cache", "none", "--json")).Exits(ExitCode.Success).Json;

        // Too few people for a scale that means something; what there is keeps the order of scores.
        Assert.All(report.Rows("coverScales"), r => Assert.True((double)r![3]! > 0));
        JsonArray rows = report.Rows("measured");
        foreach (string cover in (string[])["none", "mask", "scarf", "sunglasses", "cap", "mask + cap"])
        {
            JsonNode row = rows.Single(r => (string)r![1]! == cover && (int)r[0]! == 2)!;
            Assert.InRange((double)row[2]!, 0, 1);
            Assert.InRange((double)row[6]!, 0, 1);
            Assert.True((int)row[5]! > 0 && (int)row[9]! > 0, cover);
        }
        Assert.Equal(1.0, (double)rows.Single(r => (string)r![1]! == "none" && (int)r[0]! == 1)![6]!);
        // People of the other half, with one photo each, make the list longer than those with two.
        Assert.Contains(rows, r => (int)r![0]! > 2);
    }

    [Fact]
    public async Task CoverScale_TooFewPeopleForAScale_LeavesTheManifestAsItIs()
    {
        string manifest = folder["embedder.json"];
        File.Copy(Path.Combine(AppContext.BaseDirectory, "models", "mobilefacenet-512.json"), manifest);
        byte[] before = await File.ReadAllBytesAsync(manifest, TestContext.Current.CancellationToken);

        (await lab.RunAsync("cover-scale", lab.Faces, "--subjects", "2", "--others", "5", "--write", manifest, "--cache", "none")).Exits(ExitCode.Input).Says("was not changed", "Use more people").IsCivil();

        Assert.Equal(before, await File.ReadAllBytesAsync(manifest, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task CoverScale_ManifestOfAnotherModel_IsRefusedBeforeAnythingIsMeasured()
    {
        string manifest = folder["other.json"];
        File.Copy(Path.Combine(AppContext.BaseDirectory, "models", "landmarks-68.json"), manifest);
        byte[] before = await File.ReadAllBytesAsync(manifest, TestContext.Current.CancellationToken);

        (await lab.RunAsync("cover-scale", lab.Faces, "--write", manifest, "--cache", "none")).Exits(ExitCode.Input).Says("landmarks-68", "--embedder").IsCivil();

        Assert.Equal(before, await File.ReadAllBytesAsync(manifest, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Quality_TwoPicturesEach_HasACurvePerComponent()
    {
        JsonNode report = (await lab.RunAsync("quality", lab.Faces, "--cache", "none", "--json")).Exits(ExitCode.Success).Json;

        Assert.Equal(10, report.Rows("components").Count);
        Assert.Equal(8, (int)report.Figure("fnmr")["total"]!);
    }

    [Fact]
    public async Task Compare_SamePairsOfOneBuild_SeesNoDifference()
    {
        string[] names = Laboratory.Names;
        IEnumerable<string> pairs = Enumerable.Range(0, 2).SelectMany(fold => Enumerable.Range(0, 4).Select(i => $"{names[(4 * fold) + i]}\t1\t2")
            .Concat(Enumerable.Range(0, 4).Select(i => $"{names[(4 * fold) + i]}\t1\t{names[(4 * fold) + ((i + 1) % 4)]}\t1")));
        foreach (string name in names)
        {
            Directory.CreateDirectory(folder[$"images/{name}"]);
            for (int n = 1; n <= 2; n++)
                File.Copy(Path.Combine(lab.Faces, name, $"{n}.jpg"), folder[$"images/{name}/{name}_{n:0000}.jpg"]);
        }
        await File.WriteAllLinesAsync(folder["pairs.txt"], ["2 4", .. pairs], TestContext.Current.CancellationToken);
        JsonNode verify = (await lab.RunAsync("verify", folder["pairs.txt"], "--cache", "none", "--out", folder["a"], "--json")).Exits(ExitCode.Success).Json;
        Assert.Equal(1.0, (double)verify.Figure("accuracy")["value"]!);

        JsonNode comparison = (await lab.RunAsync("compare", folder["a"], folder["a"], "--fmr", "0.5", "--json")).Exits(ExitCode.Success).Json;

        Assert.Equal(["first", "second"], comparison.Rows("compared").Select(r => (string?)r![0]));
        Assert.All(comparison.Rows("compared"), r => Assert.Contains("mobilefacenet-512 (87aacdfe5751)", (string?)r![1], StringComparison.Ordinal));
        Assert.Equal(1.0, (double)comparison.Figure("mcnemar")["value"]!);
        Assert.Equal(0.0, (double)comparison.Figure("difference")["value"]!);
        // Eight non-mated comparisons cannot show a rate of one in a hundred.
        (await lab.RunAsync("compare", folder["a"], folder["a"])).Exits(ExitCode.Input).Says("rule of three").IsCivil();
    }

    [Fact]
    public async Task Detect_Masks_IsWhatTheVansCommandSays()
    {
        string masks = Shared.NeedMasks(folder, 60);
        JsonNode van = (await Lfr.RunAsync("detect", masks, "--json")).Exits(ExitCode.Success).Json;

        JsonNode report = (await lab.RunAsync("detect", masks, "--json")).Exits(ExitCode.Success).Json;

        foreach (JsonNode? size in van["bySize"]!.AsArray())
            Assert.Equal((int)size!["found"]!, (int)report.Figure("recall." + (string)size["pixels"]!)["count"]!);
        Assert.InRange((double)report.Figure("averagePrecision")["value"]!, 0.5, 1);
    }
}
