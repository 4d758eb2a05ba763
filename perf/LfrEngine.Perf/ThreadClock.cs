using System.Runtime.InteropServices;
using Perfolizer.Horology;

namespace LfrEngine.Perf;

/// <summary>The processor time of the calling thread: kernels run on one thread, and what else the machine does must not count.</summary>
internal sealed partial class ThreadClock : IClock
{
    private const int ThreadProcessorTime = 3;

    public string Title => nameof(ThreadClock);

    public bool IsAvailable => OperatingSystem.IsLinux();

    public Frequency Frequency => Frequency.FromGHz(1);

    public unsafe long GetTimestamp()
    {
        long* time = stackalloc long[2];
        return GetTime(ThreadProcessorTime, time) == 0 ? (time[0] * 1_000_000_000) + time[1] : throw new PlatformNotSupportedException("This system does not tell a thread's processor time.");
    }

    /// <summary>Of the calling thread.</summary>
    public static double Milliseconds => new ThreadClock().GetTimestamp() / 1e6;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static unsafe partial int GetTime(int clock, long* secondsAndNanoseconds);
}
