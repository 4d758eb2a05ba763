using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LfrEngine.Pipeline;

/// <summary>Stages whose time is measured.</summary>
public enum PipelineStage
{
    /// <summary>Demultiplexing and decoding.</summary>
    Decode,

    /// <summary>Planes to the detector's tensor, and that tensor to half its size.</summary>
    Letterbox,

    /// <summary>The detector's network.</summary>
    Detect,

    /// <summary>Anchors to boxes, and their suppression.</summary>
    Suppress,

    /// <summary>The further networks that judge the detector's candidates, including cropping.</summary>
    Verify,

    /// <summary>Assigning boxes to tracklets.</summary>
    Track,

    /// <summary>The landmark network, one pass or two, resampling included.</summary>
    Landmarks,

    /// <summary>The mesh network, one pass or two, warping included.</summary>
    Mesh,

    /// <summary>Warping faces onto the recognition grid.</summary>
    Align,

    /// <summary>Measuring quality.</summary>
    Quality,

    /// <summary>Painting the picture that an alert would show.</summary>
    Picture,

    /// <summary>The embedder's network, its batches.</summary>
    Embed,

    /// <summary>Searching the gallery.</summary>
    Match,

    /// <summary>Wiping tensors, activations, stacks, crops and frames, wherever it happens; the decoder's own buffers count as decoding where the decoder releases them last.</summary>
    Wipe,
}

/// <summary>Time and calls of one stage.</summary>
/// <param name="Elapsed">Processor time over all threads; wall-clock time on systems other than Linux.</param>
/// <param name="Calls">Times the stage ran; a batch is one.</param>
public readonly record struct StageTime(TimeSpan Elapsed, long Calls)
{
    /// <summary>Difference of two readings.</summary>
    public static StageTime operator -(StageTime later, StageTime earlier) => new(later.Elapsed - earlier.Elapsed, later.Calls - earlier.Calls);
}

/// <summary>Adds up the cost of every stage, over all threads of the process. Off and without cost until <see cref="Start"/>.</summary>
/// <remarks>
/// Processor time, because threads of a busy machine wait for a processor in the middle of a stage. A nested stage is counted only for itself:
/// wiping in the middle of detection is wiping. Reading the clock takes a third of a microsecond, twice per call.
/// </remarks>
public static partial class StageClock
{
    // One cache line per stage, so that threads of different stages do not slow each other down.
    private const int Line = 8;

    private static readonly int Stages = Enum.GetValues<PipelineStage>().Length;

    // The first line is unused: it contains the array's length, which every access reads.
    private static readonly long[] Counters = new long[(Stages + 1) * Line];
    private static volatile bool counting;

    // Nanoseconds of ended stages nested in this thread's current stage.
    [ThreadStatic]
    private static long inner;

    /// <summary>Starts counting, for the rest of the process.</summary>
    public static void Start() => counting = true;

    /// <summary>Counts from here until the result is disposed, on the same thread.</summary>
    public static Scope Time(PipelineStage stage) => counting ? new Scope(stage) : default;

    /// <summary>The sums so far, one per <see cref="PipelineStage"/>.</summary>
    public static StageTime[] Read()
    {
        var times = new StageTime[Stages];
        for (int i = 0; i < times.Length; i++)
            times[i] = new StageTime(TimeSpan.FromMicroseconds(Volatile.Read(ref Counters[(i + 1) * Line]) / 1000.0), Volatile.Read(ref Counters[((i + 1) * Line) + 1]));
        return times;
    }

    private static unsafe long Now()
    {
        const int ThreadProcessorTime = 3;
        if (!OperatingSystem.IsLinux())
            return (long)Stopwatch.GetElapsedTime(0).TotalNanoseconds;
        long* time = stackalloc long[2];
        return GetTime(ThreadProcessorTime, time) == 0 ? (time[0] * 1_000_000_000) + time[1] : 0;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static unsafe partial int GetTime(int clock, long* secondsAndNanoseconds);

    /// <summary>A running stage on this thread.</summary>
    public readonly ref struct Scope
    {
        private readonly PipelineStage stage;
        private readonly long outer;
        private readonly long started;
        private readonly bool running;

        internal Scope(PipelineStage stage)
        {
            this.stage = stage;
            outer = inner;
            inner = 0;
            running = true;
            started = Now();
        }

        /// <summary>Ends the stage.</summary>
        public void Dispose()
        {
            if (!running)
                return;
            long elapsed = Now() - started;
            int at = ((int)stage + 1) * Line;
            Interlocked.Add(ref Counters[at], elapsed - inner);
            Interlocked.Increment(ref Counters[at + 1]);
            inner = outer + elapsed;
        }
    }
}
