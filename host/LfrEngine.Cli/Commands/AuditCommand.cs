using System.Security.Cryptography;
using LfrEngine.Files;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr audit</c>: checks the audit trail and writes it to a file.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "The audit trail of `lfr serve`.") { CreateVerify(), CreateExport() };

    private static Command CreateVerify()
    {
        var file = new Argument<FileInfo?>("FILE") { Description = "Trail from `lfr audit export`; default: the store of --config.", Arity = ArgumentArity.ZeroOrOne };
        var key = new Option<FileInfo?>("--key") { Description = "Public key (PEM) of the installation that sealed it; default: this installation's." };
        var kept = new Option<string?>("--kept") { Description = "SEQUENCE:HASH of an entry or seal that was kept elsewhere: the trail must contain it." };
        ConfigOption config = new();
        var command = new Command("verify", "Check that no entry of the trail was altered, removed or inserted, and that its seals are valid.") { file, key, kept };
        config.AddTo(command);
        command.SetAction(parsed =>
        {
            string pem = SignedDocument.TrustedPem(parsed.GetValue(key)?.FullName);
            (long, string)? witness = parsed.GetValue(kept) is { } text ? Kept(text) : null;
            if (parsed.GetValue(file) is { } given)
                return Verify(AuditFile.Read(given.FullName, out AuditHeader header), header.Installation, pem, witness);
            Installation installation = config.Read(parsed);
            using LfrStore store = StoreSetup.OpenForReading(installation);
            return Verify(AuditFile.Lines(store), installation.Config.Name, pem, witness);
        });
        return command;
    }

    private static Command CreateExport()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "File to write (JSON lines, docs/audit.md)." };
        var van = new Option<string?>("--van") { Description = "At a headquarters: the trail of this van, as received." };
        ConfigOption config = new();
        var command = new Command("export", "Write the trail to a file that `lfr audit verify` and `lfr export` read.") { file, van };
        config.AddTo(command);
        command.SetAction(async (parsed, stopping) =>
        {
            OutputPlace.RequireFile(parsed.GetRequiredValue(file).FullName, "FILE");
            Installation installation = config.Read(parsed);
            using LfrStore store = StoreSetup.OpenForReading(installation);
            string? of = parsed.GetValue(van);
            if (of is not null && !store.VanEntries.Any(e => e.Van == of))
                throw new CommandFailure(ExitCode.Input, $"Nothing has been received from a van \"{of}\". \"vans\" in lfr.json lists the vans that may send.");
            await CommandOutput.WriteAsync(parsed.GetRequiredValue(file).FullName, to => AuditFile.WriteAsync(to, of ?? installation.Config.Name, of is null ? AuditFile.Lines(store) : AuditFile.Lines(store, of), stopping));
            return ExitCode.Success;
        });
        return command;
    }

    private static ECDsa Key(string pem)
    {
        try
        {
            return SignedFile.KeyFrom(pem);
        }
        catch (CryptographicException e)
        {
            throw new CommandFailure(ExitCode.Input, $"This is not a public key: {e.Message} `lfr receipt key` prints an installation's key.", e);
        }
    }

    private static int Verify(IEnumerable<AuditLine> lines, string installation, string pem, (long Sequence, string Hash)? kept)
    {
        using ECDsa signer = Key(pem);
        var check = new AuditCheck();
        AuditEntry? last = null;
        foreach (AuditEntry entry in check.Pass(lines, signer, kept))
            last = entry;
        if (check.Fault is { } fault)
            throw new CommandFailure(ExitCode.Input, $"The audit trail of {installation} is not intact: {fault}.");
        AnsiConsole.MarkupLineInterpolated($"[green]intact[/]: {new Counted(check.Entries):entry|entries} of {installation} in one chain, {new Counted(check.Seals):seal|seals} of installation {SignedFile.Fingerprint(signer)} checked");
        if (last is not null)
            AnsiConsole.WriteLine($"last entry {last.Sequence} of {last.At:u}, {last.Sequence}:{last.Hash}");
        AnsiConsole.WriteLine(check.LastSeal is { } seal ? $"sealed up to entry {seal.Sequence} at {seal.At:u}" : "no seal: anyone with access to the file could have written all of it");
        if (check.Unsealed > 0 && check.LastSeal is not null)
            AnsiConsole.WriteLine($"{new Counted(check.Unsealed):entry|entries} after the last seal: anyone with access to the store could have altered or removed what is not sealed");
        if (check.StepsBack > 0)
            AnsiConsole.WriteLine($"{new Counted(check.StepsBack):entry has|entries have} an earlier time than the entry before: the clock was set back (see clock.changed)");
        if (kept is null)
            AnsiConsole.WriteLine("If the last entries were removed together with their seals, only a copy kept elsewhere shows it: give SEQUENCE:HASH with --kept, or compare with the headquarters.");
        return ExitCode.Success;
    }

    private static (long Sequence, string Hash) Kept(string text)
    {
        string[] parts = text.Split(':');
        return parts.Length == 2 && long.TryParse(parts[0], System.Globalization.NumberStyles.None, null, out long sequence) && parts[1].Length == 64
            ? (sequence, parts[1].ToLowerInvariant())
            : throw new CommandFailure(ExitCode.Usage, $"--kept \"{text}\" is not SEQUENCE:HASH. `lfr audit verify` prints it for the last entry, and seals contain it.");
    }
}
