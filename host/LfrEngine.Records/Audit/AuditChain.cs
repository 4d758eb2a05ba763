using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Audit;

/// <summary>The chain of audit entries: each contains the hash of the previous one.</summary>
/// <remarks>
/// The hash is SHA-256 over the UTF-8 text of a JSON array: sequence, microseconds since 1970 (UTC), actor's id, actor's name, action, subject, details,
/// previous hash; no white space, no unnecessary escapes. So a trail can be checked without this program.
/// </remarks>
public static class AuditChain
{
    /// <summary>Used as the hash before the first entry.</summary>
    public static readonly string Beginning = new('0', 64);

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Hash of an entry, 64 lower-case hexadecimal digits.</summary>
    public static string HashOf(AuditEntry e)
    {
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text, Plain))
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(e.Sequence);
            writer.WriteNumberValue((e.At.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);
            writer.WriteStringValue(e.ActorId);
            writer.WriteStringValue(e.ActorName);
            writer.WriteStringValue(e.Action);
            writer.WriteStringValue(e.Subject);
            writer.WriteStringValue(e.Details);
            writer.WriteStringValue(e.PreviousHash);
            writer.WriteEndArray();
        }
        return Convert.ToHexStringLower(SHA256.HashData(text.GetBuffer().AsSpan(0, (int)text.Length)));
    }

    /// <summary>The text that a seal signs.</summary>
    public static byte[] SealedText(long sequence, string hash) => Encoding.UTF8.GetBytes($"{sequence}:{hash}");

    /// <summary>Why a seal was not made with a key; null if it was.</summary>
    /// <param name="seal">Its number and hash have been compared with the entry's.</param>
    /// <param name="signer">Null if the trail has no key for seals.</param>
    public static string? SignatureFault(AuditSeal seal, ECDsa? signer)
    {
        byte[] signature;
        try
        {
            signature = Convert.FromBase64String(seal.Signature);
        }
        catch (FormatException)
        {
            return $"the seal of entry {seal.Sequence} is not a signature";
        }
        return signer?.VerifyData(SealedText(seal.Sequence, seal.Hash), signature, HashAlgorithmName.SHA256) == true ? null : $"the seal of entry {seal.Sequence} was not made with this key";
    }

    /// <summary>Checks entries in order. Returns the first fault as text, or null.</summary>
    /// <param name="entries">By sequence.</param>
    /// <param name="last">The entry before them; null when they begin the trail.</param>
    public static string? FirstFault(IEnumerable<AuditEntry> entries, ref AuditEntry? last)
    {
        foreach (AuditEntry e in entries)
        {
            long expected = (last?.Sequence ?? 0) + 1;
            if (e.Sequence != expected)
                return $"entry {expected} is missing: {e.Sequence} follows {expected - 1}";
            if (e.PreviousHash != (last?.Hash ?? Beginning))
                return $"entry {e.Sequence} does not continue entry {expected - 1}: its link is broken";
            if (HashOf(e) != e.Hash)
                return $"entry {e.Sequence} ({e.Action}, {e.At:u}) has been altered";
            last = e;
        }
        return null;
    }
}
