using System.Text.Json.Nodes;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary><c>lfr run --evidence</c>: what a score is worth.</summary>
[Trait("Speed", "slow")]
public sealed class RunCalibratedTests(Material material) : IDisposable
{
    // log10 of the ratio is 10 · score − 3, between 10⁻¹ and 10^2.5: the woman scores above it.
    private static readonly ScoreCalibration Calibration = new(ScoreCalibration.CurrentFormat,
        [new CoverCalibration(FaceCover.None, false, [new([], -3 * Math.Log(10)), new(["score"], 10 * Math.Log(10)), new(["logListSize"], -1)], -Math.Log(10), 2.5 * Math.Log(10), 500)], 100, []);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Run_CalibratedEvidence_GivesLikelihoodRatios()
    {
        string[] evidence = Evidence(Calibration);

        JsonObject alert = (await Lfr.RunAsync(material.Run(["--camera", $"gate={material.ShortClip}", .. evidence]))).Exits(ExitCode.Success).Lines.Single(l => (string?)l["type"] == "alert");
        Outcome words = (await Lfr.RunAsync(["run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--camera", $"gate={material.ShortClip}", .. evidence])).Exits(ExitCode.Success);

        JsonNode likelihood = alert["likelihood"]!;
        Assert.True((double)alert["score"]! > 0.55);
        Assert.Equal(2.5, (double)likelihood["log10"]!, 1e-6);
        Assert.Equal((true, 1), ((bool)likelihood["atBound"]!, (int)likelihood["listSize"]!));
        Assert.Equal("moderatelyStrong", (string?)likelihood["support"]);
        Assert.StartsWith("A score like this is at least 300 times more likely if this is the person than if it is a stranger.", (string?)likelihood["words"], StringComparison.Ordinal);
        words.Says("moderately strong support for a match (A score like this is at least 300 times more likely").IsCivil();
    }

    [Fact]
    public async Task Run_NoEvidence_SaysThatTheScoreIsNotCalibrated()
    {
        string[] run = ["run", "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--camera", $"gate={material.ShortClip}", "--out", folder["alerts.jsonl"]];

        (await Lfr.RunAsync(run)).Exits(ExitCode.Success).Says(", not calibrated").IsCivil();

        JsonNode alert = JsonNode.Parse((await File.ReadAllLinesAsync(folder["alerts.jsonl"], TestContext.Current.CancellationToken))[0])!;
        Assert.Equal("alert", (string?)alert["type"]);
        Assert.Null(alert["likelihood"]);
    }

    [Theory]
    [InlineData("none", "contains no calibration that this program can read")]
    [InlineData("later", "contains no calibration that this program can read")]
    [InlineData("other", "was measured with the embedder test")]
    [InlineData("altered", "has been altered")]
    [InlineData("stranger", "is signed by the installation")]
    public async Task Run_EvidenceThatCannotSay_IsRefusedBeforeAnyCamera(string kind, string reason)
    {
        string[] evidence = kind switch
        {
            "none" => Evidence(null),
            "later" => Evidence(Calibration with { FormatVersion = 3 }),
            "other" => Evidence(Calibration, embedder: new string('a', 64)),
            _ => Evidence(Calibration),
        };
        if (kind == "altered")
        {
            string text = await File.ReadAllTextAsync(evidence[1], TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(evidence[1], text.Replace("\"largestList\":100", "\"largestList\":900", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        }
        if (kind == "stranger")
        {
            using InstallationKey other = InstallationKey.Open(folder["other-key.pem"]);
            await File.WriteAllTextAsync(evidence[3], other.PublicPem, TestContext.Current.CancellationToken);
        }

        Outcome run = (await Lfr.RunAsync(material.Run(["--camera", "gate=no-such-clip.mp4", .. evidence]))).Exits(ExitCode.Input);

        run.Says(reason).IsCivil();
        Assert.DoesNotContain("no-such-clip", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(11, false)]
    public async Task Run_ListLongerThanMeasured_IsRefusedBeforeAnyCamera(int people, bool isCarried)
    {
        ModelManifest embedder = ModelCatalog.Default.Find(EngineModels.DefaultEmbedder, ModelTask.Embed);
        using (var builder = new WatchlistBuilder("long", embedder.Id, embedder.Sha256, embedder.EmbeddingLength))
        using (WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile))
        {
            for (int i = 0; i < people; i++)
            {
                var template = new float[embedder.EmbeddingLength];
                template[i] = 1;
                builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity($"{i}", "", WatchlistCategory.Wanted)), template, 1, []);
            }
            using Watchlist list = builder.Build();
            WatchlistFile.Write(folder["long.lfr"], list, key);
        }

        // Measured on lists of one: it carries lists ten times as long.
        Outcome run = await Lfr.RunAsync(["run", "--watchlist", folder["long.lfr"], "--key-file", material.KeyFile, "--camera", "gate=no-such-clip.mp4", .. Evidence(Calibration with { LargestList = 1 })]);

        if (isCarried)
            Assert.Contains("no-such-clip", run.Error, StringComparison.Ordinal);
        else
            run.Exits(ExitCode.Input).Says("was calibrated on lists of up to 1 people. It covers lists of 1 to 10; yours has 11.").IsCivil();
        Assert.Equal(isCarried, run.Error.Contains("no-such-clip", StringComparison.Ordinal));
    }

    private string[] Evidence(ScoreCalibration? calibration, string? embedder = null)
    {
        using InstallationKey key = InstallationKey.Open(folder["laboratory-key.pem"]);
        File.WriteAllText(folder["laboratory.pem"], key.PublicPem);
        EvidenceFile.Write(folder["evidence.json"], new EvidenceDocument(EvidenceDocument.CurrentFormat, DateTimeOffset.UnixEpoch, "calibrate", "test",
            embedder ?? ModelCatalog.Default.Find(EngineModels.DefaultEmbedder, ModelTask.Embed).Sha256, new Dictionary<string, string>(), new Dictionary<string, string>(), "00", 1,
            [new OperatingPoint(1, 0.48, null, 0.01, 0, 0.02, 1, 100, 0.9, 0.8, 1, 90, 100, [])], calibration), key);
        return ["--evidence", folder["evidence.json"], "--evidence-key", folder["laboratory.pem"]];
    }
}
