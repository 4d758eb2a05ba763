using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;

namespace LfrEngine.Watchlists;

/// <summary>Verdict on one photo, with what is kept if it passes: the face, cut out and re-encoded, and its templates. The owner disposes it, which wipes.</summary>
/// <param name="verdict">The verdict.</param>
/// <param name="reasons">Why; empty when all is well.</param>
/// <param name="quality">0…1; 0 when there was nothing to measure.</param>
/// <param name="templates">The photo's templates; null when rejected. Owned.</param>
/// <param name="chip">JPEG of the face with its surroundings, 256×256, at the start of the buffer; null when rejected. Owned.</param>
/// <param name="chipBytes">Bytes of it.</param>
/// <param name="faces">Where the faces are, when there are several and nobody has chosen one; otherwise null.</param>
public sealed class VettedPhoto(PhotoVerdict verdict, IReadOnlyList<string> reasons, float quality, PhotoTemplates? templates = null, HostBuffer<byte>? chip = null, int chipBytes = 0, PhotoFaces? faces = null) : IDisposable
{
    /// <summary>The verdict.</summary>
    public PhotoVerdict Verdict { get; } = verdict;

    /// <summary>Why; empty when all is well.</summary>
    public IReadOnlyList<string> Reasons { get; } = reasons;

    /// <summary>0…1; 0 when there was nothing to measure.</summary>
    public float Quality { get; } = quality;

    /// <summary>Where the faces are, for somebody to choose one, when there are several and nobody has; otherwise null.</summary>
    public PhotoFaces? Faces { get; } = faces;

    /// <summary>The photo's templates; null when it was rejected. Borrowed.</summary>
    public PhotoTemplates? Templates { get; } = templates;

    /// <summary>float32 [D] of unit length, of the uncovered photo; empty when the photo was rejected. Borrowed.</summary>
    public ReadOnlySpan<float> Template => Templates is null ? [] : Templates[0];

    /// <summary>JPEG of the face with its surroundings, 256×256; empty when the photo was rejected. Borrowed.</summary>
    public ReadOnlySpan<byte> Chip => chip is null ? [] : chip.Span[..chipBytes];

    /// <inheritdoc/>
    public void Dispose()
    {
        Templates?.Dispose();
        chip?.Dispose();
    }
}

/// <summary>Turns photos into the templates of a watchlist, on the code path that cameras use. Used by one thread; for untrusted photos, in a sandboxed process.</summary>
public sealed unsafe class WatchlistEnroller(EngineModels models) : IDisposable
{
    /// <summary>Maximum file size, bytes.</summary>
    public const int MaximumPhotoBytes = 64 << 20;

    private const int PhotoSize = 256;
    private const int PhotoQuality = 90;

    private readonly StillAnalyzer analyzer = new(models, StillAnalyzer.StillSettings);
    private readonly CoveredTemplateMaker covered = new(models);

    /// <summary>Decodes a photo and judges the face in it.</summary>
    /// <param name="encoded">A picture file of any format that <see cref="PhotoFormat"/> knows. Borrowed for the call.</param>
    /// <param name="chosen">A point in the face to enrol; null for the largest, or the one in the middle.</param>
    /// <returns>Owned by the caller. Bad bytes give a reason, not an exception.</returns>
    /// <exception cref="MediaException">The limit of the process (<see cref="MemoryBudget.MostBytes"/>) leaves no room for the picture.</exception>
    public VettedPhoto Vet(ReadOnlySpan<byte> encoded, PhotoPoint? chosen = null)
    {
        string? format = PhotoFormat.NameOf(encoded);
        try
        {
            return format is null ? Reject($"not a picture: not a {PhotoFormat.All} file") : VetPicture(encoded, chosen);
        }
        // Where the process has a limit of its own, that is not the photo's fault.
        catch (MediaException e) when (e.Error != MediaError.OutOfMemory || MemoryBudget.MostBytes == 0)
        {
            return Reject(Words(format!, e));
        }
        finally
        {
            analyzer.Wipe();
        }
    }

    /// <summary>Loads what is otherwise loaded with the first photo, because a sandboxed process can load nothing later.</summary>
    public void WarmUp()
    {
        using var grey = new Picture(64, 64);
        using HostBuffer<byte> jpeg = grey.EncodeJpeg(PhotoQuality, out int bytes);
        Vet(jpeg.Span[..bytes]).Dispose();
        covered.WarmUp();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        analyzer.Dispose();
        covered.Dispose();
    }

    // FFmpeg's messages are about packets and memory; users need a message about the photo.
    private static string Words(string format, MediaException e) => e.Error switch
    {
        _ when format is "HEIC" or "AVIF" && e.Error != MediaError.BadSize => $"a {format} picture, which the installed FFmpeg ({MediaReader.Versions}) cannot decode: save it as JPEG",
        MediaError.BadSize => $"a {format} picture of more than 16384 pixels on a side: scale it down",
        MediaError.OutOfMemory => $"there is not enough memory for this {format} picture: scale it down",
        MediaError.PixelFormat or MediaError.NoDecoder => $"a {format} picture of a kind that cannot be used ({e.Message}): save it as JPEG",
        _ when format == "JPEG" => "this JPEG is truncated or damaged: get the original file again",
        _ => $"a {format} picture that is truncated, damaged or not supported (animated, or more than 16384 pixels on a side): save it as JPEG",
    };

    private static VettedPhoto Reject(string reason) => new(PhotoVerdict.Rejected, [reason], 0);

    private VettedPhoto VetPicture(ReadOnlySpan<byte> encoded, PhotoPoint? chosen)
    {
        using MediaFrame picture = MediaReader.ReadPicture(encoded);
        FrameView asIs = FrameLease.ViewOf(picture);
        UprightTurn upright = analyzer.FindTurn(asIs);
        (int turn, int perhaps) = upright.IsClear ? (upright.Degrees, 0) : (0, upright.Degrees);
        using TurnedFrame? turned = turn == 0 ? null : new TurnedFrame(asIs, turn);
        FrameView view = turned?.View ?? asIs;
        ReadOnlySpan<FaceCandidate> found = analyzer.FindReal(view, out bool isSure);
        if (found.IsEmpty)
            return Reject("no face found: use a sharp photo that shows the whole face");
        // Shown to people without changes.
        var boxes = new PhotoFace[found.Length];
        for (int i = 0; i < found.Length; i++)
            boxes[i] = PhotoFace.Of(turned?.ToSource(found[i].Box) ?? found[i].Box);
        var faces = new PhotoFaces(asIs.Width, asIs.Height, boxes);
        int meant = chosen is { } place ? faces.At(place) : faces.Meant();
        if (meant < 0)
        {
            string what = chosen is { } there
                ? $"no face at {there.X},{there.Y}: choose one of {faces.Places()}"
                : $"{boxes.Length} faces found: {faces.Places()}. Choose one, or crop the photo to one person";
            return new VettedPhoto(PhotoVerdict.Rejected, [what], 0, faces: faces);
        }
        using StillFace? face = analyzer.Embed(view, found[meant]);
        if (face is null)
            return Reject("no usable landmarks");
        var reasons = new List<string>();
        float quality = face.Quality.Score;
        PhotoVerdict verdict = PhotoGate.Judge(face.Quality, reasons);
        if (!isSure)
            Doubt("this may not be a face");
        if (turn != 0)
            reasons.Add($"rotated by {turn}° to be upright");
        if (perhaps != 0)
            Doubt($"may not be upright: if so, rotate it by {perhaps}°");
        if (boxes.Length > 1 && chosen is null)
            Doubt($"{(boxes.Length == 2 ? "another face" : $"{boxes.Length - 1} other faces")} in the photo: {faces.Places(without: meant)}");
        if (verdict == PhotoVerdict.Rejected)
            return new VettedPhoto(verdict, reasons, quality);

        using var chip = new Picture(PhotoSize, PhotoSize);
        chip.Paint(view, BestShotSelector.Surroundings(face.Box), 0, PhotoSize);
        HostBuffer<byte> jpeg = chip.EncodeJpeg(PhotoQuality, out int bytes);
        try
        {
            return new VettedPhoto(verdict, reasons, quality, covered.Make(view, face, encoded), jpeg, bytes, boxes.Length > 1 && chosen is null ? faces : null);
        }
        catch
        {
            jpeg.Dispose();
            throw;
        }

        void Doubt(string why)
        {
            if (!reasons.Contains(why))
                reasons.Add(why);
            verdict = verdict == PhotoVerdict.Rejected ? verdict : PhotoVerdict.Doubtful;
        }
    }
}
