using System.Buffers.Binary;
using System.Text;
using LfrEngine.Memory;
using LfrEngine.Watchlists;

namespace LfrEngine.Host.Watchlists;

/// <summary>What goes through the pipes between the program and the child that decodes photos. All numbers little-endian.</summary>
/// <remarks>
/// The child says <see cref="Ready"/> once. Then, per photo: to the child, its bytes; back, the verdict (one byte), the quality (float32), the reasons (UTF-8,
/// one a line), the JPEG, the templates (<see cref="PhotoTemplates.Write"/>), each but the first two behind its length (int32, bytes). Neither side believes a length beyond its bound:
/// the child works with what strangers made.
/// </remarks>
internal static class VetChannel
{
    /// <summary>The child is ready, and shut in.</summary>
    public const byte Ready = 0x52;

    /// <summary>The child is ready; this system offers nothing to shut it in with.</summary>
    public const byte ReadyOpen = 0x72;

    private const int MostReasonBytes = 1 << 14;
    private const int MostChipBytes = 1 << 20;

    /// <summary>Sends a block behind its length.</summary>
    public static void Write(Stream to, ReadOnlySpan<byte> block)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, block.Length);
        to.Write(length);
        to.Write(block);
    }

    /// <summary>Receives a block; null at the end of the stream.</summary>
    /// <param name="from">The pipe.</param>
    /// <param name="most">Bytes that are believed.</param>
    /// <exception cref="EndOfStreamException">The stream ended in the block.</exception>
    /// <exception cref="InvalidDataException">The length is out of bounds.</exception>
    public static HostBuffer<byte>? Read(Stream from, int most)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        if (from.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length)
            return null;
        int bytes = BinaryPrimitives.ReadInt32LittleEndian(length);
        if (bytes < 0 || bytes > most)
            throw new InvalidDataException($"A block of {bytes} bytes.");
        HostBuffer<byte> block = BufferPool.Rent<byte>(bytes);
        try
        {
            from.ReadExactly(block.Span);
            return block;
        }
        catch
        {
            block.Dispose();
            throw;
        }
    }

    /// <summary>Sends what a photo came to.</summary>
    public static void WriteAnswer(Stream to, VettedPhoto vetted)
    {
        Span<byte> start = stackalloc byte[1 + sizeof(float)];
        start[0] = (byte)vetted.Verdict;
        BinaryPrimitives.WriteSingleLittleEndian(start[1..], vetted.Quality);
        to.Write(start);
        Write(to, Encoding.UTF8.GetBytes(string.Join('\n', vetted.Reasons)));
        Write(to, vetted.Chip);
        using HostBuffer<byte> templates = BufferPool.Rent<byte>(vetted.Templates?.SizeBytes ?? 0);
        vetted.Templates?.Write(templates.Span);
        Write(to, templates.Span);
    }

    /// <summary>Receives what a photo came to.</summary>
    /// <param name="from">The pipe.</param>
    /// <param name="embeddingLength">Elements that a template must have.</param>
    /// <exception cref="EndOfStreamException">The child is gone.</exception>
    /// <exception cref="InvalidDataException">The child talks nonsense.</exception>
    public static VettedPhoto ReadAnswer(Stream from, int embeddingLength)
    {
        Span<byte> start = stackalloc byte[1 + sizeof(float)];
        from.ReadExactly(start);
        float quality = BinaryPrimitives.ReadSingleLittleEndian(start[1..]);
        using HostBuffer<byte> reasons = Read(from, MostReasonBytes) ?? throw new EndOfStreamException();
        HostBuffer<byte>? chip = null;
        PhotoTemplates? templates = null;
        try
        {
            chip = Read(from, MostChipBytes) ?? throw new EndOfStreamException();
            using HostBuffer<byte> row = Read(from, PhotoTemplates.MostBytes(embeddingLength)) ?? throw new EndOfStreamException();
            var verdict = (PhotoVerdict)start[0];
            bool kept = verdict is PhotoVerdict.Accepted or PhotoVerdict.Doubtful;
            bool plausible = kept
                ? (templates = PhotoTemplates.Read(row.Span, embeddingLength)) is not null && chip.Span.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])
                : verdict == PhotoVerdict.Rejected && row.Length == 0 && chip.Length == 0;
            if (!plausible || !(quality is >= 0 and <= 1))
                throw new InvalidDataException("An answer that cannot be.");
            string[] said = Encoding.UTF8.GetString(reasons.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (!kept)
            {
                chip.Dispose();
                return new VettedPhoto(verdict, said, quality);
            }
            return new VettedPhoto(verdict, said, quality, templates, chip, chip.Length);
        }
        catch
        {
            templates?.Dispose();
            chip?.Dispose();
            throw;
        }
    }
}
