using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Cover;

[Collection(CountsRentedBuffers.Name)]
public sealed unsafe class CoverPainterTests
{
    private const int Side = 256;

    [Theory]
    [InlineData(CoverKind.SurgicalMask)]
    [InlineData(CoverKind.Respirator)]
    [InlineData(CoverKind.ClothMask)]
    [InlineData(CoverKind.Scarf)]
    [InlineData(CoverKind.Sunglasses)]
    [InlineData(CoverKind.Cap)]
    [InlineData(CoverKind.KnittedHat)]
    public void TryPaint_AnyKind_HidesItsPartsAndNoOthers(object drawn)
    {
        var kind = (CoverKind)drawn;
        PointF[] face = MeanFace.Points;
        for (int seed = 0; seed < 40; seed++)
        {
            using Picture picture = Painted(kind, seed, face);
            (FaceCover Part, PointF[] Places)[] parts =
            [
                (FaceCover.LowerFace, [face[62], face[66], face[57], Between(face[8], face[57], 0.4f)]),
                (FaceCover.Eyes, [Middle(face[36..42]), Middle(face[42..48])]),
                (FaceCover.Brow, [Between(face[27], Between(face[19], face[24], 0.5f), 3.2f)]),
            ];
            foreach ((FaceCover part, PointF[] places) in parts)
            {
                bool hidden = kind.Parts().HasFlag(part);
                // A visor's shadow may fall on the eyes; it hides nothing.
                if (!hidden && part == FaceCover.Eyes && kind == CoverKind.Cap)
                    continue;
                foreach (PointF place in places)
                    Assert.True(hidden == Changed(picture, place), $"{kind}, seed {seed}: {part} at {place} is {(hidden ? "not hidden" : "touched")}");
            }
        }
    }

    [Fact]
    public void TryPaint_SameSeed_DrawsTheSameAndOtherSeedsOthers()
    {
        foreach (CoverKind kind in Enum.GetValues<CoverKind>())
        {
            var seen = new HashSet<string>();
            for (int seed = 0; seed < 8; seed++)
            {
                using Picture first = Painted(kind, seed, MeanFace.Points), again = Painted(kind, seed, MeanFace.Points);
                Assert.Equal(Hash(first), Hash(again));
                seen.Add(Hash(first));
            }
            Assert.Equal(8, seen.Count);
        }
    }

    [Fact]
    public void TryPaint_FaceTurnedByHalf_DrawsTheSameMaskTurned()
    {
        // A face that hangs upside down in the picture: what is hidden follows it.
        PointF[] face = [.. MeanFace.Points.Select(p => new PointF(Side - p.X, Side - p.Y))];
        using Picture picture = Painted(CoverKind.SurgicalMask, 3, face);
        Assert.True(Changed(picture, face[66]));
        Assert.False(Changed(picture, Middle(face[36..42])));
    }

    [Fact]
    public void TryPaint_FacePartlyOutside_StaysInThePicture()
    {
        foreach ((float x, float y) in (ReadOnlySpan<(float, float)>)[(-120, 0), (120, 0), (0, -140), (0, 140), (900, 900), (-900, -900)])
        {
            PointF[] face = [.. MeanFace.Points.Select(p => new PointF(p.X + x, p.Y + y))];
            foreach (CoverKind kind in Enum.GetValues<CoverKind>())
                Painted(kind, 1, face).Dispose();
        }
    }

    [Fact]
    public void TryPaint_PointsThatSpanNoFace_DrawsNothing()
    {
        using var painter = new CoverPainter();
        foreach (PointF[] points in (PointF[][])[new PointF[68], [.. Enumerable.Repeat(new PointF(float.NaN, 3), 68)], [.. Enumerable.Range(0, 68).Select(i => new PointF(i, i))]])
        {
            using Picture picture = Blank();
            string before = Hash(picture);
            Assert.False(painter.TryPaint(picture, points, CoverKind.Scarf, 1));
            Assert.Equal(before, Hash(picture));
        }
    }

    [Fact]
    public void TryPaint_Afterwards_HoldsNothingOfTheFace()
    {
        long before = BufferPool.OutstandingBlocks;
        var painter = new CoverPainter();
        using (Picture picture = Blank())
            Assert.True(painter.TryPaint(picture, MeanFace.Points, CoverKind.Sunglasses, 5));
        // Only the painter's own room is out; disposing gives it back.
        Assert.Equal(before + 1, BufferPool.OutstandingBlocks);
        painter.Dispose();
        Assert.Equal(before, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void TryPaint_DarkPicture_DrawsDarkCloth()
    {
        using Picture light = Blank(170), dark = Blank(45);
        using var painter = new CoverPainter();
        painter.TryPaint(light, MeanFace.Points, CoverKind.Respirator, 4);
        painter.TryPaint(dark, MeanFace.Points, CoverKind.Respirator, 4);
        PointF mouth = MeanFace.Points[62];
        Assert.True(At(light, mouth) > 1.8 * At(dark, mouth), $"{At(light, mouth)} and {At(dark, mouth)}");
    }

    private static Picture Painted(CoverKind kind, int seed, PointF[] face)
    {
        Picture picture = Blank();
        using var painter = new CoverPainter();
        Assert.True(painter.TryPaint(picture, face, kind, seed));
        return picture;
    }

    // No fabric has this colour: whatever is drawn differs from it.
    private static Picture Blank(byte luma = 131)
    {
        var picture = new Picture(Side, Side);
        FrameView view = picture.View;
        new Span<byte>(view.Y, Side * Side).Fill(luma);
        new Span<byte>(view.U, Side * Side).Fill(40);
        new Span<byte>(view.V, Side * Side).Fill(220);
        return picture;
    }

    private static bool Changed(Picture picture, PointF at)
    {
        int index = ((int)at.Y * Side) + (int)at.X;
        return Math.Abs(picture.View.U[index] - 40) + Math.Abs(picture.View.V[index] - 220) > 20;
    }

    private static int At(Picture picture, PointF at) => picture.View.Y[((int)at.Y * Side) + (int)at.X];

    private static string Hash(Picture picture) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(new ReadOnlySpan<byte>(picture.View.Y, 3 * Side * Side)));

    private static PointF Middle(PointF[] points) => new(points.Average(p => p.X), points.Average(p => p.Y));

    private static PointF Between(PointF from, PointF to, float share) => new(from.X + (share * (to.X - from.X)), from.Y + (share * (to.Y - from.Y)));
}

/// <summary>A face that is nobody's: 68 points of a mean frontal face in a 256×256 picture.</summary>
internal static class MeanFace
{
    public static PointF[] Points { get; } =
    [
        // Jaw: half an oval from ear to ear.
        .. Enumerable.Range(0, 17).Select(i => MathF.PI * (1 - (i / 16f))).Select(a => new PointF(128 + (66 * MathF.Cos(a)), 108 + (96 * MathF.Sin(a)))),
        .. Mirrored([(-52, 92), (-44, 85), (-33, 83), (-22, 85), (-11, 90)]),
        new(128, 104), new(128, 115), new(128, 126), new(128, 137), new(115, 144), new(121, 147), new(128, 149), new(135, 147), new(141, 144),
        .. Eye(-29), .. Eye(29),
        new(103, 165), new(112, 161), new(121, 159), new(128, 161), new(135, 159), new(144, 161), new(153, 165), new(144, 174), new(135, 178), new(128, 179), new(121, 178), new(112, 174),
        new(107, 165), new(121, 165), new(128, 166), new(135, 165), new(149, 165), new(135, 170), new(128, 171), new(121, 170),
    ];

    private static IEnumerable<PointF> Mirrored((int X, int Y)[] left) => [.. left.Select(p => new PointF(128 + p.X, p.Y)), .. left.Reverse().Select(p => new PointF(128 - p.X, p.Y))];

    private static PointF[] Eye(int x) => [new(128 + x - 11, 106), new(128 + x - 4, 102), new(128 + x + 4, 102), new(128 + x + 11, 106), new(128 + x + 4, 109), new(128 + x - 4, 109)];
}
