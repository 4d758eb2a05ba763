using System.Buffers.Binary;
using System.Text;

namespace LfrEngine.Watchlists;

/// <summary>The header of a watchlist file, read without its key. Not authenticated: only reading with the key does that.</summary>
/// <param name="Id">The watchlist's id.</param>
/// <param name="CreatedUtc">When it was built.</param>
/// <param name="EmbedderId">Embedder that made the templates.</param>
/// <param name="EmbedderSha256">SHA-256 of its model file, lower-case hexadecimal.</param>
/// <param name="EmbeddingLength">D.</param>
/// <param name="TemplateCount">N.</param>
/// <param name="IdentityCount">People.</param>
/// <param name="SealedWithPassphrase">True for a passphrase, false for a key file.</param>
/// <param name="FileBytes">Size of the whole file.</param>
public sealed record WatchlistFileInfo(
    Guid Id,
    DateTimeOffset CreatedUtc,
    string EmbedderId,
    string EmbedderSha256,
    int EmbeddingLength,
    int TemplateCount,
    int IdentityCount,
    bool SealedWithPassphrase,
    long FileBytes);

/// <summary>The plaintext header; see FORMAT.md for its bytes.</summary>
internal sealed record WatchlistHeader(
    int Version,
    WatchlistOrigin Origin,
    KeyDerivation Derivation,
    int Iterations,
    int TemplateCount,
    int IdentityCount,
    int MetadataBytes,
    int PhotoBytes,
    byte[] Salt,
    byte[] NoncePrefix)
{
    public const ushort FormatVersion = 2;
    public const ushort OldestFormatVersion = 1;
    public const int FixedBytes = 132;
    public const int MaximumBytes = FixedBytes + WatchlistRules.MaximumEmbedderIdBytes;
    public const int SaltBytes = 32;
    public const int NoncePrefixBytes = 4;
    public const int TagBytes = 16;
    public const int ChecksumBytes = 32;
    public const int ChunkBytes = 1 << 20;
    public const int MaximumMetadataBytes = 1 << 30;

    // Headers are not trusted: this prevents a forged one from keeping the reader busy for minutes.
    public const int MaximumIterations = 10_000_000;

    public static ReadOnlySpan<byte> Magic => "LFRWATCH"u8;

    public int Bytes => FixedBytes + Encoding.UTF8.GetByteCount(Origin.EmbedderId);

    public int EmbeddingBytes => TemplateCount * Origin.EmbeddingLength * sizeof(float);

    /// <summary>Bytes of one template in section 2.</summary>
    public int TemplateBytes => TemplateBytesOf(Version);

    /// <summary>Size of the whole file that this header begins.</summary>
    public long FileBytes =>
        Bytes + Sealed(MetadataBytes) + Sealed((long)TemplateCount * TemplateBytes) + Sealed(EmbeddingBytes) + Sealed(PhotoBytes) + ChecksumBytes;

    /// <summary>Bytes of one template in section 2 of a format.</summary>
    public static int TemplateBytesOf(int version) => version == 1 ? 16 : 20;

    /// <summary>Bytes of a section in the file: each chunk carries a tag.</summary>
    private static long Sealed(long bytes) => bytes + ((bytes + ChunkBytes - 1) / ChunkBytes * TagBytes);

    public void Write(Span<byte> destination)
    {
        destination[..Bytes].Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], (ushort)Version);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], (ushort)Bytes);
        destination[12] = (byte)Derivation;
        destination[13] = (byte)(Bytes - FixedBytes);
        BinaryPrimitives.WriteInt32LittleEndian(destination[16..], Iterations);
        BinaryPrimitives.WriteInt32LittleEndian(destination[20..], Origin.EmbeddingLength);
        BinaryPrimitives.WriteInt32LittleEndian(destination[24..], TemplateCount);
        BinaryPrimitives.WriteInt32LittleEndian(destination[28..], IdentityCount);
        BinaryPrimitives.WriteInt32LittleEndian(destination[32..], MetadataBytes);
        BinaryPrimitives.WriteInt32LittleEndian(destination[36..], PhotoBytes);
        BinaryPrimitives.WriteInt64LittleEndian(destination[40..], Origin.CreatedUtc.ToUnixTimeMilliseconds());
        Origin.Id.TryWriteBytes(destination[48..], bigEndian: true, out _);
        Salt.CopyTo(destination[64..]);
        NoncePrefix.CopyTo(destination[96..]);
        Convert.FromHexString(Origin.EmbedderSha256).CopyTo(destination[100..]);
        Encoding.UTF8.GetBytes(Origin.EmbedderId, destination[FixedBytes..]);
    }

    /// <summary>Reads a header and checks every number in it against the size of the file.</summary>
    /// <param name="start">The file's first bytes, as many as it has up to <see cref="MaximumBytes"/>.</param>
    /// <param name="fileBytes">Size of the whole file.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="WatchlistException">NotAWatchlist, UnsupportedVersion or Damaged.</exception>
    public static WatchlistHeader Parse(ReadOnlySpan<byte> start, long fileBytes, string path)
    {
        int known = Math.Min(start.Length, Magic.Length);
        if (!start[..known].SequenceEqual(Magic[..known]))
            throw new WatchlistException(WatchlistFailure.NotAWatchlist, $"{path}: not a watchlist file. Watchlists are made by `lfr enrol`.");
        if (start.Length < 12)
            throw Damaged(path, start.IsEmpty ? "the file is empty" : $"the file ends after {start.Length} bytes");
        int version = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        if (version is < OldestFormatVersion or > FormatVersion)
        {
            throw new WatchlistException(
                WatchlistFailure.UnsupportedVersion,
                $"{path}: watchlist format {version}; this engine reads formats {OldestFormatVersion} to {FormatVersion}. Use the engine that wrote it, or enrol again with `lfr enrol`.");
        }
        int headerBytes = BinaryPrimitives.ReadUInt16LittleEndian(start[10..]);
        if (start.Length < FixedBytes || headerBytes > start.Length)
            throw Damaged(path, "the header is truncated");
        if (headerBytes is <= FixedBytes or > MaximumBytes || headerBytes != FixedBytes + start[13])
            throw Damaged(path, "the header's length is wrong");

        var derivation = (KeyDerivation)start[12];
        int iterations = BinaryPrimitives.ReadInt32LittleEndian(start[16..]);
        bool derivationKnown = derivation switch
        {
            KeyDerivation.Pbkdf2Sha256 => iterations is >= 1 and <= MaximumIterations,
            KeyDerivation.HkdfSha256 => iterations == 0,
            _ => false,
        };
        if (!derivationKnown || BinaryPrimitives.ReadUInt16LittleEndian(start[14..]) != 0)
            throw Damaged(path, "the key derivation is unknown");

        int embeddingLength = BinaryPrimitives.ReadInt32LittleEndian(start[20..]);
        int templateCount = BinaryPrimitives.ReadInt32LittleEndian(start[24..]);
        int identityCount = BinaryPrimitives.ReadInt32LittleEndian(start[28..]);
        int metadataBytes = BinaryPrimitives.ReadInt32LittleEndian(start[32..]);
        int photoBytes = BinaryPrimitives.ReadInt32LittleEndian(start[36..]);
        long created = BinaryPrimitives.ReadInt64LittleEndian(start[40..]);
        if (embeddingLength is < 1 or > WatchlistRules.MaximumEmbeddingLength
            || templateCount < 0 || (long)templateCount * embeddingLength > WatchlistRules.MaximumEmbeddingElements
            || identityCount is < 0 or > WatchlistRules.MaximumIdentities
            || metadataBytes is < 0 or > MaximumMetadataBytes
            || photoBytes < 0
            || created < DateTimeOffset.MinValue.ToUnixTimeMilliseconds() || created > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            || (long)templateCount * TemplateBytesOf(version) > int.MaxValue)
        {
            throw Damaged(path, "the header contains impossible numbers");
        }

        string embedderId;
        try
        {
            embedderId = StrictUtf8.GetString(start[FixedBytes..headerBytes]);
        }
        catch (DecoderFallbackException)
        {
            throw Damaged(path, "the embedder's name is not text");
        }
        var origin = new WatchlistOrigin(
            new Guid(start.Slice(48, 16), bigEndian: true),
            DateTimeOffset.FromUnixTimeMilliseconds(created),
            embedderId,
            Convert.ToHexStringLower(start.Slice(100, 32)),
            embeddingLength);
        var header = new WatchlistHeader(
            version,
            origin,
            derivation,
            iterations,
            templateCount,
            identityCount,
            metadataBytes,
            photoBytes,
            start.Slice(64, SaltBytes).ToArray(),
            start.Slice(96, NoncePrefixBytes).ToArray());
        if (header.FileBytes != fileBytes)
            throw Damaged(path, $"the file has {fileBytes} bytes, but its header says {header.FileBytes}");
        return header;
    }

    public static WatchlistException Damaged(string path, string how) =>
        new(WatchlistFailure.Damaged, $"{path}: damaged: {how}. Copy it again from its source, or enrol again with `lfr enrol`.");

    private static UTF8Encoding StrictUtf8 { get; } = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
