using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.Detection;

/// <summary>Two further opinions on what the detector takes for a face, from networks that were trained on other pictures: BlazeFace and MTCNN's O-net.</summary>
/// <remarks>
/// The weights of the three were fitted on one half of the pictures of two sets and measured on the other (README, "Detection"). They belong to the
/// UltraFace detector; other detectors have other scores. Holds nothing of a face between calls. Used by one thread at a time.
/// </remarks>
public sealed unsafe class FaceVerifier : IDisposable
{
    private const int MaximumBatch = 8;
    private const int OnetSize = 48;

    private readonly OnnxModel blazeface;
    private readonly OnnxModel onet;
    private readonly InferencePlan?[] small = new InferencePlan?[MaximumBatch + 1];
    private readonly InferencePlan?[] boxed = new InferencePlan?[MaximumBatch + 1];
    private readonly InferencePlan near;
    private readonly PlaneResampler resampler = new();

    /// <summary>Prepares a verifier over loaded models, which the caller keeps owning.</summary>
    public FaceVerifier(OnnxModel blazeface, OnnxModel onet)
    {
        Check(blazeface, "blazeface");
        Check(onet, "onet");
        this.blazeface = blazeface;
        this.onet = onet;
        near = blazeface.CreatePlan(1, NearSize, NearSize);
        try
        {
            CheckOutputs(blazeface, near, 16 * Cells(NearSize), Cells(NearSize));
            CheckOutputs(onet, PlanFor(boxed, onet, 1, OnetSize), 2, 4);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>From this evidence on, what the detector proposes is shown and measured: as many phantoms as the detector alone has at 0.6, and more faces.</summary>
    public const float MinimumEvidence = 1.02f;

    // Sides of BlazeFace's input.
    private const int SmallSize = 64, NearSize = 96;

    /// <summary>How much speaks for each candidate being a face: a logit fitted to all three networks. The boxes become those of the detector and O-net together.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="faces">From the detector, frame pixels; their boxes are moved. Borrowed.</param>
    /// <param name="evidence">One per face. Borrowed.</param>
    public void Weigh(in FrameView frame, Span<FaceCandidate> faces, Span<float> evidence)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(evidence.Length, faces.Length);
        using StageClock.Scope _ = StageClock.Time(PipelineStage.Verify);
        for (int first = 0; first < faces.Length; first += MaximumBatch)
        {
            int count = Math.Min(MaximumBatch, faces.Length - first);
            WeighBatch(frame, faces.Slice(first, count), evidence.Slice(first, count));
        }
        using (StageClock.Time(PipelineStage.Wipe))
            StackScrub.Wipe();
    }

    /// <summary>BlazeFace's mean score over four crops, from the face alone to its surroundings, 0…1: for still pictures, where time is no matter.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="face">Frame pixels.</param>
    public float MeanScore(in FrameView frame, in FaceBox face)
    {
        float sum = Score(frame, face, 1.6f, PlanFor(small, blazeface, 1, SmallSize), SmallSize);
        foreach (float surroundings in (ReadOnlySpan<float>)[2, 2.5f, 3.2f])
            sum += Score(frame, face, surroundings, near, NearSize);
        using (StageClock.Time(PipelineStage.Wipe))
            StackScrub.Wipe();
        return sum / 4;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        near.Dispose();
        foreach (InferencePlan? plan in small)
            plan?.Dispose();
        foreach (InferencePlan? plan in boxed)
            plan?.Dispose();
        resampler.Dispose();
    }

    private void WeighBatch(in FrameView frame, Span<FaceCandidate> faces, Span<float> evidence)
    {
        InferencePlan wide = PlanFor(small, blazeface, faces.Length, SmallSize), tight = PlanFor(boxed, onet, faces.Length, OnetSize);
        for (int i = 0; i < faces.Length; i++)
        {
            RegionSampler.Fill(frame, Square(faces[i].Box, 1.6f), SmallSize, blazeface.Manifest.Input, resampler, wide.Input.Pointer + (i * 3 * SmallSize * SmallSize));
            // Stretched to a square, as O-net was trained.
            float* crop = tight.Input.Pointer + (i * 3 * OnetSize * OnetSize);
            RegionSampler.Fill(frame, AtLeastAPixel(faces[i].Box), OnetSize, onet.Manifest.Input, resampler, crop);
            for (int channel = 0; channel < 3; channel++)
                Transpose(crop + (channel * OnetSize * OnetSize));
        }
        wide.Run();
        tight.Run();
        for (int i = 0; i < faces.Length; i++)
        {
            float second = Logit(Best(wide, i, SmallSize)), third = Logit(tight.Outputs[0].Pointer[(2 * i) + 1]);
            evidence[i] = (0.948f * Logit(faces[i].Score)) + (0.532f * second) + (0.284f * third) + 1.692f;
            faces[i].Box = Blend(faces[i].Box, tight.Outputs[1].Pointer + (4 * i));
        }
        wide.Wipe();
        tight.Wipe();
    }

    private float Score(in FrameView frame, in FaceBox face, float surroundings, InferencePlan plan, int size)
    {
        RegionSampler.Fill(frame, Square(face, surroundings), size, blazeface.Manifest.Input, resampler, plan.Input.Pointer);
        plan.Run();
        float best = Best(plan, 0, size);
        plan.Wipe();
        return best;
    }

    // The best of all cells, as a probability.
    private static float Best(InferencePlan plan, int image, int size)
    {
        float best = float.NegativeInfinity;
        foreach (float logit in plan.Outputs[1].Span.Slice(image * Cells(size), Cells(size)))
            best = Math.Max(best, logit);
        return 1 / (1 + MathF.Exp(-best));
    }

    // Two thirds of the detector's box and one third of O-net's, whose outputs are offsets in shares of the box.
    private static FaceBox Blend(in FaceBox box, float* offset)
    {
        const float Share = 1 / 3f;
        return new FaceBox(
            box.Left + (Share * offset[0] * box.Width), box.Top + (Share * offset[1] * box.Height),
            box.Right + (Share * offset[2] * box.Width), box.Bottom + (Share * offset[3] * box.Height));
    }

    // O-net's weights are those of a network that holds pictures column by column.
    private static void Transpose(float* square)
    {
        for (int y = 1; y < OnetSize; y++)
        {
            for (int x = 0; x < y; x++)
                (square[(y * OnetSize) + x], square[(x * OnetSize) + y]) = (square[(x * OnetSize) + y], square[(y * OnetSize) + x]);
        }
    }

    private static FaceBox Square(in FaceBox box, float surroundings)
    {
        float half = surroundings * Math.Max(1, Math.Max(box.Width, box.Height)) / 2, x = (box.Left + box.Right) / 2, y = (box.Top + box.Bottom) / 2;
        return new FaceBox(x - half, y - half, x + half, y + half);
    }

    private static FaceBox AtLeastAPixel(in FaceBox box) =>
        new(box.Left, box.Top, box.Left + Math.Max(1, box.Width), box.Top + Math.Max(1, box.Height));

    private static float Logit(float probability)
    {
        float p = Math.Clamp(probability, 1e-4f, 1 - 1e-4f);
        return MathF.Log(p / (1 - p));
    }

    // One cell of four pixels.
    private static int Cells(int size) => size / 4 * (size / 4);

    private static InferencePlan PlanFor(InferencePlan?[] plans, OnnxModel model, int batch, int size) => plans[batch] ??= model.CreatePlan(batch, size, size);

    private static void Check(OnnxModel model, string family)
    {
        if (model.Manifest.Family != family)
            throw new ModelLoadException($"The model \"{model.Manifest.Id}\" is of family \"{model.Manifest.Family}\"; the verifier needs {family} here.");
    }

    private static void CheckOutputs(OnnxModel model, InferencePlan plan, params ReadOnlySpan<int> lengths)
    {
        for (int i = 0; i < lengths.Length; i++)
        {
            if (i >= plan.Outputs.Count || plan.Outputs[i].Length != lengths[i])
                throw new ModelLoadException($"The model \"{model.Manifest.Id}\" gives {string.Join(" and ", plan.Outputs.Select(o => o.Length))} values, its family \"{model.Manifest.Family}\" has {string.Join(" and ", lengths.ToArray())}. Check \"outputs\" in its manifest.");
        }
    }
}
