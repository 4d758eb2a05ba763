using System.Diagnostics;
using LfrEngine.CApi.Engine;
using LfrEngine.CApi.Interop;
using LfrEngine.Frames;
using LfrEngine.Native.Media;

namespace LfrEngine.CApi.Runs;

/// <summary>Tells the caller that the library no longer uses a borrowed frame; does nothing for a copied frame.</summary>
internal readonly unsafe struct FrameRelease(delegate* unmanaged[Cdecl]<void*, void> onRelease, void* user)
{
    private readonly delegate* unmanaged[Cdecl]<void*, void> onRelease = onRelease;
    private readonly void* user = user;

    public bool IsWanted => onRelease is not null;

    public void Tell()
    {
        using var inside = new Callback("on_release");
        if (onRelease is not null)
            onRelease(user);
    }
}

/// <summary>A camera whose frames the caller pushes. It is a source for the engine and a handle for the caller.</summary>
/// <remarks>Frames are in locked memory, which is wiped when the pipeline releases them, and then reused.</remarks>
internal sealed unsafe class PushedCamera(bool isLive) : HandleObject, IVideoDecoder, ISourceReader
{
    // One to read while the next is copied; the pipeline has its own queues.
    private const int Room = 2;

    private readonly object gate = new();
    private readonly Queue<PushedFrame> waiting = new();
    private readonly Stack<PushedFrame> spares = new();
    private int copying;
    private long delivered;
    private (int Width, int Height) size;
    private bool begun, ended, closed, interrupted, over;

    public override HandleKind Kind => HandleKind.Camera;

    /// <summary>The run that it is a camera of; set once, before frames are pushed.</summary>
    public HandleObject? Run { get; set; }

    /// <summary>Source name for the engine, which treats an address with a scheme as live and a plain name as a recording.</summary>
    public string Source => isLive ? "push://caller" : "pushed";

    /// <summary>Copies a frame, or borrows its planes if it has a release callback, and queues it.</summary>
    public Status Push(in CallerImage image, long timeUs, int timeoutMs, FrameRelease release)
    {
        Callback.RequireLimit(Run, timeoutMs);
        long started = Stopwatch.GetTimestamp();
        PushedFrame? frame;
        lock (gate)
        {
            while (!closed && !ended && waiting.Count + copying >= Room)
            {
                if (timeoutMs < 0 && !begun)
                    throw new StatusException(Status.BadState, $"The run has not started, and {Room} frames wait already: call lfr_run_start first, or give timeout_ms.");
                int left = timeoutMs < 0 ? Timeout.Infinite : (int)Math.Max(0, timeoutMs - Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                if (left == 0 || !Monitor.Wait(gate, left))
                    return Status.TimedOut;
            }
            if (closed || ended)
                return Status.Ended;
            copying++;
            if (!spares.TryPop(out frame))
                frame = new PushedFrame(this);
        }
        bool filled = false;
        try
        {
            frame.Fill(image, timeUs, release);
            filled = true;
        }
        finally
        {
            lock (gate)
            {
                copying--;
                if (filled && !closed)
                    waiting.Enqueue(frame);
                else
                    frame.Discard();
                // The run may have ended meanwhile: then the frame was not taken.
                filled &= !closed;
                Monitor.PulseAll(gate);
            }
        }
        if (!filled)
            return Status.Ended;
        if (image.IsConverted)
            release.Tell();
        return Status.Ok;
    }

    /// <summary>The run starts: its threads will take what is pushed.</summary>
    public void Begin()
    {
        lock (gate)
            begun = true;
    }

    /// <summary>No more frames will come.</summary>
    public void End()
    {
        lock (gate)
        {
            ended = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Called at the end of the run: wipes the waiting frames.</summary>
    public void Shut()
    {
        var left = new List<PushedFrame>();
        lock (gate)
        {
            ended = closed = true;
            while (waiting.TryDequeue(out PushedFrame? frame))
                left.Add(frame);
            while (spares.TryPop(out PushedFrame? frame))
                left.Add(frame);
            Monitor.PulseAll(gate);
        }
        // Outside the gate: the caller may push from inside the callback.
        left.ForEach(f => f.Free());
    }

    public override void Close() => End();

    public ISourceReader Open(string source, SourceOptions options, bool isLive, MediaAccount? account, CancellationToken stopping) => this;

    public DecodeResult Read(FrameLease frame)
    {
        lock (gate)
        {
            while (true)
            {
                if (interrupted || closed)
                    return DecodeResult.Interrupted;
                if (waiting.TryDequeue(out PushedFrame? next))
                {
                    delivered++;
                    size = (next.View.Width, next.View.Height);
                    Monitor.PulseAll(gate);
                    frame.Fill(next, next.View, next.TimeUs, next.Arrival);
                    return DecodeResult.Frame;
                }
                if (ended && copying == 0)
                {
                    over = true;
                    return DecodeResult.EndOfStream;
                }
                Monitor.Wait(gate);
            }
        }
    }

    public void Interrupt()
    {
        lock (gate)
        {
            interrupted = true;
            Monitor.PulseAll(gate);
        }
    }

    // The engine reopens a live source without a length, so an ended one has a length.
    public MediaInfo GetInfo()
    {
        lock (gate)
            return new MediaInfo("pushed", "raw", "", size.Width, size.Height, 0, over ? 0 : null, 0, isLive, false, delivered, 0, "");
    }

    // The reader has ended, so no more frames will be taken.
    void IDisposable.Dispose() => Shut();

    protected override void Free() => Shut();

    private void TakeBack(PushedFrame frame)
    {
        lock (gate)
        {
            if (!closed)
            {
                spares.Push(frame);
                return;
            }
        }
        frame.Free();
    }

    private sealed class PushedFrame(PushedCamera camera) : IDisposable
    {
        private HostBuffer<byte>? bytes;
        private FrameRelease release;

        public FrameView View { get; private set; }

        public long TimeUs { get; private set; }

        public long Arrival { get; private set; }

        public void Fill(in CallerImage image, long timeUs, FrameRelease wanted)
        {
            if (wanted.IsWanted && !image.IsConverted)
            {
                release = wanted;
                View = image.View;
            }
            else
            {
                int needed = image.CopyBytes;
                if (bytes?.Length != needed)
                {
                    bytes?.Dispose();
                    bytes = null;
                    bytes = BufferPool.Rent<byte>(needed);
                }
                View = image.CopyTo(bytes.Pointer);
            }
            TimeUs = timeUs;
            Arrival = Stopwatch.GetTimestamp();
        }

        /// <summary>The frame was not taken: the caller keeps it, and the release callback is not called.</summary>
        public void Discard()
        {
            release = default;
            Free();
        }

        public void Free()
        {
            View = default;
            bytes?.Dispose();
            bytes = null;
            Release();
        }

        // The pipeline has released the frame: it is wiped now, and its memory is kept for the next one.
        public void Dispose()
        {
            View = default;
            bytes?.Wipe();
            Release();
            camera.TakeBack(this);
        }

        private void Release()
        {
            FrameRelease due = release;
            release = default;
            due.Tell();
        }
    }
}
