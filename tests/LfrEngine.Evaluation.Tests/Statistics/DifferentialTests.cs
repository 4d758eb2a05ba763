using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Tests.Statistics;

public sealed class DifferentialTests
{
    private static readonly long[][] FalsePositives = [[12, 100_000], [40, 90_000], [9, 120_000]];
    private static readonly long[][] FalseNegatives = [[30, 1000], [55, 900], [28, 1100]];

    [Fact]
    public void Summaries_ThreeGroups_AreNumpys()
    {
        Differentials differentials = Differentials.Compute(Cells());

        var answer = Oracle.Ask(new { what = "differentials", fp = FalsePositives, fn = FalseNegatives });

        Differential[] kinds = [differentials.FalsePositive, differentials.FalseNegative];
        for (int i = 0; i < 2; i++)
        {
            Oracle.Close((double)answer["maxMin"]![i]!, kinds[i].MaxOverMin!.Value);
            Oracle.Close((double)answer["maxMean"]![i]!, kinds[i].MaxOverGeometricMean!.Value);
            Oracle.Close((double)answer["gini"]![i]!, kinds[i].Gini!.Value);
        }
        Oracle.Close((double)answer["fdr"]!, differentials.Fdr);
        Oracle.Close((double)answer["garbe"]!, differentials.Garbe!.Value);
    }

    [Fact]
    public void Tests_PlantedGroup_IsFoundFirst()
    {
        Differentials differentials = Differentials.Compute(Cells());

        GroupTest planted = differentials.FalsePositive.Tests.MinBy(t => t.Corrected)!;
        Assert.Equal("B", planted.Group);
        Assert.True(planted.Corrected < 1e-6);
        // 40 in 90,000 is five times the others' rate: more than the smallest that so many attempts show.
        Assert.InRange(planted.SmallestVisibleRatio!.Value, 1.5, 3);
        Assert.All(differentials.FalsePositive.Tests, t => Assert.True(t.Corrected >= t.Probability));
    }

    [Fact]
    public void Summaries_GroupsInAnotherOrder_AreTheSame()
    {
        Differentials forward = Differentials.Compute(Cells()), backward = Differentials.Compute([.. Cells().Reverse()]);

        Oracle.Close(forward.Fdr, backward.Fdr);
        Oracle.Close(forward.Garbe!.Value, backward.Garbe!.Value);
        Oracle.Close(forward.FalsePositive.MaxOverGeometricMean!.Value, backward.FalsePositive.MaxOverGeometricMean!.Value);
    }

    [Fact]
    public void Summaries_GroupWithoutErrors_AreLeftOutNotInvented()
    {
        GroupCell[] cells = [new("A", new Proportion(0, 1000), new Proportion(1, 100)), new("B", new Proportion(2, 1000), new Proportion(1, 100))];

        Differentials differentials = Differentials.Compute(cells);

        Assert.Null(differentials.FalsePositive.MaxOverMin);
        Assert.Null(differentials.FalsePositive.MaxOverGeometricMean);
        // One of two groups bears all errors: the Gini with its n/(n−1) is 1 by definition.
        Oracle.Close(1, differentials.FalsePositive.Gini!.Value);
        Oracle.Close(0, differentials.FalseNegative.Gini!.Value);
        Assert.Throws<ArgumentException>(() => Differentials.Compute([cells[0], new("C", new Proportion(0, 0), new Proportion(0, 1))]));
    }

    private static GroupCell[] Cells() =>
        [.. "ABC".Select((name, i) => new GroupCell($"{name}", new Proportion(FalsePositives[i][0], FalsePositives[i][1]), new Proportion(FalseNegatives[i][0], FalseNegatives[i][1])))];
}
