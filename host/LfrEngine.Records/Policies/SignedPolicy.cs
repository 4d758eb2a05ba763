using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Files;

namespace LfrEngine.Records.Policies;

/// <summary>A policy pack as it was signed.</summary>
/// <param name="Pack">Its rules.</param>
/// <param name="Sha256">Of the signed text's UTF-8, lower-case hexadecimal; identifies the rules.</param>
/// <param name="File">The signed file, to keep it with what was signed under it.</param>
public sealed record SignedPolicy(PolicyPack Pack, string Sha256, ReadOnlyMemory<byte> File)
{
    internal static readonly SignedKind Kind = new("policy", "policy pack", "Give another place with --out.");

    /// <summary>Reads a signed pack, and checks that its rules can be applied.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trustedPem">Public key of whoever sets the rules.</param>
    /// <exception cref="CommandFailure">It is damaged, altered, signed by another key, or its rules have faults.</exception>
    internal static SignedPolicy Read(string path, string trustedPem) => SignedDocument.Checked(path, file =>
    {
        PolicyPack pack = SignedFile.Read(file, path, Kind.Property, Kind.Name, trustedPem, PolicyPack.Json);
        return pack.Faults() is not { Count: > 0 } faults ? new SignedPolicy(pack, HashOf(file), file)
            : throw new CommandFailure(ExitCode.Input, $"{path} is signed, but {new Counted(faults.Count):rule|rules} cannot be applied:{string.Concat(faults.Select(f => $"\n  {f}"))}");
    });

    /// <summary>SHA-256 of the signed text in a file.</summary>
    internal static string HashOf(ReadOnlyMemory<byte> file)
    {
        using JsonDocument document = JsonDocument.Parse(file);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(document.RootElement.GetProperty(Kind.Property).GetRawText())));
    }
}
