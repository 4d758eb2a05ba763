using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.Detection;

/// <summary>Settings of a <see cref="FaceDetector"/>.</summary>
public sealed record DetectorSettings
{
    /// <summary>Long side of the detection grid, pixels: a larger frame is scaled down to it, a smaller one is not scaled.</summary>
    public int GridLongSide { get; init; } = 640;

    /// <summary>Further passes, each at half the size of the one before, for faces too large for the detector; 0 to 4.</summary>
    public int HalfSizePasses { get; init; } = 1;

    /// <summary>Minimum height of faces from a further pass, pixels of the full grid: the first pass sees smaller ones better.</summary>
    public float HalfSizeMinimumHeight { get; init; } = 40;

    /// <summary>Candidates with a lower score are ignored, 0…1.</summary>
    public float CandidateScore { get; init; } = 0.2f;

    /// <summary>Boxes of one face are blended from this intersection over union, 0…1.</summary>
    public float BlendIoU { get; init; } = 0.35f;

    /// <summary>A face needs this score after blending, 0…1.</summary>
    public float MinimumScore { get; init; } = 0.6f;
}

/// <summary>Finds faces in a frame: letterbox, network, family decoder, suppression.</summary>
/// <remarks>Holds nothing of a frame between calls. Used by one thread at a time; make one per thread from the same <see cref="OnnxModel"/>.</remarks>
public sealed unsafe class FaceDetector : IDisposable
{
    private const int MaximumCandidates = 4096;
    private const int PlansKept = 8;

    // Whole cells of the coarse strides: with multiples of 16 only, recall of large faces on the masks set falls from 0.90 to 0.89.
    private const int GridStep = 32;

    private readonly OnnxModel model;
    private readonly IDetectorHead head;
    private readonly Letterbox letterbox = new();
    private readonly CandidateList pass;
    private readonly CandidateList merged;
    private readonly List<(int Width, int Height, InferencePlan Plan)> plans = [];

    /// <summary>Makes a detector over a loaded model, which the caller keeps owning.</summary>
    public FaceDetector(OnnxModel model, DetectorSettings settings)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.GridLongSide, 32);
        ArgumentOutOfRangeException.ThrowIfNegative(settings.HalfSizePasses);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(settings.HalfSizePasses, 4);
        this.model = model;
        Settings = settings;
        head = DetectorFamilies.Create(model.Manifest);
        // Rented last, so that nothing is held when the family is unknown.
        pass = new CandidateList(MaximumCandidates);
        merged = new CandidateList(MaximumCandidates);
    }

    /// <summary>The settings.</summary>
    public DetectorSettings Settings { get; }

    /// <summary>Fills <paramref name="faces"/>, best first, in frame pixels.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="faces">Cleared, then filled.</param>
    public void Detect(in FrameView frame, CandidateList faces)
    {
        try
        {
            Find(frame, faces);
        }
        catch
        {
            // For example, there is no memory for a smaller grid while the larger one is filled.
            foreach ((_, _, InferencePlan filled) in plans)
                filled.Wipe();
            pass.Clear();
            merged.Clear();
            throw;
        }
        finally
        {
            // Kernels spill activations and pixels to the stack of the thread that runs them: this one, as sessions have no threads of their own.
            using (StageClock.Time(PipelineStage.Wipe))
                StackScrub.Wipe();
        }
    }

    private void Find(in FrameView frame, CandidateList faces)
    {
        faces.Clear();
        merged.Clear();
        float scale = Math.Min(1f, (float)Settings.GridLongSide / Math.Max(frame.Width, frame.Height));
        float minimumHeight = Settings.HalfSizeMinimumHeight / scale;
        InferencePlan plan = PlanFor(frame, scale, out LetterboxTransform transform);
        using (StageClock.Time(PipelineStage.Letterbox))
        {
            if (frame.Surface is { } surface)
                surface.FillLetterbox(frame, transform, model.Manifest.Input, plan);
            else
                letterbox.Fill(frame, transform, model.Manifest.Input, plan.Input.Pointer);
        }
        Look(plan, transform, 0);
        for (int i = 0; i < Settings.HalfSizePasses; i++)
        {
            InferencePlan fuller = plan;
            LetterboxTransform whole = transform;
            scale /= 2;
            plan = PlanFor(frame, scale, out transform);
            using (StageClock.Time(PipelineStage.Letterbox))
                plan.Halve(fuller, whole, transform);
            fuller.Wipe();
            Look(plan, transform, minimumHeight);
        }
        plan.Wipe();

        using StageClock.Scope _ = StageClock.Time(PipelineStage.Suppress);
        NonMaximumSuppression.Blend(merged, Settings.BlendIoU);
        NonMaximumSuppression.DropNested(merged, 0.7f);
        foreach (ref readonly FaceCandidate face in merged.Items)
        {
            if (face.Score >= Settings.MinimumScore)
                faces.Add(face);
        }
        merged.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        letterbox.Dispose();
        pass.Dispose();
        merged.Dispose();
        foreach ((_, _, InferencePlan plan) in plans)
            plan.Dispose();
        plans.Clear();
    }

    private void Look(InferencePlan plan, in LetterboxTransform transform, float minimumHeight)
    {
        using (StageClock.Time(PipelineStage.Detect))
        {
            if (head.Anchors is { } anchors)
                plan.RunAnchors(anchors, Settings.CandidateScore);
            else
                plan.Run();
        }
        using StageClock.Scope _ = StageClock.Time(PipelineStage.Suppress);
        Span<DetectorOutput> outputs = stackalloc DetectorOutput[plan.Outputs.Count];
        for (int i = 0; i < outputs.Length; i++)
            outputs[i] = new DetectorOutput(plan.Outputs[i].Pointer, plan.Outputs[i].Length);
        pass.Clear();
        head.Decode(outputs, transform.GridWidth, transform.GridHeight, Settings.CandidateScore, pass);
        foreach (ref FaceCandidate found in pass.Items)
        {
            FaceCandidate mapped = found;
            mapped.Box = transform.ToFrame(found.Box);
            if (mapped.Box.Height < minimumHeight)
                continue;
            if (found.HasLandmarks)
                mapped.Landmarks = transform.ToFrame(found.Landmarks);
            merged.Add(mapped);
        }
        pass.Clear();
    }

    private InferencePlan PlanFor(in FrameView frame, float scale, out LetterboxTransform transform)
    {
        int multiple = Math.Max(GridStep, head.GridMultiple);
        int width = RoundUp(Math.Max(1, (int)MathF.Round(frame.Width * scale)), multiple);
        int height = RoundUp(Math.Max(1, (int)MathF.Round(frame.Height * scale)), multiple);
        transform = LetterboxTransform.Fit(frame.Width, frame.Height, width, height, scale);
        return PlanFor(width, height);
    }

    private InferencePlan PlanFor(int width, int height)
    {
        for (int i = 0; i < plans.Count; i++)
        {
            if (plans[i].Width != width || plans[i].Height != height)
                continue;
            // Most recently used last, so that a plan in use is never evicted.
            (int, int, InferencePlan Plan) used = plans[i];
            plans.RemoveAt(i);
            plans.Add(used);
            return used.Plan;
        }
        if (plans.Count == PlansKept)
        {
            plans[0].Plan.Dispose();
            plans.RemoveAt(0);
        }
        InferencePlan plan = model.CreatePlan(1, height, width);
        for (int i = 0; i < plan.Outputs.Count; i++)
        {
            int expected = head.OutputLength(i, width, height);
            if (plan.Outputs[i].Length == expected)
                continue;
            int actual = plan.Outputs[i].Length;
            plan.Dispose();
            throw new ModelLoadException($"The detector \"{model.Manifest.Id}\" gives {actual} values for \"{model.Manifest.Outputs[i]}\" on a {width}x{height} grid, but its family \"{model.Manifest.Family}\" has {expected}. Check \"family\" and \"outputs\" in its manifest.");
        }
        plans.Add((width, height, plan));
        return plan;
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;
}
