using BenchmarkDotNet.Attributes;
using LfrEngine.Detection;
using LfrEngine.Detection.Heads;
using LfrEngine.Memory;

namespace LfrEngine.Perf;

/// <summary>What do the anchors of each family cost on a 640 × 384 grid of which a hundred cells are faces? The scores are read through once; there is a scalar kernel only.</summary>
[BenchmarkCategory("Decode")]
public unsafe class DecodeBenchmarks
{
    private const int GridWidth = 640, GridHeight = 384, Faces = 100;
    private const float MinimumScore = 0.2f;

    private IDetectorHead head = new UltraFaceHead();
    private HostBuffer<float>[] outputs = [];
    private DetectorOutput[] views = [];
    private CandidateList faces = new(1);

    [Params("ultraface", "yunet", "scrfd", "retinaface")]
    public string Family { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        head = Family switch { "ultraface" => new UltraFaceHead(), "yunet" => new YuNetHead(), "scrfd" => new ScrfdHead(), _ => new RetinaFaceHead() };
        var random = new Random(3);
        outputs = [.. Enumerable.Range(0, head.OutputNames.Count).Select(i => BufferPool.Rent<float>(head.OutputLength(i, GridWidth, GridHeight)))];
        foreach (HostBuffer<float> output in outputs)
        {
            foreach (ref float value in output.Span)
                value = random.NextSingle() * MinimumScore;
            for (int i = 0; i < Faces; i++)
                output.Span[random.Next(output.Length)] = 0.9f;
        }
        views = [.. outputs.Select(o => new DetectorOutput(o.Pointer, o.Length))];
        faces.Dispose();
        faces = new CandidateList(4096);
    }

    [Benchmark]
    public int Scalar()
    {
        faces.Clear();
        head.Decode(views, GridWidth, GridHeight, MinimumScore, faces);
        return faces.Count;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        faces.Dispose();
        foreach (HostBuffer<float> output in outputs)
            output.Dispose();
    }
}

/// <summary>What does suppression cost on the proposals of a crowded street? Every face is proposed a dozen times. There is a scalar kernel only.</summary>
[BenchmarkCategory("Suppression")]
public class SuppressionBenchmarks
{
    private const int PerFace = 12;

    private readonly CandidateList proposals = new(4096), faces = new(4096);

    [Params(15, 60)]
    public int Faces { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(4);
        proposals.Clear();
        for (int i = 0; i < Faces; i++)
        {
            float x = random.NextSingle() * 1800, y = random.NextSingle() * 1000, size = 20 + (random.NextSingle() * 80);
            for (int k = 0; k < PerFace; k++)
            {
                float left = x + (random.NextSingle() * size * 0.15f), top = y + (random.NextSingle() * size * 0.15f);
                proposals.Add(new FaceCandidate { Box = new FaceBox(left, top, left + size, top + size), Score = 0.3f + (random.NextSingle() * 0.7f) });
            }
        }
    }

    [Benchmark]
    public int BlendAndDropNested()
    {
        faces.Clear();
        foreach (ref readonly FaceCandidate proposal in proposals.Items)
            faces.Add(proposal);
        NonMaximumSuppression.Blend(faces, 0.35f);
        NonMaximumSuppression.DropNested(faces, 0.7f);
        return faces.Count;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        proposals.Dispose();
        faces.Dispose();
    }
}
