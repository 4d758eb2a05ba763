using LfrEngine.Detection;

namespace LfrEngine.Evaluation.Detection;

/// <summary>Recall by face size and unmatched boxes, over a set of pictures.</summary>
/// <remarks>A face's size is the larger side of its true box. A detection is matched to the true face it overlaps best, best score first, each face once.</remarks>
public sealed class DetectionScore
{
    /// <summary>Overlap from which a face counts as found.</summary>
    public const float MatchIoU = 0.4f;

    /// <summary>Unmatched boxes smaller than this are not counted: data sets do not label faces that small reliably, pixels.</summary>
    public const float SmallestUnmatched = 20;

    private static readonly (float From, float To)[] Sizes = [(40, float.MaxValue), (20, 40), (12, 20)];

    private readonly int[] found = new int[Sizes.Length];
    private readonly int[] labelled = new int[Sizes.Length];

    /// <summary>Pictures scored.</summary>
    public int Pictures { get; private set; }

    /// <summary>Boxes without a true face, from <see cref="SmallestUnmatched"/> pixels.</summary>
    public int Unmatched { get; private set; }

    /// <summary>Unmatched boxes per 100 pictures.</summary>
    public double UnmatchedPer100 => Pictures == 0 ? 0 : 100.0 * Unmatched / Pictures;

    /// <summary>Faces of 40 pixels and more, 20 to 40, 12 to 20: found and labelled.</summary>
    public IEnumerable<(string Size, int Found, int Labelled)> BySize() =>
        [("40+", found[0], labelled[0]), ("20-40", found[1], labelled[1]), ("12-20", found[2], labelled[2])];

    /// <summary>Adds one picture.</summary>
    /// <param name="truth">True boxes, picture pixels.</param>
    /// <param name="detections">Found faces, picture pixels.</param>
    public void Add(ReadOnlySpan<FaceBox> truth, ReadOnlySpan<FaceCandidate> detections)
    {
        Pictures++;
        Span<bool> taken = new bool[truth.Length];
        FaceCandidate[] sorted = detections.ToArray();
        Array.Sort(sorted, (a, b) => b.Score.CompareTo(a.Score));
        foreach (FaceCandidate detection in sorted)
        {
            int best = -1;
            float overlap = MatchIoU;
            for (int i = 0; i < truth.Length; i++)
            {
                float iou = detection.Box.IoU(truth[i]);
                if (!taken[i] && iou >= overlap)
                    (best, overlap) = (i, iou);
            }
            if (best >= 0)
                taken[best] = true;
            else if (Size(detection.Box) >= SmallestUnmatched)
                Unmatched++;
        }
        for (int i = 0; i < truth.Length; i++)
        {
            float size = Size(truth[i]);
            int band = Array.FindIndex(Sizes, s => size >= s.From && size < s.To);
            if (band < 0)
                continue;
            labelled[band]++;
            found[band] += taken[i] ? 1 : 0;
        }
    }

    private static float Size(in FaceBox box) => Math.Max(box.Width, box.Height);
}
