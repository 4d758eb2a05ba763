using LfrEngine.Alignment;
using LfrEngine.Frames;
using LfrEngine.Memory;

namespace LfrEngine.Cover;

/// <summary>A closed outline in picture pixels, drawn point by point. The points show where a face is, so they are kept in memory that is wiped.</summary>
internal sealed unsafe class Outline : IDisposable
{
    private const int Most = 512;

    private readonly HostBuffer<PointF> points = BufferPool.Rent<PointF>(Most);

    /// <summary>The points so far. Borrowed.</summary>
    public ReadOnlySpan<PointF> Points => points.Span[..Count];

    public int Count { get; private set; }

    public Outline Clear()
    {
        points.Wipe();
        Count = 0;
        return this;
    }

    public Outline To(PointF point)
    {
        points.Pointer[Count++] = point;
        return this;
    }

    /// <summary>Adds a smooth curve through points, from the first to the last (Catmull–Rom spline).</summary>
    public Outline Through(ReadOnlySpan<PointF> knots)
    {
        const int Steps = 6;
        for (int i = 0; i + 1 < knots.Length; i++)
        {
            PointF before = knots[Math.Max(0, i - 1)], from = knots[i], to = knots[i + 1], after = knots[Math.Min(knots.Length - 1, i + 2)];
            for (int s = i == 0 ? 0 : 1; s <= Steps; s++)
            {
                float t = (float)s / Steps;
                To(new PointF(Spline(before.X, from.X, to.X, after.X, t), Spline(before.Y, from.Y, to.Y, after.Y, t)));
            }
        }
        return this;
    }

    public void Dispose() => points.Dispose();

    private static float Spline(float before, float from, float to, float after, float t) =>
        0.5f * ((2 * from) + ((to - before) * t) + (((2 * before) - (5 * from) + (4 * to) - after) * t * t) + (((3 * from) - before - (3 * to) + after) * t * t * t));
}

/// <summary>Fills outlines in a picture, with soft edges. Borrows the picture.</summary>
internal sealed unsafe class Brush : IDisposable
{
    // Scan lines per row of pixels. Horizontally the covered share of a pixel is exact.
    private const int Lines = 4;
    private const int MostCrossings = 64;

    private readonly Picture picture;
    private readonly HostBuffer<float> coverage;

    public Brush(Picture picture)
    {
        this.picture = picture;
        coverage = BufferPool.Rent<float>(picture.Width);
    }

    /// <summary>Returns the colour at a place on the face and its opacity. Keeps nothing of the face.</summary>
    public delegate (Shade Colour, float Opacity) Paint(float u, float v);

    /// <summary>Fills an outline by the even–odd rule.</summary>
    /// <param name="outline">Borrowed.</param>
    /// <param name="face">Axes of the face.</param>
    /// <param name="paint">Called with the centre of each pixel, in face coordinates.</param>
    public void Fill(Outline outline, in FaceAxes face, Paint paint)
    {
        ReadOnlySpan<PointF> points = outline.Points;
        float top = float.MaxValue, bottom = float.MinValue;
        foreach (PointF p in points)
        {
            top = MathF.Min(top, p.Y);
            bottom = MathF.Max(bottom, p.Y);
        }
        int first = (int)Math.Clamp(MathF.Floor(top), 0, picture.Height), last = (int)Math.Clamp(MathF.Ceiling(bottom), 0, picture.Height);
        for (int row = first; row < last; row++)
        {
            coverage.Span.Clear();
            for (int line = 0; line < Lines; line++)
                AddLine(points, row + ((line + 0.5f) / Lines));
            Blend(row, face, paint);
        }
        coverage.Wipe();
    }

    /// <summary>Mean luma of a square around a place, cut at the edges of the picture.</summary>
    public float MeanLuma(PointF at, float half)
    {
        int left = (int)Math.Clamp(at.X - half, 0, picture.Width - 1), right = (int)Math.Clamp(at.X + half, left, picture.Width - 1);
        int top = (int)Math.Clamp(at.Y - half, 0, picture.Height - 1), bottom = (int)Math.Clamp(at.Y + half, top, picture.Height - 1);
        byte* luma = picture.View.Y;
        float sum = 0;
        for (int y = top; y <= bottom; y++)
        {
            for (int x = left; x <= right; x++)
                sum += luma[(y * picture.Width) + x];
        }
        return sum / ((right - left + 1) * (bottom - top + 1));
    }

    public void Dispose() => coverage.Dispose();

    private void AddLine(ReadOnlySpan<PointF> points, float y)
    {
        float* crossings = stackalloc float[MostCrossings];
        int count = 0;
        PointF from = points[^1];
        foreach (PointF to in points)
        {
            if (from.Y > y != to.Y > y && count < MostCrossings)
                crossings[count++] = from.X + ((to.X - from.X) * (y - from.Y) / (to.Y - from.Y));
            from = to;
        }
        var sorted = new Span<float>(crossings, count);
        sorted.Sort();
        for (int i = 0; i + 1 < count; i += 2)
            AddSpan(Math.Clamp(sorted[i], 0, picture.Width), Math.Clamp(sorted[i + 1], 0, picture.Width));
    }

    private void AddSpan(float from, float to)
    {
        const float Weight = 1f / Lines;
        for (int x = (int)from; x < to; x++)
            coverage.Pointer[x] += Weight * (MathF.Min(to, x + 1) - MathF.Max(from, x));
    }

    private void Blend(int row, in FaceAxes face, Paint paint)
    {
        byte* y = picture.View.Y + (row * picture.Width), cb = picture.View.U + (row * picture.Width), cr = picture.View.V + (row * picture.Width);
        for (int x = 0; x < picture.Width; x++)
        {
            float covered = coverage.Pointer[x];
            if (covered <= 0)
                continue;
            (float u, float v) = face.Of(x + 0.5f, row + 0.5f);
            (Shade colour, float opacity) = paint(u, v);
            float share = MathF.Min(1, covered) * opacity;
            y[x] = Mix(y[x], colour.Y, share);
            cb[x] = Mix(cb[x], colour.Cb, share);
            cr[x] = Mix(cr[x], colour.Cr, share);
        }
    }

    private static byte Mix(byte was, float becomes, float share) => (byte)Math.Clamp(was + (share * (becomes - was)) + 0.5f, 0, 255);
}
