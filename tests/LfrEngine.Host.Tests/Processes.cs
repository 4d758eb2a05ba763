namespace LfrEngine.Host.Tests;

/// <summary>Looks at a process from outside.</summary>
internal static class Processes
{
    /// <summary>Waits until the program has loaded its networks' runtime: its command has begun and Ctrl-C is its own affair.</summary>
    public static async Task UntilItIsAtWorkAsync(int process)
    {
        if (!File.Exists("/proc/self/maps"))
            Assert.Skip("No /proc to see in what a process has loaded.");
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!File.ReadLines($"/proc/{process}/maps").Any(l => l.EndsWith("/libonnxruntime.so", StringComparison.Ordinal)))
            await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }
}
