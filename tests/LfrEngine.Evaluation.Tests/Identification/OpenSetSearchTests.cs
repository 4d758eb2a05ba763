using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Identification;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Models;

namespace LfrEngine.Evaluation.Tests.Identification;

public sealed class OpenSetSearchTests
{
    [Fact]
    public void Run_SearchesOneByOne_AreTheSame()
    {
        // Two images each of 40 people, of whom 25 are enrolled with one: who is not a mated probe was the reference.
        (TemplateSet templates, FaceDataSet data) = RandomTemplates.Make(40, 2, 512, 0.9, seed: 8);
        using (templates)
        {
            OpenSetSearch search = OpenSetSearch.Run(templates, data, Embedder(), 25, 1, 5, seed: 4, _ => { }, TestContext.Current.CancellationToken);

            Assert.Equal((25, 30), (search.Mated.Count, search.NonMated.Count));
            int[] references = [.. search.Mated.Select(s => s.Image ^ 1).Order()];
            Assert.Equal(25, references.Distinct().Count());
            foreach (Search mated in search.Mated)
            {
                float mate = templates.Score(mated.Image, mated.Image ^ 1);
                int rank = 1 + references.Count(r => templates.Score(mated.Image, r) > mate);
                Assert.Equal(rank <= OpenSetSearch.DeepestRank ? rank : 0, mated.Rank);
                Assert.Equal(rank <= 5 ? mate : -1, mated.Score);
            }
            foreach (Search other in search.NonMated)
                Assert.Equal(references.Max(r => templates.Score(other.Image, r)), other.Score);
            Assert.Equal(30 * 25, search.NonMatedComparisons.Total);
        }
    }

    [Fact]
    public void Run_SameSeed_DrawsTheSameAndAnotherSeedAnother()
    {
        (TemplateSet templates, FaceDataSet data) = RandomTemplates.Make(30, 3, 512, 0.9, seed: 8);
        using (templates)
        {
            Search[] Run(ulong seed) => [.. OpenSetSearch.Run(templates, data, Embedder(), 10, 3, 5, seed, _ => { }, TestContext.Current.CancellationToken).NonMated];

            Assert.Equal(Run(1), Run(1));
            Assert.NotEqual(Run(1), Run(2));
        }
    }

    [Fact]
    public void Rates_IndependentPeople_FollowThePrediction()
    {
        // Random directions are independent: then FPIR is 1 − (1 − FMR)^N, and the interval of the measured value holds it.
        (TemplateSet templates, FaceDataSet data) = RandomTemplates.Make(400, 2, 24, 0.6, seed: 21);
        using (templates)
        {
            OpenSetSearch search = OpenSetSearch.Run(templates, data, Embedder(24), 100, 2, 5, seed: 4, _ => { }, TestContext.Current.CancellationToken);
            const double Threshold = 0.55;

            (MeasuredRate tpir, MeasuredRate fpir) = search.At(Threshold, 1, _ => true, _ => true);

            double predicted = 1 - Math.Pow(1 - search.NonMatedComparisons.AtLeast(Threshold).Rate, 100);
            Assert.True(fpir.Counts.Count > 20);
            Assert.True(fpir.Interval.Contains(predicted), $"{fpir} {predicted}");
            Assert.True(tpir.Interval.Contains(tpir.Counts.Rate));
            Assert.True(search.AtRank(1).Rate <= search.AtRank(20).Rate);
        }
    }

    private static ModelManifest Embedder(int length = 512)
    {
        ModelManifest manifest = ModelManifest.Read(RepoRoot("models/mobilefacenet-512.json"));
        return length == manifest.EmbeddingLength ? manifest : manifest with { EmbeddingLength = length };
    }

    private static string RepoRoot(string path)
    {
        DirectoryInfo folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LfrEngine.sln")))
            folder = folder.Parent!;
        return Path.Combine(folder.FullName, path);
    }
}
