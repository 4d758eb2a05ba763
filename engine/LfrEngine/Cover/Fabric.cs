namespace LfrEngine.Cover;

/// <summary>A colour, full-range BT.601.</summary>
internal readonly record struct Shade(float Y, float Cb, float Cr)
{
    /// <summary>Converts R′G′B′, 0xRRGGBB.</summary>
    public static Shade Of(int rgb)
    {
        float red = (rgb >> 16) & 255, green = (rgb >> 8) & 255, blue = rgb & 255;
        float y = (0.299f * red) + (0.587f * green) + (0.114f * blue);
        return new(y, ((blue - y) / 1.772f) + 128, ((red - y) / 1.402f) + 128);
    }

    /// <summary>The colour in more or less light.</summary>
    public Shade Lit(float light) => new(Y * light, 128 + ((Cb - 128) * MathF.Min(1, light)), 128 + ((Cr - 128) * MathF.Min(1, light)));

    /// <summary>Mixes this (0) with another (1).</summary>
    public Shade Towards(Shade other, float share) => new(Y + (share * (other.Y - Y)), Cb + (share * (other.Cb - Cb)), Cr + (share * (other.Cr - Cr)));
}

/// <summary>The material of a cover: colours, print and weave, determined by a seed. Coordinates are those of <see cref="FaceAxes"/>.</summary>
internal sealed class Fabric
{
    // White, black, grey, denim, the muted colours of outdoor clothing, and a few bright ones.
    private static readonly int[] s_dyes =
    [
        0xF4F4F0, 0xE6E9EC, 0xD8D2C4, 0x141416, 0x1E1F24, 0x3A3C40, 0x6B6E73, 0x9B9EA3, 0x1B2A4A, 0x27406B, 0x3F6FA8, 0x7FB2D9, 0xA9D0E6, 0x9ED8CB,
        0x2E4A36, 0x556B4A, 0x8A8B5C, 0xB79B6C, 0x8C6A48, 0x5A4030, 0x7A1F2B, 0xB23A3A, 0xD96C75, 0xE7B3BE, 0x6B4A86, 0xC9A227, 0xD9793A,
    ];

    private readonly Shade ground, print;
    private readonly Pattern pattern;
    private readonly float scale, sine, cosine, weave, lightFrom, phase;
    private readonly uint salt;

    public Fabric(Random random)
        : this(random, s_dyes[random.Next(s_dyes.Length)], plain: random.Next(5) < 2)
    {
    }

    /// <summary>A fabric of a given colour.</summary>
    /// <param name="random">Source of the random choices of this cover.</param>
    /// <param name="rgb">0xRRGGBB.</param>
    /// <param name="plain">Without a print.</param>
    public Fabric(Random random, int rgb, bool plain = true)
    {
        ground = Shade.Of(rgb);
        print = Shade.Of(s_dyes[random.Next(s_dyes.Length)]);
        pattern = plain ? Pattern.Plain : (Pattern)random.Next(1, 6);
        scale = 5 + (9 * random.NextSingle());
        (sine, cosine) = MathF.SinCos(MathF.PI * ((random.NextSingle() * 0.5f) - 0.25f));
        weave = 0.02f + (0.05f * random.NextSingle());
        lightFrom = (1.2f * random.NextSingle()) - 0.6f;
        phase = random.NextSingle() * MathF.Tau;
        salt = (uint)random.Next();
    }

    private enum Pattern
    {
        Plain,
        Dots,
        Bands,
        Tartan,
        Blotches,
        Chevrons,
    }

    /// <summary>A random colour of clothing, 0xRRGGBB.</summary>
    public static int Dye(Random random) => s_dyes[random.Next(s_dyes.Length)];

    /// <summary>The colour at a place, with light that falls on a round face from one side.</summary>
    /// <param name="u">Across.</param>
    /// <param name="v">Down.</param>
    /// <param name="light">Brightness of the face in the picture; 1 is a well-lit face.</param>
    public Shade At(float u, float v, float light)
    {
        float round = MathF.Cos(Math.Clamp((u - lightFrom) * 0.95f, -1.5f, 1.5f));
        float thread = 1 + (weave * Noise(u * 60, v * 60));
        return ground.Towards(print, Print(u, v)).Lit(light * (0.55f + (0.45f * round)) * thread);
    }

    /// <summary>Soft folds: brightness that varies along one direction, with some irregularity.</summary>
    /// <param name="u">Across.</param>
    /// <param name="v">Down.</param>
    /// <param name="steepness">Folds per unit downwards.</param>
    /// <param name="lean">How far they lean to the side.</param>
    /// <returns>Factor on the light.</returns>
    public float Folds(float u, float v, float steepness, float lean) =>
        1 + (0.13f * MathF.Sin((steepness * v) + (lean * u) + phase + (1.5f * Smooth((u * 1.7f) + phase, v * 1.3f))));

    /// <summary>Smooth noise, −1…1.</summary>
    public float Smooth(float x, float y)
    {
        float left = MathF.Floor(x), top = MathF.Floor(y), fx = x - left, fy = y - top;
        (fx, fy) = (fx * fx * (3 - (2 * fx)), fy * fy * (3 - (2 * fy)));
        float above = Noise(left, top) + (fx * (Noise(left + 1, top) - Noise(left, top)));
        float below = Noise(left, top + 1) + (fx * (Noise(left + 1, top + 1) - Noise(left, top + 1)));
        return above + (fy * (below - above));
    }

    private float Print(float u, float v)
    {
        float x = scale * ((u * cosine) + (v * sine)), y = scale * ((v * cosine) - (u * sine));
        switch (pattern)
        {
            case Pattern.Dots:
                float row = MathF.Round(y), dx = x - MathF.Round(x - (0.5f * (row % 2))) - (0.5f * (row % 2)), dy = y - row;
                return (dx * dx) + (dy * dy) < 0.07f ? 1 : 0;
            case Pattern.Bands:
                return y - MathF.Floor(y) < 0.35f ? 1 : 0;
            case Pattern.Tartan:
                return ((x - MathF.Floor(x) < 0.4f ? 0.5f : 0) + (y - MathF.Floor(y) < 0.4f ? 0.5f : 0)) * 0.9f;
            case Pattern.Blotches:
                return Smooth(x * 0.6f, y * 0.6f) > 0.1f ? 0.85f : 0;
            case Pattern.Chevrons:
                float zigzag = y + MathF.Abs(x - MathF.Floor(x) - 0.5f);
                return zigzag - MathF.Floor(zigzag) < 0.5f ? 0.9f : 0;
            default:
                return 0;
        }
    }

    private float Noise(float x, float y)
    {
        uint h = salt ^ ((uint)(int)MathF.Floor(x) * 0x9E3779B1u) ^ ((uint)(int)MathF.Floor(y) * 0x85EBCA77u);
        h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
        h = (h ^ (h >> 12)) * 0x297A2D39u;
        return ((h ^ (h >> 15)) * (2f / uint.MaxValue)) - 1;
    }
}
