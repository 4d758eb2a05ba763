using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Native.Media;

namespace LfrEngine.Evaluation.Cover;

/// <summary>One way of making a probe more difficult: a cover drawn at the landmarks, or a degraded picture.</summary>
/// <param name="Name">Name in tables.</param>
/// <param name="Kind">One of none, cover, blur, light, noise, compression, size, yaw.</param>
/// <param name="Apply">Makes the more difficult picture, owned by the caller. Borrows the given one.</param>
internal sealed record Stratum(string Name, string Kind, Func<Picture, Landmarks5, SeededRandom, Picture> Apply)
{
    // To turn the head it is modelled as a cylinder of this radius, in inter-eye distances.
    private const double HeadRadius = 1.35;

    /// <summary>The parts of the face that it covers.</summary>
    public FaceCover Hides => Name switch
    {
        "mask" or "scarf" or "hand" => FaceCover.LowerFace,
        "sunglasses" => FaceCover.Eyes,
        "cap" or "hair" => FaceCover.Brow,
        "cap + sunglasses" => FaceCover.Brow | FaceCover.Eyes,
        "mask + cap" => FaceCover.LowerFace | FaceCover.Brow,
        _ => FaceCover.None,
    };

    /// <summary>All strata; the first leaves the probe unchanged.</summary>
    public static IReadOnlyList<Stratum> All { get; } =
    [
        new("none", "none", (p, _, _) => p.Copy()),
        Drawn("mask", Mask), Drawn("scarf", Scarf), Drawn("sunglasses", Sunglasses), Drawn("cap", Cap), Drawn("hair", Hair), Drawn("hand", Hand),
        Drawn("cap + sunglasses", (c, f, r) => { Cap(c, f, r); Sunglasses(c, f, r); }), Drawn("mask + cap", (c, f, r) => { Mask(c, f, r); Cap(c, f, r); }),
        .. new[] { 0.03, 0.06, 0.1 }.Select(s => new Stratum($"blur {s:0.00} of eye distance", "blur", (p, l, _) => Blurred(p, s * l.InterEyePixels))),
        .. new[] { 0.3, 0.15, 0.07 }.Select(g => new Stratum($"light × {g:0.00}", "light", (p, _, r) => Changed(p, r, g, 3))),
        .. new[] { 10.0, 20, 40 }.Select(s => new Stratum($"noise {s:0}", "noise", (p, _, r) => Changed(p, r, 1, s))),
        .. new[] { 30, 15, 5 }.Select(q => new Stratum($"JPEG quality {q}", "compression", (p, _, _) => Compressed(p, q))),
        .. new[] { 24.0, 16, 12, 8 }.Select(e => new Stratum($"{e:0} pixels between the eyes", "size", (p, l, _) => Shrunk(p, e / l.InterEyePixels))),
        .. new[] { 20.0, 40, 60 }.Select(a => new Stratum($"yaw + {a:0}°", "yaw", (p, l, r) => Turned(p, l, r.Next(2) == 0 ? a : -a))),
    ];

    private static Stratum Drawn(string name, Action<Canvas, FaceGrid, SeededRandom> draw) => new(name, "cover", (picture, landmarks, random) =>
    {
        Picture copy = picture.Copy();
        draw(new Canvas(copy), new FaceGrid(landmarks), random);
        return copy;
    });

    private static void Mask(Canvas canvas, FaceGrid face, SeededRandom random)
    {
        double top = 0.3 + (0.15 * random.NextDouble());
        face.FillPolygon(canvas, Textures.Cloth(random, face.Unit), (0, top), (0.6, top + 0.1), (1.15, top), (1.05, 1.25), (0.55, 1.85), (0, 2), (-0.55, 1.85), (-1.05, 1.25), (-1.15, top), (-0.6, top + 0.1));
    }

    private static void Scarf(Canvas canvas, FaceGrid face, SeededRandom random)
    {
        double top = 0.75 + (0.25 * random.NextDouble());
        face.FillPolygon(canvas, Textures.Cloth(random, face.Unit), (-1.35, top - 0.1), (-0.5, top), (0.5, top + 0.05), (1.35, top - 0.1), (1.7, 2.8), (-1.7, 2.8));
    }

    private static void Sunglasses(Canvas canvas, FaceGrid face, SeededRandom random)
    {
        YuvColour glass = YuvColour.FromRgb(20, 20, 25).Shaded(0.6 + random.NextDouble());
        double wide = 0.42 + (0.08 * random.NextDouble()), high = 0.3 + (0.1 * random.NextDouble());
        face.FillEllipse(canvas, (_, _) => glass, -0.5, 0.05, wide, high);
        face.FillEllipse(canvas, (_, _) => glass, 0.5, 0.05, wide, high);
        face.FillPolygon(canvas, (_, _) => glass, (-1.1, -0.12), (1.1, -0.12), (1.1, 0), (-1.1, 0));
    }

    private static void Cap(Canvas canvas, FaceGrid face, SeededRandom random)
    {
        Func<double, double, YuvColour> cloth = Textures.Cloth(random, face.Unit);
        double brow = -0.4 - (0.2 * random.NextDouble());
        face.FillPolygon(canvas, cloth, (-1.3, brow - 0.1), (1.3, brow - 0.1), (1.25, -1.5), (0.7, -2.1), (-0.7, -2.1), (-1.25, -1.5));
        YuvColour brim = cloth(0, 0).Shaded(0.6);
        face.FillPolygon(canvas, (_, _) => brim, (-1.35, brow - 0.2), (1.35, brow - 0.2), (1.1, brow + 0.15), (0, brow + 0.25), (-1.1, brow + 0.15));
    }

    private static void Hair(Canvas canvas, FaceGrid face, SeededRandom random)
    {
        double dark = random.NextDouble();
        YuvColour colour = YuvColour.FromRgb(30 + (120 * dark), 20 + (80 * dark), 15 + (40 * dark));
        ulong salt = random.NextBits();
        int side = random.Next(2) == 0 ? 1 : -1;
        // Strands: narrow across the hair, long along it.
        YuvColour Strand(double x, double y) => colour.Shaded(1 + (0.4 * Textures.Noise((x + (0.2 * y)) / 1.5, y / 30, salt)));
        var edge = new List<(double, double)> { (-1.4, -1.9), (1.4, -1.9), (1.4, -0.3) };
        for (double x = 1.2; x >= -1.2; x -= 0.15)
            edge.Add((x, -0.35 + (0.3 * random.NextDouble()) + (x * side > 0.2 ? 0.45 : 0)));
        edge.Add((-1.4, -0.3));
        face.FillPolygon(canvas, Strand, [.. edge]);
    }

    private static void Hand(Canvas canvas, FaceGrid face, SeededRandom random)
    {
        // The colour of the person's cheek.
        int side = random.Next(2) == 0 ? 1 : -1;
        (double x, double y) cheek = face.At(0.45 * side, 0.65);
        YuvColour skin = canvas[(int)cheek.x, (int)cheek.y];
        double level = 0.75 + (0.4 * random.NextDouble());
        ulong salt = random.NextBits();
        YuvColour Skin(double x, double y) => skin.Shaded(0.95 + (0.04 * Textures.Noise(x, y, salt)));
        face.FillEllipse(canvas, Skin, side * 0.95, level + 0.5, 0.6, 0.75);
        for (int finger = 0; finger < 4; finger++)
        {
            double from = level + (0.24 * finger);
            YuvColour Finger(double x, double y) => Skin(x, y).Shaded(finger % 2 == 0 ? 1 : 0.92);
            face.FillEllipse(canvas, Finger, side * 0.25, from, 0.75, 0.13);
        }
    }

    private static unsafe Picture Blurred(Picture picture, double sigma)
    {
        Picture copy = picture.Copy();
        var canvas = new Canvas(copy);
        int radius = Math.Max(1, (int)Math.Ceiling(3 * sigma));
        float[] kernel = [.. Enumerable.Range(-radius, (2 * radius) + 1).Select(i => (float)Math.Exp(-i * i / (2 * sigma * sigma)))];
        float sum = kernel.Sum();
        int width = canvas.Width, height = canvas.Height;
        using HostBuffer<float> between = BufferPool.Rent<float>(width * height);
        foreach (byte* plane in canvas.Planes)
        {
            for (int row = 0; row < height; row++)
            {
                for (int x = 0; x < width; x++)
                {
                    float value = 0;
                    for (int k = -radius; k <= radius; k++)
                        value += kernel[k + radius] * plane[(row * width) + Math.Clamp(x + k, 0, width - 1)];
                    between.Pointer[(row * width) + x] = value / sum;
                }
            }
            for (int row = 0; row < height; row++)
            {
                for (int x = 0; x < width; x++)
                {
                    float value = 0;
                    for (int k = -radius; k <= radius; k++)
                        value += kernel[k + radius] * between.Pointer[(Math.Clamp(row + k, 0, height - 1) * width) + x];
                    plane[(row * width) + x] = Canvas.Byte(value / sum);
                }
            }
        }
        return copy;
    }

    // Less light on a sensor with constant noise.
    private static Picture Changed(Picture picture, SeededRandom random, double gain, double noise)
    {
        Picture copy = picture.Copy();
        var canvas = new Canvas(copy);
        for (int row = 0; row < canvas.Height; row++)
        {
            for (int x = 0; x < canvas.Width; x++)
            {
                YuvColour c = canvas[x, row];
                canvas[x, row] = new YuvColour((float)((c.Y * gain) + (noise * random.NextNormal())),
                    (float)(128 + ((c.U - 128) * gain) + (noise / 2 * random.NextNormal())), (float)(128 + ((c.V - 128) * gain) + (noise / 2 * random.NextNormal())));
            }
        }
        return copy;
    }

    private static Picture Compressed(Picture picture, int quality)
    {
        using HostBuffer<byte> jpeg = picture.EncodeJpeg(quality, out int bytes);
        using MediaFrame decoded = MediaReader.ReadPicture(jpeg.Span[..bytes]);
        return Scaled(FrameLease.ViewOf(decoded), picture.Width, picture.Height);
    }

    private static Picture Shrunk(Picture picture, double scale) =>
        scale >= 1 ? picture.Copy() : Scaled(picture.View, Math.Max(16, (int)Math.Round(picture.Width * scale)), Math.Max(16, (int)Math.Round(picture.Height * scale)));

    /// <summary>A copy of a picture in another size; the caller owns it.</summary>
    internal static Picture Scaled(in FrameView view, int width, int height)
    {
        var scaled = new Picture(width, height);
        scaled.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, width);
        return scaled;
    }

    // The head as a cylinder turned about its axis: an approximation that foreshortens one side and stretches the other, without inventing hidden parts.
    private static Picture Turned(Picture picture, Landmarks5 landmarks, double degrees)
    {
        Picture copy = picture.Copy();
        Canvas source = new(picture), canvas = new(copy);
        var face = new FaceGrid(landmarks);
        double angle = degrees * Math.PI / 180, radius = HeadRadius * face.Unit;
        (double centre, _) = face.At(0, 0);
        for (int row = 0; row < canvas.Height; row++)
        {
            for (int x = 0; x < canvas.Width; x++)
            {
                double across = (x + 0.5 - centre) / radius;
                if (Math.Abs(across) >= 1)
                    continue;
                double seen = Math.Clamp(Math.Asin(across) + angle, -Math.PI / 2, Math.PI / 2);
                double from = centre + (radius * Math.Sin(seen)) - 0.5;
                int left = (int)Math.Floor(from);
                float share = (float)(from - left);
                YuvColour a = source[left, row], b = source[left + 1, row];
                canvas[x, row] = new YuvColour(a.Y + (share * (b.Y - a.Y)), a.U + (share * (b.U - a.U)), a.V + (share * (b.V - a.V)));
            }
        }
        return copy;
    }
}

/// <summary>Coordinates on a face: origin between the eyes, x towards the right eye, y towards the mouth, in units of the distance between the eyes.</summary>
internal sealed class FaceGrid
{
    // From eyes to mouth on a frontal adult face, in inter-eye distances.
    private const double MouthHeight = 1.15;

    private readonly double originX, originY, rightX, rightY, downX, downY;

    public FaceGrid(Landmarks5 points)
    {
        originX = (points.LeftEye.X + points.RightEye.X) / 2;
        originY = (points.LeftEye.Y + points.RightEye.Y) / 2;
        rightX = points.RightEye.X - points.LeftEye.X;
        rightY = points.RightEye.Y - points.LeftEye.Y;
        downX = (((points.LeftMouth.X + points.RightMouth.X) / 2) - originX) / MouthHeight;
        downY = (((points.LeftMouth.Y + points.RightMouth.Y) / 2) - originY) / MouthHeight;
    }

    public double Unit => Math.Sqrt((rightX * rightX) + (rightY * rightY));

    /// <summary>From face coordinates to picture pixels.</summary>
    public (double X, double Y) At(double right, double down) => (originX + (right * rightX) + (down * downX), originY + (right * rightY) + (down * downY));

    public void FillEllipse(Canvas canvas, Func<double, double, YuvColour> texture, double right, double down, double width, double height)
    {
        var outline = new (double, double)[32];
        for (int i = 0; i < outline.Length; i++)
        {
            (double s, double c) = Math.SinCos(2 * Math.PI * i / outline.Length);
            outline[i] = (right + (width * c), down + (height * s));
        }
        FillPolygon(canvas, texture, outline);
    }

    public void FillPolygon(Canvas canvas, Func<double, double, YuvColour> texture, params (double Right, double Down)[] outline)
    {
        (double X, double Y)[] points = [.. outline.Select(p => At(p.Right, p.Down))];
        canvas.Fill(points.Min(p => p.X), points.Min(p => p.Y), points.Max(p => p.X), points.Max(p => p.Y), Inside, texture);

        // Even–odd rule.
        bool Inside(double x, double y)
        {
            bool inside = false;
            for (int i = 0, j = points.Length - 1; i < points.Length; j = i++)
            {
                if (points[i].Y > y != points[j].Y > y && x < ((points[j].X - points[i].X) * (y - points[i].Y) / (points[j].Y - points[i].Y)) + points[i].X)
                    inside = !inside;
            }
            return inside;
        }
    }
}
