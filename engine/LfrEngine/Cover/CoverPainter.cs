using LfrEngine.Alignment;
using LfrEngine.Frames;
using LfrEngine.Native.Memory;

namespace LfrEngine.Cover;

/// <summary>Draws masks, scarves, sunglasses and hats on the picture of a face, along its 68 landmarks.</summary>
/// <remarks>
/// At enrolment covers are drawn on each photo and the results are embedded too, so that a covered face is compared with a similarly covered one. The seed
/// determines everything. The laboratory draws its probes with other code (<c>LfrEngine.Evaluation.Cover</c>) on purpose: the two share nothing.
/// </remarks>
internal sealed class CoverPainter : IDisposable
{
    /// <summary>Landmarks of a face: the 68 of iBUG 300-W.</summary>
    public const int PointCount = LandmarkFinder.PointCount;

    // Mean luma of a well-lit face. Cloth is drawn in the same light as the face.
    private const float WellLit = 150;

    private readonly Outline outline = new();

    /// <summary>Draws one cover.</summary>
    /// <param name="picture">Drawn on. Borrowed.</param>
    /// <param name="points"><see cref="PointCount"/> points of the face, picture pixels. Borrowed.</param>
    /// <param name="kind">What to draw.</param>
    /// <param name="seed">Determines shape and fabric.</param>
    /// <returns>False if the points do not span a face; then nothing is drawn.</returns>
    public bool TryPaint(Picture picture, ReadOnlySpan<PointF> points, CoverKind kind, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(points.Length, PointCount);
        var face = new FaceAxes(points);
        if (!face.IsUsable)
            return false;
        using var brush = new Brush(picture);
        var random = new Random(seed);
        float light = Math.Clamp(((brush.MeanLuma(Cheek(points, 1), face.Unit * 0.12f) + brush.MeanLuma(Cheek(points, 15), face.Unit * 0.12f)) / 2) / WellLit, 0.3f, 1.15f);
        switch (kind)
        {
            case CoverKind.SurgicalMask or CoverKind.Respirator or CoverKind.ClothMask:
                Mask(brush, points, face, kind, random, light);
                break;
            case CoverKind.Scarf:
                Scarf(brush, points, face, random, light);
                break;
            case CoverKind.Sunglasses:
                Sunglasses(brush, points, face, random, light);
                break;
            case CoverKind.Cap:
                Cap(brush, points, face, random, light);
                break;
            case CoverKind.KnittedHat:
                KnittedHat(brush, points, face, random, light);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown cover.");
        }
        outline.Clear();
        StackScrub.Wipe();
        return true;
    }

    public void Dispose() => outline.Dispose();

    private void Mask(Brush brush, ReadOnlySpan<PointF> points, FaceAxes face, CoverKind kind, Random random, float light)
    {
        int[] surgical = [0xA9D0E6, 0x8FC1DE, 0xF2F4F4, 0x9ED8CB, 0x1A1B1E, 0xE7B3BE], stiff = [0xF4F4F0, 0xEDEDE6, 0x202124, 0xC9CDD0];
        Fabric fabric = kind switch
        {
            CoverKind.SurgicalMask => new Fabric(random, surgical[random.Next(surgical.Length)]),
            CoverKind.Respirator => new Fabric(random, stiff[random.Next(stiff.Length)]),
            _ => new Fabric(random),
        };
        // How high it sits on the nose (27 is the root, 30 the tip), and how far it stands off from jaw and chin.
        float height = 0.25f + (0.5f * random.NextSingle()), loose = 0.02f + (0.08f * random.NextSingle()), seam = 14 + (6 * random.NextSingle());
        PointF nose = Between(points[28], points[29], height), middle = points[33];
        int ear = random.Next(1, 3);
        Span<PointF> knots = stackalloc PointF[9];

        // Straps to the ears, below the edge of the mask.
        for (int side = 0; side < 2; side++)
        {
            PointF temple = points[side == 0 ? 0 : 16], corner = Outward(points[side == 0 ? ear + 1 : 15 - ear], middle, loose), jaw = Outward(points[side == 0 ? 4 : 12], middle, loose);
            foreach (PointF from in (ReadOnlySpan<PointF>)[corner, jaw])
            {
                PointF to = Outward(temple, middle, 0.06f);
                float thick = face.Unit * 0.022f;
                outline.Clear().To(new PointF(from.X, from.Y - thick)).To(new PointF(to.X, to.Y - thick)).To(new PointF(to.X, to.Y + thick)).To(new PointF(from.X, from.Y + thick));
                brush.Fill(outline, face, (_, _) => (Shade.Of(0xE8E8E6).Lit(light * 0.9f), 0.9f));
            }
        }

        outline.Clear();
        // Upper edge, from ear to ear over the nose; then along the jaw.
        PointF left = Outward(points[ear], middle, loose * 0.5f), right = Outward(points[16 - ear], middle, loose * 0.5f);
        (knots[0], knots[1], knots[2], knots[3], knots[4]) = (left, Between(Between(left, nose, 0.5f), middle, 0.12f), Between(left, nose, 0.82f), nose, Between(right, nose, 0.82f));
        (knots[5], knots[6]) = (Between(Between(right, nose, 0.5f), middle, 0.12f), right);
        outline.Through(knots[..7]);
        for (int i = 0; i < 9; i++)
        {
            // From 15 − ear to 1 + ear, with some room below the chin.
            int at = (int)MathF.Round((15 - ear) + (i * ((1 + ear) - (15 - ear)) / 8f));
            knots[i] = Outward(points[at], middle, loose + (at is > 5 and < 11 ? 0.05f : 0));
        }
        outline.Through(knots);
        CoverKind what = kind;
        brush.Fill(outline, face, (u, v) =>
        {
            float shade = what switch
            {
                CoverKind.SurgicalMask => 1 - (0.16f * MathF.Exp(-40 * Square(((v - 0.55f) / 0.36f) - MathF.Round((v - 0.55f) / 0.36f)))),
                CoverKind.Respirator => MathF.Abs(u) < 0.03f ? 0.8f : 1.06f - (0.3f * MathF.Abs(u)),
                _ => fabric.Folds(u, v, 5, 3) * (MathF.Abs((u * seam) - MathF.Round(u * seam)) < 0.04f && MathF.Abs(u) < 0.04f ? 0.7f : 1),
            };
            // The wire over the nose, and the shadow below the chin.
            shade *= v < 0.62f && MathF.Abs(u) < 0.3f ? 1.05f : 1;
            shade *= v > 1.6f ? 0.85f : 1;
            return (fabric.At(u, v, light * shade), 0.99f);
        });
        knots.Clear();
    }

    private void Scarf(Brush brush, ReadOnlySpan<PointF> points, FaceAxes face, Random random, float light)
    {
        var fabric = new Fabric(random);
        float rise = 0.1f + (0.9f * random.NextSingle()), wide = 0.06f + (0.16f * random.NextSingle()), lean = 5 * (random.NextSingle() - 0.5f), steep = 7 + (6 * random.NextSingle());
        PointF nose = Between(points[33], points[29], rise), middle = points[33];
        PointF left = Outward(points[2], middle, wide), right = Outward(points[14], middle, wide);
        Span<PointF> knots = [left, Between(Between(left, nose, 0.45f), points[8], 0.1f), nose, Between(Between(right, nose, 0.55f), points[8], 0.06f), right];
        outline.Clear().Through(knots)
            .To(Outward(points[12], middle, wide + 0.12f)).To(face.At(1.5f, 2.4f)).To(face.At(1.9f, 4)).To(face.At(-1.9f, 4)).To(face.At(-1.5f, 2.4f)).To(Outward(points[4], middle, wide + 0.12f));
        brush.Fill(outline, face, (u, v) =>
        {
            return (fabric.At(u * 0.8f, v, light * fabric.Folds(u, v, steep, lean + (2.5f * MathF.Abs(u)))), 1);
        });
        knots.Clear();
    }

    private void Sunglasses(Brush brush, ReadOnlySpan<PointF> points, FaceAxes face, Random random, float light)
    {
        int[] frames = [0x101012, 0x3B2A1E, 0xB08D3C, 0x8A8D91, 0x5C1A20, 0xE9E6DF], lenses = [0x08090B, 0x14120F, 0x2B1D12, 0x16202B, 0x22281C];
        Shade frame = Shade.Of(frames[random.Next(frames.Length)]).Lit(light), lens = Shade.Of(lenses[random.Next(lenses.Length)]);
        float wide = 0.36f + (0.14f * random.NextSingle()), up = 0.24f + (0.12f * random.NextSingle()), down = 0.26f + (0.24f * random.NextSingle()), square = 0.2f + (0.75f * random.NextSingle());
        float rim = 0.02f + (0.05f * random.NextSingle()), clear = 0.25f * random.NextSingle(), opacity = 0.86f + (0.13f * random.NextSingle()), glint = (1.6f * random.NextSingle()) - 0.8f;

        // Temple arms, then the bridge.
        foreach ((int temple, float side) in (ReadOnlySpan<(int, float)>)[(0, -1), (16, 1)])
        {
            PointF end = points[temple], from = face.At(side * (0.5f + wide), -0.1f);
            float thick = face.Unit * (0.02f + (rim * 0.6f));
            outline.Clear().To(new PointF(from.X, from.Y - thick)).To(new PointF(end.X, end.Y - thick)).To(new PointF(end.X, end.Y + thick)).To(new PointF(from.X, from.Y + thick));
            brush.Fill(outline, face, (_, _) => (frame, 1));
        }
        outline.Clear().To(face.At(-0.2f, -0.14f)).To(face.At(0.2f, -0.14f)).To(face.At(0.2f, -0.04f)).To(face.At(0, -0.07f)).To(face.At(-0.2f, -0.04f));
        brush.Fill(outline, face, (_, _) => (frame, 1));
        for (int eye = -1; eye <= 1; eye += 2)
        {
            Lens(face, eye, wide + rim, up + rim, down + rim, square);
            brush.Fill(outline, face, (_, _) => (frame, 1));
            Lens(face, eye, wide, up, down, square);
            brush.Fill(outline, face, (u, v) =>
            {
                float gradient = Math.Clamp((v + up) / (up + down), 0, 1);
                // A slanted reflection of the sky.
                float sky = MathF.Exp(-60 * Square(u - (eye * 0.5f) + (0.6f * v) - (glint * 0.4f)));
                return (lens.Towards(Shade.Of(0xC8D4E0), (0.1f * light) + (0.22f * sky)), opacity - (clear * gradient));
            });
        }
    }

    // A rounded rectangular lens (a superellipse), narrower at the bottom.
    private void Lens(FaceAxes face, int eye, float wide, float up, float down, float square)
    {
        const int Sides = 40;
        float power = 1 - (0.62f * square);
        outline.Clear();
        for (int i = 0; i < Sides; i++)
        {
            (float s, float c) = MathF.SinCos(MathF.Tau * i / Sides);
            float x = MathF.CopySign(MathF.Pow(MathF.Abs(c), power), c) * wide, y = MathF.CopySign(MathF.Pow(MathF.Abs(s), power), s);
            y *= y < 0 ? up : down;
            float drawnIn = y > 0 ? 1 - (0.25f * y / down) : 1;
            outline.To(face.At((eye * 0.5f) + (x * drawnIn) + (eye * 0.03f * y / down), y));
        }
    }

    private void Cap(Brush brush, ReadOnlySpan<PointF> points, FaceAxes face, Random random, float light)
    {
        var fabric = new Fabric(random);
        Shade visor = random.Next(2) == 0 ? Shade.Of(Fabric.Dye(random)) : fabric.At(0, -1, 1);
        // The mean height of the brows. The lower edge of the visor is well above to just below it.
        (_, float brow) = face.Of((points[19].X + points[24].X) / 2, (points[19].Y + points[24].Y) / 2);
        float edge = brow + 0.1f - (0.26f * random.NextSingle()), arch = 0.1f + (0.16f * random.NextSingle()), deep = 0.3f + (0.22f * random.NextSingle()), shadow = 0.2f + (0.35f * random.NextSingle()), turn = 0.3f * (random.NextSingle() - 0.5f);

        // The visor's shadow on the forehead and the eyes.
        Span<PointF> under = [face.At(-1.15f, edge - 0.1f), face.At(-0.5f, edge + 0.3f), face.At(0, edge + 0.36f), face.At(0.5f, edge + 0.3f), face.At(1.15f, edge - 0.1f)];
        outline.Clear().Through(under).To(face.At(1.15f, edge - 0.6f)).To(face.At(-1.15f, edge - 0.6f));
        brush.Fill(outline, face, (_, v) => (new Shade(10, 128, 128), shadow * Math.Clamp((edge + 0.38f - v) / 0.35f, 0, 1)));

        Span<PointF> dome = [face.At(-1.32f, edge - deep + 0.25f), face.At(-1.32f, -1.2f), face.At(-0.9f, -1.85f), face.At(0, -2.1f), face.At(0.9f, -1.85f), face.At(1.32f, -1.2f), face.At(1.32f, edge - deep + 0.25f)];
        outline.Clear().Through(dome);
        brush.Fill(outline, face, (u, v) =>
        {
            // Six panels meet at the top.
            float panel = MathF.Abs(u - turn) / MathF.Max(0.15f, 0.45f + (0.2f * v) + 1);
            return (fabric.At(u, v, light * (MathF.Abs(panel - 0.42f) < 0.025f || MathF.Abs(u - turn) < 0.012f ? 0.75f : 1)), 1);
        });
        Span<PointF> lower = [face.At(-1.32f, edge - deep + 0.28f), face.At(-0.9f + turn, edge - 0.02f), face.At(turn, edge + arch - 0.05f), face.At(0.9f + turn, edge - 0.02f), face.At(1.32f, edge - deep + 0.28f)];
        Span<PointF> upper = [face.At(1.28f, edge - deep + 0.1f), face.At(0.7f + turn, edge - deep - 0.1f), face.At(turn, edge - deep - 0.14f), face.At(-0.7f + turn, edge - deep - 0.1f), face.At(-1.28f, edge - deep + 0.1f)];
        outline.Clear().Through(lower).Through(upper);
        brush.Fill(outline, face, (u, v) =>
        {
            return (visor.Lit(light * (1.05f - (0.5f * Math.Clamp((v - edge + deep) / (deep + arch), 0, 1))) * (1 - (0.15f * u * u))), 1);
        });
        under.Clear();
        dome.Clear();
        lower.Clear();
        upper.Clear();
    }

    private void KnittedHat(Brush brush, ReadOnlySpan<PointF> points, FaceAxes face, Random random, float light)
    {
        Fabric crown = new(random), turnUp = random.Next(2) == 0 ? crown : new Fabric(random);
        (_, float brow) = face.Of((points[19].X + points[24].X) / 2, (points[19].Y + points[24].Y) / 2);
        float edge = brow + 0.06f - (0.28f * random.NextSingle()), band = 0.3f + (0.25f * random.NextSingle()), ribs = 14 + (16 * random.NextSingle()), sag = 0.05f + (0.12f * random.NextSingle()), sides = 0.1f + (0.5f * random.NextSingle());
        Span<PointF> dome = [face.At(-1.25f, edge + sides), face.At(-1.38f, -0.9f), face.At(-1.05f, -1.75f), face.At(0, -2.15f), face.At(1.05f, -1.75f), face.At(1.38f, -0.9f), face.At(1.25f, edge + sides)];
        Span<PointF> lower = [face.At(1.18f, edge + sides), face.At(0.7f, edge + 0.02f), face.At(0, edge - sag), face.At(-0.7f, edge + 0.02f), face.At(-1.18f, edge + sides)];
        outline.Clear().Through(dome).Through(lower);
        brush.Fill(outline, face, (u, v) =>
        {
            bool folded = v > edge - band;
            float rib = 0.9f + (0.14f * MathF.Sin(ribs * MathF.Asin(Math.Clamp(u / 1.35f, -1, 1)) * (folded ? 1 : 1.15f)));
            float fold = MathF.Abs(v - edge + band) < 0.03f ? 0.6f : 1;
            return ((folded ? turnUp : crown).At(u, v, light * rib * fold), 1);
        });
        dome.Clear();
        lower.Clear();
    }

    private static PointF Cheek(ReadOnlySpan<PointF> points, int jaw) => Between(points[jaw + (jaw < 8 ? 1 : -1)], points[33], 0.45f);

    private static PointF Between(PointF from, PointF to, float share) => new(from.X + (share * (to.X - from.X)), from.Y + (share * (to.Y - from.Y)));

    private static PointF Outward(PointF point, PointF middle, float share) => Between(middle, point, 1 + share);

    private static float Square(float value) => value * value;
}
