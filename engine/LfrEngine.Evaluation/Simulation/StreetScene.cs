using LfrEngine.Detection;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Frames;
using LfrEngine.Memory;

namespace LfrEngine.Evaluation.Simulation;

/// <summary>The head of a person, cut out of a still. The scene owns and disposes it.</summary>
/// <param name="Subject">Name of the person.</param>
/// <param name="Listed">Whether the person is on the list.</param>
/// <param name="Chip">Square picture around the face.</param>
/// <param name="Face">The face, chip pixels.</param>
/// <param name="EyePixels">Chip pixels between the eyes.</param>
internal sealed record Head(string Subject, bool Listed, Picture Chip, FaceBox Face, float EyePixels);

/// <summary>A simulated street with several people walking past at different speeds and distances, in front of each other, with the ground truth.</summary>
internal sealed unsafe class StreetScene : IDisposable
{
    public const int Width = 1280, Height = 720, FramesPerSecond = 25;

    /// <summary>Bytes of a frame: I420, full range, BT.601.</summary>
    public const int FrameBytes = Width * Height * 3 / 2;

    private const double FarthestEyes = 12, NearestEyes = 48;

    private readonly List<Walker> walkers = [];
    private readonly HostBuffer<byte> street = BufferPool.Rent<byte>(FrameBytes);

    /// <summary>Creates a scene in which the people walk past in random order.</summary>
    /// <param name="heads">Each walks past once. Ownership passes to the scene.</param>
    /// <param name="random">Source of the random choices of this scene.</param>
    public StreetScene(IReadOnlyList<Head> heads, SeededRandom random)
    {
        Head[] order = [.. heads];
        random.Shuffle<Head>(order);
        double start = 200;
        foreach (Head head in order)
        {
            double duration = 2500 + (3500 * random.NextDouble()), near = FarthestEyes + ((NearestEyes - FarthestEyes) * random.NextDouble());
            bool approaches = random.Next(2) == 0;
            double from = approaches ? 200 + (880 * random.NextDouble()) : random.Next(2) == 0 ? -150 : Width + 150;
            walkers.Add(new Walker(head, start, duration, from, approaches ? from + (300 * (random.NextDouble() - 0.5)) : Width - from,
                approaches ? Math.Max(FarthestEyes - 4, near / 3) : near, near, Textures.Cloth(random, near), 6.28 * random.NextDouble()));
            start += 500 + (1300 * random.NextDouble());
        }
        DurationMs = walkers.Max(w => w.StartMs + w.DurationMs) + 800;
        PaintStreet(random.NextBits());
    }

    public double DurationMs { get; }

    public int Frames => (int)(DurationMs * FramesPerSecond / 1000);

    /// <summary>Draws a frame.</summary>
    /// <param name="number">From 0.</param>
    /// <param name="frame">Receives <see cref="FrameBytes"/>. Borrowed.</param>
    public void Draw(int number, HostBuffer<byte> frame)
    {
        street.Span.CopyTo(frame.Span);
        double time = number * 1000.0 / FramesPerSecond;
        foreach (Placed placed in At(time))
            Paint(placed, frame.Pointer);
    }

    /// <summary>The passages of this scene, in order of entering.</summary>
    /// <param name="video">Name of the recording.</param>
    /// <param name="camera">Name of the camera.</param>
    public IReadOnlyList<Passage> Truth(string video, string camera)
    {
        var tracks = walkers.ToDictionary(w => w, _ => new List<(TrackPoint Point, double Eyes)>());
        for (int number = 0; number < Frames; number++)
        {
            double time = number * 1000.0 / FramesPerSecond;
            Placed[] all = [.. At(time)];
            for (int i = 0; i < all.Length; i++)
            {
                FaceBox box = all[i].Face;
                float x = (box.Left + box.Right) / 2, y = (box.Top + box.Bottom) / 2;
                if (x is > 0 and < Width && y is > 0 and < Height)
                    tracks[all[i].Walker].Add((new TrackPoint(time, box, Visible(box, all.AsSpan(i + 1))), all[i].Eyes));
            }
        }
        return [.. walkers.Where(w => tracks[w].Count > 1).Select(w => new Passage(video, camera, tracks[w][0].Point.TimeMs, tracks[w][^1].Point.TimeMs, w.Head.Listed ? w.Head.Subject : null,
            w.Head.Subject, tracks[w].Max(t => t.Eyes), [.. tracks[w].Select(t => t.Point)]))];
    }

    public void Dispose()
    {
        foreach (Walker walker in walkers)
            walker.Head.Chip.Dispose();
        street.Dispose();
    }

    // Distant people first: those in front are painted over them.
    private IEnumerable<Placed> At(double time) => walkers.Where(w => time >= w.StartMs && time <= w.StartMs + w.DurationMs).Select(w =>
    {
        double share = (time - w.StartMs) / w.DurationMs;
        double eyes = w.FromEyes * Math.Pow(w.ToEyes / w.FromEyes, share);
        double x = w.FromX + ((w.ToX - w.FromX) * share);
        // Nearer people are larger and a little lower. They bob slightly at each step.
        double y = 150 + (3.2 * eyes) + (0.12 * eyes * Math.Sin((time / 1000 * 11) + w.Phase));
        return new Placed(w, x, y, eyes);
    }).OrderBy(p => p.Eyes);

    private static double Visible(FaceBox box, ReadOnlySpan<Placed> inFront)
    {
        const int Steps = 6;
        int seen = 0;
        for (int i = 0; i < Steps * Steps; i++)
        {
            double x = box.Left + (box.Width * ((i % Steps) + 0.5) / Steps), y = box.Top + (box.Height * ((i / Steps) + 0.5) / Steps);
            bool hidden = false;
            foreach (Placed other in inFront)
                hidden |= other.Hides(x, y);
            seen += hidden ? 0 : 1;
        }
        return (double)seen / (Steps * Steps);
    }

    private static void Paint(Placed placed, byte* frame)
    {
        Head head = placed.Walker.Head;
        var chip = new Canvas(head.Chip);
        (double left, double top, double right, double bottom) = placed.Bounds;
        byte* u = frame + (Width * Height), v = u + (Width * Height / 4);
        for (int row = Math.Max(0, (int)top); row < Math.Min(Height, bottom); row++)
        {
            for (int column = Math.Max(0, (int)left); column < Math.Min(Width, right); column++)
            {
                double x = column + 0.5, y = row + 0.5, cover = placed.HeadCover(x, y);
                bool body = placed.InBody(x, y);
                if (cover <= 0 && !body)
                    continue;
                int at = (row * Width) + column, chroma = (row / 2 * (Width / 2)) + (column / 2);
                YuvColour behind = body ? placed.Walker.Cloth(x - placed.X, y - placed.Y) : new YuvColour(frame[at], u[chroma], v[chroma]);
                YuvColour colour = behind;
                if (cover > 0)
                {
                    YuvColour skin = Sample(chip, ((x - placed.X) / placed.Scale) + (head.Chip.Width / 2.0), ((y - placed.Y) / placed.Scale) + (head.Chip.Height / 2.0));
                    float c = (float)cover;
                    colour = new YuvColour(behind.Y + (c * (skin.Y - behind.Y)), behind.U + (c * (skin.U - behind.U)), behind.V + (c * (skin.V - behind.V)));
                }
                frame[at] = Canvas.Byte(colour.Y);
                u[chroma] = Canvas.Byte(colour.U);
                v[chroma] = Canvas.Byte(colour.V);
            }
        }
    }

    private static YuvColour Sample(Canvas chip, double x, double y)
    {
        x -= 0.5;
        y -= 0.5;
        int left = (int)Math.Floor(x), top = (int)Math.Floor(y);
        float right = (float)(x - left), down = (float)(y - top);
        YuvColour a = chip[left, top], b = chip[left + 1, top], c = chip[left, top + 1], d = chip[left + 1, top + 1];
        return new YuvColour(Mix(a.Y, b.Y, c.Y, d.Y), Mix(a.U, b.U, c.U, d.U), Mix(a.V, b.V, c.V, d.V));

        float Mix(float a, float b, float c, float d) => ((a + (right * (b - a))) * (1 - down)) + ((c + (right * (d - c))) * down);
    }

    private void PaintStreet(ulong salt)
    {
        Span<byte> all = street.Span;
        for (int row = 0; row < Height; row++)
        {
            for (int column = 0; column < Width; column++)
            {
                double wall = row < 420 ? 120 + (row / 10.0) : 90 - ((row - 420) / 12.0);
                bool window = row is > 60 and < 240 && column % 210 is > 40 and < 150;
                all[(row * Width) + column] = Canvas.Byte((float)((window ? wall * 0.6 : wall) + (6 * Textures.Noise(column / 3.0, row / 3.0, salt))));
            }
        }
        all[(Width * Height)..].Fill(128);
    }

    private sealed record Walker(Head Head, double StartMs, double DurationMs, double FromX, double ToX, double FromEyes, double ToEyes, Func<double, double, YuvColour> Cloth, double Phase);

    /// <summary>A person at one moment: centre and scale of the chip.</summary>
    private readonly record struct Placed(Walker Walker, double X, double Y, double Eyes)
    {
        private const double Feather = 0.12;

        public double Scale => Eyes / Walker.Head.EyePixels;

        /// <summary>The face, frame pixels.</summary>
        public FaceBox Face
        {
            get
            {
                FaceBox face = Walker.Head.Face;
                double half = Walker.Head.Chip.Width / 2.0, scale = Scale;
                return new FaceBox((float)(X + ((face.Left - half) * scale)), (float)(Y + ((face.Top - half) * scale)), (float)(X + ((face.Right - half) * scale)), (float)(Y + ((face.Bottom - half) * scale)));
            }
        }

        /// <summary>Contains everything that is painted.</summary>
        public (double Left, double Top, double Right, double Bottom) Bounds => (X - (4 * Eyes), Y - (3 * Eyes), X + (4 * Eyes), Height);

        /// <summary>Opacity of the head at a pixel: 1 inside, fading at the edge.</summary>
        public double HeadCover(double x, double y)
        {
            FaceBox face = Face;
            double across = (x - ((face.Left + face.Right) / 2)) / (0.72 * face.Width), down = (y - (((face.Top + face.Bottom) / 2) - (0.05 * face.Height))) / (0.78 * face.Height);
            return Math.Clamp((1 - Math.Sqrt((across * across) + (down * down))) / Feather, 0, 1);
        }

        /// <summary>Whether a pixel is on neck, shoulders or trunk.</summary>
        public bool InBody(double x, double y)
        {
            FaceBox face = Face;
            double below = (y - face.Bottom) / face.Height, aside = Math.Abs(x - ((face.Left + face.Right) / 2)) / face.Width;
            return below > -0.1 && aside < (below < 0.15 ? 0.35 : Math.Min(1.3, 0.35 + (4 * (below - 0.15))));
        }

        public bool Hides(double x, double y) => HeadCover(x, y) > 0.5 || InBody(x, y);
    }
}
