using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using LfrEngine.Memory;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>The protocol between the program and the child that decodes photos. All numbers are little-endian.</summary>
/// <remarks>
/// The child sends <see cref="Ready"/> once. Then, per photo: to the child, the point of the face to enrol (x and y, int32, or nothing) and the photo's bytes;
/// back, the verdict (one byte), the quality (float32), the reasons (UTF-8, one a line), the JPEG, the templates (<see cref="PhotoTemplates.Write"/>), and the faces
/// to choose from (width and height of the photo, then left, top, right and bottom of each, int32; or nothing). All but the first two parts of an answer are preceded by their
/// length (int32, bytes). Both sides refuse lengths beyond their limits, because
/// the child processes untrusted data.
/// </remarks>
internal static class VetChannel
{
    /// <summary>The child is ready and sandboxed.</summary>
    public const byte Ready = 0x52;

    /// <summary>The child is ready, but this system cannot sandbox it.</summary>
    public const byte ReadyOpen = 0x72;

    private const int MostReasonBytes = 1 << 14;
    private const int MostChipBytes = 1 << 20;
    private const int MostFaces = 512;
    private const int FaceBytes = 4 * sizeof(int), SizeBytes = 2 * sizeof(int), PlaceBytes = 2 * sizeof(int);
    private const int MostPixels = 1 << 16;

    /// <summary>Sends a block with its length.</summary>
    public static void Write(Stream to, ReadOnlySpan<byte> block)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, block.Length);
        to.Write(length);
        to.Write(block);
    }

    /// <summary>Receives a block; null at the end of the stream.</summary>
    /// <param name="from">The pipe.</param>
    /// <param name="most">Maximum length.</param>
    /// <exception cref="EndOfStreamException">The stream ended in the block.</exception>
    /// <exception cref="InvalidDataException">The length is out of range.</exception>
    public static HostBuffer<byte>? Read(Stream from, int most)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        if (from.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length)
            return null;
        int bytes = BinaryPrimitives.ReadInt32LittleEndian(length);
        if (bytes < 0 || bytes > most)
            throw new InvalidDataException($"The child sent a block of {bytes} bytes.");
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

    /// <summary>Sends a photo to the child.</summary>
    /// <param name="to">The pipe.</param>
    /// <param name="photo">Its bytes. Borrowed.</param>
    /// <param name="face">A point in the face to enrol; null to leave it to the child.</param>
    public static void WriteRequest(Stream to, ReadOnlySpan<byte> photo, PhotoPoint? face)
    {
        Span<byte> place = stackalloc byte[PlaceBytes];
        BinaryPrimitives.WriteInt32LittleEndian(place, face?.X ?? 0);
        BinaryPrimitives.WriteInt32LittleEndian(place[sizeof(int)..], face?.Y ?? 0);
        Write(to, face is null ? [] : place);
        Write(to, photo);
    }

    /// <summary>Receives a photo; null at the end of the stream.</summary>
    /// <param name="from">The pipe.</param>
    /// <param name="most">Maximum size of a photo, bytes.</param>
    /// <param name="face">A point in the face to enrol, or null.</param>
    /// <exception cref="EndOfStreamException">The stream ended in the block.</exception>
    /// <exception cref="InvalidDataException">A length is out of range.</exception>
    public static HostBuffer<byte>? ReadRequest(Stream from, int most, out PhotoPoint? face)
    {
        face = null;
        using HostBuffer<byte>? place = Read(from, PlaceBytes);
        if (place is null)
            return null;
        if (place.Length is not (0 or PlaceBytes))
            throw new InvalidDataException($"The parent sent a face point of {place.Length} bytes.");
        if (place.Length > 0)
            face = new PhotoPoint(BinaryPrimitives.ReadInt32LittleEndian(place.Span), BinaryPrimitives.ReadInt32LittleEndian(place.Span[sizeof(int)..]));
        return Read(from, most) ?? throw new EndOfStreamException();
    }

    /// <summary>Sends the result for a photo.</summary>
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
        if (vetted.Faces is not { } faces)
        {
            Write(to, []);
            return;
        }
        ReadOnlySpan<PhotoFace> most = faces.Faces.AsSpan(0, Math.Min(faces.Faces.Length, MostFaces));
        var block = new byte[SizeBytes + (most.Length * FaceBytes)];
        BinaryPrimitives.WriteInt32LittleEndian(block, faces.Width);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(sizeof(int)), faces.Height);
        MemoryMarshal.AsBytes(most).CopyTo(block.AsSpan(SizeBytes));
        Write(to, block);
    }

    /// <summary>Receives the result for a photo.</summary>
    /// <param name="from">The pipe.</param>
    /// <param name="embeddingLength">Elements that a template must have.</param>
    /// <exception cref="EndOfStreamException">The child has ended.</exception>
    /// <exception cref="InvalidDataException">The child's answer is not valid.</exception>
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
                throw new InvalidDataException("The child's answer is not valid.");
            PhotoFaces? faces = ReadFaces(from);
            string[] said = Encoding.UTF8.GetString(reasons.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (!kept)
            {
                chip.Dispose();
                return new VettedPhoto(verdict, said, quality, faces: faces);
            }
            return new VettedPhoto(verdict, said, quality, templates, chip, chip.Length, faces);
        }
        catch
        {
            templates?.Dispose();
            chip?.Dispose();
            throw;
        }
    }

    private static PhotoFaces? ReadFaces(Stream from)
    {
        using HostBuffer<byte> block = Read(from, SizeBytes + (MostFaces * FaceBytes)) ?? throw new EndOfStreamException();
        if (block.Length == 0)
            return null;
        if (block.Length <= SizeBytes || (block.Length - SizeBytes) % FaceBytes != 0)
            throw new InvalidDataException("The child's list of faces is not valid.");
        ReadOnlySpan<int> values = MemoryMarshal.Cast<byte, int>(block.Span);
        foreach (int value in values)
        {
            if (value is < -MostPixels or > MostPixels)
                throw new InvalidDataException("The child's list of faces is not valid.");
        }
        if (values[0] < 1 || values[1] < 1)
            throw new InvalidDataException("The child's list of faces is not valid.");
        return new PhotoFaces(values[0], values[1], MemoryMarshal.Cast<byte, PhotoFace>(block.Span[SizeBytes..]).ToArray());
    }
}
