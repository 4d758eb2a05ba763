using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LfrEngine.Files;

namespace LfrEngine.Programs;

/// <summary>A kind of signed document.</summary>
/// <param name="Property">Name of the signed value in the file.</param>
/// <param name="Name">Name in messages.</param>
/// <param name="OtherPlace">Advice if it cannot be written.</param>
internal sealed record SignedKind(string Property, string Name, string OtherPlace);

/// <summary>Documents signed by the key of an installation.</summary>
/// <remarks>
/// The file is <c>{"receipt": {…}, "publicKey": "PEM", "signature": "base64"}</c>, with the kind's own name in the first place; the signature (ECDSA P-256,
/// SHA-256) covers the UTF-8 text of that first value exactly as in the file.
/// </remarks>
internal static class SignedDocument
{
    /// <summary>Signs a document and writes it atomically.</summary>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    public static void Write(string path, SignedKind kind, string text, InstallationKey key)
    {
        string file = Sign(kind, text, key);
        try
        {
            OutputFile.Write(path, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"The {kind.Name} cannot be written to {path}: {FileTrouble.Words(e)} {kind.OtherPlace}", e);
        }
    }

    public static string Sign(SignedKind kind, string text, InstallationKey key) => Compose(kind, text, key.PublicPem, Convert.ToBase64String(key.Sign(Encoding.UTF8.GetBytes(text))));

    /// <summary>A document's text.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="text">JSON of the signed value.</param>
    /// <param name="publicPem">Of the key that signed.</param>
    /// <param name="signature">Base64.</param>
    public static string Compose(SignedKind kind, string text, string publicPem, string signature) =>
        $"{{\"{kind.Property}\": {text},\n\"publicKey\": {JsonSerializer.Serialize(publicPem, SignedJson.Lines.String)},\n\"signature\": \"{signature}\"}}\n";

    /// <summary>Whether a file looks like a kind; does not check the signature.</summary>
    public static bool Is(string path, SignedKind kind)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(InputFile.ReadBytes(path));
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(kind.Property, out _);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }

    /// <summary>Reads a document and checks its signature.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">What it must be.</param>
    /// <param name="trustedPem">Public key that must have signed it.</param>
    /// <param name="type">Of the signed value.</param>
    /// <exception cref="CommandFailure">It is damaged, altered, or signed by another key.</exception>
    public static T Read<T>(string path, SignedKind kind, string trustedPem, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(InputFile.ReadBytes(path));
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(kind.Property, out JsonElement value) || !root.TryGetProperty("signature", out JsonElement signature)
                || !root.TryGetProperty("publicKey", out JsonElement publicKey))
                throw new CommandFailure(ExitCode.Input, $"{path} is not an {kind.Name}: it lacks \"{kind.Property}\", \"publicKey\" or \"signature\".");
            using ECDsa signer = InstallationKey.FromPem(publicKey.GetString());
            if (!signer.VerifyData(Encoding.UTF8.GetBytes(value.GetRawText()), signature.GetBytesFromBase64(), HashAlgorithmName.SHA256))
                throw new CommandFailure(ExitCode.Input, $"{path} has been altered: its signature does not match its text.");
            using ECDsa trusted = InstallationKey.FromPem(trustedPem);
            if (!trusted.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(signer.ExportSubjectPublicKeyInfo()))
                throw new CommandFailure(ExitCode.Input, $"{path} is signed by the installation {InstallationKey.Fingerprint(signer)}, not by {InstallationKey.Fingerprint(trusted)}. Give that installation's public key with --key.");
            return value.Deserialize(type) ?? throw new CommandFailure(ExitCode.Input, $"{path} contains an empty {kind.Name}.");
        }
        catch (JsonException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} is not an {kind.Name}, or is damaged. {JsonTrouble.Words("It", e)}", e);
        }
        catch (Exception e) when (e is FormatException or CryptographicException or ArgumentException or InvalidOperationException)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} is not an {kind.Name}, or is damaged: its key or its signature cannot be read.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }

    /// <summary>The public key that must have signed: a file's, or this installation's own.</summary>
    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public static string TrustedPem(string? keyPath)
    {
        if (keyPath is null)
        {
            using InstallationKey own = InstallationKey.Open();
            return own.PublicPem;
        }
        try
        {
            string pem = InputFile.ReadText(keyPath);
            using ECDsa key = InstallationKey.FromPem(pem);
            return pem;
        }
        catch (CryptographicException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{keyPath} is not a public key (PEM). `lfr receipt key` prints the public key of an installation. {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"The public key {keyPath} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }
}
