using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Evaluation.Verification;

namespace LfrEngine.Evaluation.Tests.Verification;

public sealed class AllPairsTests
{
    [Fact]
    public void Count_EveryPairOneByOne_IsTheSame()
    {
        (TemplateSet templates, FaceDataSet data) = RandomTemplates.Make(90, 4, 20, 0.7, seed: 3, p => p % 3 == 0 ? "a" : "b");
        using (templates)
        {
            templates.Outcomes[7] = TemplateOutcome.Failed(Acquisition.NoFace, "no face found");
            int[] subjects = data.SubjectNumbers();
            var grouping = new Grouping("group", ["a", "b"], [.. data.Samples.Select(s => s.Groups[0] == "a" ? 0 : 1)]);
            using var scorer = new SimdPairScorer();

            AllPairs counted = AllPairs.Count(templates, subjects, [grouping], scorer, (_, _) => { }, TestContext.Current.CancellationToken);

            PairCounts all = new(), groupA = new();
            var mated = new List<ScoredPair>();
            var nonMated = new List<ScoredPair>();
            for (int a = 0; a < templates.Count; a++)
            {
                for (int b = a + 1; b < templates.Count; b++)
                {
                    if (a == 7 || b == 7)
                        continue;
                    float score = templates.Score(a, b);
                    bool same = subjects[a] == subjects[b];
                    (same ? mated : nonMated).Add(new ScoredPair(a, b, score));
                    (same ? all.Mated : all.NonMated).Add(score);
                    if (grouping.GroupOf[a] == 0 && grouping.GroupOf[b] == 0)
                        (same ? groupA.Mated : groupA.NonMated).Add(score);
                }
            }
            Assert.True(all.SameAs(counted.All));
            Assert.True(groupA.SameAs(counted.Groups[0][0]));
            Assert.Equal(mated, counted.Mated!);
            Assert.Equal(nonMated.OrderByDescending(p => p.Score).ThenBy(p => p.First).ThenBy(p => p.Second), counted.Top);
            double threshold = ScoreHistogram.EdgeOf(ScoreHistogram.BinOf(counted.Top[100].Score));
            Assert.Equal(nonMated.Count(p => p.Score >= (float)threshold), counted.FalseMatches(threshold, subjects, _ => true)!.Sum(e => e.Errors));
        }
    }

    [Fact]
    public void Count_SixteenTimesTheComparisons_TakesNoMoreMemory()
    {
        long few = Allocated(1000), many = Allocated(4000);

        // Half a million against eight million comparisons: histograms, kept scores and tiles are of one size.
        Assert.InRange(many - few, long.MinValue, 12 << 20);

        static long Allocated(int people)
        {
            (TemplateSet templates, FaceDataSet data) = RandomTemplates.Make(people, 1, 16, 1, seed: 1);
            using (templates)
            {
                using var scorer = new SimdPairScorer();
                int[] subjects = data.SubjectNumbers();
                AllPairs counted = AllPairs.Count(templates, subjects, [], scorer, (_, _) => { }, TestContext.Current.CancellationToken);
                long held = GC.GetTotalMemory(forceFullCollection: true);
                Assert.Equal((long)people * (people - 1) / 2, counted.Comparisons);
                return held;
            }
        }
    }

    [Fact]
    public void Rates_PlantedThreshold_HoldOnTheOtherHalf()
    {
        // What the laboratory does with a data set: set on one half of the people, report on the other. The planted rate must lie in the reported interval.
        int inside = 0;
        for (ulong set = 0; set < 40; set++)
        {
            (TemplateSet templates, FaceDataSet data) = RandomTemplates.Make(160, 2, 16, 0.5, seed: 1000 + set);
            using (templates)
            {
                int[] subjects = data.SubjectNumbers();
                using var scorer = new SimdPairScorer();
                AllPairs counted = AllPairs.Count(templates, subjects, [], scorer, (_, _) => { }, TestContext.Current.CancellationToken);
                const double Threshold = 0.6;
                SubjectPairCount[] errors = counted.FalseMatches(Threshold, subjects, _ => true)!;
                Interval interval = Bootstrap.BySubjectPair([.. data.Subjects.Select(_ => 2)], errors, set, replicates: 400);
                inside += interval.Contains(Planted) ? 1 : 0;
            }
        }
        Assert.InRange(inside, 36, 40);
    }

    // The true rate of that population: cosines of independent directions in 16 dimensions; SciPy: stats.t.sf(0.6 * sqrt(15 / (1 - 0.36)), 15).
    private const double Planted = 0.005444773529177393;
}
