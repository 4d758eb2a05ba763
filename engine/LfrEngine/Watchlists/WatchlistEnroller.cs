using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;

namespace LfrEngine.Watchlists;

/// <summary>One photo as the gate sees it, with what is kept of it when it passes: the face cut out and encoded anew, and its template. The holder disposes, which wipes.</summary>
/// <param name="verdict">Of the gate.</param>
/// <param name="reasons">Why; empty when all is well.</param>
/// <param name="quality">0…1; 0 when there was nothing to measure.</param>
/// <param name="template">float32 [D] of unit length; null when rejected. Owned.</param>
/// <param name="chip">JPEG of the face with its surroundings, 256×256, at the start of the buffer; null when rejected. Owned.</param>
/// <param name="chipBytes">Bytes of it.</param>
public sealed class VettedPhoto(PhotoVerdict verdict, IReadOnlyList<string> reasons, float quality, HostBuffer<float>? template = null, HostBuffer<byte>? chip = null, int chipBytes = 0) : IDisposable
{
    /// <summary>Of the gate.</summary>
    public PhotoVerdict Verdict { get; } = verdict;

    /// <summary>Why; empty when all is well.</summary>
    public IReadOnlyList<string> Reasons { get; } = reasons;

    /// <summary>0…1; 0 when there was nothing to measure.</summary>
    public float Quality { get; } = quality;

    /// <summary>float32 [D] of unit length; empty when the photo was rejected. Borrowed.</summary>
    public ReadOnlySpan<float> Template => template is null ? [] : template.Span;

    /// <summary>JPEG of the face with its surroundings, 256×256; empty when the photo was rejected. Borrowed.</summary>
    public ReadOnlySpan<byte> Chip => chip is null ? [] : chip.Span[..chipBytes];

    /// <inheritdoc/>
    public void Dispose()
    {
        template?.Dispose();
        chip?.Dispose();
    }
}

/// <summary>Turns photos into the templates of a watchlist, on the code path that cameras use. Used by one thread; for photos of strangers, in a process that is shut in.</summary>
public sealed unsafe class WatchlistEnroller(EngineModels models) : IDisposable
{
    /// <summary>Largest file that is looked at, bytes.</summary>
    public const int MaximumPhotoBytes = 64 << 20;

    private const int PhotoSize = 256;
    private const int PhotoQuality = 90;

    // A second face this large beside the first leaves open who is meant.
    private const float RivalArea = 0.35f;

    private readonly StillAnalyzer analyzer = new(models, StillAnalyzer.StillSettings);

    /// <summary>Decodes a photo and judges the face in it.</summary>
    /// <param name="encoded">A picture file of any format that <see cref="PhotoFormat"/> knows. Borrowed for the call.</param>
    /// <returns>What the caller owns; whatever is wrong with the bytes is a reason, not an exception.</returns>
    public VettedPhoto Vet(ReadOnlySpan<byte> encoded)
    {
        string? format = PhotoFormat.NameOf(encoded);
        try
        {
            return format is null ? Reject($"not a picture: it does not begin like a {PhotoFormat.All} file") : VetPicture(encoded);
        }
        catch (MediaException e)
        {
            return Reject(Words(format!, e));
        }
        finally
        {
            analyzer.Wipe();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => analyzer.Dispose();

    // What FFmpeg says names packets and memory; a person has a photo.
    private static string Words(string format, MediaException e) => e.Error switch
    {
        _ when format is "HEIC" or "AVIF" && e.Error != MediaError.BadSize => $"a {format} picture, which the installed FFmpeg ({MediaReader.Versions}) cannot decode: save it as JPEG",
        MediaError.BadSize => $"a {format} picture of more than 16384 pixels on a side: make it smaller",
        MediaError.OutOfMemory => $"there is not enough memory for this {format} picture: make it smaller",
        MediaError.PixelFormat or MediaError.NoDecoder => $"a {format} picture of a kind that cannot be used ({e.Message}): save it as JPEG",
        _ => $"a {format} picture that is cut off or damaged",
    };

    private static VettedPhoto Reject(string reason) => new(PhotoVerdict.Rejected, [reason], 0);

    private VettedPhoto VetPicture(ReadOnlySpan<byte> encoded)
    {
        using MediaFrame picture = MediaReader.ReadPicture(encoded);
        FrameView asIs = FrameLease.ViewOf(picture);
        UprightTurn upright = analyzer.FindTurn(asIs);
        (int turn, int perhaps) = upright.IsClear ? (upright.Degrees, 0) : (0, upright.Degrees);
        using TurnedFrame? turned = turn == 0 ? null : new TurnedFrame(asIs, turn);
        FrameView view = turned?.View ?? asIs;
        ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
        if (faces.IsEmpty)
            return Reject("no face found");
        FaceCandidate largest = faces[0];
        int rivals = 0;
        foreach (FaceCandidate other in faces[1..])
            rivals += other.Box.Area >= RivalArea * largest.Box.Area ? 1 : 0;
        if (rivals > 0)
            return Reject($"{rivals + 1} faces: cut the photo to the person meant");
        int small = faces.Length - 1;
        using StillFace? face = analyzer.Embed(view, largest, forList: true);
        if (face is null)
            return Reject("no usable landmarks");
        var reasons = new List<string>();
        float quality = face.Quality.Score;
        PhotoVerdict verdict = PhotoGate.Judge(face.Quality, reasons);
        if (turn != 0)
            reasons.Add($"turned by {turn}° to be upright");
        if (perhaps != 0)
        {
            reasons.Add($"perhaps not upright: turn it by {perhaps}° if that is so");
            verdict = verdict == PhotoVerdict.Rejected ? verdict : PhotoVerdict.Doubtful;
        }
        if (small > 0)
        {
            reasons.Add($"{small} smaller face(s) beside the one taken");
            verdict = verdict == PhotoVerdict.Rejected ? verdict : PhotoVerdict.Doubtful;
        }
        if (verdict == PhotoVerdict.Rejected)
            return new VettedPhoto(verdict, reasons, quality);

        using var chip = new Picture(PhotoSize, PhotoSize);
        chip.Paint(view, BestShotSelector.Surroundings(face.Box), 0, PhotoSize);
        HostBuffer<byte> jpeg = chip.EncodeJpeg(PhotoQuality, out int bytes);
        HostBuffer<float> template = BufferPool.Rent<float>(face.Embedding.Length);
        face.Embedding.Span.CopyTo(template.Span);
        return new VettedPhoto(verdict, reasons, quality, template, jpeg, bytes);
    }
}
