using LfrEngine.Alignment;
using OpenCvSharp;
using Xunit;

namespace LfrEngine.Tests.Aligning;

public sealed class AlignmentTransformTests
{
    [Fact]
    public void TryEstimate_RandomPoints_EqualsLeastSquares()
    {
        var random = new Random(17);
        for (int turn = 0; turn < 200; turn++)
        {
            float size = 5 + (random.NextSingle() * 300), left = random.NextSingle() * 3000, top = random.NextSingle() * 2000;
            PointF[] from = [.. Enumerable.Range(0, 5).Select(_ => new PointF(left + (random.NextSingle() * size), top + (random.NextSingle() * size)))];
            Assert.True(AlignmentTransform.TryEstimate(Points(from), out AlignmentTransform actual));

            (double a, double b, double tx, double ty) = LeastSquares(from);
            // The translation is compared where the points are: far from the origin its own digits are few.
            foreach (PointF p in from)
            {
                PointF mapped = actual.ToGrid(p);
                Assert.Equal((a * p.X) - (b * p.Y) + tx, mapped.X, 0.02);
                Assert.Equal((b * p.X) + (a * p.Y) + ty, mapped.Y, 0.02);
            }
            Assert.Equal(Math.Sqrt((a * a) + (b * b)), actual.Scale, 1e-4 * (1 + actual.Scale));
        }
    }

    [Theory]
    [InlineData(1f, 0f)]
    [InlineData(2.5f, 20f)]
    [InlineData(0.3f, -35f)]
    [InlineData(1f, 90f)]
    [InlineData(0.7f, 170f)]
    public void TryEstimate_TargetMovedAbout_FindsTheWayBack(float faceScale, float degrees)
    {
        // The face as it would lie in the frame: the target points, scaled, turned clockwise (y is down) and moved.
        double radians = degrees * Math.PI / 180, cos = faceScale * Math.Cos(radians), sin = faceScale * Math.Sin(radians);
        PointF[] target = List(AlignmentTransform.Target);
        PointF[] frame = [.. target.Select(p => new PointF((float)((cos * p.X) - (sin * p.Y) + 320), (float)((sin * p.X) + (cos * p.Y) + 240)))];

        Assert.True(AlignmentTransform.TryEstimate(Points(frame), out AlignmentTransform transform));

        Assert.Equal(1 / faceScale, transform.Scale, 1e-3f);
        Assert.Equal(degrees, transform.RollDegrees, 0.01f);
        for (int i = 0; i < 5; i++)
        {
            PointF grid = transform.ToGrid(frame[i]);
            Assert.Equal(target[i].X, grid.X, 0.01f);
            Assert.Equal(target[i].Y, grid.Y, 0.01f);
            PointF back = transform.ToFrame(target[i]);
            Assert.Equal(frame[i].X, back.X, 0.02f);
            Assert.Equal(frame[i].Y, back.Y, 0.02f);
        }
    }

    [Fact]
    public void ToFrame_AfterToGrid_IsTheSamePoint()
    {
        var random = new Random(3);
        for (int i = 0; i < 200; i++)
        {
            var transform = new AlignmentTransform((random.NextSingle() * 4) - 2, (random.NextSingle() * 4) - 2, random.NextSingle() * 100, random.NextSingle() * 100);
            if (transform.Scale < 0.1f)
                continue;
            var point = new PointF(random.NextSingle() * 1000, random.NextSingle() * 1000);
            PointF back = transform.ToFrame(transform.ToGrid(point));
            Assert.Equal(point.X, back.X, 0.01f);
            Assert.Equal(point.Y, back.Y, 0.01f);
        }
    }

    [Fact]
    public void TryEstimate_NothingToAlign_ReturnsFalse()
    {
        var same = new PointF(40, 50);
        Assert.False(AlignmentTransform.TryEstimate(new Landmarks5(same, same, same, same, same), out _));
        Assert.False(AlignmentTransform.TryEstimate(default, out _));
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            PointF[] points = List(AlignmentTransform.Target);
            points[2] = new PointF(bad, 3);
            Assert.False(AlignmentTransform.TryEstimate(Points(points), out _));
            points[2] = new PointF(3, bad);
            Assert.False(AlignmentTransform.TryEstimate(Points(points), out _));
        }
    }

    private static Landmarks5 Points(PointF[] p) => new(p[0], p[1], p[2], p[3], p[4]);

    private static PointF[] List(in Landmarks5 p) => [p.LeftEye, p.RightEye, p.Nose, p.LeftMouth, p.RightMouth];

    // Ten equations, four unknowns, solved by OpenCV's singular value decomposition; centred, for its conditioning.
    private static (double A, double B, double Tx, double Ty) LeastSquares(PointF[] from)
    {
        PointF[] to = List(AlignmentTransform.Target);
        double centreX = from.Average(p => (double)p.X), centreY = from.Average(p => (double)p.Y);
        using var left = new Mat(10, 4, MatType.CV_64FC1);
        using var right = new Mat(10, 1, MatType.CV_64FC1);
        for (int i = 0; i < 5; i++)
        {
            double x = from[i].X - centreX, y = from[i].Y - centreY;
            double[][] rows = [[x, -y, 1, 0], [y, x, 0, 1]];
            for (int k = 0; k < 4; k++)
            {
                left.Set(2 * i, k, rows[0][k]);
                left.Set((2 * i) + 1, k, rows[1][k]);
            }
            right.Set(2 * i, 0, (double)to[i].X);
            right.Set((2 * i) + 1, 0, (double)to[i].Y);
        }
        using var solution = new Mat();
        Assert.True(Cv2.Solve(left, right, solution, DecompTypes.SVD));
        double a = solution.At<double>(0), b = solution.At<double>(1);
        return (a, b, solution.At<double>(2) - (a * centreX) + (b * centreY), solution.At<double>(3) - (b * centreX) - (a * centreY));
    }
}
