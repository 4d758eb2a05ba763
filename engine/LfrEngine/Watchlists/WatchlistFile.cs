using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LfrEngine.Files;
using LfrEngine.Memory;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Watchlists;

/// <summary>Watchlists on disk, encrypted and authenticated with AES-256-GCM.</summary>
/// <remarks>
/// The format is described in FORMAT.md. Plaintext exists only in locked memory: each section is read into the buffer where it will
/// stay and decrypted in place. A SHA-256 over the whole file distinguishes damage from a wrong key before any key is derived.
/// </remarks>
public static class WatchlistFile
{
    /// <summary>Writes or replaces a watchlist file, readable only by its owner. The target is replaced atomically.</summary>
    /// <param name="path">Target; its directory must exist and be writable.</param>
    /// <param name="watchlist">Borrowed.</param>
    /// <param name="key">Borrowed.</param>
    /// <exception cref="WatchlistException"><see cref="WatchlistFailure.DiskFull"/>, <see cref="WatchlistFailure.WriteFailed"/>.</exception>
    public static void Write(string path, Watchlist watchlist, WatchlistKey key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(watchlist);
        ArgumentNullException.ThrowIfNull(key);
        RequireLittleEndian();
        using var metadata = new GrowingBuffer<byte>();
        new WatchlistMetadata(watchlist.Version, [.. watchlist.Identities]).Write(metadata);
        Write(
            path,
            watchlist.Origin,
            watchlist.Identities.Count,
            metadata.Written,
            MemoryMarshal.AsBytes(watchlist.Templates),
            MemoryMarshal.AsBytes(watchlist.Embeddings),
            watchlist.Photos,
            key);
    }

    /// <summary>Writes the current content of a builder as a watchlist file, without changing the builder; each of its people must have a template.</summary>
    /// <inheritdoc cref="Write(string, Watchlist, WatchlistKey)"/>
    public static void WriteSoFar(string path, WatchlistBuilder builder, WatchlistKey key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(key);
        RequireLittleEndian();
        using var metadata = new GrowingBuffer<byte>();
        builder.Metadata.Write(metadata);
        Write(path, builder.Origin, builder.IdentityCount, metadata.Written, MemoryMarshal.AsBytes(builder.Templates), MemoryMarshal.AsBytes(builder.Embeddings), builder.Photos, key);
    }

    /// <summary>Opens a watchlist file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">Borrowed.</param>
    /// <param name="expectedEmbedderSha256">SHA-256 of the embedder this engine runs, hexadecimal; null to accept any.</param>
    /// <returns>A watchlist the caller owns.</returns>
    /// <exception cref="WatchlistException">The file cannot be used; see <see cref="WatchlistFailure"/>.</exception>
    public static Watchlist Read(string path, WatchlistKey key, string? expectedEmbedderSha256 = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(key);
        RequireLittleEndian();
        return Guarded(path, file =>
        {
            using HostBuffer<byte> start = ReadStart(file, out long fileBytes);
            WatchlistHeader header = WatchlistHeader.Parse(start.Span, fileBytes, path);
            CheckChecksum(file, fileBytes, path);
            CheckEmbedder(header, expectedEmbedderSha256, path);
            if (header.Derivation != key.Derivation)
            {
                throw new WatchlistException(
                    WatchlistFailure.WrongKey,
                    header.Derivation == KeyDerivation.Pbkdf2Sha256
                        ? $"{path}: encrypted with a passphrase, not with a key file. Give its passphrase."
                        : $"{path}: encrypted with a key file, not with a passphrase. Give its key file.");
            }
            return ReadSections(file, header, start.Span[..header.Bytes], key, path);
        });
    }

    /// <summary>Reads the header of a file, without its key.</summary>
    /// <remarks>Checks the structure and the size of the file, but not its checksum, so that it is fast.</remarks>
    /// <exception cref="WatchlistException">NotAWatchlist, UnsupportedVersion, Damaged or Unreadable.</exception>
    public static WatchlistFileInfo ReadHeader(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return Guarded(path, file =>
        {
            using HostBuffer<byte> start = ReadStart(file, out long fileBytes);
            WatchlistHeader header = WatchlistHeader.Parse(start.Span, fileBytes, path);
            return new WatchlistFileInfo(
                header.Origin.Id,
                header.Origin.CreatedUtc,
                header.Origin.EmbedderId,
                header.Origin.EmbedderSha256,
                header.Origin.EmbeddingLength,
                header.TemplateCount,
                header.IdentityCount,
                header.Derivation == KeyDerivation.Pbkdf2Sha256,
                fileBytes);
        });
    }

    /// <summary>Fuzz target: the bytes as a header, then as the decrypted sections. Only <see cref="WatchlistException"/> is an expected outcome.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        try
        {
            _ = WatchlistHeader.Parse(data[..Math.Min(data.Length, WatchlistHeader.MaximumBytes)], data.Length, "fuzz");
        }
        catch (WatchlistException)
        {
        }
        if (data.Length < 4)
            return;

        int embeddingLength = 1 + (data[0] & 7);
        int templateCount = data[1] & 3;
        int metadataBytes = BinaryPrimitives.ReadUInt16LittleEndian(data[2..]);
        ReadOnlySpan<byte> rest = data[4..];
        int tableBytes = templateCount * WatchlistHeader.TemplateBytesOf(WatchlistHeader.FormatVersion);
        int rowBytes = templateCount * embeddingLength * sizeof(float);
        if (rest.Length < (long)metadataBytes + tableBytes + rowBytes)
            return;
        using HostBuffer<byte> metadata = BufferPool.Rent<byte>(metadataBytes);
        using HostBuffer<WatchlistTemplate> table = BufferPool.Rent<WatchlistTemplate>(templateCount);
        using HostBuffer<float> rows = BufferPool.Rent<float>(templateCount * embeddingLength);
        using HostBuffer<byte> photos = BufferPool.Rent<byte>(rest.Length - metadataBytes - tableBytes - rowBytes);
        rest[..metadataBytes].CopyTo(metadata.Span);
        rest.Slice(metadataBytes, tableBytes).CopyTo(MemoryMarshal.AsBytes(table.Span));
        rest.Slice(metadataBytes + tableBytes, rowBytes).CopyTo(MemoryMarshal.AsBytes(rows.Span));
        rest[(metadataBytes + tableBytes + rowBytes)..].CopyTo(photos.Span);
        try
        {
            WatchlistMetadata parsed = WatchlistMetadata.Parse(metadata.Span);
            var origin = new WatchlistOrigin(Guid.Empty, DateTimeOffset.UnixEpoch, "fuzz", new string('0', 64), embeddingLength);
            new Watchlist(origin, parsed.Version, parsed.Identities, templateCount, rows, table, photos, photos.Length).Dispose();
        }
        catch (WatchlistException)
        {
        }
    }

    /// <summary>Encrypts any content, valid or not; tests use it to make broken files.</summary>
    internal static void Write(
        string path,
        WatchlistOrigin origin,
        int identityCount,
        ReadOnlySpan<byte> metadata,
        ReadOnlySpan<byte> templates,
        ReadOnlySpan<byte> embeddings,
        ReadOnlySpan<byte> photos,
        WatchlistKey key)
    {
        if (metadata.Length > WatchlistHeader.MaximumMetadataBytes)
            throw WatchlistRules.Broken("The list of identities is too long for a file.");
        var header = new WatchlistHeader(
            WatchlistHeader.FormatVersion,
            origin,
            key.Derivation,
            key.Derivation == KeyDerivation.Pbkdf2Sha256 ? key.Iterations : 0,
            templates.Length / WatchlistHeader.TemplateBytesOf(WatchlistHeader.FormatVersion),
            identityCount,
            metadata.Length,
            photos.Length,
            RandomNumberGenerator.GetBytes(WatchlistHeader.SaltBytes),
            RandomNumberGenerator.GetBytes(WatchlistHeader.NoncePrefixBytes));

        try
        {
            RefuseOthers(path);
            using OutputFile file = OutputFile.Begin(path, ownerOnly: true);
            using (var seal = new Seal(file.Stream.SafeFileHandle, header, key))
            {
                seal.WriteSection(metadata);
                seal.WriteSection(templates);
                seal.WriteSection(embeddings);
                seal.WriteSection(photos);
                seal.WriteChecksum();
            }
            file.Finish();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw FileBytes.WriteFailure(path, error);
        }
    }

    // Only a watchlist is replaced, not a photo, a recording or a list of people.
    private static void RefuseOthers(string path)
    {
        if (!File.Exists(path))
            return;
        using SafeFileHandle old = InputFile.Open(path);
        Span<byte> start = stackalloc byte[WatchlistHeader.Magic.Length];
        int read = RandomAccess.Read(old, start, 0);
        if (!start[..read].SequenceEqual(WatchlistHeader.Magic[..read]))
            throw new WatchlistException(WatchlistFailure.WriteFailed, $"{path} exists and is not a watchlist, so it is not replaced. Give another name.");
    }

    private static T Guarded<T>(string path, Func<SafeFileHandle, T> read)
    {
        try
        {
            using SafeFileHandle file = InputFile.Open(path);
            return read(file);
        }
        catch (EndOfStreamException error)
        {
            throw new WatchlistException(WatchlistFailure.Damaged, $"{path}: became shorter while it was being read. Try again when it is no longer being written.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new WatchlistException(WatchlistFailure.Unreadable, $"{path}: cannot be read: {FileTrouble.Words(error)}", error);
        }
    }

    private static HostBuffer<byte> ReadStart(SafeFileHandle file, out long fileBytes)
    {
        fileBytes = RandomAccess.GetLength(file);
        HostBuffer<byte> start = BufferPool.Rent<byte>((int)Math.Min(fileBytes, WatchlistHeader.MaximumBytes));
        try
        {
            FileBytes.ReadExactly(file, start.Span, 0);
            return start;
        }
        catch
        {
            start.Dispose();
            throw;
        }
    }

    private static void CheckChecksum(SafeFileHandle file, long fileBytes, string path)
    {
        using HostBuffer<byte> chunk = BufferPool.Rent<byte>(WatchlistHeader.ChunkBytes);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long hashed = fileBytes - WatchlistHeader.ChecksumBytes;
        for (long at = 0; at < hashed;)
        {
            Span<byte> part = chunk.Span[..(int)Math.Min(chunk.Length, hashed - at)];
            FileBytes.ReadExactly(file, part, at);
            hash.AppendData(part);
            at += part.Length;
        }
        Span<byte> actual = stackalloc byte[WatchlistHeader.ChecksumBytes];
        hash.GetHashAndReset(actual);
        Span<byte> stated = chunk.Span[..WatchlistHeader.ChecksumBytes];
        FileBytes.ReadExactly(file, stated, hashed);
        if (!actual.SequenceEqual(stated))
            throw WatchlistHeader.Damaged(path, "its checksum is wrong");
    }

    private static void CheckEmbedder(WatchlistHeader header, string? expectedSha256, string path)
    {
        if (expectedSha256 is null || string.Equals(header.Origin.EmbedderSha256, expectedSha256, StringComparison.OrdinalIgnoreCase))
            return;
        throw new WatchlistException(
            WatchlistFailure.ForeignModel,
            $"{path}: made with embedder '{header.Origin.EmbedderId}' (SHA-256 {header.Origin.EmbedderSha256}), but this engine uses the embedder with SHA-256 {expectedSha256}. "
            + "Templates of two models cannot be compared. `lfr watchlist re-enrol FILE -o NEW` makes templates of this model from the face pictures in the list. Or run the engine with the list's embedder.");
    }

    private static Watchlist ReadSections(SafeFileHandle file, WatchlistHeader header, ReadOnlySpan<byte> headerBytes, WatchlistKey key, string path)
    {
        // Parse has proven that these lengths add up to the size of the file, so no rent exceeds what is on disk.
        using HostBuffer<byte> metadata = BufferPool.Rent<byte>(header.MetadataBytes);
        HostBuffer<WatchlistTemplate> templates = BufferPool.Rent<WatchlistTemplate>(header.TemplateCount);
        HostBuffer<float>? embeddings = null;
        HostBuffer<byte>? photos = null;
        try
        {
            embeddings = BufferPool.Rent<float>(header.TemplateCount * header.Origin.EmbeddingLength);
            photos = BufferPool.Rent<byte>(header.PhotoBytes);
            using (var unseal = new Unseal(file, header, headerBytes, key))
            {
                unseal.ReadSection(metadata.Span);
                ReadTemplates(unseal, header, templates.Span);
                unseal.ReadSection(MemoryMarshal.AsBytes(embeddings.Span));
                unseal.ReadSection(photos.Span);
            }
            WatchlistMetadata parsed = WatchlistMetadata.Parse(metadata.Span);
            if (parsed.Identities.Length != header.IdentityCount)
                throw WatchlistRules.Broken("The header and the list of identities differ in number.");
            return new Watchlist(header.Origin, parsed.Version, parsed.Identities, header.TemplateCount, embeddings, templates, photos, header.PhotoBytes);
        }
        catch (Exception error)
        {
            templates.Dispose();
            embeddings?.Dispose();
            photos?.Dispose();
            if (error is AuthenticationTagMismatchException)
            {
                string what = key.Derivation == KeyDerivation.Pbkdf2Sha256 ? "passphrase" : "key file";
                throw new WatchlistException(
                    WatchlistFailure.WrongKey,
                    $"{path}: this {what} does not open the file. Give the {what} it was encrypted with. If this is the right one, the file has been altered.",
                    error);
            }
            if (error is WatchlistException { Reason: WatchlistFailure.InvalidContent })
                throw new WatchlistException(WatchlistFailure.InvalidContent, $"{path}: {error.Message} Enrol again with `lfr enrol`.", error);
            throw;
        }
    }

    private static void ReadTemplates(Unseal unseal, WatchlistHeader header, Span<WatchlistTemplate> templates)
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(templates);
        int old = header.TemplateBytes, now = bytes.Length / Math.Max(1, templates.Length);
        unseal.ReadSection(bytes[..(templates.Length * old)]);
        // Format 1 had no covers: its shorter rows are spread out, the last first, and padded with zeros.
        for (int i = templates.Length - 1; i >= 0 && old < now; i--)
        {
            bytes.Slice(i * old, old).CopyTo(bytes[(i * now)..]);
            bytes.Slice((i * now) + old, now - old).Clear();
        }
    }

    private static void RequireLittleEndian()
    {
        // Rows are read into the memory where they are used, without conversion. All relevant platforms are little-endian.
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Watchlist files need a little-endian machine.");
    }

    /// <summary>AES-256-GCM over the chunks of one file. Each file has its own key, so a counter is sufficient as nonce.</summary>
    private abstract class Cipher : IDisposable
    {
        private readonly byte[] noncePrefix;
        private long chunks;

        protected Cipher(SafeFileHandle file, WatchlistHeader header, WatchlistKey key)
        {
            File = file;
            At = header.Bytes;
            noncePrefix = header.NoncePrefix;
            using HostBuffer<byte> fileKey = BufferPool.Rent<byte>(WatchlistKey.FileKeyBytes);
            key.Derive(header.Salt, header.Iterations, fileKey.Span);
            Aes = new AesGcm(fileKey.Span, WatchlistHeader.TagBytes);
        }

        protected SafeFileHandle File { get; }

        protected AesGcm Aes { get; }

        protected long At { get; set; }

        protected void NextNonce(Span<byte> nonce)
        {
            noncePrefix.CopyTo(nonce);
            BinaryPrimitives.WriteInt64BigEndian(nonce[WatchlistHeader.NoncePrefixBytes..], chunks++);
        }

        public virtual void Dispose() => Aes.Dispose();
    }

    private sealed class Seal : Cipher
    {
        private readonly IncrementalHash hash;
        private readonly HostBuffer<byte> scratch;
        private readonly byte[] headerBytes;

        public Seal(SafeFileHandle file, WatchlistHeader header, WatchlistKey key)
            : base(file, header, key)
        {
            // Not as initialisers, which would allocate before the base constructor can throw.
            hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            scratch = BufferPool.Rent<byte>(WatchlistHeader.ChunkBytes + WatchlistHeader.TagBytes);
            headerBytes = new byte[header.Bytes];
            header.Write(headerBytes);
            hash.AppendData(headerBytes);
            try
            {
                RandomAccess.Write(file, headerBytes, 0);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public void WriteSection(ReadOnlySpan<byte> plaintext)
        {
            Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
            while (!plaintext.IsEmpty)
            {
                ReadOnlySpan<byte> part = plaintext[..Math.Min(plaintext.Length, WatchlistHeader.ChunkBytes)];
                Span<byte> sealedChunk = scratch.Span[..(part.Length + WatchlistHeader.TagBytes)];
                NextNonce(nonce);
                Aes.Encrypt(nonce, part, sealedChunk[..part.Length], sealedChunk[part.Length..], headerBytes);
                Append(sealedChunk);
                plaintext = plaintext[part.Length..];
            }
        }

        public void WriteChecksum()
        {
            Span<byte> checksum = stackalloc byte[WatchlistHeader.ChecksumBytes];
            hash.GetHashAndReset(checksum);
            RandomAccess.Write(File, checksum, At);
        }

        public override void Dispose()
        {
            base.Dispose();
            hash.Dispose();
            scratch.Dispose();
        }

        private void Append(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            RandomAccess.Write(File, bytes, At);
            At += bytes.Length;
        }
    }

    private sealed class Unseal(SafeFileHandle file, WatchlistHeader header, ReadOnlySpan<byte> headerBytes, WatchlistKey key)
        : Cipher(file, header, key)
    {
        private readonly byte[] headerBytes = headerBytes.ToArray();

        /// <summary>Reads the next section into its buffer and decrypts it there.</summary>
        public void ReadSection(Span<byte> destination)
        {
            Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
            Span<byte> tag = stackalloc byte[WatchlistHeader.TagBytes];
            while (!destination.IsEmpty)
            {
                Span<byte> part = destination[..Math.Min(destination.Length, WatchlistHeader.ChunkBytes)];
                FileBytes.ReadExactly(File, part, At);
                FileBytes.ReadExactly(File, tag, At + part.Length);
                At += part.Length + WatchlistHeader.TagBytes;
                NextNonce(nonce);
                Aes.Decrypt(nonce, part, tag, part, headerBytes);
                destination = destination[part.Length..];
            }
        }
    }
}
