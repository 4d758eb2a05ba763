using System.Security.Cryptography;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Records.Policies;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr policy check|diff|sign</c>: the rules of deployments as files.</summary>
internal static class PolicyCommand
{
    public static Command Create() => new("policy", "Policy packs: the rules of deployments as signed files.") { Check(), Diff(), Sign() };

    private static Command Check()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "Policy pack, signed or not." };
        var key = new Option<FileInfo?>("--key") { Description = "Public key (PEM) that must have signed it." };
        var documents = new Option<DirectoryInfo?>("--documents") { Description = "Folder with the documents that the pack names; each is found by its SHA-256." };
        var command = new Command("check", "Check that a policy pack can be applied, and show its rules.") { file, key, documents };
        command.SetAction(parsed =>
        {
            (PolicyPack pack, string? signer) = Read(parsed.GetRequiredValue(file).FullName, parsed.GetValue(key)?.FullName);
            AnsiConsole.WriteLine($"{pack.Name}, version {pack.Version}, issued by {pack.Issuer}");
            AnsiConsole.WriteLine(signer is null ? "not signed: `lfr policy sign` signs it" : $"signed by {signer}{(parsed.GetValue(key) is null ? "; give the signer's key with --key to check who that is" : "")}");
            AnsiConsole.WriteLine($"valid from {pack.ValidFrom:yyyy-MM-dd}, to be reviewed by {pack.ReviewBy:yyyy-MM-dd}");
            foreach ((string category, CategoryRules rules) in pack.Categories)
                AnsiConsole.WriteLine(FormattableString.Invariant($"{category}: threshold {(rules.LeastThreshold is { } least ? $"at least {least:0.####}" : "free")}, people {(rules.MostPeople is { } most ? $"at most {most:#,0}" : "free")}, photos {(rules.MostImageDays is { } days ? $"at most {days} days old" : "of any age")}"));
            int missing = parsed.GetValue(documents) is { } folder ? Missing(pack, folder.FullName) : 0;
            foreach (PolicyDocument document in pack.Documents)
                AnsiConsole.WriteLine($"{document.Kind}: {document.Title}, version {document.Version}, to be reviewed by {document.ReviewBy:yyyy-MM-dd}");
            if (missing > 0)
                throw new CommandFailure(ExitCode.Input, $"{new Counted(missing):document|documents} of the pack {(missing == 1 ? "is" : "are")} not in {parsed.GetValue(documents)!.FullName}, or differ from what the pack names.");
            AnsiConsole.MarkupLine("[green]can be applied[/]");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Diff()
    {
        var before = new Argument<FileInfo>("BEFORE") { Description = "Policy pack, signed or not." };
        var after = new Argument<FileInfo>("AFTER") { Description = "Policy pack, signed or not." };
        var command = new Command("diff", "Show which rules differ between two policy packs, and which allow more.") { before, after };
        command.SetAction(parsed =>
        {
            IReadOnlyList<PolicyDifference> differences = PolicyDifference.Between(Read(parsed.GetRequiredValue(before).FullName, null).Pack, Read(parsed.GetRequiredValue(after).FullName, null).Pack);
            foreach (PolicyDifference d in differences)
                AnsiConsole.WriteLine($"{d.At}: {d.Before ?? "no rule"} -> {d.After ?? "no rule"}{(d.Strictness == PolicyStrictness.Unknown ? "" : $" ({d.Strictness.ToString().ToLowerInvariant()})")}");
            AnsiConsole.WriteLine(differences.Count == 0 ? "The rules are the same." : $"{new Counted(differences.Count):rule differs|rules differ}, {new Counted(differences.Count(d => d.Strictness == PolicyStrictness.Looser)):allows|allow} more than before.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Sign()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "Policy pack." };
        var to = new Option<FileInfo>("--out") { Description = "Where the signed pack is written.", Required = true };
        var command = new Command("sign", "Sign a policy pack with this installation's key.") { file, to };
        command.SetAction(parsed =>
        {
            PolicyPack pack = Read(parsed.GetRequiredValue(file).FullName, null).Pack;
            string path = parsed.GetRequiredValue(to).FullName;
            using InstallationKey key = InstallationKey.Open();
            SignedDocument.Write(path, SignedPolicy.Kind, pack.ToText(), key);
            AnsiConsole.WriteLine($"{path}: {pack.Name} {pack.Version}, SHA-256 {SignedPolicy.HashOf(File.ReadAllBytes(path))}");
            AnsiConsole.WriteLine($"Name it in lfr.json: \"policy\": {{ \"path\": \"{Path.GetFileName(path)}\", \"keyPath\": \"policy-key.pem\" }}. `lfr receipt key` here prints the key for policy-key.pem.");
            return ExitCode.Success;
        });
        return command;
    }

    // The signer's fingerprint is null for a pack that is not signed.
    private static (PolicyPack Pack, string? Signer) Read(string path, string? keyPath)
    {
        if (keyPath is not null || SignedDocument.Is(path, SignedPolicy.Kind))
        {
            string trusted = keyPath is null ? SignedDocument.Checked(path, f => SignedDocument.SignerPem(f, path, SignedPolicy.Kind)) : SignedDocument.TrustedPem(keyPath);
            using ECDsa signer = SignedFile.KeyFrom(trusted);
            return (SignedPolicy.Read(path, trusted).Pack, SignedFile.Fingerprint(signer));
        }
        PolicyPack pack = SignedDocument.Checked(path, file =>
        {
            try
            {
                return PolicyPack.Parse(System.Text.Encoding.UTF8.GetString(file));
            }
            catch (JsonException e)
            {
                throw new CommandFailure(ExitCode.Input, $"{path} is not a policy pack. {JsonTrouble.Words("The file", e)}", e);
            }
        });
        return pack.Faults() is not { Count: > 0 } faults ? (pack, null)
            : throw new CommandFailure(ExitCode.Input, $"{path} has {new Counted(faults.Count):rule|rules} that cannot be applied:{string.Concat(faults.Select(f => $"\n  {f}"))}");
    }

    private static int Missing(PolicyPack pack, string folder)
    {
        HashSet<string> there;
        try
        {
            there = [.. Directory.EnumerateFiles(folder).Select(Models.PackageCache.HashOf)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"{folder} cannot be read: {FileTrouble.Words(e)}", e);
        }
        PolicyDocument[] missing = [.. pack.Documents.Where(d => !there.Contains(d.Sha256))];
        foreach (PolicyDocument document in missing)
            AnsiConsole.MarkupLineInterpolated($"[red]missing[/]: {document.Kind} \"{document.Title}\" {document.Version}, SHA-256 {document.Sha256}");
        return missing.Length;
    }
}
