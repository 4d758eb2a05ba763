namespace LfrEngine.Threading;

/// <summary>The one place that starts threads. No thread ends the program: the starter is called with the exception that ended it.</summary>
/// <remarks>
/// An exception that leaves a thread would end the process there and then: no summary, no receipt, nothing wiped. So the constructor of
/// <see cref="Thread"/> is banned everywhere else, and who starts a thread here must say what its failure means.
/// </remarks>
public sealed class EngineThread
{
    private readonly Thread thread;

    private EngineThread(string name, Action work, Action<Exception> failed, ThreadPriority priority)
    {
#pragma warning disable RS0030 // The one place.
        thread = new Thread(() => Run(work, failed)) { IsBackground = true, Name = name, Priority = priority };
#pragma warning restore RS0030
    }

    /// <summary>Starts a background thread.</summary>
    /// <param name="name">Shown by debuggers and <c>top -H</c>.</param>
    /// <param name="work">What it does until it ends.</param>
    /// <param name="failed">Told what ended it early, on this thread, as its last act. Must not throw.</param>
    /// <param name="priority">Normal, but for what must not wait behind the workers.</param>
    public static EngineThread Start(string name, Action work, Action<Exception> failed, ThreadPriority priority = ThreadPriority.Normal)
    {
        var started = new EngineThread(name, work, failed, priority);
        started.thread.Start();
        return started;
    }

    /// <summary>Waits for its end.</summary>
    public void Join() => thread.Join();

    /// <summary>Waits for its end, but no longer than this.</summary>
    /// <returns>Whether it has ended.</returns>
    public bool Join(TimeSpan patience) => thread.Join(patience);

    private static void Run(Action work, Action<Exception> failed)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // Whatever it is: this is where a thread's failure becomes news instead of the end of the process.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failed(e);
        }
    }
}
