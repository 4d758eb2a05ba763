using System.Diagnostics;

namespace LfrEngine.Memory;

/// <summary>Data of a face was held after its verdict for longer than <see cref="ErasureClock.DeadlineMs"/>.</summary>
/// <param name="Milliseconds">Since the verdict.</param>
/// <param name="StillHeld">True if it has not been wiped yet because a stage hangs.</param>
public readonly record struct DeadlineMiss(double Milliseconds, bool StillHeld);

/// <summary>Lifetimes of face data in one run. Everything is counted after the wipe, never before. Thread-safe.</summary>
/// <param name="onDeadlineMissed">Called once for every missed deadline: by <see cref="CheckDeadlines"/> while a stage hangs, or on the thread that wiped too late.</param>
public sealed class ErasureClock(Action<DeadlineMiss>? onDeadlineMissed = null)
{
    /// <summary>Maximum time for which data of a face may be held after the face was judged or its tracklet ended, milliseconds.</summary>
    public const int DeadlineMs = 500;

    // Wipes that are due. There are few at a time, so the list is searched. Verdict 0 marks a free entry.
    private readonly List<(long Verdict, bool Told)> due = [];
    private long breaches;

    /// <summary>Decoded frames: from the arrival of the pixels to their release by the engine.</summary>
    public LatencyHistogram Frame { get; } = new();

    /// <summary>Aligned crops: from the arrival of the pixels to the wipe.</summary>
    public LatencyHistogram Crop { get; } = new();

    /// <summary>Embeddings: from the arrival of the pixels to the wipe.</summary>
    public LatencyHistogram Embedding { get; } = new();

    /// <summary>Verdict to wipe: from the moment a shot is judged or its tracklet ends until all of it is wiped.</summary>
    public LatencyHistogram AfterVerdict { get; } = new();

    /// <summary>Input and output tensors of all networks of the process: from filled to wiped.</summary>
    public static LatencyHistogram Tensor { get; } = new();

    /// <summary>Activations inside ONNX Runtime, of the process: from allocated to wiped.</summary>
    public static LatencyHistogram Activation { get; } = new();

    /// <summary>All histograms, by the names used in reports.</summary>
    public IEnumerable<(string Kind, LatencyHistogram Lifetimes)> Kinds =>
        [("frame", Frame), ("tensor", Tensor), ("crop", Crop), ("embedding", Embedding), ("activation", Activation), ("after-verdict", AfterVerdict)];

    /// <summary>Times the deadline was missed.</summary>
    public long DeadlineBreaches => Volatile.Read(ref breaches);

    /// <summary>Reports everything that is overdue and not wiped yet. Called by a dedicated thread of the run.</summary>
    internal void CheckDeadlines()
    {
        for (int i = 0; ; i++)
        {
            double late;
            lock (due)
            {
                if (i >= due.Count)
                    return;
                (long verdict, bool told) = due[i];
                late = verdict == 0 || told ? 0 : Stopwatch.GetElapsedTime(verdict).TotalMilliseconds;
                if (late <= DeadlineMs)
                    continue;
                due[i] = (verdict, true);
            }
            Tell(new DeadlineMiss(late, StillHeld: true));
        }
    }

    /// <summary>Registers a verdict, after which the face data must be wiped.</summary>
    /// <param name="verdictTimestamp">When the face was judged or its tracklet ended, stopwatch ticks.</param>
    /// <returns>Pass it to <see cref="Erased"/> after the wipe.</returns>
    internal int Due(long verdictTimestamp)
    {
        lock (due)
        {
            int place = due.FindIndex(static d => d.Verdict == 0);
            if (place < 0)
            {
                place = due.Count;
                due.Add(default);
            }
            due[place] = (verdictTimestamp, false);
            return place;
        }
    }

    /// <summary>Registers the wipe.</summary>
    /// <param name="place">From <see cref="Due"/>; once.</param>
    /// <param name="count">Things wiped under this verdict.</param>
    internal void Erased(int place, int count)
    {
        long verdict;
        bool told;
        lock (due)
        {
            (verdict, told) = due[place];
            due[place] = default;
        }
        TimeSpan late = Stopwatch.GetElapsedTime(verdict);
        for (int i = 0; i < count; i++)
            AfterVerdict.Add(late);
        if (late.TotalMilliseconds > DeadlineMs && !told)
            Tell(new DeadlineMiss(late.TotalMilliseconds, StillHeld: false));
    }

    private void Tell(DeadlineMiss miss)
    {
        Interlocked.Increment(ref breaches);
        onDeadlineMissed?.Invoke(miss);
    }
}
