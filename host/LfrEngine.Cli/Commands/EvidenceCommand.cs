using LfrEngine.Evaluation.Evidence;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr evidence verify FILE</c>: checks the signature of the laboratory's evidence and shows its content.</summary>
internal static class EvidenceCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "Evidence file from the laboratory (`lfr-lab identify`, `passages` or `calibrate` with `--evidence`)." };
        var key = new Option<FileInfo?>("--key") { Description = "Public key (PEM) of the laboratory's installation; default: this installation's." };
        var verify = new Command("verify", "Check that evidence was signed by a laboratory and has not been altered.") { file, key };
        verify.SetAction(parsed =>
        {
            EvidenceDocument evidence = EvidenceFile.Verify(parsed.GetRequiredValue(file).FullName, SignedDocument.TrustedPem(parsed.GetValue(key)?.FullName));
            AnsiConsole.MarkupLineInterpolated($"[green]genuine[/]: protocol {evidence.Protocol}, embedder {evidence.EmbedderId} ({evidence.EmbedderSha256[..12]}), {evidence.MadeAt:u}");
            foreach (OperatingPoint p in evidence.Points.Where(p => p.FpirWanted is not null || evidence.Points.Count <= 10))
                AnsiConsole.WriteLine($"{p.GallerySize} enrolled, threshold {p.Threshold:0.####}: FPIR {p.Fpir:0.0e0} [{p.FpirLow:0.0e0}, {p.FpirHigh:0.0e0}] of {p.NonMated}; TPIR {p.Tpir:0.000} [{p.TpirLow:0.000}, {p.TpirHigh:0.000}] of {p.Mated}");
            AnsiConsole.WriteLine(EvidenceWords.Calibration(evidence));
            return ExitCode.Success;
        });
        return new Command("evidence", "Error rates measured by a laboratory.") { verify };
    }
}
