using LfrEngine.Alignment;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.Embeddings;

/// <summary>Turns aligned faces into unit-length embeddings, in batches.</summary>
/// <remarks>Used by one thread at a time. An embedding does not depend on the batch it was made in (a test asserts it bit by bit).</remarks>
public sealed unsafe class Embedder : IDisposable
{
    /// <summary>Maximum number of faces per run of the network.</summary>
    public const int MaximumBatch = 8;

    private readonly OnnxModel model;
    private readonly InferencePlan?[] plans = new InferencePlan?[MaximumBatch + 1];

    /// <summary>Prepares an embedder over a loaded model, which the caller keeps owning.</summary>
    public Embedder(OnnxModel model)
    {
        if (model.Manifest.Family != "embedder")
            throw new ModelLoadException($"The embedder \"{model.Manifest.Id}\" is of family \"{model.Manifest.Family}\"; only embedder is supported.");
        this.model = model;
        InferencePlan one = PlanFor(1);
        if (one.Outputs[0].Length != Length)
        {
            int actual = one.Outputs[0].Length;
            Dispose();
            throw new ModelLoadException($"The embedder \"{model.Manifest.Id}\" gives {actual} values per face, but its manifest says {Length}.");
        }
    }

    /// <summary>Elements of an embedding.</summary>
    public int Length => model.Manifest.EmbeddingLength;

    /// <summary>Format of the crops.</summary>
    public ModelInput Input => model.Manifest.Input;

    /// <summary>Embeds up to <see cref="MaximumBatch"/> faces.</summary>
    /// <param name="crops">Each float32 [3, 112, 112] as <see cref="Input"/> says. Borrowed.</param>
    /// <param name="embeddings">float32 [crops, Length], unit length. Borrowed.</param>
    /// <param name="norms">Length of each embedding before it was normalised; low for blurred faces and for things that are not faces. Borrowed.</param>
    public void Embed(ReadOnlySpan<HostBuffer<float>> crops, Span<float> embeddings, Span<float> norms)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(crops.Length, MaximumBatch);
        if (crops.IsEmpty)
            return;
        InferencePlan plan = PlanFor(crops.Length);
        using StageClock.Scope _ = StageClock.Time(PipelineStage.Embed);
        try
        {
            for (int i = 0; i < crops.Length; i++)
                crops[i].Span.CopyTo(plan.Input.Span.Slice(i * FaceAligner.CropLength, FaceAligner.CropLength));
            plan.RunNormalised(Length, embeddings[..(crops.Length * Length)], norms[..crops.Length]);
        }
        finally
        {
            Forget(plan);
        }
    }

    /// <summary>Embeds up to <see cref="MaximumBatch"/> aligned faces; where they lie on a device, so do their embeddings.</summary>
    /// <param name="faces">As <see cref="Input"/> says. Borrowed.</param>
    /// <param name="probes">Receives the embeddings.</param>
    internal void Embed(ReadOnlySpan<AlignedFace> faces, Probes probes)
    {
        probes.Begin(faces.Length);
        if (faces.IsEmpty)
            return;
        InferencePlan plan = PlanFor(faces.Length);
        using StageClock.Scope _ = StageClock.Time(PipelineStage.Embed);
        try
        {
            plan.FillFaces(faces);
            plan.RunNormalised(probes);
        }
        finally
        {
            Forget(plan);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (InferencePlan? plan in plans)
            plan?.Dispose();
        Array.Clear(plans);
    }

    private static void Forget(InferencePlan plan)
    {
        plan.Wipe();
        using (StageClock.Time(PipelineStage.Wipe))
            StackScrub.Wipe();
    }

    private InferencePlan PlanFor(int batch) =>
        plans[batch] ??= model.CreatePlan(batch, AlignmentTransform.GridSize, AlignmentTransform.GridSize);
}
