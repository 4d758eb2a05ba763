using LfrEngine.Cli.Tests.Support;


namespace LfrEngine.Lab.Tests;

/// <summary>Stopped measurements: they end in order, and a report is complete or absent.</summary>
[Trait("Speed", "slow")]
public sealed class EndingTests(Laboratory lab) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static IEnumerable<TheoryDataRow<string, string, int, int>> Moments => Moment.Spread(21, 4, 2500, "verify", "identify", "simulate", "simulate");

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task Command_StoppedTwice_EndsInOrder(string command, string signal, int gapMs, int afterMs)
    {
        string output = folder["output"];
        string[] arguments = command == "simulate" ? [command, lab.Faces, "--out", output, "--listed", "4", "--others", "4"] : [command, lab.Faces, "--cache", folder["cache"], "--out", output];
        using Lfr program = Lfr.StartGroup(Laboratory.Program, null, lab.Variables, [.. arguments, "--allow-unlocked"]);

        Outcome outcome = await new Moment(command, signal, gapMs, afterMs).StopAsync(program);

        string[] written = [.. folder.Files.Where(f => f.StartsWith("output", StringComparison.Ordinal))];
        Assert.DoesNotContain(written, f => f.Contains("partial", StringComparison.Ordinal));
        if (outcome.ExitCode == ExitCode.Stopped)
            Assert.Empty(written);
        else
            Assert.Contains(command == "simulate" ? "output/passages.csv" : "output/report.json", written);
    }
}
