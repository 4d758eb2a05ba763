using System.Text.Json;
using LfrEngine.Cover;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Evaluation.Statistics;
using Xunit;

namespace LfrEngine.Evaluation.Tests.Cover;

public sealed class CoverFitTests
{
    [Fact]
    public void Fit_PartsThatFeaturesShow_AreJudgedOnOthersAndCalibrated()
    {
        using CoverSamples learn = Samples(1, 1500), scale = Samples(2, 500), others = Samples(3, 1000);
        CoverWeights weights = CoverFit.Fit(learn, scale, seed: 7, TestContext.Current.CancellationToken);
        for (int part = 0; part < CoverWeights.Parts; part++)
        {
            (float Probability, int Label)[] judged = [.. Enumerable.Range(0, others.Count).Select(i => (Probability(CoverJudge.Judge(others[i], weights), part), others.Label(i, part)))];
            Assert.InRange(ProbabilityScore.AreaUnderCurve(judged), 0.9, 1);
            Assert.InRange(ProbabilityScore.CalibrationError(judged), 0, 0.06);
        }
    }

    [Fact]
    public void Fit_SameSeed_GivesTheSameWeightsAndTheyAreReadAsWritten()
    {
        using CoverSamples learn = Samples(1, 200), scale = Samples(2, 100);
        CoverWeights first = CoverFit.Fit(learn, scale, 7, TestContext.Current.CancellationToken), again = CoverFit.Fit(learn, scale, 7, TestContext.Current.CancellationToken);
        byte[] text = Text(first);
        Assert.Equal(text, Text(again));
        CoverWeights read = CoverWeights.Read(text);
        Assert.Equal(text, Text(read));
        for (int i = 0; i < 50; i++)
            Assert.Equal(CoverJudge.Judge(learn[i], first).Eyes, CoverJudge.Judge(learn[i], read).Eyes, 0.05f);
    }

    [Fact]
    public void Fit_UnknownParts_TeachNothing()
    {
        // The third part is never known: the same faces with any of its labels give the same judgement of the others.
        using CoverSamples learn = Samples(1, 200, known: 2), scale = Samples(2, 100, known: 2);
        CoverWeights weights = CoverFit.Fit(learn, scale, 7, TestContext.Current.CancellationToken);
        Assert.Equal(0, weights.SecondBias[2]);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"hidden":1,"first":[1],"firstBias":[0],"second":[0,0,0],"secondBias":[0,0,0]}""")]
    public void Read_NotTheWeightsOfThisEngine_Throws(string json) =>
        Assert.ThrowsAny<Exception>(() => CoverWeights.Read(System.Text.Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void AreaUnderCurve_WithTies_IsTheShareOfPairsInOrder()
    {
        var random = SeededRandom.For(3, "auc");
        (float Probability, int Label)[] judged = [.. Enumerable.Range(0, 200).Select(_ => (random.Next(20) / 20f, random.Next(3) == 0 ? 1 : 0))];
        double pairs = 0, inOrder = 0;
        foreach ((float covered, int one) in judged)
        {
            foreach ((float not, int zero) in judged)
            {
                if (one != 1 || zero != 0)
                    continue;
                pairs++;
                inOrder += covered > not ? 1 : covered == not ? 0.5 : 0;
            }
        }
        Assert.Equal(inOrder / pairs, ProbabilityScore.AreaUnderCurve(judged), 1e-9);
        Assert.True(double.IsNaN(ProbabilityScore.AreaUnderCurve([(0.5f, 1)])));
    }

    [Fact]
    public void CalibrationError_SaidThreeTimesTooMuch_IsTheDifference() =>
        Assert.Equal(0.6, ProbabilityScore.CalibrationError([.. Enumerable.Range(0, 100).Select(i => (0.9f, i < 30 ? 1 : 0))]), 1e-6);

    private static float Probability(CoverJudgement judged, int part) => part switch { 0 => judged.LowerFace, 1 => judged.Eyes, _ => judged.Brow };

    private static byte[] Text(CoverWeights weights)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            weights.Write(writer);
        return stream.ToArray();
    }

    // Each part shifts ten features of its own, in one direction or the other; noise hides it now and then.
    private static CoverSamples Samples(ulong seed, int count, int known = CoverWeights.Parts)
    {
        var random = SeededRandom.For(seed, "samples");
        var samples = new CoverSamples(count);
        Span<sbyte> labels = stackalloc sbyte[CoverWeights.Parts];
        for (int i = 0; i < count; i++)
        {
            Span<float> features = samples[i];
            for (int f = 0; f < features.Length; f++)
                features[f] = (float)random.NextNormal();
            for (int part = 0; part < CoverWeights.Parts; part++)
            {
                labels[part] = (sbyte)random.Next(2);
                float shift = labels[part] == 1 ? 1.6f * (random.Next(2) == 0 ? 1 : -1) : 0;
                for (int f = 0; f < 10; f++)
                    features[(part * 50) + f] += shift;
                if (part >= known)
                    labels[part] = -1;
            }
            samples.Mark(i, "drawn", labels);
        }
        return samples;
    }
}
