using System.Buffers.Binary;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;
using LfrEngine.Watchlists;

namespace LfrEngine.Cover;

/// <summary>Draws covers over the face of a photo and embeds each result, so that a covered probe is compared with a similarly covered template. Used by one thread at a time.</summary>
/// <param name="models">Borrowed for the life of the maker.</param>
internal sealed unsafe class CoveredTemplateMaker(EngineModels models) : IDisposable
{
    // At most what the embedder's grid can use, and at least what the landmarks need.
    private const int SmallestSide = 128, LargestSide = 320;

    // Several for the lower face, which is covered most often and lowers accuracy most. Mean TPIR at FPIR 5, 2, 1 and 0.5 %, half of the people of LFW under the
    // laboratory's covers: masks .570 with a cloth mask and a scarf, .597 with all four; a second pair of sunglasses .758 to .769; a knitted hat .840 to .846.
    // Four pairs of sunglasses instead of two: .825 to .830 at FPIR 10, 5, 2 and 1 %. They do not slow a search.
    private static readonly CoverKind[] s_kinds =
    [
        CoverKind.SurgicalMask, CoverKind.Respirator, CoverKind.ClothMask, CoverKind.Scarf, CoverKind.Sunglasses, CoverKind.Sunglasses, CoverKind.Cap, CoverKind.KnittedHat,
        CoverKind.Sunglasses, CoverKind.Sunglasses,
    ];

    private readonly LandmarkFinder landmarks = new(models.Landmarks);
    private readonly Embedder embedder = new(models.Embedder);
    private readonly CoverPainter painter = new();
    private readonly CoverExaminer cover = new(models.Mesh);
    private readonly HostBuffer<PointF> points = BufferPool.Rent<PointF>(LandmarkFinder.PointCount);
    private readonly HostBuffer<float>[] crops = [.. s_kinds.Select(_ => BufferPool.Rent<float>(FaceAligner.CropLength))];
    private readonly HostBuffer<float> norms = BufferPool.Rent<float>(s_kinds.Length);

    /// <summary>The covered parts of each template, in order.</summary>
    public static IReadOnlyList<FaceCover> Covers { get; } = [.. s_kinds.Select(k => k.Parts())];

    /// <summary>Makes all templates of one photo: of the uncovered face, and with covers drawn over it if landmarks are found.</summary>
    /// <param name="frame">The photo. Borrowed.</param>
    /// <param name="face">The embedded face of the photo. Borrowed.</param>
    /// <param name="encoded">The photo's file, from which the seed is derived. Borrowed.</param>
    /// <returns>Owned by the caller.</returns>
    public PhotoTemplates Make(in FrameView frame, StillFace face, ReadOnlySpan<byte> encoded)
    {
        var made = new PhotoTemplates(face.Embedding.Length, Covers);
        try
        {
            face.Embedding.Span.CopyTo(made[0]);
            // Without covered templates a covered probe is compared with the plain one.
            if (!TryMake(frame, face.Box, SeedOf(encoded), made.Covered))
                made.ForgetCovered();
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>Makes the covered templates of one face.</summary>
    /// <param name="frame">The photo. Borrowed.</param>
    /// <param name="box">The face, photo pixels.</param>
    /// <param name="seed">Determines shapes and fabrics: the same photo and seed give the same templates.</param>
    /// <param name="templates">Receives float32 [<see cref="Covers"/>, D], rows of unit length. Borrowed.</param>
    /// <returns>False if there is no face to draw on; then nothing was made.</returns>
    public bool TryMake(in FrameView frame, in FaceBox box, int seed, Span<float> templates)
    {
        try
        {
            for (int i = 0; i < s_kinds.Length; i++)
            {
                using Picture? drawn = Draw(frame, box, i, seed, out FaceBox inside);
                if (drawn is null || !TryAlign(drawn.View, inside, i, crops[i].Pointer))
                    return false;
            }
            EmbedAll(templates);
            return true;
        }
        finally
        {
            norms.Wipe();
            foreach (HostBuffer<float> crop in crops)
                crop.Wipe();
        }
    }

    /// <summary>Draws one of <see cref="Covers"/> over a face.</summary>
    /// <param name="frame">The photo. Borrowed.</param>
    /// <param name="box">The face, photo pixels.</param>
    /// <param name="which">Index into <see cref="Covers"/>.</param>
    /// <param name="seed">As for <see cref="TryMake"/>.</param>
    /// <param name="inside">The face in the returned picture, pixels.</param>
    /// <returns>The face with its surroundings, owned by the caller; null if there is no face to draw on.</returns>
    public Picture? Draw(in FrameView frame, in FaceBox box, int which, int seed, out FaceBox inside)
    {
        FaceBox around = BestShotSelector.Surroundings(box);
        int side = Math.Clamp((int)around.Width, SmallestSide, LargestSide);
        float scale = side / around.Width;
        inside = new FaceBox((box.Left - around.Left) * scale, (box.Top - around.Top) * scale, (box.Right - around.Left) * scale, (box.Bottom - around.Top) * scale);
        var picture = new Picture(side, side);
        try
        {
            picture.Paint(frame, around, 0, side);
            landmarks.Find(picture.View, inside, points.Span);
            if (painter.TryPaint(picture, points.Span, s_kinds[which], SeedOf(seed, which)))
                return picture;
            picture.Dispose();
            return null;
        }
        catch
        {
            picture.Dispose();
            throw;
        }
        finally
        {
            points.Wipe();
        }
    }

    /// <summary>Aligns a covered face in the same way as a face from a camera.</summary>
    /// <param name="drawn">From <see cref="Draw"/>. Borrowed.</param>
    /// <param name="inside">The face in it, pixels.</param>
    /// <param name="which">Index into <see cref="Covers"/>; a covered brow is blanked.</param>
    /// <param name="crop">Receives float32 [3, 112, 112]. Borrowed.</param>
    /// <returns>False if its landmarks are unusable.</returns>
    public bool TryAlign(in FrameView drawn, in FaceBox inside, int which, float* crop)
    {
        if (!AlignmentTransform.TryEstimate(landmarks.Find(drawn, inside).Points, out AlignmentTransform alignment))
            return false;
        FaceAligner.Align(drawn, alignment, embedder.Input, crop);
        cover.Examine(drawn, inside, embedder.Input, new AlignedFace(crop), Covers[which] == FaceCover.Brow ? BrowTreatment.Blank : BrowTreatment.Kept);
        return true;
    }

    /// <summary>Runs everything once on a blank picture, because a sandboxed process can load nothing later.</summary>
    public void WarmUp()
    {
        using var blank = new Picture(SmallestSide, SmallestSide);
        using HostBuffer<float> templates = BufferPool.Rent<float>(s_kinds.Length * embedder.Length);
        TryMake(blank.View, new FaceBox(30, 30, 90, 100), 0, templates.Span);
        // Also if the blank picture gave nothing to draw on.
        EmbedAll(templates.Span);
        norms.Wipe();
    }

    /// <summary>A seed derived from the photo's file (borrowed).</summary>
    public static int SeedOf(ReadOnlySpan<byte> encoded)
    {
        Span<byte> hash = stackalloc byte[System.Security.Cryptography.SHA256.HashSizeInBytes];
        System.Security.Cryptography.SHA256.HashData(encoded, hash);
        return BinaryPrimitives.ReadInt32LittleEndian(hash);
    }

    public void Dispose()
    {
        landmarks.Dispose();
        embedder.Dispose();
        painter.Dispose();
        cover.Dispose();
        points.Dispose();
        norms.Dispose();
        foreach (HostBuffer<float> crop in crops)
            crop.Dispose();
    }

    private void EmbedAll(Span<float> templates)
    {
        for (int first = 0; first < crops.Length; first += Embedder.MaximumBatch)
        {
            int end = Math.Min(crops.Length, first + Embedder.MaximumBatch);
            embedder.Embed(crops.AsSpan(first, end - first), templates[(first * embedder.Length)..], norms.Span[first..]);
        }
    }

    // Not System.HashCode, which differs between runs.
    private static int SeedOf(int photo, int kind) => (int)(((uint)photo ^ ((uint)kind * 0x9E3779B1u)) * 0x85EBCA77u);
}
