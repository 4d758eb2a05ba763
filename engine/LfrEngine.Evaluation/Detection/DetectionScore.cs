using LfrEngine.Detection;

namespace LfrEngine.Evaluation.Detection;

/// <summary>Recall by face size and unmatched boxes, over a set of pictures.</summary>
/// <remarks>A face's size is the larger side of its true box. A detection is matched to the true face it overlaps best, best score first, each face once.</remarks>
public sealed class DetectionScore
{
    /// <summary>Minimum overlap of a found face.</summary>
    public const float MatchIoU = 0.4f;

    /// <summary>Unmatched boxes smaller than this are not counted: data sets do not label faces that small reliably, pixels.</summary>
    public const float SmallestUnmatched = 20;

    private static readonly (float From, float To)[] Sizes = [(40, float.MaxValue), (20, 40), (12, 20)];

    private readonly int[] found = new int[Sizes.Length];
    private readonly int[] labelled = new int[Sizes.Length];

    // For the precision curve: faces and boxes from SmallestUnmatched pixels; found faces that are smaller count neither way.
    private readonly List<(float Score, bool IsFace)> boxes = [];
    private int counted;

    /// <summary>Area under the precision–recall curve over faces from <see cref="SmallestUnmatched"/> pixels: average precision, as a step function; null without such faces.</summary>
    public double? AveragePrecision
    {
        get
        {
            if (counted == 0)
                return null;
            double area = 0;
            int found = 0, seen = 0;
            foreach (IGrouping<float, (float Score, bool IsFace)> equals in boxes.GroupBy(b => b.Score).OrderByDescending(g => g.Key))
            {
                int faces = equals.Count(b => b.IsFace);
                found += faces;
                seen += equals.Count();
                area += (double)faces / counted * found / seen;
            }
            return area;
        }
    }

    /// <summary>Boxes with their score and whether they are faces, best first, and how many faces there are: what <see cref="AveragePrecision"/> is computed from.</summary>
    public (IReadOnlyList<(float Score, bool IsFace)> Boxes, int Faces) Ranking => ([.. boxes.OrderByDescending(b => b.Score)], counted);

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
            bool largeEnough = Size(best >= 0 ? truth[best] : detection.Box) >= SmallestUnmatched;
            if (largeEnough)
                boxes.Add((detection.Score, best >= 0));
            if (best >= 0)
                taken[best] = true;
            else if (largeEnough)
                Unmatched++;
        }
        for (int i = 0; i < truth.Length; i++)
        {
            float size = Size(truth[i]);
            counted += size >= SmallestUnmatched ? 1 : 0;
            int band = Array.FindIndex(Sizes, s => size >= s.From && size < s.To);
            if (band < 0)
                continue;
            labelled[band]++;
            found[band] += taken[i] ? 1 : 0;
        }
    }

    private static float Size(in FaceBox box) => Math.Max(box.Width, box.Height);
}
