using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LfrEngine.Evaluation.Tests;

/// <summary>Asks oracle.py: SciPy, scikit-learn and numpy on the same numbers, in this very run.</summary>
internal static class Oracle
{
    public static JsonNode Ask(object question)
    {
        if (!Directory.Exists("/usr/lib/python3/dist-packages/scipy") || !Directory.Exists("/usr/lib/python3/dist-packages/sklearn"))
            Assert.Skip("python3-scipy or python3-sklearn is missing. Debian: apt-get install python3-scipy python3-sklearn");
        var start = new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "oracle.py")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process python = Process.Start(start)!;
        Task<string> errors = python.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        python.StandardInput.Write(JsonSerializer.Serialize(question));
        python.StandardInput.Close();
        string answer = python.StandardOutput.ReadToEnd();
        python.WaitForExit();
        Assert.True(python.ExitCode == 0, errors.Result);
        return JsonNode.Parse(answer)!;
    }

    public static double[] Numbers(this JsonNode node) => [.. node.AsArray().Select(v => (double)v!)];

    /// <summary>Equal within a relative tolerance.</summary>
    public static void Close(double expected, double actual, double tolerance = 1e-9) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(Math.Abs(expected), 1e-300) || Math.Abs(expected - actual) < 1e-15, $"expected {expected:r}, got {actual:r}");
}
