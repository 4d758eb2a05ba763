using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LfrEngine.Files;

/// <summary>Why a signed file is not accepted.</summary>
public enum SignedFileFault
{
    /// <summary>It is another kind of file, or damaged.</summary>
    NotOne,

    /// <summary>It was changed after it was signed.</summary>
    Altered,

    /// <summary>Another key than the trusted one signed it.</summary>
    OtherSigner,
}

/// <summary>A signed file is not accepted. The message names the file.</summary>
/// <param name="fault">Why.</param>
/// <param name="message">For a person.</param>
/// <param name="inner">What reading it threw.</param>
public sealed class SignedFileException(SignedFileFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Why it is not accepted.</summary>
    public SignedFileFault Fault { get; } = fault;
}

/// <summary>Checks documents that the key of an installation has signed.</summary>
/// <remarks>
/// The file is <c>{"receipt": {…}, "publicKey": "PEM", "signature": "base64"}</c>, with the kind's own name in the first place; the signature (ECDSA P-256,
/// SHA-256) covers the UTF-8 text of that first value exactly as in the file.
/// </remarks>
public static class SignedFile
{
    /// <summary>Checks the signature and reads the signed value.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="name">Its path, for messages.</param>
    /// <param name="property">Name of the signed value in the file.</param>
    /// <param name="kind">What it must be, for messages.</param>
    /// <param name="trustedPem">Public key that must have signed it, PEM.</param>
    /// <param name="type">Of the signed value.</param>
    /// <exception cref="SignedFileException">It is damaged, altered, or signed by another key.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> file, string name, string property, string kind, string trustedPem, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(file);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(property, out JsonElement value) || !root.TryGetProperty("signature", out JsonElement signature)
                || !root.TryGetProperty("publicKey", out JsonElement publicKey))
                throw new SignedFileException(SignedFileFault.NotOne, $"{name} is not a signed {kind}: it lacks \"{property}\", \"publicKey\" or \"signature\".");
            using ECDsa signer = KeyFrom(publicKey.GetString());
            if (!signer.VerifyData(Encoding.UTF8.GetBytes(value.GetRawText()), signature.GetBytesFromBase64(), HashAlgorithmName.SHA256))
                throw new SignedFileException(SignedFileFault.Altered, $"{name} has been altered: its signature does not match its text.");
            using ECDsa trusted = KeyFrom(trustedPem);
            if (!trusted.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(signer.ExportSubjectPublicKeyInfo()))
                throw new SignedFileException(SignedFileFault.OtherSigner, $"{name} is signed by the installation {Fingerprint(signer)}, not by {Fingerprint(trusted)}.");
            return value.Deserialize(type) ?? throw new SignedFileException(SignedFileFault.NotOne, $"{name} contains an empty {kind}.");
        }
        catch (JsonException e)
        {
            throw new SignedFileException(SignedFileFault.NotOne, $"{name} is not a signed {kind}, or is damaged. {JsonTrouble.Words("The file", e)}", e);
        }
        catch (Exception e) when (e is FormatException or CryptographicException or ArgumentException or InvalidOperationException)
        {
            throw new SignedFileException(SignedFileFault.NotOne, $"{name} is not a signed {kind}, or is damaged: its key or its signature cannot be read.", e);
        }
    }

    /// <summary>A key from its text. The caller disposes it.</summary>
    /// <param name="pem">Public or private, PEM.</param>
    /// <exception cref="CryptographicException">It is not a valid key. The message goes on after "cannot be used: ".</exception>
    public static ECDsa KeyFrom(string? pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or CryptographicException)
        {
            key.Dispose();
            throw new CryptographicException("it must contain one ECDSA key, not encrypted, in PEM form.", e);
        }
    }

    /// <summary>First 16 hexadecimal digits of the SHA-256 of a public key, for display.</summary>
    /// <param name="key">Of either half.</param>
    public static string Fingerprint(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];
}
