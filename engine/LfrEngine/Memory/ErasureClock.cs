using System.Diagnostics;

namespace LfrEngine.Memory;

/// <summary>How long what belongs to a face lives in one run. Everything is counted after the wipe, never before. Thread-safe.</summary>
/// <param name="onDeadlineMissed">Told of every missed deadline, on the thread that wiped too late; milliseconds since the verdict.</param>
public sealed class ErasureClock(Action<double>? onDeadlineMissed = null)
{
    /// <summary>Longest that anything of a face may live on after it was judged or its tracklet ended, milliseconds.</summary>
    public const int DeadlineMs = 500;

    private long breaches;

    /// <summary>Decoded frames: arrival of the pixels to the engine letting go of them.</summary>
    public LatencyHistogram Frame { get; } = new();

    /// <summary>Aligned crops: arrival of the pixels to wiped.</summary>
    public LatencyHistogram Crop { get; } = new();

    /// <summary>Embeddings: arrival of the pixels to wiped.</summary>
    public LatencyHistogram Embedding { get; } = new();

    /// <summary>Verdict to wiped: from the moment a shot is judged or its tracklet ends until the last of it is gone.</summary>
    public LatencyHistogram AfterVerdict { get; } = new();

    /// <summary>Input and output tensors of all networks of the process: filled to wiped.</summary>
    public static LatencyHistogram Tensor { get; } = new();

    /// <summary>Activations inside ONNX Runtime, of the process: taken to wiped.</summary>
    public static LatencyHistogram Activation { get; } = new();

    /// <summary>Times the deadline was missed.</summary>
    public long DeadlineBreaches => Volatile.Read(ref breaches);

    /// <summary>Something of a face has been wiped.</summary>
    /// <param name="verdictTimestamp">When the face was judged or its tracklet ended, stopwatch ticks.</param>
    internal void Erased(long verdictTimestamp)
    {
        TimeSpan late = Stopwatch.GetElapsedTime(verdictTimestamp);
        AfterVerdict.Add(late);
        if (late.TotalMilliseconds <= DeadlineMs)
            return;
        Interlocked.Increment(ref breaches);
        onDeadlineMissed?.Invoke(late.TotalMilliseconds);
    }
}
