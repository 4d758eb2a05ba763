using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.Detection;

/// <summary>Rescores the detector's candidates with two further networks, trained on other pictures: BlazeFace and MTCNN's O-net.</summary>
/// <remarks>
/// The weights of the three were fitted on one half of the pictures of two sets and measured on the other (docs/measured.md, "Detection"). They are valid for the
/// UltraFace detector; other detectors have other scores. Keeps no face data between calls. Used by one thread at a time.
/// </remarks>
public sealed unsafe class FaceVerifier : IDisposable
{
    private const int MaximumBatch = 8;
    private const int OnetSize = 48;

    private readonly OnnxModel blazeface;
    private readonly OnnxModel onet;
    private readonly InferencePlan?[] small = new InferencePlan?[MaximumBatch + 1];
    private readonly InferencePlan?[] boxed = new InferencePlan?[MaximumBatch + 1];
    private InferencePlan? near;
    private readonly PlaneResampler resampler = new();

    /// <summary>Prepares a verifier over loaded models, which the caller keeps owning.</summary>
    public FaceVerifier(OnnxModel blazeface, OnnxModel onet)
    {
        Check(blazeface, "blazeface");
        Check(onet, "onet");
        this.blazeface = blazeface;
        this.onet = onet;
        try
        {
            // Prepared now, because single faces are judged in the middle of a stream, which should not wait for a plan.
            CheckOutputs(blazeface, PlanFor(small, blazeface, 1, SmallSize), 16 * Cells(SmallSize), Cells(SmallSize));
            CheckOutputs(onet, PlanFor(boxed, onet, 1, OnetSize), 2, 4);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Minimum evidence of a face. Finds more faces than the detector alone at 0.6, with fewer false ones.</summary>
    public const float MinimumEvidence = 1.5f;

    /// <summary>Minimum detector score of a candidate, 0…1: below it too few are faces.</summary>
    public const float CandidateScore = 0.3f;

    /// <summary>Whether the weights were fitted to this detector's scores.</summary>
    public static bool Knows(ModelManifest detector) => detector.Family == "ultraface";

    /// <summary>Evidence as the probability that this is a face.</summary>
    public static float Probability(float evidence) => 1 / (1 + MathF.Exp(-evidence));

    private const float ThirdWeight = 0.284f;

    // BlazeFace's output of one logit per cell, of which the best counts.
    private const int Logits = 1;

    // Sides of BlazeFace's input.
    private const int SmallSize = 64, NearSize = 96;

    /// <summary>Evidence that each candidate is a face: a logit fitted to all three networks. The boxes become those of the detector and O-net together.</summary>
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

    /// <summary>Evidence for one candidate, relative to a limit: O-net runs only where it could change the decision. Takes half the time of <see cref="Weigh"/>.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="face">From the detector, frame pixels.</param>
    /// <param name="limit">What the evidence will be compared with.</param>
    /// <returns>The evidence if O-net ran; otherwise its lower bound (at or above the limit) or its upper bound (below).</returns>
    public float WeighAgainst(in FrameView frame, in FaceCandidate face, float limit)
    {
        using StageClock.Scope _ = StageClock.Time(PipelineStage.Verify);
        InferencePlan wide = PlanFor(small, blazeface, 1, SmallSize);
        FillWide(frame, face.Box, wide, 0);
        Span<float> logit = stackalloc float[1];
        wide.RunLargest(Logits, logit);
        float evidence = FirstTwo(face, logit[0]), most = ThirdWeight * Logit(1);
        wide.Wipe();
        if (evidence + most < limit || evidence - most >= limit)
        {
            evidence += evidence < limit ? most : -most;
        }
        else
        {
            InferencePlan tight = PlanFor(boxed, onet, 1, OnetSize);
            FillTight(frame, face.Box, tight, 0);
            tight.Run();
            evidence += Third(tight, 0);
            tight.Wipe();
        }
        using (StageClock.Time(PipelineStage.Wipe))
            StackScrub.Wipe();
        return evidence;
    }

    /// <summary>Keeps the faces of a detector's candidates, each once, and rescores them: <see cref="Probability"/> of their evidence.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="faces">Candidates from <see cref="CandidateScore"/> on, frame pixels; changed in place, best first.</param>
    /// <param name="minimumEvidence">What a face needs.</param>
    public void Sift(in FrameView frame, CandidateList faces, float minimumEvidence)
    {
        Span<FaceCandidate> items = faces.Items;
        Span<float> evidence = stackalloc float[items.Length];
        Weigh(frame, items, evidence);
        int kept = 0;
        for (int i = 0; i < items.Length; i++)
        {
            if (evidence[i] >= minimumEvidence)
                items[kept++] = items[i] with { Score = Probability(evidence[i]) };
        }
        faces.Truncate(kept);
        NonMaximumSuppression.Greedy(faces, 0.4f);
        NonMaximumSuppression.DropNested(faces, 0.7f);
    }

    /// <summary>BlazeFace's mean score over four crops, from the face alone to its surroundings, 0…1: for still pictures, where time does not matter.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="face">Frame pixels.</param>
    public float MeanScore(in FrameView frame, in FaceBox face)
    {
        float sum = Score(frame, face, 1.6f, PlanFor(small, blazeface, 1, SmallSize), SmallSize);
        near ??= blazeface.CreatePlan(1, NearSize, NearSize);
        foreach (float surroundings in (ReadOnlySpan<float>)[2, 2.5f, 3.2f])
            sum += Score(frame, face, surroundings, near, NearSize);
        using (StageClock.Time(PipelineStage.Wipe))
            StackScrub.Wipe();
        return sum / 4;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        near?.Dispose();
        foreach (InferencePlan? plan in small)
            plan?.Dispose();
        foreach (InferencePlan? plan in boxed)
            plan?.Dispose();
        resampler.Dispose();
    }

    private void WeighBatch(in FrameView frame, Span<FaceCandidate> faces, Span<float> evidence)
    {
        InferencePlan wide = PlanFor(small, blazeface, faces.Length, SmallSize), tight = PlanFor(boxed, onet, faces.Length, OnetSize);
        try
        {
            for (int i = 0; i < faces.Length; i++)
            {
                FillWide(frame, faces[i].Box, wide, i);
                FillTight(frame, faces[i].Box, tight, i);
            }
            Span<float> logits = stackalloc float[faces.Length];
            wide.RunLargest(Logits, logits);
            tight.Run();
            for (int i = 0; i < faces.Length; i++)
            {
                evidence[i] = FirstTwo(faces[i], logits[i]) + Third(tight, i);
                faces[i].Box = Blend(faces[i].Box, tight.Outputs[1].Pointer + (4 * i));
            }
        }
        finally
        {
            wide.Wipe();
            tight.Wipe();
        }
    }

    private void FillWide(in FrameView frame, in FaceBox box, InferencePlan plan, int place) =>
        RegionSampler.Fill(frame, Square(box, 1.6f), SmallSize, blazeface.Manifest.Input, resampler, plan, place);

    // Stretched to a square, as O-net was trained. Its weights are those of a network that holds pictures column by column.
    private void FillTight(in FrameView frame, in FaceBox box, InferencePlan plan, int place) =>
        RegionSampler.Fill(frame, AtLeastAPixel(box), OnetSize, onet.Manifest.Input, resampler, plan, place, transposed: true);

    // Part of the fitted logit from the detector and BlazeFace.
    private static float FirstTwo(in FaceCandidate face, float logit) =>
        (0.948f * Logit(face.Score)) + (0.532f * Logit(Probability(logit))) + 1.692f;

    private static float Third(InferencePlan tight, int place) => ThirdWeight * Logit(tight.Outputs[0].Pointer[(2 * place) + 1]);

    private float Score(in FrameView frame, in FaceBox face, float surroundings, InferencePlan plan, int size)
    {
        RegionSampler.Fill(frame, Square(face, surroundings), size, blazeface.Manifest.Input, resampler, plan);
        Span<float> logit = stackalloc float[1];
        plan.RunLargest(Logits, logit);
        plan.Wipe();
        return Probability(logit[0]);
    }

    // Two thirds of the detector's box and one third of O-net's, whose outputs are offsets in shares of the box.
    private static FaceBox Blend(in FaceBox box, float* offset)
    {
        const float Share = 1 / 3f;
        return new FaceBox(
            box.Left + (Share * offset[0] * box.Width), box.Top + (Share * offset[1] * box.Height),
            box.Right + (Share * offset[2] * box.Width), box.Bottom + (Share * offset[3] * box.Height));
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
                throw new ModelLoadException($"The model \"{model.Manifest.Id}\" gives {string.Join(" and ", plan.Outputs.Select(o => o.Length))} values, but its family \"{model.Manifest.Family}\" has {string.Join(" and ", lengths.ToArray())}. Check \"outputs\" in its manifest.");
        }
    }
}
