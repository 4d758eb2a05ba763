using System.Diagnostics;

namespace LfrEngine.Memory;

/// <summary>Something of a face outlived its verdict by more than <see cref="ErasureClock.DeadlineMs"/>.</summary>
/// <param name="Milliseconds">Since the verdict.</param>
/// <param name="StillHeld">True when it is not wiped yet: a stage hangs.</param>
public readonly record struct DeadlineMiss(double Milliseconds, bool StillHeld);

/// <summary>How long what belongs to a face lives in one run. Everything is counted after the wipe, never before. Thread-safe.</summary>
/// <param name="onDeadlineMissed">Told of every missed deadline once: by <see cref="CheckDeadlines"/> while a stage hangs, or on the thread that wiped too late.</param>
public sealed class ErasureClock(Action<DeadlineMiss>? onDeadlineMissed = null)
{
    /// <summary>Longest that anything of a face may live on after it was judged or its tracklet ended, milliseconds.</summary>
    public const int DeadlineMs = 500;

    // Due wipes: few at a time, so a list is searched. Verdict 0 marks a free place.
    private readonly List<(long Verdict, bool Told)> due = [];
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

    /// <summary>All of them, by the names that reports use.</summary>
    public IEnumerable<(string Kind, LatencyHistogram Lifetimes)> Kinds =>
        [("frame", Frame), ("tensor", Tensor), ("crop", Crop), ("embedding", Embedding), ("activation", Activation), ("after-verdict", AfterVerdict)];

    /// <summary>Times the deadline was missed.</summary>
    public long DeadlineBreaches => Volatile.Read(ref breaches);

    /// <summary>Tells of everything that is due for longer than the deadline and not wiped yet. Called by a thread of the run that does nothing else.</summary>
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

    /// <summary>A verdict was given: what it was given on is to be wiped.</summary>
    /// <param name="verdictTimestamp">When the face was judged or its tracklet ended, stopwatch ticks.</param>
    /// <returns>To be handed to <see cref="Erased"/> after the wipe.</returns>
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

    /// <summary>It has been wiped.</summary>
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
