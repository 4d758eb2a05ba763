using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using LfrEngine.Memory;

namespace LfrEngine.Records.Disclosure;

/// <summary>The files of a bundle while it is made. Owns the pictures.</summary>
internal sealed class DisclosureParts : IDisposable
{
    // Of a file in a zip, beside its content and its name twice: both headers, and what deflate may add to a short text.
    private const int HeaderBytes = 512;

    private readonly List<Part> parts = [];
    private readonly List<AbsentPart> absent = [];

    public IReadOnlyList<AbsentPart> Absent => absent;

    public void Add(string name, string what, string text) => Add(name, what, Encoding.UTF8.GetBytes(text));

    public void Add(string name, string what, byte[] text) => parts.Add(new Part(name, what, text, null));

    /// <summary>Adds a file, or says why it is not there.</summary>
    public void AddOrExplain(string name, string what, byte[]? text, string reason)
    {
        if (text is null)
            absent.Add(new AbsentPart(name, reason));
        else
            Add(name, what, text);
    }

    /// <summary>The same with a picture, which is owned from here on.</summary>
    public void AddOrExplain(string name, string what, HostBuffer<byte>? picture, string reason)
    {
        if (picture is null)
            absent.Add(new AbsentPart(name, reason));
        else
            parts.Add(new Part(name, what, null, picture));
    }

    /// <summary>The files, with their hashes.</summary>
    public IReadOnlyList<DisclosedPart> Listed() => [.. parts.Select(p => new DisclosedPart(p.Name, p.What, p.Content.Length, Convert.ToHexStringLower(SHA256.HashData(p.Content))))];

    /// <summary>All of them as one zip file.</summary>
    /// <param name="at">Time of the files.</param>
    public unsafe DisclosureBundle Pack(DateTimeOffset at)
    {
        // Deflate never adds more than five bytes to a block of 16 KiB.
        HostBuffer<byte> room = BufferPool.Rent<byte>(parts.Sum(p => p.Content.Length + (p.Content.Length / 1000) + (2 * p.Name.Length) + HeaderBytes) + HeaderBytes);
        try
        {
            int length;
            using (var stream = new UnmanagedMemoryStream(room.Pointer, 0, room.Length, FileAccess.ReadWrite))
            {
                using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
                {
                    foreach (Part part in parts)
                    {
                        // Pictures are stored as they are: nothing that compresses them keeps a copy.
                        ZipArchiveEntry entry = zip.CreateEntry(part.Name, part.Picture is null ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
                        entry.LastWriteTime = at;
                        using Stream to = entry.Open();
                        to.Write(part.Content);
                    }
                }
                length = (int)stream.Length;
            }
            return new DisclosureBundle(room, length);
        }
        catch
        {
            room.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (Part part in parts)
            part.Picture?.Dispose();
    }

    private sealed record Part(string Name, string What, byte[]? Text, HostBuffer<byte>? Picture)
    {
        public ReadOnlySpan<byte> Content => Picture is null ? Text : Picture.Span;
    }
}

/// <summary>A finished bundle in locked memory, which is wiped when it is disposed.</summary>
internal sealed class DisclosureBundle(HostBuffer<byte> room, int length) : IDisposable
{
    /// <summary>The file.</summary>
    public ReadOnlySpan<byte> Content => room.Span[..length];

    /// <summary>Of the file, as the audit trail names it.</summary>
    public string Sha256 { get; } = Convert.ToHexStringLower(SHA256.HashData(room.Span[..length]));

    public void Dispose() => room.Dispose();
}
