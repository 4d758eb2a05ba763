using System.Security.Cryptography;
using LfrEngine.Files;
using LfrEngine.Models;

namespace LfrEngine.Programs;

/// <summary>The signing key of this installation: ECDSA P-256, made at first use, readable by its owner alone.</summary>
internal sealed class InstallationKey : IDisposable
{
    private readonly ECDsa key;
    private readonly Lock gate = new();

    private InstallationKey(ECDsa key) => this.key = key;

    /// <summary>Where it lies: in <see cref="UserFolders.Configuration"/>.</summary>
    /// <exception cref="UserFolderException">There is no place for it.</exception>
    public static string DefaultPath => Path.Combine(UserFolders.Configuration, "installation-key.pem");

    /// <summary>The public half, PEM.</summary>
    public string PublicPem => key.ExportSubjectPublicKeyInfoPem();

    /// <summary>Reads the key, or makes it.</summary>
    /// <param name="at">Where it lies; null for <see cref="DefaultPath"/>.</param>
    /// <exception cref="CommandFailure">It can be neither read nor made.</exception>
    public static InstallationKey Open(string? at = null)
    {
        string path = at ?? DefaultPath;
        try
        {
            if (!File.Exists(path))
                Make(path);
            return new InstallationKey(FromPem(InputFile.ReadText(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CommandFailure(ExitCode.Environment, $"The installation's key {path} cannot be read or created: {e.Message} Set LFR_CONFIG to a folder you own, or move the file away to create a new key.", e);
        }
    }

    /// <summary>A key from its text.</summary>
    /// <param name="pem">Public or private, PEM.</param>
    /// <exception cref="CryptographicException">It is none; whatever is wrong with it.</exception>
    public static ECDsa FromPem(string? pem)
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
            throw new CryptographicException($"it contains no supported ECDSA key (PEM): {e.Message}", e);
        }
    }

    /// <summary>Signs bytes with SHA-256. Thread-safe.</summary>
    public byte[] Sign(byte[] data)
    {
        lock (gate)
            return key.SignData(data, HashAlgorithmName.SHA256);
    }

    /// <summary>First 16 hexadecimal digits of the SHA-256 of a public key, for people.</summary>
    public static string Fingerprint(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];

    public void Dispose() => key.Dispose();

    // Whole or not at all; where two programs begin at once, both use the key of the first.
    private static void Make(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            OutputFile.Write(path, made.ExportPkcs8PrivateKeyPem(), ownerOnly: true, replace: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another program was faster.
        }
    }
}
