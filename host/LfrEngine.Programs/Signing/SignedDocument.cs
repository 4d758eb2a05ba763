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

/// <summary>Documents signed by the key of an installation, as <see cref="SignedFile"/> reads them.</summary>
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
        where T : class => Checked(path, file => SignedFile.Read(file, path, kind.Property, kind.Name, trustedPem, type));

    /// <summary>Reads a file, with <see cref="SignedFile"/> or what uses it.</summary>
    /// <exception cref="CommandFailure">It cannot be read, or is not accepted.</exception>
    public static T Checked<T>(string path, Func<byte[], T> read)
    {
        try
        {
            byte[] file = InputFile.ReadBytes(path);
            return Trusted(() => read(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }

    /// <summary>Reads a file's bytes with <see cref="SignedFile"/>.</summary>
    /// <exception cref="CommandFailure">It is not accepted.</exception>
    public static T Trusted<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SignedFileException e)
        {
            throw new CommandFailure(ExitCode.Input, e.Fault == SignedFileFault.OtherSigner ? $"{e.Message} Give that installation's public key with --key." : e.Message, e);
        }
    }

    /// <summary>The key that a signed file names: it shows that the file is whole, not who signed it.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="name">Of the file, for messages.</param>
    /// <param name="kind">What it must be.</param>
    /// <exception cref="SignedFileException">It names no key.</exception>
    public static string SignerPem(ReadOnlyMemory<byte> file, string name, SignedKind kind)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(file);
            string? pem = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("publicKey", out JsonElement key) && key.ValueKind == JsonValueKind.String ? key.GetString() : null;
            using ECDsa signer = SignedFile.KeyFrom(pem);
            return pem!;
        }
        catch (Exception e) when (e is JsonException or CryptographicException)
        {
            throw new SignedFileException(SignedFileFault.NotOne, $"{name} is not a signed {kind.Name}, or is damaged: its key cannot be read.", e);
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
            using ECDsa key = SignedFile.KeyFrom(pem);
            return pem;
        }
        catch (CryptographicException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{keyPath} is not a public key: {e.Message} `lfr receipt key` prints the public key of an installation.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"The public key {keyPath} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }
}
