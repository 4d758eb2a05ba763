using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Memory;

namespace LfrEngine.Host;

/// <summary>What a run erased, how fast, and by which build: signed by the key of the installation.</summary>
/// <remarks>
/// The file is <c>{"receipt": {…}, "publicKey": "PEM", "signature": "base64"}</c>; the signature (ECDSA P-256, SHA-256) covers the UTF-8 text of
/// the value of <c>receipt</c> exactly as it stands in the file.
/// </remarks>
internal sealed record ErasureReceipt(int FormatVersion, DateTimeOffset StartedAt, DateTimeOffset EndedAt, Guid WatchlistId, string[] Cameras,
    long Frames, long FramesDropped, long FacesSeen, long ShotsCompared, int Alerts, LifetimeReport Lifetimes, ErasureReport Erased,
    Dictionary<string, string> BuildSha256, Dictionary<string, string> ModelSha256)
{
    public const int CurrentFormat = 1;

    /// <summary>SHA-256 of the program's own files, so that a receipt names the code that made it.</summary>
    public static Dictionary<string, string> HashBuild() => Directory.EnumerateFiles(AppContext.BaseDirectory)
        .Where(f => Path.GetFileName(f) is "lfr.dll" or "LfrEngine.dll" or "LfrEngine.Native.dll" or "Microsoft.ML.OnnxRuntime.dll" || Path.GetFileName(f).StartsWith("liblfr_media", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)
        .ToDictionary(f => Path.GetFileName(f), Models.PackageCache.HashOf);

    /// <summary>Signs and writes the receipt, whole or not at all.</summary>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    public void Write(string path, InstallationKey key)
    {
        string text = JsonSerializer.Serialize(this, HostJson.Lines.ErasureReceipt);
        string file = $"{{\"receipt\": {text},\n\"publicKey\": {JsonSerializer.Serialize(key.PublicPem, HostJson.Lines.String)},\n\"signature\": \"{Convert.ToBase64String(key.Sign(Encoding.UTF8.GetBytes(text)))}\"}}\n";
        string partial = path + $".{Guid.NewGuid():N}.partial";
        try
        {
            File.WriteAllText(partial, file);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"The erasure receipt cannot be written to {path}: {e.Message} Give another place with --receipt.", e);
        }
        finally
        {
            if (File.Exists(partial))
                File.Delete(partial);
        }
    }

    /// <summary>Reads a receipt and checks its signature.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trustedPem">Public key that must have signed it.</param>
    /// <exception cref="CommandFailure">It is damaged, altered, or signed by another key.</exception>
    public static ErasureReceipt Verify(string path, string trustedPem)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("receipt", out JsonElement receipt) || !root.TryGetProperty("signature", out JsonElement signature)
                || !root.TryGetProperty("publicKey", out JsonElement publicKey))
                throw new CommandFailure(ExitCode.Input, $"{path} is not an erasure receipt: it lacks \"receipt\", \"publicKey\" or \"signature\".");
            using var signer = ECDsa.Create();
            signer.ImportFromPem(publicKey.GetString());
            if (!signer.VerifyData(Encoding.UTF8.GetBytes(receipt.GetRawText()), signature.GetBytesFromBase64(), HashAlgorithmName.SHA256))
                throw new CommandFailure(ExitCode.Input, $"{path} has been altered: its signature does not fit its text.");
            using var trusted = ECDsa.Create();
            trusted.ImportFromPem(trustedPem);
            if (!trusted.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(signer.ExportSubjectPublicKeyInfo()))
                throw new CommandFailure(ExitCode.Input, $"{path} is signed by the installation {InstallationKey.Fingerprint(signer)}, not by {InstallationKey.Fingerprint(trusted)}. Give that installation's public key with --key.");
            return receipt.Deserialize(HostJson.Lines.ErasureReceipt) ?? throw new CommandFailure(ExitCode.Input, $"{path} holds an empty receipt.");
        }
        catch (Exception e) when (e is JsonException or FormatException or CryptographicException or ArgumentException or InvalidOperationException)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} is not an erasure receipt, or is damaged: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} cannot be read: {e.Message}", e);
        }
    }
}

/// <summary>How long each kind of biometric buffer lived, and whether any outlived its verdict by more than the deadline.</summary>
internal sealed record LifetimeReport(LatencyReport Frame, LatencyReport Tensor, LatencyReport Crop, LatencyReport Embedding, LatencyReport Activation, LatencyReport AfterVerdict, int DeadlineMs, long DeadlineBreaches)
{
    public static LifetimeReport From(ErasureClock clock) => new(
        LatencyReport.From(clock.Frame), LatencyReport.From(ErasureClock.Tensor), LatencyReport.From(clock.Crop), LatencyReport.From(clock.Embedding),
        LatencyReport.From(ErasureClock.Activation), LatencyReport.From(clock.AfterVerdict), ErasureClock.DeadlineMs, clock.DeadlineBreaches);
}

/// <summary>The signing key of this installation: ECDSA P-256, made at first use, readable by its owner alone.</summary>
internal sealed class InstallationKey : IDisposable
{
    private readonly ECDsa key;

    private InstallationKey(ECDsa key) => this.key = key;

    /// <summary>Where it lies: <c>$LFR_CONFIG</c>, else <c>$XDG_CONFIG_HOME/lfr-engine</c>, else <c>~/.config/lfr-engine</c>.</summary>
    public static string DefaultPath { get; } = Path.Combine(Folder(), "installation-key.pem");

    /// <summary>The public half, PEM.</summary>
    public string PublicPem => key.ExportSubjectPublicKeyInfoPem();

    /// <summary>Reads the key, or makes it.</summary>
    /// <exception cref="CommandFailure">It can be neither read nor made.</exception>
    public static InstallationKey Open()
    {
        string path = DefaultPath;
        try
        {
            if (File.Exists(path))
            {
                var known = ECDsa.Create();
                known.ImportFromPem(File.ReadAllText(path));
                return new InstallationKey(known);
            }
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var writer = new StreamWriter(path, options);
            writer.Write(made.ExportPkcs8PrivateKeyPem());
            return new InstallationKey(made);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Environment, $"The installation's key {path} can be neither read nor made: {e.Message} Set LFR_CONFIG to a folder of your own, or move the file away to make a new key.", e);
        }
    }

    /// <summary>Signs bytes with SHA-256.</summary>
    public byte[] Sign(byte[] data) => key.SignData(data, HashAlgorithmName.SHA256);

    /// <summary>First 16 hexadecimal digits of the SHA-256 of a public key, for people.</summary>
    public static string Fingerprint(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];

    public void Dispose() => key.Dispose();

    private static string Folder()
    {
        if (Environment.GetEnvironmentVariable("LFR_CONFIG") is { Length: > 0 } own)
            return own;
        return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "lfr-engine");
    }
}
