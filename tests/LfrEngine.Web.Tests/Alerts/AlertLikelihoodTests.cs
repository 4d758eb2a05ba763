using LfrEngine.Cover;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Matching;
using LfrEngine.Web.Tests.Authorities;
using LfrEngine.Models;
using LfrEngine.Records;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>What a score is worth, from the laboratory's evidence to the officer.</summary>
public sealed class AlertLikelihoodTests
{
    // log10 of the ratio is 10 · score − 3 − log10(people), between 10⁻¹ and 10⁴ on a list of one.
    private static readonly ScoreCalibration Calibration = new(ScoreCalibration.CurrentFormat,
        [new CoverCalibration(FaceCover.None, false, [new([], -3 * Math.Log(10)), new(["score"], 10 * Math.Log(10)), new(["logListSize"], -1)], -Math.Log(10), 4 * Math.Log(10), 500)], 100, []);

    [Fact]
    public async Task TakeAsync_CalibratedEvidence_GivesTheRatio()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        AlertMaterial material = await MaterialAsync(stage, stage.Evidence(AuthorityStage.People) with { Calibration = Calibration });
        Guid person = await material.AddPersonAsync();

        Guid alert = await material.RaiseAsync(person, score: 0.62f), high = await material.RaiseAsync(await material.AddPersonAsync(), score: 0.95f);

        AlertLikelihood told = (await material.Alerts.ListAsync(Actor.Engine, new AlertFilter(), TestContext.Current.CancellationToken)).Single(a => a.Id == alert).Likelihood!;
        Assert.Equal(3.2 - Math.Log10(AuthorityStage.People), told.Log10, 1e-5);
        Assert.Equal((false, AuthorityStage.People, Support.ModeratelyStrong), (told.AtBound, told.ListSize, told.Support));
        AlertLikelihood cut = (await material.Alerts.LookAsync(Actor.Of(await material.OfficerAsync("olga", Roles.Operator)), high, TestContext.Current.CancellationToken))!.Alert.Likelihood!;
        Assert.True(cut.AtBound);
        Assert.Equal(4 - Math.Log10(AuthorityStage.People), cut.Log10, 1e-6);
        AuditEntry[] entries = await material.EntriesAsync("alert.raised");
        Assert.Contains("\"log10LikelihoodRatio\":2.42", entries[0].Details, StringComparison.Ordinal);
        Assert.Contains("\"log10LikelihoodRatio\":3.22", entries[1].Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TakeAsync_CoveredFace_IsToldByWhatWasMeasuredOfSuchFaces()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        // Under a mask, log10 of the ratio is 10 · score − 2.
        ScoreCalibration calibration = Calibration with { Covers = [.. Calibration.Covers, Calibration.Covers[0] with { Cover = FaceCover.LowerFace, ByCoveredTemplates = true, Terms = [new([], -2 * Math.Log(10)), .. Calibration.Covers[0].Terms.Skip(1)] }] };
        AlertMaterial material = await MaterialAsync(stage, stage.Evidence(AuthorityStage.People) with { Calibration = calibration });
        var mask = new CoverJudgement(0.9f, 0.1f, 0.2f);

        Guid masked = await material.RaiseAsync(await material.AddPersonAsync(), score: 0.52f, cover: mask, byCoveredTemplates: true);
        // A list that nothing was drawn on compares a masked face as if it were not: of such scores nothing was measured; nor of sunglasses.
        Guid plainly = await material.RaiseAsync(await material.AddPersonAsync(), score: 0.52f, cover: mask), glasses = await material.RaiseAsync(await material.AddPersonAsync(), score: 0.52f, cover: new CoverJudgement(0.9f, 0.9f, 0), byCoveredTemplates: true);

        Assert.Equal(3.2 - Math.Log10(AuthorityStage.People), (await material.RecordAsync(masked)).Log10LikelihoodRatio!.Value, 1e-5);
        Assert.Null((await material.RecordAsync(plainly)).Log10LikelihoodRatio);
        Assert.Null((await material.RecordAsync(glasses)).Log10LikelihoodRatio);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TakeAsync_NoUsableCalibration_GivesNoRatio(bool listTooLarge)
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        // The list has six people; more than ten times the largest list measured cannot be carried.
        ScoreCalibration? calibration = listTooLarge ? Calibration with { LargestList = 1 } : null;
        AlertMaterial material = await MaterialAsync(stage, stage.Evidence(AuthorityStage.People) with { Calibration = calibration }, listTooLarge ? 11 : AuthorityStage.People);

        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());

        AlertRecord record = await material.RecordAsync(alert);
        Assert.Equal((null, false, 0), (record.Log10LikelihoodRatio, record.LikelihoodRatioAtBound, record.LikelihoodListSize));
        Assert.Null(Assert.Single(await material.Alerts.ListAsync(Actor.Engine, new AlertFilter(), TestContext.Current.CancellationToken)).Likelihood);
    }

    [Fact]
    public void LikelihoodOf_AnotherEmbedder_IsNone()
    {
        EvidenceDocument evidence = LikenessTests.Evidence((0.48, 0.01, 0.012)) with { Calibration = Calibration };

        Assert.NotNull(new AuthorisedRates(0.48, evidence, 10, evidence.EmbedderSha256).LikelihoodOf(new ComparisonTraits(0.6, default, false, 40, 1, 1)));
        Assert.Null(new AuthorisedRates(0.48, evidence, 10, "another").LikelihoodOf(new ComparisonTraits(0.6, default, false, 40, 1, 1)));
        Assert.Null(new AuthorisedRates(0.48, null, 10, evidence.EmbedderSha256).LikelihoodOf(new ComparisonTraits(0.6, default, false, 40, 1, 1)));
    }

    // A deployment as it is armed with this evidence.
    private static async Task<AlertMaterial> MaterialAsync(AuthorityStage stage, EvidenceDocument evidence, int people = AuthorityStage.People)
    {
        stage.WriteEvidence(stage.EvidencePath, evidence);
        stage.Time.Now += TimeSpan.FromMinutes(5);
        string hash = PackageCache.HashOf(stage.EvidencePath);
        Guid id = await stage.DraftAsync(stage.Draft() with { Categories = [new CategoryDraft(WatchlistCategory.Wanted, AuthorityStage.Threshold, hash, "Compare.")] });
        await using LfrStore store = stage.Host.Store();
        Authority authority = Authority.Parse((await store.Deployments.AsNoTracking().SingleAsync(d => d.Id == id, TestContext.Current.CancellationToken)).AuthorityText);
        return await AlertMaterial.CreateAsync(stage.Host, (authority with { Watchlist = authority.Watchlist with { People = people } }).ToText());
    }
}
