using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Authorities;

/// <summary>Checks the signature of an authority: that it matches the text and is the one in the audit trail.</summary>
internal static class SignatureProof
{
    /// <summary>Of the audit entry of a signature.</summary>
    public const string Action = "deployment.signed";

    /// <summary>Of the audit entry of a second signature.</summary>
    public const string SecondAction = "deployment.second-signed";

    /// <summary>The details of the audit entry: to alter the row unnoticed, one would have to forge the sealed trail too.</summary>
    public static string Of(DeploymentRecord record) => Of(record, First(record));

    /// <summary>The same of a second signature.</summary>
    public static string OfSecond(DeploymentRecord record) => Of(record, Second(record));

    /// <summary>Adds a reason for every failed check of a signature, and of the second one where the authority needs it.</summary>
    public static void Check(DeploymentRecord record, Authority authority, AuditEntry[] trail, List<string> reasons)
    {
        Check(record, First(record), authority.AuthorisingOfficer, Action, trail, reasons);
        if (record.SignedBy == authority.Drafter.Id)
            reasons.Add($"The authority was drafted and signed by the same person, {authority.Drafter.Name}.");
        if (authority.Lowered is not null && authority.SecondOfficer is null)
            reasons.Add("The authority lowers a threshold without naming a second officer.");
        CheckSecond(record, authority, trail, reasons);
    }

    /// <summary>Adds a reason for every failed check of the second signature; none if the authority needs none.</summary>
    public static void CheckSecond(DeploymentRecord record, Authority authority, AuditEntry[] trail, List<string> reasons)
    {
        if (authority.SecondOfficer is not { } second)
            return;
        if (second.Id == authority.Drafter.Id || second.Id == authority.AuthorisingOfficer.Id)
            reasons.Add($"{second.Name}, who is to sign second, is the drafter or the first signer.");
        if (record.SecondSignature is null)
            reasons.Add($"The authority lowers a threshold: {second.Name} must sign it first.");
        else
            Check(record, Second(record), second, SecondAction, trail, reasons);
    }

    private static void Check(DeploymentRecord record, Signed signed, NamedOfficer wanted, string action, AuditEntry[] trail, List<string> reasons)
    {
        if (signed is not { Signature: { } signature, PublicKey: { } publicKey, By: { } signer, At: not null })
        {
            reasons.Add("The authority has no signature.");
            return;
        }
        try
        {
            using ECDsa key = SignedFile.KeyFrom(publicKey);
            if (!key.VerifyData(Encoding.UTF8.GetBytes(record.AuthorityText), Convert.FromBase64String(signature), HashAlgorithmName.SHA256))
                reasons.Add("The authority has been altered since it was signed: the signature does not match its text.");
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            reasons.Add("The authority's signature or its key has been altered and cannot be read.");
        }
        if (signer != wanted.Id)
            reasons.Add($"The authority was signed by somebody other than {wanted.Name}, whom it names.");
        AuditEntry[] entries = [.. trail.Where(e => e.Action == action)];
        if (action == SecondAction)
            entries = [.. entries.TakeLast(1)]; // A draft that is changed is signed anew.
        if (entries is not [{ } entry])
            reasons.Add(entries.Length == 0 ? "The audit trail has no signature." : "The audit trail has more than one signature.");
        else if (AuditChain.HashOf(entry) != entry.Hash)
            reasons.Add($"The entry of the signature in the audit trail ({entry.Sequence}) has been altered.");
        else if (entry.ActorId != signer.ToString() || !Says(entry.Details, "signerRole", Roles.AuthorisingOfficer) || !Says(entry.Details, "proof", Of(record, signed)))
            reasons.Add($"The signature is not the one in the audit trail (entry {entry.Sequence}): text, signature, key, signer or time have been altered.");
    }

    /// <summary>Whether the details of an entry have a property with this value.</summary>
    public static bool Says(string details, string property, string value)
    {
        using JsonDocument document = JsonDocument.Parse(details);
        return document.RootElement.TryGetProperty(property, out JsonElement said) && said.ValueKind == JsonValueKind.String && said.GetString() == value;
    }

    private static Signed First(DeploymentRecord record) => new(record.SignedBy, record.SignedAt, record.Signature, record.SignerPublicKey);

    private static Signed Second(DeploymentRecord record) => new(record.SecondSignedBy, record.SecondSignedAt, record.SecondSignature, record.SecondSignerPublicKey);

    private static string Of(DeploymentRecord record, Signed signed) => Authority.HashOf(string.Join('\n', signed.By, signed.At?.UtcTicks, Authority.HashOf(record.AuthorityText), signed.Signature, signed.PublicKey));

    private sealed record Signed(Guid? By, DateTimeOffset? At, string? Signature, string? PublicKey);
}
