using System.Security.Cryptography;
using LfrEngine.Cli.Serving;
using LfrEngine.Files;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Disclosure;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr disclosure make|verify</c>: everything about one alert in one signed file, for a court.</summary>
internal static class DisclosureCommand
{
    public static Command Create() => new("disclosure", "Everything about one alert in one signed file, for a court.") { CreateMake(), CreateVerify() };

    private static Command CreateMake()
    {
        var alert = new Option<Guid>("--alert") { Description = "Id of the alert.", Required = true };
        var to = new Option<FileInfo>("--out") { Description = "File to write (ZIP, docs/disclosure.md).", Required = true };
        var reason = new Option<string>("--reason") { Description = "What for, such as the number of the case; names nobody. It is in the audit trail and in the file.", Required = true };
        ConfigOption config = new();
        var command = new Command("make", "Write the disclosure bundle of an alert. `lfr serve` must not be running; its console makes bundles too. The audit trail records it.") { alert, to, reason };
        config.AddTo(command);
        command.SetAction(async (parsed, stopping) =>
        {
            string path = parsed.GetRequiredValue(to).FullName;
            OutputPlace.RequireFile(path, "--out");
            Installation installation = config.Read(parsed);
            using DataLock only = DataLock.Take(installation);
            await using ServiceProvider records = await OpenRecords.OpenAsync(installation, TimeProvider.System, stopping);
            using DisclosureBundle bundle = await records.GetRequiredService<DisclosureMaker>().MakeAsync(Actor.CommandLine, parsed.GetRequiredValue(alert), parsed.GetRequiredValue(reason), stopping)
                ?? throw new CommandFailure(ExitCode.Input, $"There is no alert {parsed.GetRequiredValue(alert)}.");
            await CommandOutput.WriteAsync(path, stream =>
            {
                stream.Write(bundle.Content);
                return Task.CompletedTask;
            });
            AnsiConsole.WriteLine($"{path}: {bundle.Content.Length} bytes, SHA-256 {bundle.Sha256}");
            AnsiConsole.WriteLine("Whoever has the file has the pictures in it, whatever the retention periods say. `lfr receipt key` prints the key with which others check it.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command CreateVerify()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "Disclosure bundle." };
        var key = new Option<FileInfo?>("--key") { Description = "Public key (PEM) of the installation that made it; default: this installation's." };
        Option<FileInfo[]> officers = Several("--officer-key", "Public key (PEM) of an officer who may have signed the authority; several may be given."),
            laboratories = Several("--laboratory-key", "Public key (PEM) of a laboratory that may have signed the evidence."), policies = Several("--policy-key", "Public key (PEM) that may have signed the policy pack.");
        var trail = new Option<FileInfo?>("--trail") { Description = "The installation's whole trail, from `lfr audit export`: confirms also what the bundle leaves out." };
        var command = new Command("verify", "Check a disclosure bundle offline: every hash and signature, the audit trail, the threshold, and the figures, which are counted again.") { file, key, officers, laboratories, policies, trail };
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(file).FullName;
            var keys = new DisclosureKeys(SignedDocument.TrustedPem(parsed.GetValue(key)?.FullName), Pems(parsed, officers), Pems(parsed, laboratories), Pems(parsed, policies));
            var check = DisclosureCheck.Of(path, keys, parsed.GetValue(trail) is { } whole ? Trail(whole.FullName, keys.Installation) : null);
            DisclosureManifest manifest = check.Manifest;
            AnsiConsole.WriteLine($"alert {manifest.Alert} of {Shown.Name(manifest.Installation)}, disclosed {manifest.MadeAt:u} by {Shown.Name(manifest.MadeBy)} for: {Shown.Text(manifest.Reason)}");
            AnsiConsole.WriteLine($"SHA-256 {check.Sha256}: the audit trail names it in disclosure.made");
            foreach (string said in check.Said)
                AnsiConsole.MarkupLineInterpolated($"[green]right[/]  {Shown.Text(said)}");
            foreach (AbsentPart absent in manifest.Absent)
                AnsiConsole.WriteLine($"absent {absent.Name}: {absent.Reason}");
            foreach (string fault in check.Faults)
                AnsiConsole.MarkupLineInterpolated($"[red]wrong[/]  {Shown.Text(fault)}");
            return check.Faults.Count == 0 ? ExitCode.Success
                : throw new CommandFailure(ExitCode.Input, $"{path} does not hold: {new Counted(check.Faults.Count):fault|faults}.");
        });
        return command;
    }

    private static Option<FileInfo[]> Several(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.OneOrMore };

    private static string[] Pems(ParseResult parsed, Option<FileInfo[]> option) => [.. (parsed.GetValue(option) ?? []).Select(f => SignedDocument.TrustedPem(f.FullName))];

    private static AuditEntry[] Trail(string path, string pem)
    {
        using ECDsa signer = SignedFile.KeyFrom(pem);
        var check = new AuditCheck();
        AuditEntry[] entries = [.. check.Pass(AuditFile.Read(path, out _), signer)];
        return check.Fault is { } fault ? throw new CommandFailure(ExitCode.Input, $"The audit trail {path} is not intact: {fault}.") : entries;
    }
}
