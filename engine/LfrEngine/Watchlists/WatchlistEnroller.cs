using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;

namespace LfrEngine.Watchlists;

/// <summary>A person to enrol, with photo files.</summary>
/// <param name="Identity">Who and why.</param>
/// <param name="Photos">Paths of picture files, one or more.</param>
public sealed record EnrolmentRequest(WatchlistIdentity Identity, IReadOnlyList<string> Photos);

/// <summary>What became of one photo.</summary>
/// <param name="IdentityId">Whose.</param>
/// <param name="Photo">File.</param>
/// <param name="Verdict">Accepted, doubtful or rejected.</param>
/// <param name="Reasons">Why; empty when all is well.</param>
/// <param name="Quality">0…1; 0 when there was nothing to measure.</param>
public sealed record PhotoOutcome(string IdentityId, string Photo, PhotoVerdict Verdict, IReadOnlyList<string> Reasons, float Quality);

/// <summary>Turns photos into the templates of a watchlist, on the code path that cameras use. Used by one thread.</summary>
public sealed unsafe class WatchlistEnroller(EngineModels models) : IDisposable
{
    private const int PhotoSize = 256;
    private const int PhotoQuality = 90;
    private const int MaximumPhotoBytes = 64 << 20;

    // A second face this large beside the first leaves open who is meant.
    private const float RivalArea = 0.35f;

    private readonly StillAnalyzer analyzer = new(models, StillAnalyzer.StillSettings);

    /// <summary>Adds a person if at least one photo passes the gate.</summary>
    /// <param name="builder">Receives identity and templates.</param>
    /// <param name="request">Whom.</param>
    /// <param name="outcomes">Receives one entry per photo.</param>
    /// <returns>Whether the person was added.</returns>
    public bool Add(WatchlistBuilder builder, EnrolmentRequest request, List<PhotoOutcome> outcomes)
    {
        int identity = -1;
        foreach (string photo in request.Photos)
        {
            var reasons = new List<string>();
            float quality = 0;
            PhotoVerdict verdict;
            try
            {
                verdict = AddPhoto(builder, request.Identity, ref identity, photo, reasons, out quality);
            }
            catch (MediaException e)
            {
                verdict = PhotoVerdict.Rejected;
                reasons.Add(e.Message);
            }
            outcomes.Add(new PhotoOutcome(request.Identity.Id, photo, verdict, reasons, quality));
        }
        analyzer.Wipe();
        return identity >= 0;
    }

    /// <inheritdoc/>
    public void Dispose() => analyzer.Dispose();

    private PhotoVerdict AddPhoto(WatchlistBuilder builder, WatchlistIdentity person, ref int identity, string photo, List<string> reasons, out float quality)
    {
        quality = 0;
        using HostBuffer<byte>? file = ReadFile(photo, reasons);
        if (file is null)
            return PhotoVerdict.Rejected;
        using MediaFrame picture = MediaReader.ReadPicture(file.Span);
        FrameView view = FrameLease.ViewOf(picture);
        ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
        if (faces.IsEmpty)
        {
            reasons.Add("no face found");
            return PhotoVerdict.Rejected;
        }
        FaceCandidate largest = faces[0];
        int rivals = 0;
        foreach (FaceCandidate other in faces[1..])
            rivals += other.Box.Area >= RivalArea * largest.Box.Area ? 1 : 0;
        if (rivals > 0)
        {
            reasons.Add($"{rivals + 1} faces: cut the photo to the person meant");
            return PhotoVerdict.Rejected;
        }
        int small = faces.Length - 1;
        using StillFace? face = analyzer.Embed(view, largest);
        if (face is null)
        {
            reasons.Add("no usable landmarks");
            return PhotoVerdict.Rejected;
        }
        quality = face.Quality.Score;
        PhotoVerdict verdict = PhotoGate.Judge(face.Quality, reasons);
        if (small > 0)
        {
            reasons.Add($"{small} smaller face(s) beside the one taken");
            verdict = verdict == PhotoVerdict.Rejected ? verdict : PhotoVerdict.Doubtful;
        }
        if (verdict == PhotoVerdict.Rejected)
            return verdict;

        using var chip = new Picture(PhotoSize, PhotoSize);
        chip.Paint(view, BestShotSelector.Surroundings(face.Box), 0, PhotoSize);
        using HostBuffer<byte> jpeg = chip.EncodeJpeg(PhotoQuality, out int bytes);
        if (identity < 0)
            identity = builder.AddIdentity(person);
        builder.AddTemplate(identity, face.Embedding.Span, quality, jpeg.Span[..bytes]);
        return verdict;
    }

    private static HostBuffer<byte>? ReadFile(string path, List<string> reasons)
    {
        HostBuffer<byte>? file = null;
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(path);
            long length = RandomAccess.GetLength(handle);
            if (length is 0 or > MaximumPhotoBytes)
            {
                reasons.Add(length == 0 ? "the file is empty" : $"the file is larger than {MaximumPhotoBytes >> 20} MiB");
                return null;
            }
            file = BufferPool.Rent<byte>((int)length);
            int read = 0;
            while (read < length && RandomAccess.Read(handle, file.Span[read..], read) is var n && n > 0)
                read += n;
            if (read == length)
                return file;
            reasons.Add("the file became shorter while it was read");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reasons.Add($"cannot be read: {e.Message}");
        }
        file?.Dispose();
        return null;
    }
}
