using LfrEngine.Evaluation.Statistics;
using LfrEngine.Frames;

namespace LfrEngine.Evaluation.Cover;

/// <summary>A colour, full-range BT.601.</summary>
/// <param name="Y">0…255.</param>
/// <param name="U">0…255.</param>
/// <param name="V">0…255.</param>
internal readonly record struct YuvColour(float Y, float U, float V)
{
    /// <summary>From R′G′B′, 0…255.</summary>
    public static YuvColour FromRgb(double red, double green, double blue)
    {
        double y = (0.299 * red) + (0.587 * green) + (0.114 * blue);
        return new((float)y, (float)(((blue - y) / 1.772) + 128), (float)(((red - y) / 1.402) + 128));
    }

    /// <summary>Brighter or darker.</summary>
    public YuvColour Shaded(double factor) => this with { Y = (float)Math.Clamp(Y * factor, 0, 255) };
}

/// <summary>Paints on the planes of a picture, which it borrows.</summary>
internal sealed unsafe class Canvas(Picture picture)
{
    private readonly byte* y = picture.View.Y;
    private readonly byte* u = picture.View.U;
    private readonly byte* v = picture.View.V;

    public int Width => picture.Width;

    public int Height => picture.Height;

    public YuvColour this[int x, int row]
    {
        get
        {
            int at = (Math.Clamp(row, 0, Height - 1) * Width) + Math.Clamp(x, 0, Width - 1);
            return new YuvColour(y[at], u[at], v[at]);
        }
        set
        {
            if ((uint)x >= (uint)Width || (uint)row >= (uint)Height)
                return;
            int at = (row * Width) + x;
            y[at] = Byte(value.Y);
            u[at] = Byte(value.U);
            v[at] = Byte(value.V);
        }
    }

    /// <summary>The three planes, each [Height, Width].</summary>
    public byte*[] Planes => [y, u, v];

    /// <summary>Fills the pixels whose centres are inside.</summary>
    public void Fill(double left, double top, double right, double bottom, Func<double, double, bool> inside, Func<double, double, YuvColour> texture)
    {
        for (int row = Math.Max(0, (int)top); row < Math.Min(Height, bottom + 1); row++)
        {
            for (int x = Math.Max(0, (int)left); x < Math.Min(Width, right + 1); x++)
            {
                if (inside(x + 0.5, row + 0.5))
                    this[x, row] = texture(x + 0.5, row + 0.5);
            }
        }
    }

    public static byte Byte(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);
}

/// <summary>Patterns of cloth, drawn by seed.</summary>
internal static class Textures
{
    /// <summary>Plain, stripes, checks or woven noise in random colours.</summary>
    /// <param name="random">Source of the random choices.</param>
    /// <param name="unit">Length with which the pattern scales, pixels.</param>
    public static Func<double, double, YuvColour> Cloth(SeededRandom random, double unit)
    {
        YuvColour first = Colour(random), second = Colour(random);
        double period = unit * (0.15 + (0.25 * random.NextDouble())), angle = Math.PI * random.NextDouble();
        (double s, double c) = Math.SinCos(angle);
        ulong salt = random.NextBits();
        return random.Next(4) switch
        {
            0 => (x, y) => first.Shaded(1 + (0.05 * Noise(x, y, salt))),
            1 => (x, y) => Math.Sin(2 * Math.PI * ((x * c) + (y * s)) / period) > 0 ? first : second,
            2 => (x, y) => Math.Sin(2 * Math.PI * x / period) * Math.Sin(2 * Math.PI * y / period) > 0 ? first : second,
            _ => (x, y) => first.Shaded(1 + (0.35 * Noise(x / 2, y / 2, salt))),
        };
    }

    /// <summary>−1…1, the same for the same place and salt.</summary>
    public static double Noise(double x, double y, ulong salt) =>
        (SeededRandom.Mix(salt ^ ((ulong)(long)Math.Floor(x) * 0x9E3779B97F4A7C15) ^ ((ulong)(long)Math.Floor(y) * 0xC2B2AE3D27D4EB4F)) * (2.0 / ulong.MaxValue)) - 1;

    public static YuvColour Colour(SeededRandom random) => YuvColour.FromRgb(255 * random.NextDouble(), 255 * random.NextDouble(), 255 * random.NextDouble());
}
