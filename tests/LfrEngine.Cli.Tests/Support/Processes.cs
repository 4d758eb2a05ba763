using System.Globalization;

namespace LfrEngine.Cli.Tests.Support;

/// <summary>Looks at a process from outside.</summary>
internal static class Processes
{
    /// <summary>Waits until a program has started another one.</summary>
    /// <returns>Its id.</returns>
    public static async Task<int> ChildOfAsync(int process)
    {
        if (!Directory.Exists("/proc/self/task"))
            Assert.Skip("No /proc to see in what a process has started.");
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (true)
        {
            if (Directory.GetDirectories($"/proc/{process}/task").SelectMany(Children).FirstOrDefault() is { } child)
                return int.Parse(child, CultureInfo.InvariantCulture);
            await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Memory that a running process holds now, bytes.</summary>
    public static long MemoryOf(int process) =>
        long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    /// <summary>Waits until the program has loaded its networks' runtime: its command has begun and Ctrl-C is its own affair.</summary>
    public static async Task UntilItIsAtWorkAsync(int process)
    {
        if (!File.Exists("/proc/self/maps"))
            Assert.Skip("No /proc to see in what a process has loaded.");
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!File.ReadLines($"/proc/{process}/maps").Any(l => l.EndsWith("/libonnxruntime.so", StringComparison.Ordinal)))
            await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Names of the .NET assemblies that a running process has loaded.</summary>
    public static string[] AssembliesOf(int process)
    {
        if (!File.Exists("/proc/self/maps"))
            Assert.Skip("No /proc to see in what a process has loaded.");
        return [.. File.ReadLines($"/proc/{process}/maps").Where(l => l.EndsWith(".dll", StringComparison.Ordinal)).Select(l => Path.GetFileName(l[l.IndexOf('/', StringComparison.Ordinal)..])).Distinct()];
    }

    // Of one thread, which may have ended meanwhile.
    private static string[] Children(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
