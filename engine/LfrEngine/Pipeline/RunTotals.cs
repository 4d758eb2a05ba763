using System.Diagnostics;
using LfrEngine.Memory;
using LfrEngine.Native.Media;

namespace LfrEngine.Pipeline;

/// <summary>The result of a run over all cameras; durations are counted while it runs.</summary>
/// <param name="onDeadlineMissed">Called for every missed erasure deadline, on a thread of the run.</param>
public sealed class RunTotals(Action<DeadlineMiss>? onDeadlineMissed = null)
{
    /// <summary>Unique id of the run; prefix of its alert ids.</summary>
    public string RunId { get; init; } = RunIds.New();

    /// <summary>Length of the run.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Alerts raised.</summary>
    public int AlertsRaised { get; internal set; }

    /// <summary>Passages that joined an alert.</summary>
    public int AlertsJoined { get; internal set; }

    /// <summary>Crops and embeddings wiped after comparison; every shot has one of each.</summary>
    public long ShotsErased => Erasure.Crop.Count;

    /// <summary>Frame buffers and packets of this run's decoders in host memory at the end of the run: wiped, and still held.</summary>
    public MediaStatistics Media { get; internal set; }

    /// <summary>Lifetimes of frames, crops and embeddings.</summary>
    public ErasureClock Erasure { get; } = new(onDeadlineMissed);

    /// <summary>From the arrival of the frame that completed the evidence until the alert.</summary>
    public LatencyHistogram CaptureToAlert { get; } = new();

    /// <summary>From the arrival of a frame until its search began; of live cameras at most <see cref="Scheduler.LongestWaitMs"/>.</summary>
    internal LatencyHistogram BeforeSearch { get; } = new();

    internal void CountFrameErased(long arrivalTimestamp)
    {
        Erasure.Frame.Add(Stopwatch.GetElapsedTime(arrivalTimestamp));
    }

    internal void CountCropsErased(int count, long arrivalTimestamp)
    {
        for (int i = 0; i < count; i++)
            Erasure.Crop.Add(Stopwatch.GetElapsedTime(arrivalTimestamp));
    }

    internal void CountEmbeddingErased(long arrivalTimestamp) => Erasure.Embedding.Add(Stopwatch.GetElapsedTime(arrivalTimestamp));

    internal void CountAlert(TimeSpan duration) => CaptureToAlert.Add(duration);
}
