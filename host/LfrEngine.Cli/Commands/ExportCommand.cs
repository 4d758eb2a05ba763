using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using LfrEngine.Web.Transparency;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr export</c>: exports the figures to publish, counted from the audit trail.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var files = new Argument<FileInfo[]>("FILE") { Description = "Trails from `lfr audit export`; default: the store of --config, at a headquarters with all its vans.", Arity = ArgumentArity.ZeroOrMore };
        var from = new Option<DateOnly?>("--from") { Description = "First day, for example 2026-01-01." };
        var to = new Option<DateOnly?>("--to") { Description = "Last day." };
        var format = new Option<TransparencyForm>("--format") { Description = "csv, json (docs/audit.md) or html.", DefaultValueFactory = _ => TransparencyForm.Csv };
        var output = new Option<FileInfo?>("-o", "--out") { Description = "File to write; default: standard output." };
        ConfigOption config = new();
        var command = new Command("export", "Export the figures to publish: faces seen, alerts, interventions, arrests, incorrect alerts.") { files, from, to, format, output };
        config.AddTo(command);
        command.SetAction(async (parsed, stopping) =>
        {
            if (Period.Fault("--from", parsed.GetValue(from), "--to", parsed.GetValue(to)) is { } reversed)
                throw new CommandFailure(ExitCode.Usage, reversed);
            OutputPlace.RequireFile(parsed.GetValue(output)?.FullName, "--out");
            TransparencyReport report = parsed.GetValue(files) is { Length: > 0 } trails ? OfFiles(trails, parsed.GetValue(from), parsed.GetValue(to)) : OfStore(config.Read(parsed), parsed.GetValue(from), parsed.GetValue(to));
            byte[] text = TransparencyText.Write(report, parsed.GetValue(format));
            if (parsed.GetValue(output) is { } file)
                await CommandOutput.WriteAsync(file.FullName, stream => stream.WriteAsync(text, stopping).AsTask());
            else
            {
                StandardScreen.Output.Write(text);
            }
            return ExitCode.Success;
        });
        return command;
    }

    private static TransparencyReport OfStore(Installation installation, DateOnly? from, DateOnly? to)
    {
        using LfrStore store = StoreSetup.OpenForReading(installation);
        return PublishedFigures.Report(store, installation, from, to);
    }

    private static TransparencyReport OfFiles(FileInfo[] files, DateOnly? from, DateOnly? to)
    {
        var ledger = new TransparencyLedger();
        foreach (FileInfo file in files)
        {
            IEnumerable<AuditLine> lines = AuditFile.Read(file.FullName, out AuditHeader header);
            PublishedFigures.Add(ledger, header.Installation, lines.Where(l => l.Entry is not null));
        }
        return ledger.Report(from, to);
    }
}
