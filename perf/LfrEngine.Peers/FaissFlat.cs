using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace LfrEngine.Peers;

/// <summary>FAISS' IndexFlatIP in a process of its own (perf/peers/faiss_flat.cpp), one search at a time.</summary>
/// <remarks>Between its turns the process is stopped: OpenBLAS' threads go on spinning for 25 ms after each product.</remarks>
internal sealed partial class FaissFlat : IDisposable
{
    private const int Continue = 18, Stop = 19;

    private readonly Process process;

    public FaissFlat(string program, string rows, int rowCount, int length, string probes, int probeCount)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in (ReadOnlySpan<string>)[rows, Text(rowCount), Text(length), probes, Text(probeCount)])
            start.ArgumentList.Add(argument);
        // Without it FAISS' idle threads spin where OpenBLAS' want to work: 64 probes then take 150 ms instead of 12 on two cores.
        start.Environment["OMP_WAIT_POLICY"] = "passive";
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new IOException($"{program} does not start: {error.Message}. perf/peers/search builds it.");
        }
        if (Line() != "ready")
            throw new IOException($"{program} said something else than ready.");
    }

    /// <summary>Its turn begins.</summary>
    public void Resume() => _ = Signal(process.Id, Continue);

    /// <summary>Its turn ends.</summary>
    public void Pause() => _ = Signal(process.Id, Stop);

    /// <summary>Searches probes [first, first + rows of <paramref name="found"/>).</summary>
    /// <returns>Milliseconds, and processor milliseconds of all threads, as the program itself measured.</returns>
    public (double Ms, double ProcessorMs) Search(int first, (int Row, float Score)[][] found, int threads)
    {
        process.StandardInput.WriteLine($"{first} {found.Length} {found[0].Length} {threads}");
        process.StandardInput.Flush();
        double[] spent = [.. Line().Split(' ').Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
        foreach ((int Row, float Score)[] probe in found)
        {
            string[] words = Line().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            for (int i = 0; i < probe.Length; i++)
                probe[i] = (int.Parse(words[2 * i], CultureInfo.InvariantCulture), float.Parse(words[(2 * i) + 1], CultureInfo.InvariantCulture));
        }
        return (spent[0], spent[1]);
    }

    public void Dispose()
    {
        Resume();
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }

    private string Line() => process.StandardOutput.ReadLine() ?? throw new IOException("FAISS' program ended early.");

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
