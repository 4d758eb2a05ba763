using System.Security.Cryptography;
using System.Text;
using LfrEngine.Memory;
using LfrEngine.Records.Configuration;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Records.Security;

/// <summary>Keys of data that must be destroyed later: one file each, 32 bytes, readable only by the owner. Destroying the key destroys everything encrypted with it.</summary>
/// <remarks>
/// A key file is overwritten, flushed to the device and removed. A flash device may keep the overwritten cells until it erases them: put the data folder on
/// an encrypted volume. Sealed: 12 bytes of nonce, the cipher text (AES-256-GCM), 16 bytes of tag. Decrypted data stays in locked memory.
/// </remarks>
public sealed class KeyVault(Installation installation)
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 32;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Creates a key.</summary>
    /// <param name="id">What it is for: a watchlist's or an alert's id.</param>
    /// <exception cref="IOException">It already exists, or cannot be written.</exception>
    public void Create(Guid id)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        RandomNumberGenerator.Fill(key);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(PathOf(id), options);
        file.Write(key);
        file.Flush(flushToDisk: true);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Whether the key exists.</summary>
    public bool Has(Guid id) => File.Exists(PathOf(id));

    /// <summary>Ids of all keys; those that nothing needs any more are destroyed after a crash.</summary>
    public IReadOnlyList<Guid> All() => [.. Directory.EnumerateFiles(Path.GetDirectoryName(PathOf(Guid.Empty))!, "*.key").Select(f => Guid.Parse(Path.GetFileNameWithoutExtension(f)))];

    /// <summary>Overwrites and removes a key. Does nothing if there is none.</summary>
    public void Destroy(Guid id)
    {
        string path = PathOf(id);
        if (!File.Exists(path))
            return;
        using (var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, BufferSize = 0 }))
        {
            Span<byte> noise = stackalloc byte[KeyBytes];
            RandomNumberGenerator.Fill(noise);
            file.Write(noise);
            file.Flush(flushToDisk: true);
        }
        File.Delete(path);
    }

    /// <summary>Reads a key into memory that is wiped when the caller disposes it.</summary>
    /// <exception cref="KeyDestroyedException">The key has been destroyed.</exception>
    public HostBuffer<byte> Read(Guid id)
    {
        HostBuffer<byte> key = BufferPool.Rent<byte>(KeyBytes);
        try
        {
            using SafeFileHandle file = File.OpenHandle(PathOf(id));
            return RandomAccess.Read(file, key.Span, 0) == KeyBytes ? key : throw new KeyDestroyedException(id);
        }
        catch (FileNotFoundException e)
        {
            key.Dispose();
            throw new KeyDestroyedException(id, e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Seals bytes with a key.</summary>
    /// <param name="id">The key.</param>
    /// <param name="plain">Borrowed.</param>
    /// <param name="purpose">Kind of data, for example <c>probe</c>; decrypting must give the same, so that sealed data cannot be exchanged.</param>
    /// <exception cref="KeyDestroyedException">The key has been destroyed.</exception>
    public byte[] Seal(Guid id, ReadOnlySpan<byte> plain, string purpose)
    {
        using HostBuffer<byte> key = Read(id);
        using var cipher = new AesGcm(key.Span, TagBytes);
        var made = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(made.AsSpan(0, NonceBytes));
        cipher.Encrypt(made.AsSpan(0, NonceBytes), plain, made.AsSpan(NonceBytes, plain.Length), made.AsSpan(NonceBytes + plain.Length), Bound(id, purpose));
        return made;
    }

    /// <summary>Unseals bytes into locked memory that the caller owns.</summary>
    /// <param name="id">The key.</param>
    /// <param name="made">From <see cref="Seal"/>.</param>
    /// <param name="purpose">As given to <see cref="Seal"/>.</param>
    /// <exception cref="KeyDestroyedException">The key has been destroyed.</exception>
    /// <exception cref="CryptographicException">The bytes were altered, or are not of this key and purpose.</exception>
    public HostBuffer<byte> Unseal(Guid id, ReadOnlySpan<byte> made, string purpose)
    {
        int length = made.Length - NonceBytes - TagBytes;
        if (length < 0)
            throw new CryptographicException("The sealed data is too short.");
        using HostBuffer<byte> key = Read(id);
        using var cipher = new AesGcm(key.Span, TagBytes);
        HostBuffer<byte> plain = BufferPool.Rent<byte>(length);
        try
        {
            cipher.Decrypt(made[..NonceBytes], made.Slice(NonceBytes, length), made[(NonceBytes + length)..], plain.Span, Bound(id, purpose));
            return plain;
        }
        catch
        {
            plain.Dispose();
            throw;
        }
    }

    private static byte[] Bound(Guid id, string purpose) => Encoding.UTF8.GetBytes($"{id:N}/{purpose}");

    private string PathOf(Guid id) => installation.DataPath("keys", $"{id:N}.key");
}

/// <summary>The key has been destroyed, so the data cannot be read any more.</summary>
public sealed class KeyDestroyedException(Guid id, Exception? cause = null) : Exception($"The key {id:N} has been destroyed. What it encrypted cannot be read.", cause);
