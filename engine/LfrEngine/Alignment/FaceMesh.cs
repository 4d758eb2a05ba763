using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.Alignment;

/// <summary>Finds the 468 points of the face mesh, which stay accurate under masks where 68 points do not.</summary>
/// <remarks>
/// May run twice: the second time on the square around the first points, turned so that the eyes are level. Keeps no face data between calls.
/// Used by one thread at a time.
/// </remarks>
public sealed unsafe class FaceMesh : IDisposable
{
    /// <summary>Points of a mesh.</summary>
    public const int PointCount = 468;

    private const int CropSize = 192;

    // Three values per point. The third is a depth, which is not used.
    private const int Values = 3 * PointCount;

    // The network was trained on the bounds of a face's points, half as large again.
    private const float Surroundings = 1.5f;

    // Per eye the two corners and two points on each lid, as for the eye centres of the 68 points.
    private static readonly int[] LeftEye = [33, 133, 159, 158, 145, 153], RightEye = [263, 362, 386, 385, 374, 380];
    private const int Nose = 1, LeftMouth = 61, RightMouth = 291;
    private static readonly FacePoints Points = new(PointCount, 3, IsTurned: true, [.. LeftEye, .. RightEye, Nose, LeftMouth, RightMouth]);

    private readonly OnnxModel model;
    private readonly InferencePlan plan;

    /// <summary>Prepares a mesh over a loaded model, which the caller keeps owning.</summary>
    public FaceMesh(OnnxModel model)
    {
        if (model.Manifest.Family != "mesh468")
            throw new ModelLoadException($"The landmark model \"{model.Manifest.Id}\" is of family \"{model.Manifest.Family}\"; the mesh needs mesh468.");
        this.model = model;
        plan = model.CreatePlan(1, CropSize, CropSize);
        if (plan.Outputs.Count == 2 && plan.Outputs[0].Length == Values && plan.Outputs[1].Length == 1)
            return;
        string given = string.Join(" and ", plan.Outputs.Select(o => o.Length));
        Dispose();
        throw new ModelLoadException($"The landmark model \"{model.Manifest.Id}\" gives {given} values, expected {Values} and 1.");
    }

    /// <summary>Finds the points of one face.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="face">The detector's box, frame pixels.</param>
    /// <param name="points">Receives <see cref="PointCount"/> points in the mesh's order, frame pixels; biometric, so the caller wipes them. Borrowed.</param>
    /// <param name="twice">Whether a second pass follows, which makes the points nearly independent of the box.</param>
    /// <returns>Logit of the presence of a face: 15 and more on large uncovered faces, less on covered and small ones, often below 0 where there is none.</returns>
    public float Find(in FrameView frame, in FaceBox face, Span<PointF> points, bool twice = true)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(points.Length, PointCount);
        using StageClock.Scope _ = StageClock.Time(PipelineStage.Mesh);
        float presence = Pass(frame, AroundBox(face), points);
        if (twice)
            presence = Pass(frame, AroundPoints(points), points);
        using (StageClock.Time(PipelineStage.Wipe))
            StackScrub.Wipe();
        return presence;
    }

    /// <summary>As <see cref="Find(in FrameView, in FaceBox, Span{PointF}, bool)"/>, for who needs five points only: of a frame on a device the others stay there.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="face">The detector's box, frame pixels.</param>
    /// <param name="scratch">As for all points.</param>
    /// <param name="five">Eyes, nose and mouth corners.</param>
    /// <param name="twice">Whether a second pass follows.</param>
    internal float Find(in FrameView frame, in FaceBox face, Span<PointF> scratch, out Landmarks5 five, bool twice)
    {
        if (frame.Surface is not { } surface)
        {
            float presence = Find(frame, face, scratch, twice);
            five = Reduce(scratch);
            return presence;
        }
        using StageClock.Scope _ = StageClock.Time(PipelineStage.Mesh);
        try
        {
            PointSums found = PassOn(surface, frame, AroundBox(face));
            if (twice)
                found = PassOn(surface, frame, AroundBounds(found.Bounds, MathF.Atan2(found.Sin, found.Cos), found.Cos, found.Sin));
            five = found.Five;
            return found.Presence;
        }
        finally
        {
            plan.Wipe();
            using (StageClock.Time(PipelineStage.Wipe))
                StackScrub.Wipe();
        }
    }

    /// <summary>Eyes, nose and mouth corners of a mesh, as <see cref="LandmarkFinder"/> gives them.</summary>
    /// <param name="points"><see cref="PointCount"/> points. Borrowed.</param>
    public static Landmarks5 Reduce(ReadOnlySpan<PointF> points)
    {
        return new Landmarks5(Mean(points, LeftEye), Mean(points, RightEye), points[Nose], points[LeftMouth], points[RightMouth]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        plan.Dispose();
    }

    private float Pass(in FrameView frame, in AlignmentTransform transform, Span<PointF> points)
    {
        if (frame.Surface is { } surface)
            surface.FillAligned(frame, transform, CropSize, model.Manifest.Input, plan);
        else
            FaceAligner.Warp(frame, transform, CropSize, model.Manifest.Input, plan.Input.Pointer);
        plan.Run();
        float* output = plan.Outputs[0].Pointer;
        for (int i = 0; i < PointCount; i++)
            points[i] = transform.ToFrame(new PointF(output[3 * i], output[(3 * i) + 1]));
        float presence = *plan.Outputs[1].Pointer;
        plan.Wipe();
        return presence;
    }

    private PointSums PassOn(IFrameSurface surface, in FrameView frame, in AlignmentTransform transform)
    {
        surface.FillAligned(frame, transform, CropSize, model.Manifest.Input, plan);
        PointF origin = transform.ToFrame(new PointF(0, 0)), right = transform.ToFrame(new PointF(1, 0)), down = transform.ToFrame(new PointF(0, 1));
        return surface.RunPoints(plan, Points, new PointGrid(origin, new PointF(right.X - origin.X, right.Y - origin.Y), new PointF(down.X - origin.X, down.Y - origin.Y)));
    }

    private static AlignmentTransform AroundBox(in FaceBox face) => Around(Middle(face), Surroundings * Math.Max(1, Math.Max(face.Width, face.Height)), 0);

    // The square around all points, with the eyes level.
    private static AlignmentTransform AroundPoints(ReadOnlySpan<PointF> points)
    {
        PointF left = Mean(points, LeftEye.AsSpan(0, 2)), right = Mean(points, RightEye.AsSpan(0, 2));
        float angle = MathF.Atan2(right.Y - left.Y, right.X - left.X), cos = MathF.Cos(angle), sin = MathF.Sin(angle);
        float leftmost = float.MaxValue, top = float.MaxValue, rightmost = float.MinValue, bottom = float.MinValue;
        foreach (PointF p in points)
        {
            float x = (p.X * cos) + (p.Y * sin), y = (p.Y * cos) - (p.X * sin);
            leftmost = Math.Min(leftmost, x);
            rightmost = Math.Max(rightmost, x);
            top = Math.Min(top, y);
            bottom = Math.Max(bottom, y);
        }
        return AroundBounds(new FaceBox(leftmost, top, rightmost, bottom), angle, cos, sin);
    }

    private static AlignmentTransform AroundBounds(in FaceBox turned, float angle, float cos, float sin)
    {
        float middleX = (turned.Left + turned.Right) / 2, middleY = (turned.Top + turned.Bottom) / 2;
        var middle = new PointF((middleX * cos) - (middleY * sin), (middleX * sin) + (middleY * cos));
        return Around(middle, Surroundings * Math.Max(1, Math.Max(turned.Right - turned.Left, turned.Bottom - turned.Top)), angle);
    }

    // From the frame to the crop: a square of this side around the middle, its upper edge along the angle.
    private static AlignmentTransform Around(PointF middle, float side, float angle)
    {
        float scale = CropSize / side, a = scale * MathF.Cos(angle), b = -scale * MathF.Sin(angle);
        return new AlignmentTransform(a, b, (CropSize / 2f) - (a * middle.X) + (b * middle.Y), (CropSize / 2f) - (b * middle.X) - (a * middle.Y));
    }

    private static PointF Middle(in FaceBox box) => new((box.Left + box.Right) / 2, (box.Top + box.Bottom) / 2);

    private static PointF Mean(ReadOnlySpan<PointF> points, ReadOnlySpan<int> indices)
    {
        float x = 0, y = 0;
        foreach (int i in indices)
        {
            x += points[i].X;
            y += points[i].Y;
        }
        return new PointF(x / indices.Length, y / indices.Length);
    }
}
