using LfrEngine.Alignment;

namespace LfrEngine.Detection;

/// <summary>Reduces the many proposals of a detector to one per face.</summary>
/// <remarks>
/// All methods work in place and leave the survivors sorted by score, best first, equal scores by coordinates; the rest is wiped.
/// Quadratic in the number of proposals, which a <see cref="CandidateList"/> bounds. No managed allocation.
/// </remarks>
internal static class NonMaximumSuppression
{
    private static readonly Comparison<FaceCandidate> BestFirst = CompareBestFirst;

    /// <summary>Keeps a face unless it overlaps a better kept one by at least <paramref name="iouThreshold"/>.</summary>
    /// <param name="faces">Changed in place.</param>
    /// <param name="iouThreshold">0…1, inclusive.</param>
    public static void Greedy(CandidateList faces, float iouThreshold)
    {
        Span<FaceCandidate> items = Sort(faces, iouThreshold);
        int kept = 0;
        for (int i = 0; i < items.Length; i++)
        {
            if (!OverlapsAny(items[..kept], items[i].Box, iouThreshold))
                items[kept++] = items[i];
        }
        faces.Truncate(kept);
    }

    /// <summary>Replaces each cluster (a best face and what overlaps it by at least <paramref name="iouThreshold"/>) by its score-weighted mean.</summary>
    /// <param name="faces">Changed in place.</param>
    /// <param name="iouThreshold">0…1, inclusive.</param>
    /// <remarks>
    /// Box = Σ score · box / Σ score; score = the best. Landmarks are blended likewise when the whole cluster has them; otherwise the best face keeps its own.
    /// The idea is BlazeFace's (Bazarevsky et al. 2019, arXiv:1907.05047).
    /// </remarks>
    public static void Blend(CandidateList faces, float iouThreshold)
    {
        Span<FaceCandidate> items = Sort(faces, iouThreshold);
        int kept = 0;
        while (kept < items.Length)
        {
            // The best remaining face is at items[kept]; its cluster is removed from the rest, which stays sorted.
            var blend = new WeightedMean(items[kept]);
            FaceBox best = items[kept].Box;
            int left = kept + 1;
            for (int i = left; i < items.Length; i++)
            {
                if (best.IoU(items[i].Box) >= iouThreshold)
                    blend.Add(items[i]);
                else
                    items[left++] = items[i];
            }
            blend.Store(ref items[kept]);
            kept++;
            // The taken-out end holds copies: wipe it with the rest of the list.
            faces.Truncate(left);
            items = items[..left];
        }
    }

    /// <summary>Drops a face of which more than the fraction <paramref name="containment"/> lies inside a better kept one.</summary>
    /// <param name="faces">Changed in place.</param>
    /// <param name="containment">0…1, exclusive: intersection over the face's own area.</param>
    public static void DropNested(CandidateList faces, float containment)
    {
        Span<FaceCandidate> items = Sort(faces, containment);
        int kept = 0;
        for (int i = 0; i < items.Length; i++)
        {
            FaceBox box = items[i].Box;
            float most = containment * box.Area;
            bool nested = false;
            for (int k = 0; k < kept && !nested; k++)
                nested = box.Intersection(items[k].Box) > most;
            if (!nested)
                items[kept++] = items[i];
        }
        faces.Truncate(kept);
    }

    private static bool OverlapsAny(ReadOnlySpan<FaceCandidate> kept, in FaceBox box, float iouThreshold)
    {
        foreach (ref readonly FaceCandidate better in kept)
        {
            if (better.Box.IoU(box) >= iouThreshold)
                return true;
        }
        return false;
    }

    private static Span<FaceCandidate> Sort(CandidateList faces, float threshold)
    {
        ArgumentNullException.ThrowIfNull(faces);
        if (!(threshold is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "An overlap must be in 0…1.");
        Span<FaceCandidate> items = faces.Items;
        items.Sort(BestFirst);
        return items;
    }

    private static int CompareBestFirst(FaceCandidate a, FaceCandidate b)
    {
        int order = b.Score.CompareTo(a.Score);
        if (order == 0)
            order = a.Box.Left.CompareTo(b.Box.Left);
        if (order == 0)
            order = a.Box.Top.CompareTo(b.Box.Top);
        if (order == 0)
            order = a.Box.Right.CompareTo(b.Box.Right);
        return order != 0 ? order : a.Box.Bottom.CompareTo(b.Box.Bottom);
    }

    /// <summary>Sums of a cluster; double, so that the order of the members does not matter.</summary>
    private ref struct WeightedMean
    {
        private double weight;
        private double left;
        private double top;
        private double right;
        private double bottom;
        private PointSum leftEye;
        private PointSum rightEye;
        private PointSum nose;
        private PointSum leftMouth;
        private PointSum rightMouth;
        private bool allHaveLandmarks = true;
        private int members;

        public WeightedMean(in FaceCandidate first) => Add(first);

        public void Add(in FaceCandidate face)
        {
            double w = face.Score;
            weight += w;
            members++;
            left += w * face.Box.Left;
            top += w * face.Box.Top;
            right += w * face.Box.Right;
            bottom += w * face.Box.Bottom;
            allHaveLandmarks &= face.HasLandmarks;
            if (!allHaveLandmarks)
                return;
            leftEye.Add(w, face.Landmarks.LeftEye);
            rightEye.Add(w, face.Landmarks.RightEye);
            nose.Add(w, face.Landmarks.Nose);
            leftMouth.Add(w, face.Landmarks.LeftMouth);
            rightMouth.Add(w, face.Landmarks.RightMouth);
        }

        public readonly void Store(ref FaceCandidate best)
        {
            // A single face is not changed at all; scores of 0 have no weight.
            if (members == 1 || !(weight > 0))
                return;
            best.Box = new FaceBox((float)(left / weight), (float)(top / weight), (float)(right / weight), (float)(bottom / weight));
            if (!allHaveLandmarks)
                return;
            best.Landmarks = new Landmarks5(
                leftEye.Mean(weight), rightEye.Mean(weight), nose.Mean(weight), leftMouth.Mean(weight), rightMouth.Mean(weight));
        }
    }

    private struct PointSum
    {
        private double x;
        private double y;

        public void Add(double w, PointF point)
        {
            x += w * point.X;
            y += w * point.Y;
        }

        public readonly PointF Mean(double weight) => new((float)(x / weight), (float)(y / weight));
    }
}
