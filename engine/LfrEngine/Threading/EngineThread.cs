namespace LfrEngine.Threading;

/// <summary>Starts all threads of the engine. An exception in a thread does not end the program: the starter's callback receives it.</summary>
/// <remarks>
/// An unhandled exception in a thread would end the process immediately, without summary, receipt or wiping. So the constructor of
/// <see cref="Thread"/> is banned everywhere else, and code that starts a thread here must handle its failure.
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
    /// <param name="work">The work of the thread.</param>
    /// <param name="failed">Receives the exception that ended the thread, on this thread. Must not throw.</param>
    /// <param name="priority">Normal, except for threads that must not wait behind the workers.</param>
    /// <exception cref="InsufficientMemoryException">The system starts no more threads.</exception>
    public static EngineThread Start(string name, Action work, Action<Exception> failed, ThreadPriority priority = ThreadPriority.Normal)
    {
        var started = new EngineThread(name, work, failed, priority);
        try
        {
            started.thread.Start();
        }
        catch (OutOfMemoryException e)
        {
            throw new InsufficientMemoryException($"The thread \"{name}\" could not be started: the system gives this process no more memory or threads.", e);
        }
        return started;
    }

    /// <summary>Waits for the thread to end.</summary>
    public void Join() => thread.Join();

    /// <summary>Waits for the thread to end, with a timeout.</summary>
    /// <returns>Whether it has ended.</returns>
    public bool Join(TimeSpan patience) => thread.Join(patience);

    private static void Run(Action work, Action<Exception> failed)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // Any exception: it is reported here instead of ending the process.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failed(e);
        }
    }
}
