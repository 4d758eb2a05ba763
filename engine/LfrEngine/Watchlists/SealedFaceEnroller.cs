using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;

namespace LfrEngine.Watchlists;

/// <summary>Makes the template of a face picture that is sealed in a watchlist, as <see cref="WatchlistEnroller"/> cut it out of a photo. Used by one thread, in a sandboxed process.</summary>
public sealed class SealedFaceEnroller(EngineModels models) : IDisposable
{
    // The face that was enrolled fills the middle of its picture; another at the edge is somebody else.
    private const float LeastOverlap = 0.3f;

    private readonly StillAnalyzer analyzer = new(models, StillAnalyzer.StillSettings);
    private readonly CoveredTemplateMaker covered = new(models);

    /// <summary>Decodes a face picture and embeds the face in its middle. The quality check is not repeated: the photo has passed it.</summary>
    /// <param name="picture">JPEG. Borrowed for the call.</param>
    /// <returns>Owned by the caller, with the same picture. Bad bytes give a reason, not an exception.</returns>
    public VettedPhoto Vet(ReadOnlySpan<byte> picture)
    {
        try
        {
            using MediaFrame frame = MediaReader.ReadPicture(picture);
            FrameView view = FrameLease.ViewOf(frame);
            if (FindFace(view) is not { } found)
                return Reject("no face found in the stored picture");
            using StillFace? face = analyzer.Embed(view, found);
            if (face is null)
                return Reject("no usable landmarks");
            return new VettedPhoto(PhotoVerdict.Accepted, [], face.Quality.Score, covered.Make(view, face, picture), Copy(picture), picture.Length);
        }
        catch (MediaException)
        {
            return Reject("the stored picture cannot be decoded");
        }
        finally
        {
            analyzer.Wipe();
        }
    }

    /// <summary>Loads what is otherwise loaded with the first picture, because a sandboxed process can load nothing later.</summary>
    public void WarmUp()
    {
        using var grey = new Picture(64, 64);
        using HostBuffer<byte> jpeg = grey.EncodeJpeg(90, out int bytes);
        Vet(jpeg.Span[..bytes]).Dispose();
        covered.WarmUp();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        analyzer.Dispose();
        covered.Dispose();
    }

    private static VettedPhoto Reject(string reason) => new(PhotoVerdict.Rejected, [reason], 0);

    private static HostBuffer<T> Copy<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        HostBuffer<T> copy = BufferPool.Rent<T>(values.Length);
        values.CopyTo(copy.Span);
        return copy;
    }

    private FaceCandidate? FindFace(in FrameView view)
    {
        FaceBox middle = BestShotSelector.FaceIn(view.Width, view.Height);
        FaceCandidate? best = null;
        float most = LeastOverlap;
        foreach (FaceCandidate face in analyzer.Detect(view))
        {
            if (face.Box.IoU(middle) is var overlap && overlap >= most)
                (best, most) = (face, overlap);
        }
        return best;
    }
}
