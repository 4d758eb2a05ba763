using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;

namespace LfrEngine.Evaluation.Tests;

/// <summary>Embeddings of made-up people: a direction each, and noise for every image.</summary>
internal static class RandomTemplates
{
    public static (TemplateSet Templates, FaceDataSet Data) Make(int people, int images, int length, double noise, ulong seed, Func<int, string>? groupOf = null)
    {
        var random = new SeededRandom(seed);
        var templates = new TemplateSet(people * images, length);
        var samples = new List<Sample>();
        var centre = new double[length];
        for (int p = 0; p < people; p++)
        {
            for (int d = 0; d < length; d++)
                centre[d] = random.NextNormal();
            for (int i = 0; i < images; i++)
            {
                int row = (p * images) + i;
                double[] made = [.. centre.Select(c => c + (noise * random.NextNormal()))];
                double norm = Math.Sqrt(made.Sum(m => m * m));
                for (int d = 0; d < length; d++)
                    templates[row][d] = (float)(made[d] / norm);
                templates.Outcomes[row] = new TemplateOutcome(Acquisition.Acquired, "", default, default);
                samples.Add(new Sample($"{p}/{i}", "", $"{p}", "", groupOf is null ? [] : [groupOf(p)]));
            }
        }
        return (templates, new FaceDataSet(samples, groupOf is null ? [] : ["group"]));
    }
}
