using System.Globalization;
using LfrEngine.Native.Media;
using LfrEngine.Native.Memory;
using LfrEngine.Native.Tests.Media;

namespace LfrEngine.Native.Tests.Memory;

/// <summary>Counters are of the whole process, so nothing else may run meanwhile.</summary>
[Collection(MediaStatisticsGroup.Name)]
public sealed unsafe class LockedMemoryTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(1000, true)]
    [InlineData(4096, true)]
    [InlineData(100_000, true)]
    [InlineData(1000, false)]
    public void Allocate_AnySize_IsZeroWritableAndCounted(int bytes, bool guarded)
    {
        long before = LockedMemory.AllocatedBytes;
        nint address = LockedMemory.Allocate((nuint)bytes, guarded, out bool locked);
        Span<byte> block = new((void*)address, bytes);
        Assert.False(block.ContainsAnyExcept((byte)0));
        block.Fill(0x5A);
        int page = LockedMemory.PageBytes;
        Assert.Equal((bytes + page - 1) / page * page, LockedMemory.AllocatedBytes - before);

        LockedMemory.Free(address, (nuint)bytes, locked);

        Assert.Equal(before, LockedMemory.AllocatedBytes);
    }

    /// <summary>Windows grants a process less than it asks for, or nothing; it never gets less than it could have had.</summary>
    [Theory]
    [InlineData(8L << 30, 16L << 30, 8L << 30)]
    [InlineData(8L << 30, 3L << 30, 2L << 30)]
    [InlineData(300L << 20, 257L << 20, 256L << 20)]
    [InlineData(100L << 20, 1L << 30, 256L << 20)]
    [InlineData(8L << 30, 255L << 20, 0)]
    public void WorkingSet_Raise_TakesWhatIsGranted(long wanted, long granted, long expected) =>
        Assert.Equal(expected, WorkingSet.Raise(wanted, bytes => bytes <= granted));

    [Fact]
    public void Allocate_BeyondTheLimit_IsRefusedAndCountsNothing()
    {
        const int Bytes = 1 << 20;
        long held = MemoryBudget.HeldBytes, allocated = LockedMemory.AllocatedBytes;
        MemoryBudget.MostBytes = held + Bytes;
        try
        {
            nint address = LockedMemory.Allocate(Bytes, out bool locked);
            Assert.Equal(held + Bytes, MemoryBudget.HeldBytes);
            Assert.True(MemoryBudget.PeakBytes >= held + Bytes);
            var refused = Assert.Throws<InsufficientMemoryException>(() => LockedMemory.Allocate(1, out _));
            Assert.Contains((held + Bytes).ToString(CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
            Assert.Equal(allocated + Bytes, LockedMemory.AllocatedBytes);
            LockedMemory.Free(address, Bytes, locked);
            Assert.Equal(held, MemoryBudget.HeldBytes);
        }
        finally
        {
            MemoryBudget.MostBytes = 0;
        }
    }

    /// <summary>For a network that computes: refused, ONNX Runtime would end the process.</summary>
    [Fact]
    public void AllocateBeyondTheLimit_LimitReached_IsGivenAndCounted()
    {
        long held = MemoryBudget.HeldBytes;
        MemoryBudget.MostBytes = 1;
        try
        {
            nint address = LockedMemory.AllocateBeyondTheLimit(1, out bool locked, out bool refused);
            Assert.False(refused);
            Assert.Equal(held + LockedMemory.PageBytes, MemoryBudget.HeldBytes);
            LockedMemory.Free(address, 1, locked);
            Assert.Equal(held, MemoryBudget.HeldBytes);
        }
        finally
        {
            MemoryBudget.MostBytes = 0;
        }
    }

    [Fact]
    public unsafe void AllocateBeyondTheLimit_SystemRefuses_IsOfTheReserveAndGoesBackWiped()
    {
        int page = LockedMemory.PageBytes;
        LockedMemory.KeepReserve((nuint)(4 * page));
        long held = MemoryBudget.HeldBytes, allocated = LockedMemory.AllocatedBytes;
        // More than any address space has, and than the reserve.
        Assert.Throws<InsufficientMemoryException>(() => LockedMemory.AllocateBeyondTheLimit((nuint)1 << 60, out _, out _));
        Assert.True(MemoryBudget.PeakBytes < 1L << 60);
        nint first = LockedMemory.TakeReserve((nuint)(2 * page), out bool firstLocked), second = LockedMemory.TakeReserve(1, out bool secondLocked);
        Assert.Equal(first + (2 * page), second);
        Assert.Equal(0, LockedMemory.TakeReserve((nuint)(2 * page), out _));
        Assert.Equal((held + (3 * page), allocated + (3 * page)), (MemoryBudget.HeldBytes, LockedMemory.AllocatedBytes));
        new Span<byte>((void*)first, 2 * page).Fill(1);
        LockedMemory.Free(first, (nuint)(2 * page), firstLocked);
        Assert.Throws<InvalidOperationException>(() => LockedMemory.Free(first, (nuint)(2 * page), firstLocked));
        LockedMemory.Free(second, 1, secondLocked);
        Assert.Equal((held, allocated), (MemoryBudget.HeldBytes, LockedMemory.AllocatedBytes));
        Assert.Equal(first, LockedMemory.TakeReserve((nuint)(4 * page), out firstLocked));
        Assert.Equal(-1, new Span<byte>((void*)first, 4 * page).IndexOfAnyExcept((byte)0));
        LockedMemory.Free(first, (nuint)(4 * page), firstLocked);
    }

    /// <summary>The media library counts in the same place, and keeps the same limit. It calls a lack of memory that, not damage: while it finds out what the file is, and in the middle of decoding.</summary>
    [Theory]
    [InlineData(1 << 16)]
    [InlineData(3 << 20)]
    public void Read_BeyondTheLimit_IsRefusedByTheMediaLibrary(int room)
    {
        using var folder = new TemporaryFolder();
        string clip = Ffmpeg.Clip(folder, "clip.mp4", "-c:v libx264", "1280x720");
        long held = MemoryBudget.HeldBytes;
        MemoryBudget.MostBytes = held + room;
        try
        {
            var refused = Assert.Throws<MediaException>(() => Frames.Decode(clip));
            Assert.Equal(MediaError.OutOfMemory, refused.Error);
            Assert.Contains($"the limit of {held + room} bytes", refused.Message, StringComparison.Ordinal);
            Assert.True(MemoryBudget.HeldBytes <= held + room);
        }
        finally
        {
            MemoryBudget.MostBytes = 0;
        }
    }

    [Fact]
    public void Allocate_Guarded_LiesBetweenInaccessiblePages()
    {
        nint address = LockedMemory.Allocate(5000, guarded: true, out bool locked);
        nint end = address + 2 * LockedMemory.PageBytes;

        Assert.Equal("---p", AccessAt(address - 1));
        Assert.Equal("rw-p", AccessAt(address));
        Assert.Equal("rw-p", AccessAt(end - 1));
        Assert.Equal("---p", AccessAt(end));
        LockedMemory.Free(address, 5000, locked);
    }

    /// <summary>"hg" in smaps: the kernel was advised before the pages were loaded. It may still have none available.</summary>
    [Theory]
    [InlineData(8 << 20, true)]
    [InlineData(1 << 20, false)]
    public void Allocate_LargeBlock_AsksForHugePages(int bytes, bool asks)
    {
        Assert.SkipUnless(Directory.Exists("/sys/kernel/mm/transparent_hugepage"), "This kernel has no huge pages.");
        // Guarded: the kernel cannot merge it with a neighbour of other flags.
        nint address = LockedMemory.Allocate((nuint)bytes, guarded: true, out bool locked);
        string? flags = null;
        foreach (string line in File.ReadLines("/proc/self/smaps").SkipWhile(l => !l.StartsWith($"{address:x}-", StringComparison.Ordinal)))
        {
            if (!line.StartsWith("VmFlags:", StringComparison.Ordinal))
                continue;
            flags = line;
            break;
        }
        LockedMemory.Free(address, (nuint)bytes, locked);
        Assert.NotNull(flags);
        Assert.Equal(asks, flags.Split(' ').Contains("hg"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3000)]
    [InlineData(3191)]
    public void Free_WrittenBehindTheEnd_SaysSoAndGivesBack(int where)
    {
        long before = LockedMemory.AllocatedBytes;
        nint address = LockedMemory.Allocate(5000, guarded: true, out bool locked);
        ((byte*)address)[5000 + where] ^= 1;

        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => LockedMemory.Free(address, 5000, locked));

        Assert.Contains($"At least {where + 1} bytes were written past", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, LockedMemory.AllocatedBytes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Free_TwiceOrWrongSize_ThrowsAndTouchesNothing(bool guarded)
    {
        nint address = LockedMemory.Allocate(5000, guarded, out bool locked);
        long held = LockedMemory.AllocatedBytes;
        Assert.Throws<InvalidOperationException>(() => LockedMemory.Free(address, 50_000, locked));
        Assert.Equal(held, LockedMemory.AllocatedBytes);
        LockedMemory.Free(address, 5000, locked);

        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => LockedMemory.Free(address, 5000, locked));
        Assert.Contains("freed before", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => LockedMemory.Free(0, 1, true));
    }

    [Fact]
    public void LimitBytes_AgreesWithTheKernel()
    {
        // "Max locked memory   8388608   8388608   bytes"
        string soft = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max locked memory", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        if (LockedMemory.LimitBytes is { } limit)
            Assert.Equal(soft, limit.ToString(CultureInfo.InvariantCulture));
        else
            Assert.True(soft == "unlimited" || Environment.IsPrivilegedProcess);
    }

    private static string AccessAt(nint address)
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            string[] parts = line.Split(' ', 3);
            nint[] range = [.. parts[0].Split('-').Select(side => nint.Parse(side, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            if (range[0] <= address && address < range[1])
                return parts[1];
        }
        return "none";
    }
}
