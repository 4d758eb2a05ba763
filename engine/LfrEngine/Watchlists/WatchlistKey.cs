using System.Security.Cryptography;
using System.Text;
using LfrEngine.Files;
using LfrEngine.Memory;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Watchlists;

/// <summary>How a file's key is derived from the secret; the number is stored in the file.</summary>
internal enum KeyDerivation : byte
{
    Pbkdf2Sha256 = 1,
    HkdfSha256 = 2,
}

/// <summary>The secret that opens watchlist files: a passphrase or the bytes of a key file, in locked memory. The owner disposes it, which wipes.</summary>
public sealed class WatchlistKey : IDisposable
{
    /// <summary>Bytes of AES-256.</summary>
    internal const int FileKeyBytes = 32;

    // OWASP's figure for PBKDF2-HMAC-SHA-256 (2023): the cost of each guess at a stolen file.
    internal const int DefaultIterations = 600_000;

    private const int LeastKeyFileBytes = 32;
    private const int MostKeyFileBytes = 4096;
    /// <summary>The most characters of a passphrase.</summary>
    public const int MostPassphraseChars = 1024;


    private static readonly byte[] HkdfInfo = "LfrEngine watchlist file 1"u8.ToArray();

    private readonly HostBuffer<byte> secret;

    private WatchlistKey(KeyDerivation derivation, HostBuffer<byte> secret)
    {
        Derivation = derivation;
        this.secret = secret;
    }

    internal KeyDerivation Derivation { get; }

    /// <summary>PBKDF2 iterations of files written with this key; tests lower it.</summary>
    internal int Iterations { get; init; } = DefaultIterations;

    /// <summary>A key from a passphrase: PBKDF2-HMAC-SHA-256, 600,000 iterations, with each file's own salt.</summary>
    /// <param name="passphrase">1…1024 characters, used exactly as given. Copied; the caller wipes its own.</param>
    public static WatchlistKey FromPassphrase(ReadOnlySpan<char> passphrase) => FromPassphrase(passphrase, DefaultIterations);

    internal static WatchlistKey FromPassphrase(ReadOnlySpan<char> passphrase, int iterations)
    {
        if (passphrase.IsEmpty || passphrase.Length > MostPassphraseChars)
            throw new ArgumentException($"A passphrase has 1…{MostPassphraseChars} characters.", nameof(passphrase));
        var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        HostBuffer<byte> secret = BufferPool.Rent<byte>(strict.GetByteCount(passphrase));
        strict.GetBytes(passphrase, secret.Span);
        return new WatchlistKey(KeyDerivation.Pbkdf2Sha256, secret) { Iterations = iterations };
    }

    /// <summary>A key from a file of 32…4096 random bytes: HKDF-SHA-256 with each watchlist file's own salt.</summary>
    /// <exception cref="WatchlistException"><see cref="WatchlistFailure.UnusableKeyFile"/>.</exception>
    public static WatchlistKey FromKeyFile(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        HostBuffer<byte>? secret = null;
        try
        {
            using SafeFileHandle file = InputFile.Open(path);
            long length = RandomAccess.GetLength(file);
            if (length is < LeastKeyFileBytes or > MostKeyFileBytes)
            {
                throw new WatchlistException(
                    WatchlistFailure.UnusableKeyFile,
                    FormattableString.Invariant($"{path}: a key file has {LeastKeyFileBytes} to {MostKeyFileBytes:#,0} bytes; this one has {length:#,0}. Give the key file that was used when the watchlist was made."));
            }
            secret = BufferPool.Rent<byte>((int)length);
            FileBytes.ReadExactly(file, secret.Span, 0);
            return new WatchlistKey(KeyDerivation.HkdfSha256, secret);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            secret?.Dispose();
            throw new WatchlistException(WatchlistFailure.UnusableKeyFile, $"{path}: cannot read the key file: {FileTrouble.Words(error)}", error);
        }
    }

    /// <summary>A key from 32…4096 random bytes that are not stored in a key file; equivalent to a key file with these bytes.</summary>
    /// <param name="bytes">Copied; the caller wipes its own.</param>
    public static WatchlistKey FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is < LeastKeyFileBytes or > MostKeyFileBytes)
            throw new ArgumentException($"A key has {LeastKeyFileBytes}…{MostKeyFileBytes} bytes.", nameof(bytes));
        HostBuffer<byte> secret = BufferPool.Rent<byte>(bytes.Length);
        bytes.CopyTo(secret.Span);
        return new WatchlistKey(KeyDerivation.HkdfSha256, secret);
    }

    /// <summary>Writes a new key file: 32 random bytes, readable only by its owner. Never replaces a file.</summary>
    /// <exception cref="WatchlistException"><see cref="WatchlistFailure.WriteFailed"/> or <see cref="WatchlistFailure.DiskFull"/>.</exception>
    public static void CreateKeyFile(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using HostBuffer<byte> secret = BufferPool.Rent<byte>(LeastKeyFileBytes);
        RandomNumberGenerator.Fill(secret.Span);
        try
        {
            using OutputFile file = OutputFile.Begin(path, ownerOnly: true, replace: false);
            file.Stream.Write(secret.Span);
            file.Finish();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(path))
                throw new WatchlistException(WatchlistFailure.WriteFailed, $"{path}: already exists, and a key file is never replaced. Choose another name.", error);
            throw FileBytes.WriteFailure(path, error);
        }
    }

    /// <summary>Makes one file's key.</summary>
    /// <param name="salt">The file's salt.</param>
    /// <param name="iterations">The file's PBKDF2 iterations; ignored for a key file.</param>
    /// <param name="fileKey">Receives 32 bytes. Borrowed.</param>
    internal void Derive(ReadOnlySpan<byte> salt, int iterations, Span<byte> fileKey)
    {
        if (Derivation == KeyDerivation.Pbkdf2Sha256)
            Rfc2898DeriveBytes.Pbkdf2(secret.Span, salt, fileKey, iterations, HashAlgorithmName.SHA256);
        else
            HKDF.DeriveKey(HashAlgorithmName.SHA256, secret.Span, fileKey, salt, HkdfInfo);
    }

    /// <summary>Wipes the secret. Safe to call twice.</summary>
    public void Dispose() => secret.Dispose();
}
