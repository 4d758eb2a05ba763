using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Tests.Statistics;

public sealed class BootstrapTests
{
    [Fact]
    public void BySubject_ClusteredErrors_IsNumpysWithinItsNoise()
    {
        SubjectCount[] subjects = Planted(new SeededRandom(11), 150, out _);

        double[] expected = Oracle.Ask(new { what = "bootstrap", errors = subjects.Select(s => s.Errors), attempts = subjects.Select(s => s.Attempts) }).Numbers();

        Interval own = Bootstrap.BySubject(subjects, seed: 5);
        double width = expected[1] - expected[0];
        Assert.Equal(expected[0], own.Low, 0.08 * width);
        Assert.Equal(expected[1], own.High, 0.08 * width);
        Assert.Equal(own, Bootstrap.BySubject(subjects, seed: 5));
    }

    [Fact]
    public void BySubjectPair_FewErringPairs_IsNumpysWithinItsNoise()
    {
        var random = new SeededRandom(2);
        int[] images = [.. Enumerable.Range(0, 60).Select(_ => 1 + random.Next(4))];
        SubjectPairCount[] errors = [.. Enumerable.Range(0, 40).Select(_ => (A: random.Next(60), B: random.Next(60))).Where(p => p.A < p.B).Select(p => new SubjectPairCount(p.A, p.B, 1))];

        double[] expected = Oracle.Ask(new { what = "pair_bootstrap", images, errors = errors.Select(e => new[] { e.First, e.Second, e.Errors }) }).Numbers();

        Interval own = Bootstrap.BySubjectPair(images, errors, seed: 5);
        double width = expected[1] - expected[0];
        Assert.Equal(expected[0], own.Low, 0.1 * width);
        Assert.Equal(expected[1], own.High, 0.1 * width);
    }

    [Fact]
    public void BySubject_NoErrors_ClaimsNoCertainty()
    {
        Assert.Equal(new Interval(0, 0.03), Bootstrap.BySubject([.. Enumerable.Repeat(new SubjectCount(0, 9), 100)], seed: 1));
        Assert.Equal(new Interval(0.97, 1), Bootstrap.BySubject([.. Enumerable.Repeat(new SubjectCount(9, 9), 100)], seed: 1));
        Assert.Equal(new Interval(0, 1), Bootstrap.BySubject([], seed: 1));
        Assert.Equal(new Interval(0, 0.03), Bootstrap.BySubjectPair([.. Enumerable.Repeat(2, 100)], [], seed: 1));
    }

    [Fact]
    public void Intervals_PlantedRates_AreRecoveredNinetyFiveTimesOfAHundred()
    {
        // One person's attempts share a rate of their own: an interval that ignored this would cover far less often.
        const int Sets = 400;
        int exact = 0, clustered = 0, naive = 0;
        for (int set = 0; set < Sets; set++)
        {
            var random = new SeededRandom((ulong)set);
            SubjectCount[] subjects = Planted(random, 400, out double rate);
            var independent = new Proportion(Enumerable.Range(0, 1200).Count(_ => random.NextDouble() < rate), 1200);
            exact += independent.ClopperPearson().Contains(rate) ? 1 : 0;
            clustered += Bootstrap.BySubject(subjects, (ulong)set, replicates: 1000).Contains(rate) ? 1 : 0;
            naive += new Proportion(subjects.Sum(s => s.Errors), subjects.Sum(s => s.Attempts)).ClopperPearson().Contains(rate) ? 1 : 0;
        }
        Assert.InRange(exact, 0.95 * Sets, Sets);
        // The share itself is known to ± 2 % from 400 sets.
        Assert.InRange(clustered, 0.93 * Sets, Sets);
        Assert.InRange(naive, 0, 0.85 * Sets);
    }

    [Fact]
    public void Paired_SameAttempts_SeesWhatUnpairedWouldMiss()
    {
        // The second errs where the first does, and in 12 attempts more.
        bool[] first = new bool[2000], second = new bool[2000];
        int[] subjects = [.. Enumerable.Range(0, 2000).Select(i => i / 4)];
        for (int i = 0; i < 2000; i += 10)
            first[i] = second[i] = true;
        for (int i = 5; i < 1990; i += 170)
            second[i] = true;

        PairedComparison comparison = PairedComparison.Compute(first, second, subjects, seed: 9);

        Assert.Equal((0L, 12L), (comparison.OnlyFirstErred, comparison.OnlySecondErred));
        Assert.True(comparison.Probability < 0.001);
        Assert.True(comparison.Difference.Low > 0);
        Assert.True(RateTests.FisherExact(comparison.First, comparison.Second) > 0.5);
    }

    // Each subject errs with a rate of its own: 0.4 for one in ten, 0.02 for the others; 2 to 9 attempts each.
    private static SubjectCount[] Planted(SeededRandom random, int count, out double rate)
    {
        const double Hard = 0.4, Easy = 0.02, HardShare = 0.1;
        rate = (HardShare * Hard) + ((1 - HardShare) * Easy);
        var subjects = new SubjectCount[count];
        for (int i = 0; i < count; i++)
        {
            double own = random.NextDouble() < HardShare ? Hard : Easy;
            int attempts = 2 + random.Next(8);
            subjects[i] = new SubjectCount(Enumerable.Range(0, attempts).Count(_ => random.NextDouble() < own), attempts);
        }
        return subjects;
    }
}
