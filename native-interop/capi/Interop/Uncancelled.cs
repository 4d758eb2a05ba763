namespace LfrEngine.CApi.Interop;

/// <summary>For the time of a call its thread cannot be cancelled (pthread_cancel); it is as soon as the call has returned.</summary>
/// <remarks>Cancelled while it waits inside the language runtime, it would end with locks held, and its run could never be stopped.</remarks>
internal readonly unsafe ref partial struct Uncancelled
{
    // PTHREAD_CANCEL_DISABLE of glibc.
    private const int Disable = 1;

    private readonly int before;

    public Uncancelled()
    {
        if (OperatingSystem.IsWindows())
            return;
        int former;
        if (SetCancelState(Disable, &former) == 0)
            before = former;
    }

    public void Dispose()
    {
        int unused;
        if (!OperatingSystem.IsWindows())
            _ = SetCancelState(before, &unused);
    }

    // Sets a number of the thread, and returns.
    [SuppressGCTransition]
    [LibraryImport("libc", EntryPoint = "pthread_setcancelstate")]
    private static partial int SetCancelState(int state, int* former);
}
