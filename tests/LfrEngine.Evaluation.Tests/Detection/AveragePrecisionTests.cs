using LfrEngine.Detection;
using LfrEngine.Evaluation.Detection;
using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Tests.Detection;

public sealed class AveragePrecisionTests
{
    [Fact]
    public void AveragePrecision_EveryFaceFoundAmongOthers_IsScikitLearns()
    {
        var random = new SeededRandom(5);
        var score = new DetectionScore();
        var labels = new List<int>();
        var scores = new List<double>();
        for (int picture = 0; picture < 60; picture++)
        {
            // One face at the left, found with some score; up to two boxes elsewhere.
            var face = new FaceBox(0, 0, 50, 50);
            var found = new List<FaceCandidate> { Candidate(face, 0.4 + (0.6 * random.NextDouble())) };
            for (int i = random.Next(3); i > 0; i--)
                found.Add(Candidate(new FaceBox(200 * i, 0, (200 * i) + 40, 40), 0.8 * random.NextDouble()));
            score.Add([face], [.. found]);
            labels.AddRange(found.Select((_, i) => i == 0 ? 1 : 0));
            scores.AddRange(found.Select(f => (double)f.Score));
        }

        double expected = (double)Oracle.Ask(new { what = "average_precision", labels, scores });

        Assert.Equal(expected, score.AveragePrecision!.Value, 1e-9);
    }

    [Fact]
    public void AveragePrecision_HalfTheFacesMissed_IsHalf()
    {
        var score = new DetectionScore();
        score.Add([new FaceBox(0, 0, 50, 50), new FaceBox(100, 0, 150, 50)], [Candidate(new FaceBox(0, 0, 50, 50), 0.9)]);

        Assert.Equal(0.5, score.AveragePrecision);
    }

    private static FaceCandidate Candidate(FaceBox box, double score) => new() { Box = box, Score = (float)score };
}
