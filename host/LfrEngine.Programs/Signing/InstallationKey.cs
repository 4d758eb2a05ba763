using System.Security.Cryptography;
using LfrEngine.Files;
using LfrEngine.Models;

namespace LfrEngine.Programs;

/// <summary>The signing key of this installation: ECDSA P-256, created at first use, readable only by its owner.</summary>
internal sealed class InstallationKey : IDisposable
{
    private readonly ECDsa key;
    private readonly Lock gate = new();

    private InstallationKey(ECDsa key) => this.key = key;

    /// <summary>Its default path, in <see cref="UserFolders.Configuration"/>.</summary>
    /// <exception cref="UserFolderException">There is no folder for it.</exception>
    public static string DefaultPath => Path.Combine(UserFolders.Configuration, "installation-key.pem");

    /// <summary>The public half, PEM.</summary>
    public string PublicPem => key.ExportSubjectPublicKeyInfoPem();

    /// <summary>Reads the key, or creates it.</summary>
    /// <param name="at">Its path; null for <see cref="DefaultPath"/>.</param>
    /// <exception cref="CommandFailure">It cannot be read or created.</exception>
    public static InstallationKey Open(string? at = null)
    {
        string path = at ?? DefaultPath;
        try
        {
            if (!File.Exists(path))
                Make(path);
            return new InstallationKey(SignedFile.KeyFrom(InputFile.ReadText(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CommandFailure(ExitCode.Environment, $"The installation's key {path} cannot be read or created: {FileTrouble.Words(e)} Set LFR_CONFIG to a folder you own, or move the file away to create a new key.", e);
        }
    }

    /// <summary>Signs bytes with SHA-256. Thread-safe.</summary>
    public byte[] Sign(byte[] data)
    {
        lock (gate)
            return key.SignData(data, HashAlgorithmName.SHA256);
    }

    public void Dispose() => key.Dispose();

    // Written atomically; if two programs start at once, both use the first one's key.
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
