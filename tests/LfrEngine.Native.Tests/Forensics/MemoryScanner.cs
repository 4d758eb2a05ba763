using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace LfrEngine.Native.Tests.Forensics;

/// <summary>Short pieces of what must not be found, taken from an independent source.</summary>
/// <remarks>Stands alone, with <see cref="MemoryScanner"/>: other test projects link this file.</remarks>
internal sealed class NeedleSet
{
    // Fewer different bytes are found everywhere by chance: zeros, ramps, padding.
    private const int FewestDistinctBytes = 8;
    // 512 KiB: stays in the cache of a processor, and a few in a hundred positions get past it.
    private const int FilterBits = 22;

    private readonly List<byte[]> sources = [];
    private readonly List<string> kinds = [];
    private readonly Dictionary<ulong, List<(int Source, int Offset)>> byPrefix = [];
    private readonly ulong[] filter = new ulong[1 << (FilterBits - 6)];

    /// <param name="length">Bytes of a needle, 8 or more.</param>
    public NeedleSet(int length = 32)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, sizeof(ulong));
        Length = length;
    }

    public int Length { get; }

    public int Count { get; private set; }

    /// <summary>Takes needles from a byte sequence.</summary>
    /// <param name="kind">What they are, for the report.</param>
    /// <param name="source">Where they come from; copied.</param>
    /// <param name="step">A needle begins at every such position of a row.</param>
    /// <param name="rowBytes">No needle runs over the end of a row, because rows lie apart in memory; 0 = one row.</param>
    public void Add(string kind, ReadOnlySpan<byte> source, int step = 64, int rowBytes = 0)
    {
        sources.Add(source.ToArray());
        kinds.Add(kind);
        if (rowBytes == 0)
            rowBytes = source.Length;
        for (int row = 0; row < source.Length; row += rowBytes)
        {
            int end = Math.Min(row + rowBytes, source.Length) - Length;
            for (int at = row; at <= end; at += step)
                if (CountDistinct(source.Slice(at, Length)) >= FewestDistinctBytes)
                    Add(BinaryPrimitives.ReadUInt64LittleEndian(source[at..]), sources.Count - 1, at);
        }
    }

    /// <summary>The first position from <paramref name="from"/> on at which a needle may begin, or −1.</summary>
    public unsafe int FindCandidate(ReadOnlySpan<byte> memory, int from)
    {
        fixed (byte* start = memory)
        fixed (ulong* bits = filter)
        {
            int end = memory.Length - Length;
            for (int i = from; i <= end; i++)
            {
                ulong prefix = *(ulong*)(start + i);
                uint slot = Slot(prefix);
                if ((bits[slot >> 6] >> (int)(slot & 63) & 1) != 0)
                    return i;
            }
        }
        return -1;
    }

    /// <summary>Finds the needle that these bytes are, if any.</summary>
    /// <param name="window">At least <see cref="Length"/> bytes.</param>
    public string? Match(ReadOnlySpan<byte> window)
    {
        if (!byPrefix.TryGetValue(BinaryPrimitives.ReadUInt64LittleEndian(window), out List<(int Source, int Offset)>? candidates))
            return null;
        foreach ((int source, int offset) in candidates)
            if (sources[source].AsSpan(offset, Length).SequenceEqual(window[..Length]))
                return kinds[source];
        return null;
    }

    private void Add(ulong prefix, int source, int offset)
    {
        uint slot = Slot(prefix);
        filter[slot >> 6] |= 1UL << (int)(slot & 63);
        if (!byPrefix.TryGetValue(prefix, out List<(int Source, int Offset)>? candidates))
            byPrefix[prefix] = candidates = new(1);
        candidates.Add((source, offset));
        Count++;
    }

    private static uint Slot(ulong prefix) => (uint)(prefix * 0x9E3779B97F4A7C15UL >> (64 - FilterBits));

    private static int CountDistinct(ReadOnlySpan<byte> window)
    {
        UInt128 low = 0, high = 0;
        foreach (byte value in window)
        {
            if (value < 128)
                low |= UInt128.One << value;
            else
                high |= UInt128.One << (value - 128);
        }
        return (int)(UInt128.PopCount(low) + UInt128.PopCount(high));
    }
}

/// <summary>One place where a needle lies.</summary>
internal readonly record struct MemoryHit(string Kind, string Mapping, ulong Address);

/// <summary>What a scan came to.</summary>
/// <param name="BytesRead">Bytes looked at.</param>
/// <param name="Hits">Positions at which a needle begins.</param>
/// <param name="ByPlace">Hits by "kind in mapping".</param>
/// <param name="First">The first few.</param>
internal sealed record MemoryScan(long BytesRead, long Hits, IReadOnlyDictionary<string, long> ByPlace, IReadOnlyList<MemoryHit> First)
{
    /// <summary>Hits of one kind.</summary>
    public long Of(string kind) => ByPlace.Where(place => place.Key.StartsWith(kind + " in ", StringComparison.Ordinal)).Sum(place => place.Value);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Hits} hits in {BytesRead >> 20} MiB") +
        string.Concat(ByPlace.Select(place => string.Create(CultureInfo.InvariantCulture, $"; {place.Value} {place.Key}"))) +
        (First.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $"; first at 0x{First[0].Address:x}") : "");
}

/// <summary>Searches the whole memory of another process, byte by byte: heap, stacks, libraries, locked pages.</summary>
/// <remarks>Linux; needs the right to read /proc/PID/mem: a child of the same user, or root where the child is not dumpable.</remarks>
internal static partial class MemoryScanner
{
    private const int ChunkBytes = 4 << 20;
    private const int MostHitsKept = 20;

    public static unsafe MemoryScan Scan(int pid, NeedleSet needles)
    {
        Dictionary<string, long> byPlace = [];
        List<MemoryHit> first = [];
        long bytesRead = 0, hits = 0;
        int overlap = needles.Length - 1;
        using FileStream memory = new($"/proc/{pid}/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        byte[] chunk = new byte[ChunkBytes + overlap];
        foreach ((ulong start, ulong end, string name) in ReadMappings(pid))
        {
            int kept = 0;
            for (ulong at = start; at < end;)
            {
                int wanted = (int)Math.Min(end - at, ChunkBytes);
                int count = ReadAt(memory, at, chunk.AsSpan(kept, wanted));
                if (count <= 0)
                {
                    // A page that cannot be read (a device, a hole): go on behind it.
                    at += (ulong)Environment.SystemPageSize;
                    kept = 0;
                    continue;
                }
                bytesRead += count;
                int length = kept + count;
                ReadOnlySpan<byte> window = chunk.AsSpan(0, length);
                for (int i = needles.FindCandidate(window, 0); i >= 0; i = needles.FindCandidate(window, i + 1))
                {
                    string? kind = needles.Match(window[i..]);
                    if (kind == null)
                        continue;
                    hits++;
                    string place = $"{kind} in {name}";
                    CollectionsMarshal.GetValueRefOrAddDefault(byPlace, place, out _)++;
                    if (first.Count < MostHitsKept)
                        first.Add(new MemoryHit(kind, name, at - (ulong)kept + (ulong)i));
                }
                int keep = Math.Min(overlap, length);
                window[^keep..].CopyTo(chunk);
                kept = keep;
                at += (ulong)count;
            }
        }
        return new MemoryScan(bytesRead, hits, byPlace, first);
    }

    private static List<(ulong Start, ulong End, string Name)> ReadMappings(int pid)
    {
        List<(ulong Start, ulong End, string Name)> mappings = [];
        foreach (string line in File.ReadLines($"/proc/{pid}/maps"))
        {
            string[] parts = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            if (!parts[1].StartsWith('r') || (parts.Length > 5 && parts[5].Trim() is "[vvar]" or "[vsyscall]" or "[vvar_vclock]"))
                continue;
            string[] range = parts[0].Split('-');
            string name = parts.Length > 5 ? parts[5].Trim() : "anonymous memory";
            mappings.Add((ulong.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                ulong.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), name));
        }
        return mappings;
    }

    // pread: RandomAccess.Read refuses files that cannot seek to their end, such as this one.
    private static unsafe int ReadAt(FileStream memory, ulong address, Span<byte> destination)
    {
        fixed (byte* target = destination)
            return (int)PositionedRead((int)memory.SafeFileHandle.DangerousGetHandle(), target, (nuint)destination.Length, (nint)address);
    }

    [LibraryImport("libc", EntryPoint = "pread")]
    private static unsafe partial nint PositionedRead(int descriptor, byte* destination, nuint count, nint offset);
}
