namespace LfrEngine.CApi.Interop;

/// <summary>The callback of the caller that a thread is in. What would wait there for the callback itself is refused.</summary>
internal readonly ref struct Callback
{
    [ThreadStatic]
    private static string? name;

    // Null: threads of any run may be waiting.
    [ThreadStatic]
    private static HandleObject? waiting;

    private readonly string? outerName;
    private readonly HandleObject? outerWaiting;

    /// <param name="called">Its name in lfr_engine.h.</param>
    /// <param name="run">The only run whose threads wait for it; null for any run.</param>
    public Callback(string called, HandleObject? run = null)
    {
        (outerName, outerWaiting) = (name, waiting);
        (name, waiting) = (called, run);
    }

    public void Dispose() => (name, waiting) = (outerName, outerWaiting);

    /// <summary>Before a run is stopped or destroyed.</summary>
    public static void RequireOutside(HandleObject run)
    {
        if (Holds(run))
            throw new StatusException(Status.BadState, $"{name} cannot stop or destroy {(waiting is null ? "a" : "its own")} run: do it on another thread.");
    }

    /// <summary>Before a wait for what a run does.</summary>
    public static void RequireLimit(HandleObject? run, int timeoutMs)
    {
        if (timeoutMs < 0 && Holds(run))
            throw new StatusException(Status.BadState, $"{name} cannot wait without limit: give timeout_ms.");
    }

    private static bool Holds(HandleObject? run) => name is not null && (waiting is null || waiting == run);
}
