using System.Collections.Concurrent;
using System.Diagnostics;
using LfrEngine.Pipeline;
using LfrEngine.Records.Receipts;
using LfrEngine.Threading;

namespace LfrEngine.Cli.Screen;

/// <summary>An event of a run, as text and as JSON.</summary>
/// <param name="Sentence">In words.</param>
/// <param name="Json">One line.</param>
/// <param name="IsWarning">Whether it is also shown on standard error.</param>
internal sealed record RunEvent(string Sentence, string Json, bool IsWarning = false);

/// <summary>Shows a run, on its own thread, so that a slow, stopped or closed screen does not delay the cameras.</summary>
/// <remarks>All output of a run goes through here. Two kinds: <see cref="RunTable"/> on a terminal, <see cref="RunLines"/> everywhere else.</remarks>
internal abstract class RunScreen : IDisposable
{
    // The queue is longer only if nobody has read the screen for a long time.
    private const int MostWaiting = 10_000;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    // A stop does not wait for a blocked screen.
    private static readonly TimeSpan PatienceWhenStopped = TimeSpan.FromSeconds(2);

    private readonly ConcurrentQueue<RunEvent> waiting = new();
    private readonly ManualResetEvent over = new(false);
    private readonly TextWriter error;
    private readonly long started = Stopwatch.GetTimestamp();
    private RunReport? report;
    private IReadOnlyList<string> warnings = [];
    private EngineThread? thread;
    private TimeSpan firstResult;
    private long leftOut;

    /// <param name="cameras">Status of the cameras, read during the run.</param>
    /// <param name="error">Standard error.</param>
    protected RunScreen(IReadOnlyList<CameraStatus> cameras, TextWriter error) => (Cameras, this.error) = (cameras, error);

    /// <summary>From the start to the first analysed frame; 0 while there is none.</summary>
    public TimeSpan FirstResult
    {
        get
        {
            if (firstResult == TimeSpan.Zero && Cameras.Any(c => c.FramesAnalysed > 0))
                firstResult = Elapsed;
            return firstResult;
        }
    }

    /// <summary>How long the run has lasted.</summary>
    protected TimeSpan Elapsed => Stopwatch.GetElapsedTime(started);

    protected IReadOnlyList<CameraStatus> Cameras { get; }

    /// <summary>Creates the screen that fits standard output.</summary>
    public static RunScreen Open(IReadOnlyList<CameraStatus> cameras, bool json)
    {
        RunScreen screen = json ? new RunJson(cameras, Console.Out, Console.Error, RunLines.Heartbeat)
            : AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected ? new RunTable(cameras, Console.Error)
            : new RunText(cameras, Console.Out, Console.Error, RunLines.Heartbeat);
        screen.Start();
        return screen;
    }

    /// <summary>Begins to show.</summary>
    public void Start() => thread = EngineThread.Start("screen", ShowAll, e => error.WriteLine($"The screen failed: {e.Message} The run continues without it."));

    /// <summary>Queues an event; returns at once.</summary>
    public void Tell(RunEvent what)
    {
        if (waiting.Count < MostWaiting)
            waiting.Enqueue(what);
        else
            Interlocked.Increment(ref leftOut);
    }

    /// <summary>Shows what is left, then the summary.</summary>
    /// <param name="summary">Result of the run.</param>
    /// <param name="closing">Last message, on standard error.</param>
    /// <param name="stopping">Set when the program must end: a blocked screen is then not waited for.</param>
    public void Finish(RunReport summary, IReadOnlyList<string> closing, CancellationToken stopping)
    {
        (report, warnings) = (summary, closing);
        over.Set();
        // Waits for a slow reader however long it takes: the run is over, and its files are written.
        while (thread is not null && !thread.Join(Look))
        {
            if (stopping.IsCancellationRequested)
            {
                thread.Join(PatienceWhenStopped);
                return;
            }
        }
    }

    /// <summary>Ends the screen of a failed run.</summary>
    public void Dispose() => over.Set();

    /// <summary>Shows the run until <see cref="Pause"/> returns true.</summary>
    protected abstract void Show();

    protected abstract void ShowSummary(RunReport report);

    /// <summary>The next event.</summary>
    protected bool TryTake(out RunEvent what) => waiting.TryDequeue(out what!);

    /// <summary>Waits a moment.</summary>
    /// <returns>Whether the run is over.</returns>
    protected bool Pause(TimeSpan moment)
    {
        bool ended = over.WaitOne(moment);
        _ = FirstResult;
        return ended;
    }

    protected void Warn(string sentence) => error.WriteLine(sentence);

    private void ShowAll()
    {
        Show();
        if (report is null)
            return;
        if (leftOut > 0)
            Warn($"{new Counted(leftOut):line|lines} were not shown, because standard output was blocked for a long time.");
        ShowSummary(report);
        foreach (string warning in warnings)
            Warn(warning);
    }
}
