using System.Numerics.Tensors;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Quality;
using LfrEngine.Tracking;

namespace LfrEngine.Evaluation.Passages;

/// <summary>One close look at a tracklet, embedded and compared with the whole list. Contains scores, but no embedding.</summary>
/// <param name="TimeUs">Stream time.</param>
/// <param name="Box">Frame pixels.</param>
/// <param name="Quality">Quality of the view.</param>
/// <param name="Norm">Length of the embedding before normalisation.</param>
/// <param name="Scores">Cosine with every row of the gallery.</param>
/// <param name="MirroredScores">The same for the sum of the embeddings of the crop and its mirror image.</param>
/// <param name="Likeness">Cosine with the earlier looks at the same tracklet, in the order of the log.</param>
internal sealed record Look(long TimeUs, FaceBox Box, FaceQuality Quality, float Norm, float[] Scores, float[] MirroredScores, float[] Likeness);

/// <summary>Embeds and compares every look at every tracklet, so that ways of choosing and combining shots can be compared with the same looks.</summary>
/// <remarks>Embeddings are kept in memory that is wiped, as long as their tracklet may continue. Thread-safe.</remarks>
internal sealed class LookLog : IDisposable
{
    // Longer than any tracklet continues without detections.
    private const long ForgetAfterUs = 5_000_000;

    private readonly Lock gate = new();
    private readonly Gallery gallery;
    private readonly Embedder embedder;
    private readonly HostBuffer<float> mirrored = BufferPool.Rent<float>(FaceAligner.CropLength);
    private readonly HostBuffer<float> both;
    private readonly Dictionary<(string Camera, long Tracklet), List<HostBuffer<float>>> embeddings = [];
    private readonly Dictionary<(string Camera, long Tracklet), List<Look>> tracklets = [];

    /// <summary>Creates an empty log.</summary>
    /// <param name="model">Embedder of the run. Borrowed for the life of the log.</param>
    /// <param name="gallery">Gallery of the run. Borrowed for the life of the log.</param>
    public LookLog(OnnxModel model, Gallery gallery)
    {
        this.gallery = gallery;
        embedder = new Embedder(model);
        both = BufferPool.Rent<float>(embedder.Length);
    }

    /// <summary>With this policy every look is embedded; afterwards it is computed which of them the engine's policy would have chosen.</summary>
    public static BestShotPolicy EveryLook { get; } = new()
    {
        LookEveryMs = 0, LaterLookEveryMs = 0, ShotEveryMs = 0, FirstShots = int.MaxValue,
        MinimumInterEyePixels = 0, MinimumQuality = float.NegativeInfinity, MinimumPlausibility = float.NegativeInfinity,
    };

    /// <summary>The looks, in the order in which they were embedded.</summary>
    public IReadOnlyDictionary<(string Camera, long Tracklet), List<Look>> Tracklets => tracklets;

    /// <summary>For <see cref="Pipeline.PipelineSettings.OnEmbedded"/>.</summary>
    public void Add(string camera, FaceShot shot, ReadOnlySpan<float> embedding, float norm)
    {
        lock (gate)
        {
            Forget(camera, shot.TimestampUs);
            shot.Crop.Span.CopyTo(mirrored.Span);
            FaceAligner.Mirror(mirrored.Span);
            Span<float> ignored = stackalloc float[1];
            embedder.Embed([mirrored], both.Span, ignored);
            mirrored.Wipe();
            TensorPrimitives.Add<float>(both.Span, embedding, both.Span);
            TensorPrimitives.Divide(both.Span, Math.Max(TensorPrimitives.Norm<float>(both.Span), InferencePlan.SmallestNorm), both.Span);
            (string, long) key = (camera, shot.TrackletId);
            if (!tracklets.TryGetValue(key, out List<Look>? looks))
                tracklets.Add(key, looks = []);
            if (!embeddings.TryGetValue(key, out List<HostBuffer<float>>? earlier))
                embeddings.Add(key, earlier = []);
            var likeness = new float[earlier.Count];
            for (int i = 0; i < likeness.Length; i++)
                likeness[i] = TensorPrimitives.Dot<float>(earlier[i].Span, embedding);
            HostBuffer<float> kept = BufferPool.Rent<float>(embedding.Length);
            embedding.CopyTo(kept.Span);
            earlier.Add(kept);
            looks.Add(new Look(shot.TimestampUs, shot.Box, shot.Quality, norm, Compare(embedding), Compare(both.Span), likeness));
            both.Wipe();
        }
    }

    public void Dispose()
    {
        foreach (HostBuffer<float> kept in embeddings.Values.SelectMany(e => e))
            kept.Dispose();
        embeddings.Clear();
        embedder.Dispose();
        mirrored.Dispose();
        both.Dispose();
    }

    private float[] Compare(ReadOnlySpan<float> probe)
    {
        var scores = new float[gallery.RowCount];
        for (int row = 0; row < scores.Length; row++)
            scores[row] = TensorPrimitives.Dot<float>(probe, gallery.Rows.Slice(row * gallery.RowStride, probe.Length));
        return scores;
    }

    private void Forget(string camera, long nowUs)
    {
        foreach ((string Camera, long Tracklet) key in embeddings.Keys.Where(k => k.Camera != camera || nowUs - tracklets[k][^1].TimeUs > ForgetAfterUs).ToArray())
        {
            embeddings[key].ForEach(kept => kept.Dispose());
            embeddings.Remove(key);
        }
    }
}
