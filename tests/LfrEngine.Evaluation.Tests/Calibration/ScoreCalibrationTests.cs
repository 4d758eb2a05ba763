using LfrEngine.Cover;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Matching;
using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Tests.Calibration;

/// <summary>From scores to likelihood ratios where the truth is known, because it was planted.</summary>
[Trait("Speed", "slow")]
public sealed class ScoreCalibrationTests
{
    // Scores of two people and of one person, all normal with one spread: then the log likelihood ratio is a straight line in the score.
    private static readonly Model Good = new(Stranger: 0.05, Same: 0.6, SameCovered: 0.4, Spread: 0.1);

    // Another embedder: its scores have another scale and separate people less well.
    private static readonly Model Other = new(Stranger: 0.3, Same: 0.62, SameCovered: 0.52, Spread: 0.08);

    private static readonly int[] Lists = [1, 3, 10, 30, 100, 300];

    [Fact]
    public void Fit_PlantedScores_GivesTheTrueRatiosOnEveryListSize()
    {
        ScoreCalibration calibration = CalibrationFitter.Fit(Planted(1, 1000));

        Assert.True(calibration.IsUsable);
        // Half of a planted person's searches are covered, and that is judged: either kind has ratios of its own.
        foreach (double score in (double[])[0.36, 0.4, 0.44])
            Assert.Equal(Good.TrueLog(score) - Math.Log(100), calibration.Of(Traits(score, 0, 100))!.Value.Log, 0.7);
        foreach (double score in (double[])[0.2, 0.3, 0.4])
            Assert.Equal((Good with { Same = Good.SameCovered }).TrueLog(score) - Math.Log(100), calibration.Of(Traits(score, 1, 100))!.Value.Log, 0.7);
    }

    [Fact]
    public void Fit_MatesThatScatterMore_FollowsTheBend()
    {
        // Normal with two spreads: the log likelihood ratio is a parabola, which no straight line follows from ratios of 1 to ratios of 1,000.
        var bent = new Model(Stranger: 0.05, Same: 0.5, SameCovered: 0.4, Spread: 0.07, SameSpread: 0.15);

        ScoreCalibration calibration = CalibrationFitter.Fit(Planted(1, 1000, bent));

        foreach (double score in (double[])[0.12, 0.16, 0.2, 0.24, 0.28, 0.32])
            Assert.Equal(bent.TrueLog(score), calibration.Of(Traits(score, 0, 1))!.Value.Log, Math.Log(2));
    }

    [Fact]
    public void Of_MatesThatDoNotComeFirst_AreNoReasonToBelieveThoseWhoDo()
    {
        // Strangers come closer to a covered face than its person does in half of the searches of a long list: the ratio counts them as not found.
        var weak = new Model(Stranger: 0.05, Same: 0.6, SameCovered: 0.35, Spread: 0.1);

        ScoreCalibration calibration = CalibrationFitter.Fit(Planted(1, 1000, weak));

        Assert.Equal((weak with { Same = weak.SameCovered }).TrueLog(0.35) - Math.Log(300), calibration.Of(Traits(0.35, 1, 300))!.Value.Log, 0.5);
    }

    [Fact]
    public void Fit_CoveredFaces_HaveRatiosOfTheirOwn()
    {
        ScoreCalibration calibration = CalibrationFitter.Fit(Planted(1, 400));

        Assert.Equal([FaceCover.None, FaceCover.LowerFace], calibration.Covers.Select(c => c.Cover));
        // The same middling score speaks for the person where the face is covered more than where it is not.
        Assert.True(calibration.Of(Traits(0.35, 1, 1))!.Value.Log > calibration.Of(Traits(0.35, 0, 1))!.Value.Log + 1);
        // What tells nothing is left out, and nothing is said of what was not measured.
        Assert.DoesNotContain(calibration.Covers, c => c.Terms.Any(t => t.Factors.Any(f => f is "eyesCovered" or "smallness")));
        Assert.Null(calibration.Of(Traits(0.6, 0, 1) with { Cover = new CoverJudgement(0, 1, 0) }));
        Assert.Null(calibration.Of(Traits(0.6, 0, 1) with { Cover = new CoverJudgement(1, 1, 0) }));
    }

    [Fact]
    public void Fit_FewCoveredFaces_SaysNothingOfThem()
    {
        ListSearch[] few = [.. Planted(1, 200).Where(s => s.Stratum == 0 || s.Subject < 29)];

        ScoreCalibration calibration = CalibrationFitter.Fit(few);

        Assert.Null(calibration.Of(Traits(0.6, 1, 1)));
        Assert.NotNull(calibration.Of(Traits(0.6, 0, 1)));
        Assert.All(CalibrationFitter.Judge(calibration, few).Zip(few), j => Assert.Equal(j.Second.Stratum == 0, j.First is not null));
    }

    [Fact]
    public void Fit_OtherPeople_LoseLittleByCalibration()
    {
        ScoreCalibration calibration = CalibrationFitter.Fit(Planted(1, 400));

        RatioCost cost = RatioCost.Compute(CalibrationFitter.Judge(calibration, Planted(2, 400)).OfType<JudgedRatio>(), 400, seed: 1, replicates: 200)!;

        Assert.InRange(cost.CalibrationLoss, 0, 0.03);
        Assert.True(cost.CllrInterval.Contains(cost.Cllr));
    }

    [Fact]
    public void Fit_OtherScaleOfScores_GivesTheSameRatios()
    {
        // As if a model's cosines were squeezed and shifted: what a score is worth stays.
        ListSearch[] searches = Planted(1, 300);
        ScoreCalibration one = CalibrationFitter.Fit(searches), two = CalibrationFitter.Fit([.. searches.Select(s => s with { Score = Squeezed(s.Score) })]);

        foreach (ListSearch search in Planted(2, 100).Where(s => s.IsFirst))
        {
            LikelihoodRatio first = one.Of(search.Traits)!.Value, second = two.Of((search with { Score = Squeezed(search.Score) }).Traits)!.Value;
            // The bounds follow single people at the far ends, where a rounding of their score decides on which side of a step they stand.
            if (!first.AtBound && !second.AtBound)
                Assert.Equal(first.Log, second.Log, 0.05);
            else
                Assert.Equal(first.Log, second.Log, 1.0);
        }

        static float Squeezed(float score) => (0.4f * score) - 0.3f;
    }

    [Fact]
    public void Judge_TwoModels_RatiosMeanTheSameAndScoresDoNot()
    {
        const int People = 400;
        ListSearch[] good = Planted(2, People), other = Planted(3, People, Other);
        JudgedRatio[] ratios = [.. CalibrationFitter.Judge(CalibrationFitter.Fit(Planted(1, People)), good).OfType<JudgedRatio>(), .. CalibrationFitter.Judge(CalibrationFitter.Fit(Planted(4, People, Other)), other).OfType<JudgedRatio>()];
        int half = ratios.Length / 2;

        // Alerts of both models in one heap: the ratios need no correction that knows the model, the scores would.
        double pooled = RatioCost.Compute(ratios, People, seed: 1, replicates: 1)!.CalibrationLoss;
        Assert.InRange(pooled, 0, 0.02);
        JudgedRatio[] scores = [.. good.Concat(other).Zip(ratios, (s, r) => r with { Log = s.Score })];
        Assert.True(RatioCost.Compute(scores, People, seed: 1, replicates: 1)!.CllrMin > RatioCost.Compute(ratios, People, seed: 1, replicates: 1)!.CllrMin + 0.03);
        // And a threshold on the ratio promises the same for either: strangers reach t at most once in t.
        foreach (double t in (double[])[3, 10, 30])
        {
            foreach (JudgedRatio[] model in (JudgedRatio[][])[ratios[..half], ratios[half..]])
                Assert.InRange(Share(model, mated: false, t), 0, 1.5 / t);
        }

        static double Share(JudgedRatio[] of, bool mated, double t) => of.Where(r => r.IsMated == mated).Sum(r => r.Log >= Math.Log(t) ? r.Weight : 0) / of.Where(r => r.IsMated == mated).Sum(r => r.Weight);
    }

    [Fact]
    public void Fit_MatesOfOneScore_NeverMakesAHigherScoreWorthLess()
    {
        // Strangers scatter far more than mates: by the curves alone, a score above the mates' would speak against them.
        ScoreCalibration calibration = CalibrationFitter.Fit(Planted(1, 200, new Model(Stranger: -0.2, Same: 0.55, SameCovered: 0.5, Spread: 0.2, SameSpread: 0.03)));

        foreach (double covered in (double[])[0, 0.5, 1])
        {
            double[] rising = [.. Enumerable.Range(0, 130).Select(i => calibration.Of(Traits(-0.3 + (i / 100.0), covered, 30))!.Value.Log)];
            Assert.True(rising.Zip(rising.Skip(1)).All(pair => pair.First <= pair.Second + 1e-9), $"cover {covered}");
        }
    }

    [Fact]
    public void Fit_ScoresThatTellNothing_SaysSo()
    {
        ListSearch[] swapped = [.. Planted(1, 60).Where(s => s.ListSize == 1).Select(s => s with { Score = -s.Score })];

        Assert.Contains("a calibration is not possible", Assert.Throws<DataException>(() => CalibrationFitter.Fit(swapped)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_FarBeyondTheData_IsCutToWhatSoManyPeopleCanVouchFor()
    {
        ScoreCalibration few = CalibrationFitter.Fit(Planted(1, 60)), many = CalibrationFitter.Fit(Planted(1, 600));

        LikelihoodRatio cut = few.Of(Traits(1, 0, 300))!.Value;
        Assert.True(cut.AtBound);
        // On the largest list no more than one in so many people could have shown.
        Assert.InRange(cut.Log, Math.Log(60) - 1.5, Math.Log(61));
        Assert.True(many.Of(Traits(1, 0, 300))!.Value.Log > cut.Log + 1);
        Assert.True(few.Of(Traits(-1, 0, 1))!.Value is { AtBound: true, Log: < 0 });
        Assert.Contains(Enumerable.Range(30, 40), percent => !few.Of(Traits(percent / 100.0, 0, 300))!.Value.AtBound);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(3000, true)]
    [InlineData(3001, false)]
    public void Of_ListSize_MustBeWithinReachOfThoseMeasured(int list, bool told) =>
        Assert.Equal(told, CalibrationFitter.Fit(Planted(1, 60)).Of(Traits(0.5, 0, list)) is not null);

    [Fact]
    public void IsUsable_UnknownOrBrokenTerms_IsFalse()
    {
        ScoreCalibration good = new(ScoreCalibration.CurrentFormat, [new CoverCalibration(FaceCover.None, false, [new([], -5), new(["score"], 20), new(["score from 0.1 to 0.3"], 1), new(["score from 0.3 to 0.4 and beyond"], 1), new([CalibrationFactor.ListSize], -1)], -3, 10, 500)], 1000, []);

        Assert.True(good.IsUsable);
        Assert.False(Changed(c => c with { Terms = [new(["shoeSize"], 1)] }).IsUsable);
        Assert.False(Changed(c => c with { Terms = [new(["score from 0.3 to 0.1"], 1)] }).IsUsable);
        Assert.False(Changed(c => c with { Terms = [new(["score from 0.1 to NaN"], 1)] }).IsUsable);
        Assert.False(Changed(c => c with { Terms = [new(["score from 0.1 to  and beyond"], 1)] }).IsUsable);
        Assert.False(Changed(c => c with { Terms = [new(["score", CalibrationFactor.ListSize], 1)] }).IsUsable);
        Assert.False(Changed(c => c with { Terms = [new(["score"], double.NaN)] }).IsUsable);
        Assert.False(Changed(c => c with { Lowest = 11 }).IsUsable);
        Assert.False(Changed(c => c with { Terms = null! }).IsUsable);
        Assert.False(Changed(c => c with { Cover = FaceCover.Eyes }).IsUsable);
        Assert.False((good with { Covers = [.. good.Covers, .. good.Covers] }).IsUsable);
        Assert.False((good with { Covers = null! }).IsUsable);
        // Numbers that are finite each, and not in their sum.
        Assert.Null(Changed(c => c with { Terms = [new(["score"], double.MaxValue), new(["score"], double.MaxValue)] }).Of(Traits(1, 0, 10)));

        ScoreCalibration Changed(Func<CoverCalibration, CoverCalibration> change) => good with { Covers = [change(good.Covers[0])] };
    }

    private static ComparisonTraits Traits(double score, double covered, int list) => new(score, new CoverJudgement((float)covered, 0, 0), covered >= 0.5, 40, 1, list);

    // Each person searched uncovered and covered on lists of all sizes, with and without themselves on it.
    private static ListSearch[] Planted(ulong seed, int people, Model? model = null)
    {
        (double stranger, double same, double sameCovered, double spread, double? sameSpread) = model ?? Good;
        var random = SeededRandom.For(seed, "planted");
        var searches = new List<ListSearch>();
        for (int person = 0; person < people; person++)
        {
            for (int stratum = 0; stratum < 2; stratum++)
            {
                var quality = new FaceQuality(40, 0.3f, 120, 0, 0, 0, 0, 0, 5, 1);
                var cover = new CoverJudgement(stratum, 0, 0);
                double own = (stratum == 0 ? same : sameCovered) + ((sameSpread ?? spread) * random.NextNormal());
                double[] strangers = [.. Enumerable.Range(0, Lists[^1]).Select(_ => stranger + (spread * random.NextNormal()))];
                foreach (int list in Lists)
                {
                    searches.Add(new ListSearch(person, stratum, list, false, (float)strangers.Take(list).Max(), 0, quality, cover, stratum == 1));
                    searches.Add(new ListSearch(person, stratum, list, true, (float)own, 1 + strangers.Take(list - 1).Count(s => s > own), quality, cover, stratum == 1));
                }
            }
        }
        return [.. searches];
    }

    private sealed record Model(double Stranger, double Same, double SameCovered, double Spread, double? SameSpread = null)
    {
        // Of an uncovered face on a list of one.
        public double TrueLog(double score) => LogDensity(score, Same, SameSpread ?? Spread) - LogDensity(score, Stranger, Spread);

        private static double LogDensity(double score, double mean, double spread) => (-(score - mean) * (score - mean) / (2 * spread * spread)) - Math.Log(spread);
    }
}
