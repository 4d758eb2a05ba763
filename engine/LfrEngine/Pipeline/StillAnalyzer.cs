using System.Numerics.Tensors;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Quality;

namespace LfrEngine.Pipeline;

/// <summary>One face of a still picture, on the same code path as a camera's. Its holder disposes it.</summary>
public sealed class StillFace : IDisposable
{
    internal StillFace(FaceBox box, float detectionScore, FaceLandmarks landmarks, FaceQuality quality, HostBuffer<float> crop, HostBuffer<float> embedding)
    {
        (Box, DetectionScore, Landmarks, Quality, Crop, Embedding) = (box, detectionScore, landmarks, quality, crop, embedding);
    }

    /// <summary>Where, picture pixels.</summary>
    public FaceBox Box { get; }

    /// <summary>The detector's score, 0…1.</summary>
    public float DetectionScore { get; }

    /// <summary>The points.</summary>
    public FaceLandmarks Landmarks { get; }

    /// <summary>How fit it is for comparison.</summary>
    public FaceQuality Quality { get; }

    /// <summary>float32 [3, 112, 112] as the embedder takes it. Owned.</summary>
    public HostBuffer<float> Crop { get; }

    /// <summary>float32 [Length], unit length. Owned.</summary>
    public HostBuffer<float> Embedding { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Crop.Dispose();
        Embedding.Dispose();
    }
}

/// <summary>How a picture must be turned to show its faces upright.</summary>
/// <param name="Degrees">Clockwise: 0, 90, 180 or 270.</param>
/// <param name="IsClear">Whether that is right, or only a little more plausible than the picture as it is.</param>
/// <param name="IsSure">Whether the faces are as plausible then as those of upright pictures.</param>
public readonly record struct UprightTurn(int Degrees, bool IsClear, bool IsSure);

/// <summary>Detects, aligns and embeds faces of still pictures: for enrolment and for measurements. Used by one thread at a time.</summary>
public sealed unsafe class StillAnalyzer : IDisposable
{
    // On half of the people of LFW no picture that lay or stood on its head came above the first, and each upright one was ahead by more than the second.
    private const float SurelyUpright = 7, ClearlyBetter = 1;

    private readonly FaceDetector detector;
    private readonly LandmarkFinder landmarks;
    private readonly Embedder embedder;
    private readonly CandidateList faces = new(512);

    /// <summary>Prepares an analyser over loaded models, which the caller keeps owning.</summary>
    public StillAnalyzer(EngineModels models, DetectorSettings settings)
    {
        detector = new FaceDetector(models.Detector, settings);
        landmarks = new LandmarkFinder(models.Landmarks);
        embedder = new Embedder(models.Embedder);
    }

    /// <summary>Settings for a single picture, where a face may fill it: more passes at small scales than a camera needs.</summary>
    public static DetectorSettings StillSettings { get; } = new() { GridLongSide = 640, HalfSizePasses = 2 };

    /// <summary>Finds the faces of a picture, largest first, without comparing them.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <returns>Borrowed until the next call.</returns>
    public ReadOnlySpan<FaceCandidate> Detect(in FrameView frame)
    {
        detector.Detect(frame, faces);
        faces.Items.Sort(static (a, b) => b.Box.Area.CompareTo(a.Box.Area));
        return faces.Items;
    }

    /// <summary>How plausible it is that a detection is a face (<see cref="QualityAssessor.Plausibility"/>).</summary>
    public float Plausibility(in FrameView frame, in FaceCandidate face) =>
        QualityAssessor.Plausibility(face.Score, landmarks.Find(frame, face.Box).Disagreement);

    /// <summary>Tries the four positions of a picture. Cameras hang and photos lie every way; upside down a face is found but never matches.</summary>
    /// <param name="frame">Borrowed.</param>
    public UprightTurn FindTurn(in FrameView frame)
    {
        float asIs = Uprightness(frame);
        if (asIs > SurelyUpright)
            return new UprightTurn(0, IsClear: true, IsSure: true);
        (int Degrees, float Uprightness) best = (0, asIs);
        foreach (int degrees in (ReadOnlySpan<int>)[90, 180, 270])
        {
            using var turned = new TurnedFrame(frame, degrees);
            float uprightness = Uprightness(turned.View);
            if (uprightness > best.Uprightness)
                best = (degrees, uprightness);
        }
        return new UprightTurn(best.Degrees, best.Uprightness - asIs > ClearlyBetter, best.Uprightness > SurelyUpright);
    }

    /// <summary>Aligns and embeds one face; null when its landmarks are unusable.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="face">From <see cref="Detect"/>.</param>
    /// <param name="forList">Whether the embedding is a template of a watchlist: then it is that of the face and of its mirror image together, which takes
    /// twice as long and finds more people at the same false alerts (perf/RESULTS.md). Probes gain next to nothing by it.</param>
    public StillFace? Embed(in FrameView frame, in FaceCandidate face, bool forList = false)
    {
        FaceLandmarks found = landmarks.Find(frame, face.Box);
        if (!AlignmentTransform.TryEstimate(found.Points, out AlignmentTransform alignment))
            return null;
        HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        HostBuffer<float> embedding = BufferPool.Rent<float>(embedder.Length);
        try
        {
            FaceAligner.Align(frame, alignment, embedder.Input, crop.Pointer);
            FaceQuality quality = QualityAssessor.Assess(found, alignment, crop.Pointer, embedder.Input, face.Score);
            Span<float> norm = stackalloc float[1];
            embedder.Embed([crop], embedding.Span, norm);
            if (forList)
                AddMirrored(crop, embedding.Span);
            return new StillFace(face.Box, face.Score, found, quality, crop, embedding);
        }
        catch
        {
            crop.Dispose();
            embedding.Dispose();
            throw;
        }
    }

    // Sum of the two unit vectors, made a unit vector again.
    private void AddMirrored(HostBuffer<float> crop, Span<float> embedding)
    {
        using HostBuffer<float> mirrored = BufferPool.Rent<float>(FaceAligner.CropLength);
        using HostBuffer<float> other = BufferPool.Rent<float>(embedder.Length);
        Span<float> norm = stackalloc float[1];
        crop.Span.CopyTo(mirrored.Span);
        FaceAligner.Mirror(mirrored.Span);
        embedder.Embed([mirrored], other.Span, norm);
        TensorPrimitives.Add<float>(embedding, other.Span, embedding);
        TensorPrimitives.Divide(embedding, Math.Max(TensorPrimitives.Norm<float>(embedding), InferencePlan.SmallestNorm), embedding);
    }

    /// <summary>Wipes what the last picture left.</summary>
    public void Wipe() => faces.Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        detector.Dispose();
        landmarks.Dispose();
        embedder.Dispose();
        faces.Dispose();
    }

    /// <summary>How plausible it is that the picture shows its largest faces upright; minus infinity when it shows none.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <remarks>
    /// The detector finds faces lying and upside down as well, and is nearly as sure of them; the two landmark passes agree only on an upright one. Fitted on
    /// 300 LFW people, where the right way up of four always scored highest, by 1.5 at least; of 300 others it did for 298, and the other two were 0.7 and 0.5 behind.
    /// </remarks>
    private float Uprightness(in FrameView frame)
    {
        const float DisagreementWeight = 120, LargeEnough = 0.3f;
        ReadOnlySpan<FaceCandidate> found = Detect(frame);
        float best = float.NegativeInfinity;
        foreach (FaceCandidate face in found)
        {
            if (face.Box.Area < LargeEnough * found[0].Box.Area)
                break;
            float score = Math.Clamp(face.Score, 1e-4f, 1 - 1e-4f);
            best = Math.Max(best, MathF.Log(score / (1 - score)) - (DisagreementWeight * landmarks.Find(frame, face.Box).Disagreement));
        }
        return best;
    }
}
