using System.Globalization;

namespace LfrEngine.Programs;

/// <summary>Memory use of this process.</summary>
internal static class ProcessMemory
{
    /// <summary>Peak resident set of this process, bytes; .NET's own figure is the current one on Linux.</summary>
    public static long Peak()
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status))
            return Environment.WorkingSet;
        string? line = File.ReadLines(Status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? Environment.WorkingSet : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }
}
