using System.IO.Compression;
using LfrEngine.Memory;

namespace LfrEngine.Records.Watchlists;

/// <summary>A people.csv in a zip file, with its photos; read in memory, never unpacked to disk.</summary>
internal sealed unsafe class ListInZip : PeopleSource
{
    /// <summary>Largest zip file, bytes.</summary>
    public const int MaximumBytes = 512 << 20;

    private const int MostEntries = 100_000;
    private const int MostListBytes = 64 << 20;

    private readonly HostBuffer<byte> bytes;
    private readonly ZipArchive zip;

    /// <summary>Opens the file and takes ownership of the bytes, also if it throws.</summary>
    /// <param name="bytes">The zip file.</param>
    /// <exception cref="CommandFailure">It is not a zip file, or contains no people.csv.</exception>
    public ListInZip(HostBuffer<byte> bytes)
    {
        this.bytes = bytes;
        try
        {
            zip = new ZipArchive(new UnmanagedMemoryStream(bytes.Pointer, bytes.Length), ZipArchiveMode.Read);
            if (zip.Entries.Count > MostEntries)
                throw new CommandFailure(ExitCode.Input, $"The zip file contains more than {MostEntries} files. Split it.");
            if (zip.GetEntry(List) is not { Length: <= MostListBytes })
                throw new CommandFailure(ExitCode.Input, $"The zip file has no people.csv (at most {MostListBytes >> 20} MiB) at its top level. Put the list there, next to the photos.");
        }
        catch (InvalidDataException e)
        {
            bytes.Dispose();
            throw new CommandFailure(ExitCode.Input, "This is not a zip file, or it is damaged. Upload a zip file with people.csv and the photos.", e);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    public override string List => "people.csv";

    // The stated length limits what is unpacked: a longer list is cut off there, and its last line fails.
    public override Stream OpenList() => Unpack(zip.GetEntry(List)!);

    public override string[] PicturesIn(string folder) =>
        [.. zip.Entries.Select(e => e.FullName).Where(n => n.StartsWith(folder + "/", StringComparison.Ordinal) && n.IndexOf('/', folder.Length + 1) < 0 && IsMeant(n)).Order(StringComparer.Ordinal)];

    // A list from Windows uses backslashes.
    public override string Locate(string photo) => zip.GetEntry(photo) is null ? photo.Replace('\\', '/') : photo;

    public override HostBuffer<byte>? Read(string photo, out string problem)
    {
        if (zip.GetEntry(photo) is not { } entry)
        {
            problem = "it is not in the zip file";
            return null;
        }
        try
        {
            using Stream stream = entry.Open();
            return ReadWhole(stream, entry.Length, out problem);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException)
        {
            problem = $"cannot be unpacked: {e.Message}";
            return null;
        }
    }

    public override void Dispose()
    {
        zip.Dispose();
        bytes.Dispose();
        base.Dispose();
    }

    private static MemoryStream Unpack(ZipArchiveEntry entry)
    {
        var text = new byte[entry.Length];
        using Stream stream = entry.Open();
        int read = stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
        return new MemoryStream(text, 0, read);
    }
}
