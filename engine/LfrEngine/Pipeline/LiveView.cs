using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>Small live pictures of one camera, in which everything is pixelated that is not the empty scene, but for faces that raised an alert.</summary>
/// <remarks>
/// A picture is made from a searched frame, while somebody watches and at most five times a second, by the worker that is processing the frame: the
/// lease is only borrowed. It is pixelated before other threads can access it. Pixelated is what differs from the empty scene (<see cref="EmptyScene"/>, learnt
/// from the frames of the run, also while nobody watches), whether or not a face was found there; and all detections down to the detector's lowest score, all
/// tracklets, seen or coasting, and where either was within the last half second, each with a margin; if the list of these overflows,
/// the whole picture is pixelated. Pictures are not queued: one that comes while another is encoded is dropped. When nobody watches any more they are wiped
/// and their memory is released. A face that raised an alert stays clear while its tracklet lives, except where it overlaps somebody else.
/// </remarks>
public sealed class LiveView : IDisposable
{
    /// <summary>Widest picture, pixels: the long side of the detector's default grid.</summary>
    public const int LargestWidth = 640;

    // A face that raised an alert, with hair and chin.
    private const float RoomShown = 1.3f;

    // How often the scene is looked at while nobody watches.
    private const int SceneIntervalUs = 250_000;

    private const int RememberMs = 500;
    private const int WatchMs = 2000;
    private const int IntervalMs = 195;
    private const int MostPlaces = 2048;
    private const int JpegQuality = 70;

    private readonly object gate = new();
    private readonly TimeProvider time;
    private readonly List<long> alerted = [];
    private readonly EmptyScene scene = new();
    private long sceneSeenUs = long.MinValue;
    private Place[] places = [];
    private int placeCount;
    private bool overfull;
    private bool remembers;
    private long rememberedSinceUs;
    private long watchedUntil;
    private long nextAt;
    private long madeAt;
    private Picture? picture;
    private PaintScratch? scratch;
    private ImageEncoder? encoder;
    private bool made;

    /// <summary>Creates a view without viewers.</summary>
    /// <param name="time">Its clock; null for the system's.</param>
    public LiveView(TimeProvider? time = null) => this.time = time ?? TimeProvider.System;

    /// <summary>Pictures made so far.</summary>
    public long Pictures { get; private set; }

    /// <summary>The newest picture as a JPEG file, owned by the caller; null if there is none yet. A call counts as watching for two seconds.</summary>
    /// <param name="sizeBytes">Bytes of the file at the start of the buffer.</param>
    public HostBuffer<byte>? TakeJpeg(out int sizeBytes)
    {
        long now = time.GetTimestamp();
        Volatile.Write(ref watchedUntil, now + Ticks(WatchMs));
        sizeBytes = 0;
        lock (gate)
            return made && now - madeAt < Ticks(WatchMs) ? picture!.Encode(encoder ??= new ImageEncoder(ImageCodec.Jpeg, JpegQuality), out sizeBytes) : null;
    }

    /// <summary>Wipes everything, including which faces are shown. The run calls it at its end.</summary>
    public void Dispose()
    {
        lock (gate)
            Forget();
        lock (alerted)
            alerted.Clear();
        remembers = false;
        scene.Dispose();
        sceneSeenUs = long.MinValue;
    }

    /// <summary>Learns from a frame, and makes a picture of a frame if somebody watches.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="timestampUs">Stream time.</param>
    /// <param name="faces">What the detector found in it.</param>
    /// <param name="tracker">Updated with it.</param>
    internal void Offer(in FrameView frame, long timestampUs, ReadOnlySpan<FaceCandidate> faces, FaceTracker tracker)
    {
        if (timestampUs - SceneIntervalUs >= sceneSeenUs)
            LookAtScene(frame, timestampUs);
        long until = Volatile.Read(ref watchedUntil);
        long now = until == 0 ? 0 : time.GetTimestamp();
        if (now >= until)
        {
            remembers = false;
            return;
        }
        Remember(timestampUs, faces, tracker);
        // Faces missed in this frame may have been seen in an earlier one, so no picture is made until earlier faces are known.
        if (now < nextAt || timestampUs - rememberedSinceUs < RememberMs * 1000L || !Monitor.TryEnter(gate))
            return;
        try
        {
            nextAt = now + Ticks(IntervalMs);
            if (sceneSeenUs != timestampUs)
                LookAtScene(frame, timestampUs);
            Paint(frame, timestampUs);
            madeAt = now;
            Pictures++;
        }
        finally
        {
            Monitor.Exit(gate);
        }
    }

    /// <summary>Shows the face of a tracklet from now on, because it raised an alert.</summary>
    internal void Show(long trackletId)
    {
        lock (alerted)
            alerted.Add(trackletId);
    }

    /// <summary>Call when a tracklet has ended.</summary>
    internal void End(long trackletId)
    {
        lock (alerted)
            alerted.Remove(trackletId);
    }

    /// <summary>Wipes a picture that nobody watches, or that is old because its camera sends nothing. Called periodically while cameras run.</summary>
    internal void Tidy()
    {
        if (!Volatile.Read(ref made))
            return;
        long now = time.GetTimestamp();
        lock (gate)
        {
            if (made && (now >= Volatile.Read(ref watchedUntil) || now - madeAt >= Ticks(WatchMs)))
                Forget();
        }
    }

    private long Ticks(int milliseconds) => milliseconds * time.TimestampFrequency / 1000;

    private void Forget()
    {
        made = false;
        picture?.Dispose();
        scratch?.Dispose();
        encoder?.Dispose();
        (picture, scratch, encoder) = (null, null, null);
    }

    private void Remember(long timestampUs, ReadOnlySpan<FaceCandidate> faces, FaceTracker tracker)
    {
        if (!remembers || timestampUs < rememberedSinceUs)
        {
            if (places.Length == 0)
                places = new Place[MostPlaces];
            (remembers, rememberedSinceUs, placeCount, overfull) = (true, timestampUs, 0, false);
        }
        int kept = 0;
        for (int i = 0; i < placeCount; i++)
        {
            if (places[i].TimestampUs >= timestampUs - (RememberMs * 1000L))
                places[kept++] = places[i];
        }
        placeCount = kept;
        overfull = false;
        foreach (Tracklet tracklet in tracker.Live)
            Add(tracklet.Box, timestampUs, tracklet.Id);
        for (int i = 0; i < faces.Length; i++)
            Add(faces[i].Box, timestampUs, OwnerOf(i, tracker));
    }

    private static long OwnerOf(int detection, FaceTracker tracker)
    {
        foreach (Tracklet tracklet in tracker.Live)
        {
            if (tracklet.DetectionIndex == detection)
                return tracklet.Id;
        }
        return 0;
    }

    private void Add(in FaceBox box, long timestampUs, long trackletId)
    {
        if (!(float.IsFinite(box.Left + box.Right + box.Top + box.Bottom) && box.Width > 0 && box.Height > 0))
            return;
        if (placeCount == places.Length)
            overfull = true;
        else
            places[placeCount++] = new Place(box, timestampUs, trackletId);
    }

    private void LookAtScene(in FrameView frame, long timestampUs)
    {
        using (StageClock.Time(PipelineStage.Picture))
            scene.Look(frame, timestampUs);
        sceneSeenUs = timestampUs;
    }

    private void Paint(in FrameView frame, long timestampUs)
    {
        int width = Math.Min(LargestWidth, frame.Width), height = Math.Max(1, (int)((long)frame.Height * width / frame.Width));
        if (picture is null || picture.Width != width || picture.Height != height)
        {
            Forget();
            picture = new Picture(width, height);
            scratch = new PaintScratch(width, height);
        }
        made = false;
        picture.Paint(frame, new FaceBox(0, 0, frame.Width, frame.Height), 0, width, scratch);
        float scale = (float)width / frame.Width;
        PixelateScene(scale, timestampUs);
        if (overfull)
            picture.Pixelate(new FaceBox(0, 0, width, height), Math.Max(width, height) / (4 * Picture.CellsAcross));
        lock (alerted)
        {
            for (int i = 0; i < placeCount; i++)
            {
                if (places[i].TrackletId != 0 && alerted.Contains(places[i].TrackletId))
                    continue;
                picture.PixelateFace(places[i].Box, scale);
            }
        }
        made = true;
    }

    // The faces of alerts keep their pixels.
    private void PixelateScene(float scale, long timestampUs)
    {
        var shown = new List<(FaceBox Box, HostBuffer<byte> Pixels)>();
        try
        {
            lock (alerted)
            {
                for (int i = 0; i < placeCount; i++)
                {
                    if (places[i].TimestampUs != timestampUs || !alerted.Contains(places[i].TrackletId))
                        continue;
                    FaceBox box = Picture.Around(places[i].Box, scale, RoomShown);
                    shown.Add((box, picture!.CutOut(box)));
                }
            }
            scene.Pixelate(picture!);
            foreach ((FaceBox box, HostBuffer<byte> pixels) in shown)
                picture!.PutBack(box, pixels);
        }
        finally
        {
            shown.ForEach(s => s.Pixels.Dispose());
        }
    }

    /// <summary>Place where a face was.</summary>
    /// <param name="Box">Frame pixels.</param>
    /// <param name="TimestampUs">When.</param>
    /// <param name="TrackletId">Tracklet; 0 when the detection belongs to none.</param>
    private readonly record struct Place(FaceBox Box, long TimestampUs, long TrackletId);
}
