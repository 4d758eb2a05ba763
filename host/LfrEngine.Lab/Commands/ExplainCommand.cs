using LfrEngine.Evaluation.Evidence;
using Spectre.Console;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab explain EVIDENCE</c>: explains a threshold in plain words.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("EVIDENCE") { Description = "Evidence file from `lfr-lab identify`, `passages` or `calibrate` with `--evidence`." };
        var threshold = new Option<double>("--threshold") { Description = "Threshold to explain.", Required = true }.Above(-1, 1);
        var list = new Option<int>("--list") { Description = "People on the list.", Required = true }.From(1);
        var passers = new Option<long>("--passers-by") { Description = "People expected to pass.", Required = true }.From(0);
        var key = new Option<FileInfo?>("--key") { Description = "Public key (PEM) of the laboratory's installation; default: this installation's." };
        var command = new Command("explain", "Explain a threshold: expected false alerts, people found and missed.") { file, threshold, list, passers, key };
        command.SetAction(parsed =>
        {
            EvidenceDocument evidence = EvidenceFile.Verify(parsed.GetRequiredValue(file).FullName, SignedDocument.TrustedPem(parsed.GetValue(key)?.FullName));
            AnsiConsole.WriteLine(string.Join(Environment.NewLine, EvidenceWords.Explain(evidence, Math.Round(parsed.GetValue(threshold), 4), parsed.GetValue(list), parsed.GetValue(passers))));
            return ExitCode.Success;
        });
        return command;
    }
}
