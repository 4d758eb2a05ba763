using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Memory;
using LfrEngine.Quality;

namespace LfrEngine.Pipeline;

/// <summary>One face of a still picture, on the same code path as a camera's. The owner disposes it.</summary>
public sealed class StillFace : IDisposable
{
    internal StillFace(FaceBox box, float detectionScore, FaceLandmarks landmarks, FaceQuality quality, CoverJudgement cover, HostBuffer<float> crop, HostBuffer<float> embedding)
    {
        (Box, DetectionScore, Landmarks, Quality, Cover, Crop, Embedding) = (box, detectionScore, landmarks, quality, cover, crop, embedding);
    }

    /// <summary>The box, picture pixels.</summary>
    public FaceBox Box { get; }

    /// <summary>The detector's score, 0…1.</summary>
    public float DetectionScore { get; }

    /// <summary>The points.</summary>
    public FaceLandmarks Landmarks { get; }

    /// <summary>How fit it is for comparison.</summary>
    public FaceQuality Quality { get; }

    /// <summary>Which parts of it are covered.</summary>
    public CoverJudgement Cover { get; }

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

/// <summary>Rotation that makes the faces of a picture upright.</summary>
/// <param name="Degrees">Clockwise: 0, 90, 180 or 270.</param>
/// <param name="IsClear">Whether that is certain, or only slightly more plausible than the unrotated picture.</param>
/// <param name="IsSure">Whether the faces are then as plausible as those of upright pictures.</param>
public readonly record struct UprightTurn(int Degrees, bool IsClear, bool IsSure);

/// <summary>Detects, aligns and embeds faces of still pictures: for enrolment and for measurements. Used by one thread at a time.</summary>
public sealed unsafe class StillAnalyzer : IDisposable
{
    // On half of the people of LFW no rotated picture was above the first value, and each upright one was ahead by more than the second.
    private const float SurelyUpright = 10, ClearlyBetter = 1;

    private const int MostFaces = 512;

    private readonly FaceDetector detector;
    private readonly LandmarkFinder landmarks;
    private readonly Embedder embedder;
    private readonly CoverExaminer cover;
    private readonly FaceVerifier verifier;
    private readonly CandidateList faces = new(MostFaces);

    /// <summary>Prepares an analyser over loaded models, which the caller keeps owning.</summary>
    public StillAnalyzer(EngineModels models, DetectorSettings settings)
    {
        detector = new FaceDetector(models.Detector, settings);
        landmarks = new LandmarkFinder(models.Landmarks);
        embedder = new Embedder(models.Embedder);
        cover = new CoverExaminer(models.Mesh);
        verifier = new FaceVerifier(models.Second, models.Third);
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

    /// <summary>Finds the faces of a picture like <see cref="Detect"/>, without those that further networks reject; each face once.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="isSure">False if none is left; then the largest detection is returned.</param>
    /// <returns>Largest first. Borrowed until the next call.</returns>
    /// <remarks>For single pictures: 8 ms a detection. The detector alone may take a kettle, a shirt or flowers for a face.</remarks>
    public ReadOnlySpan<FaceCandidate> FindReal(in FrameView frame, out bool isSure)
    {
        const float RealScore = 0.35f, SameFace = 0.3f;
        ReadOnlySpan<FaceCandidate> largestFirst = Detect(frame);
        Span<FaceCandidate> found = faces.Items;
        Span<float> scores = stackalloc float[MostFaces];
        for (int i = 0; i < found.Length; i++)
            scores[i] = verifier.MeanScore(frame, largestFirst[i].Box);
        int kept = 0;
        while (kept < found.Length)
        {
            int best = kept;
            for (int i = kept + 1; i < found.Length; i++)
                best = scores[i] > scores[best] ? i : best;
            if (scores[best] < RealScore)
                break;
            (found[kept], found[best]) = (found[best], found[kept]);
            (scores[kept], scores[best]) = (scores[best], scores[kept]);
            FaceBox box = found[kept].Box;
            for (int i = ++kept; i < found.Length; i++)
            {
                if (box.Intersection(found[i].Box) > SameFace * Math.Min(box.Area, found[i].Box.Area))
                    scores[i] = 0;
            }
        }
        isSure = kept > 0;
        faces.Truncate(Math.Max(kept, Math.Min(1, found.Length)));
        faces.Items.Sort(static (a, b) => b.Box.Area.CompareTo(a.Box.Area));
        return faces.Items;
    }

    /// <summary>Finds faces as <see cref="Detect"/> does, and has further networks judge the candidates and their boxes (<see cref="FaceVerifier.Sift"/>).</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="minimumEvidence">What a face needs.</param>
    /// <returns>Largest first; the scores are probabilities. Borrowed until the next call.</returns>
    public ReadOnlySpan<FaceCandidate> DetectJudged(in FrameView frame, float minimumEvidence)
    {
        detector.Detect(frame, faces);
        verifier.Sift(frame, faces, minimumEvidence);
        faces.Items.Sort(static (a, b) => b.Box.Area.CompareTo(a.Box.Area));
        return faces.Items;
    }

    /// <summary>Tries the four orientations of a picture. Upside down a face is found but never matches.</summary>
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
    /// <param name="examine">Whether its cover is judged, as in the pipeline; otherwise the face is treated as uncovered.</param>
    /// <param name="brow">How the brow is treated: kept for a watchlist photo; blanked if covered, as in the pipeline, for a probe.</param>
    public StillFace? Embed(in FrameView frame, in FaceCandidate face, bool examine = true, BrowTreatment brow = BrowTreatment.Kept)
    {
        using StackScrub.Scope _ = StackScrub.Join();
        FaceLandmarks found = landmarks.Find(frame, face.Box);
        if (!AlignmentTransform.TryEstimate(found.Points, out AlignmentTransform alignment))
            return null;
        HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        HostBuffer<float>? embedding = null;
        try
        {
            embedding = BufferPool.Rent<float>(embedder.Length);
            FaceAligner.Align(frame, alignment, embedder.Input, crop.Pointer);
            FaceQuality quality = QualityAssessor.Assess(found, alignment, crop.Pointer, embedder.Input, face.Score);
            CoverJudgement covered = examine ? cover.Examine(frame, face.Box, embedder.Input, new AlignedFace(crop.Pointer), brow) : default;
            Span<float> norm = stackalloc float[1];
            embedder.Embed([crop], embedding.Span, norm);
            return new StillFace(face.Box, face.Score, found, quality, covered, crop, embedding);
        }
        catch
        {
            crop.Dispose();
            embedding?.Dispose();
            throw;
        }
    }

    /// <summary>Wipes the data of the last picture.</summary>
    public void Wipe() => faces.Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        detector.Dispose();
        landmarks.Dispose();
        embedder.Dispose();
        cover.Dispose();
        verifier.Dispose();
        faces.Dispose();
    }

    /// <summary>How plausible it is that the picture shows its largest faces upright; minus infinity when it shows none.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <remarks>
    /// The detector also finds rotated faces, with nearly the same score; the two landmark passes agree only on an upright one, and the second
    /// network scores it higher. Fitted on 100 LFW people; of 800 pictures of 200 others, 786 were right, 14 doubtful and none wrong.
    /// </remarks>
    private float Uprightness(in FrameView frame)
    {
        const float DisagreementWeight = 120, SecondWeight = 2, LargeEnough = 0.3f;
        // A false detection has no orientation and may be larger than all faces.
        ReadOnlySpan<FaceCandidate> found = FindReal(frame, out _);
        float best = float.NegativeInfinity;
        foreach (FaceCandidate face in found)
        {
            if (face.Box.Area < LargeEnough * found[0].Box.Area)
                break;
            float score = Math.Clamp(face.Score, 1e-4f, 1 - 1e-4f);
            float second = Math.Clamp(verifier.MeanScore(frame, face.Box), 1e-3f, 1 - 1e-3f);
            best = Math.Max(best, MathF.Log(score / (1 - score)) + (SecondWeight * MathF.Log(second / (1 - second))) - (DisagreementWeight * landmarks.Find(frame, face.Box).Disagreement));
        }
        return best;
    }
}
