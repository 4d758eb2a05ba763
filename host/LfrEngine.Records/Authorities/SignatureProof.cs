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

    /// <summary>The details of the audit entry: to alter the row unnoticed, one would have to forge the sealed trail too.</summary>
    public static string Of(DeploymentRecord record) =>
        Authority.HashOf(string.Join('\n', record.SignedBy, record.SignedAt?.UtcTicks, Authority.HashOf(record.AuthorityText), record.Signature, record.SignerPublicKey));

    /// <summary>Adds a reason for every failed check of a signature.</summary>
    public static void Check(DeploymentRecord record, Authority authority, AuditEntry[] trail, List<string> reasons)
    {
        if (record is not { Signature: not null, SignerPublicKey: not null, SignedBy: { } signer, SignedAt: not null })
        {
            reasons.Add("The authority has no signature.");
            return;
        }
        try
        {
            using ECDsa key = SignedFile.KeyFrom(record.SignerPublicKey);
            if (!key.VerifyData(Encoding.UTF8.GetBytes(record.AuthorityText), Convert.FromBase64String(record.Signature), HashAlgorithmName.SHA256))
                reasons.Add("The authority has been altered since it was signed: the signature does not match its text.");
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            reasons.Add("The authority's signature or its key has been altered and cannot be read.");
        }
        if (signer == authority.Drafter.Id)
            reasons.Add($"The authority was drafted and signed by the same person, {authority.Drafter.Name}.");
        if (signer != authority.AuthorisingOfficer.Id)
            reasons.Add($"The authority was signed by somebody other than {authority.AuthorisingOfficer.Name}, whom it names.");
        AuditEntry[] entries = [.. trail.Where(e => e.Action == Action)];
        if (entries is not [{ } entry])
            reasons.Add(entries.Length == 0 ? "The audit trail has no signature." : "The audit trail has more than one signature.");
        else if (AuditChain.HashOf(entry) != entry.Hash)
            reasons.Add($"The entry of the signature in the audit trail ({entry.Sequence}) has been altered.");
        else if (entry.ActorId != signer.ToString() || !Says(entry.Details, "signerRole", Roles.AuthorisingOfficer) || !Says(entry.Details, "proof", Of(record)))
            reasons.Add($"The signature is not the one in the audit trail (entry {entry.Sequence}): text, signature, key, signer or time have been altered.");
    }

    /// <summary>Whether the details of an entry have a property with this value.</summary>
    public static bool Says(string details, string property, string value)
    {
        using JsonDocument document = JsonDocument.Parse(details);
        return document.RootElement.TryGetProperty(property, out JsonElement said) && said.ValueKind == JsonValueKind.String && said.GetString() == value;
    }
}
