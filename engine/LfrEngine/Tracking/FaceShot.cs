using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Quality;

namespace LfrEngine.Tracking;

/// <summary>One view of a tracklet to be embedded. The owner disposes it, which wipes crop and picture.</summary>
/// <remarks>A disposed shot returns to its selector and is reused, so that a stream allocates nothing. Do not use a shot after disposing it.</remarks>
/// <param name="crop">Owned.</param>
/// <param name="picture">Owned.</param>
/// <param name="moment">Owned.</param>
/// <param name="home">Receives the shot when it is disposed; may be null.</param>
internal sealed class FaceShot(HostBuffer<float> crop, Picture picture, Picture moment, ShotPool? home = null) : IDisposable
{
    /// <summary>Tracklet on its camera.</summary>
    public long TrackletId { get; internal set; }

    /// <summary>Stream time at which the tracklet began, microseconds.</summary>
    public long FirstSeenUs { get; internal set; }

    /// <summary>Stream time of the frame, microseconds.</summary>
    public long TimestampUs { get; internal set; }

    /// <summary>When the frame's pixels arrived, <see cref="System.Diagnostics.Stopwatch"/> ticks.</summary>
    public long ArrivalTimestamp { get; internal set; }

    /// <summary>The face, frame pixels.</summary>
    public FaceBox Box { get; internal set; }

    public FaceQuality Quality { get; internal set; }

    /// <summary>Which parts of it are covered.</summary>
    public CoverJudgement Cover { get; internal set; }

    /// <summary>The face, ready for the embedder; of a frame on a device it stays there.</summary>
    public AlignedFace Face { get; } = AlignedIn(crop);

    /// <summary>float32 [3, 112, 112]: <see cref="Face"/> of a frame in host memory.</summary>
    public HostBuffer<float> Crop { get; } = crop;

    /// <summary>The face with its surroundings, for an officer to see if it matches.</summary>
    public Picture Picture { get; } = picture;

    /// <summary>The person with body and clothes, and whoever else is there: <see cref="MomentPicture.Hide"/> it before anybody sees it.</summary>
    public Picture Moment { get; } = moment;

    /// <summary>Where they walk.</summary>
    public WalkingDirection Direction { get; internal set; }

    /// <summary>Buffer for the faces of others in <see cref="Moment"/>, picture pixels.</summary>
    internal FaceBox[] Others { get; } = new FaceBox[MomentPicture.MostOthers];

    /// <summary>How many others there are; more than <see cref="Others"/> holds when some are missing there.</summary>
    internal int OtherCount { get; set; }

    /// <summary>Length of its embedding before it was normalised; 0 until it was embedded.</summary>
    internal float EmbeddingNorm { get; set; }

    /// <summary>Buffer for candidates.</summary>
    internal Candidate[] Candidates { get; private set; } = new Candidate[8];

    /// <summary>Number of valid <see cref="Candidates"/>.</summary>
    internal int CandidateCount { get; set; }

    /// <summary>The gallery in which <see cref="Candidates"/> were found.</summary>
    internal Gallery? Searched { get; set; }

    /// <summary>Ensures the capacity of <see cref="Candidates"/>.</summary>
    internal void Expect(int candidates)
    {
        if (Candidates.Length < candidates)
            Candidates = new Candidate[candidates];
    }

    public void Dispose()
    {
        if (home is not null && home.TryReturn(this))
            return;
        Release();
    }

    /// <summary>Wipes everything and gives it back.</summary>
    internal void Release()
    {
        Face.LetGo();
        Crop.Dispose();
        Picture.Dispose();
        Moment.Dispose();
    }

    private static unsafe AlignedFace AlignedIn(HostBuffer<float> crop) => new(crop.Pointer, staysOnDevice: true);

    /// <summary>Wipes everything; the blocks are kept.</summary>
    internal void Wipe()
    {
        Face.LetGo();
        Crop.Wipe();
        Picture.Wipe();
        Moment.Wipe();
        Others.AsSpan().Clear();
        (OtherCount, Direction) = (0, WalkingDirection.Unknown);
        Candidates.AsSpan().Clear();
        (CandidateCount, EmbeddingNorm, Searched, Box, Quality, Cover) = (0, 0, null, default, default, default);
    }
}

/// <summary>Pool of one camera's shots. Thread-safe; the owner disposes it, and shots still in use are then released by their owners.</summary>
/// <param name="pictureSize">Side of their pictures, pixels.</param>
internal sealed class ShotPool(int pictureSize) : IDisposable
{
    // A growing queue would allocate on the managed heap at the busiest moment.
    private const int RoomForShots = 64;
    private readonly Queue<FaceShot> idle = new(RoomForShots);
    private bool closed;

    /// <summary>A wiped shot, which the caller owns.</summary>
    internal FaceShot Take()
    {
        lock (idle)
        {
            if (idle.TryDequeue(out FaceShot? shot))
                return shot;
        }
        HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        Picture? picture = null;
        try
        {
            picture = new Picture(pictureSize, pictureSize);
            return new FaceShot(crop, picture, new Picture(MomentPicture.Width, MomentPicture.Height), this);
        }
        catch
        {
            crop.Dispose();
            picture?.Dispose();
            throw;
        }
    }

    /// <summary>Wipes a shot and keeps it.</summary>
    /// <returns>False when the pool is closed: the shot must dispose what it owns.</returns>
    internal bool TryReturn(FaceShot shot)
    {
        lock (idle)
        {
            if (closed)
                return false;
            shot.Wipe();
            if (!idle.Contains(shot))
                idle.Enqueue(shot);
            return true;
        }
    }

    public void Dispose()
    {
        lock (idle)
        {
            closed = true;
            while (idle.TryDequeue(out FaceShot? shot))
                shot.Release();
        }
    }
}
