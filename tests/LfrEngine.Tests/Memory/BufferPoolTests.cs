using LfrEngine.Memory;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Memory;

[Collection(CountsRentedBuffers.Name)]
public sealed unsafe class BufferPoolTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(100_000)]
    [InlineData(16 << 20)]
    [InlineData((16 << 20) + 1)]
    [InlineData(40 << 20)]
    public void Rent_AnySize_IsZeroAlignedAndComplete(int length)
    {
        long before = BufferPool.OutstandingBlocks;
        using (HostBuffer<byte> buffer = BufferPool.Rent<byte>(length))
        {
            Assert.Equal(before + 1, BufferPool.OutstandingBlocks);
            Assert.Equal((length, length), (buffer.Length, buffer.Span.Length));
            Assert.Equal(0, (nint)buffer.Pointer % 64);
            Assert.True(buffer.Span.IndexOfAnyExcept((byte)0) < 0);
            buffer.Span.Fill(0xA5);
            Assert.True(buffer.Span.IndexOfAnyExcept((byte)0xA5) < 0);
        }
        Assert.Equal(before, BufferPool.OutstandingBlocks);
        using HostBuffer<byte> again = BufferPool.Rent<byte>(length);
        Assert.True(again.Span.IndexOfAnyExcept((byte)0) < 0);
    }

    /// <summary>The pages stay mapped while the pool keeps them: what lies there after the return is zeros, before anybody rents them again.</summary>
    [Fact]
    public void Dispose_PoisonedBuffer_IsWipedWhereItLies()
    {
        HostBuffer<int> buffer = BufferPool.Rent<int>(5_000);
        int* at = buffer.Pointer;
        buffer.Span.Fill(0x5EED);
        buffer.Dispose();
        for (int i = 0; i < 5_000; i++)
            Assert.Equal(0, at[i]);
    }

    [Fact]
    public void Rent_SameClassAgain_ReusesTheBlockAsZeros()
    {
        // Whatever the pool keeps of this class is rented first, so that the returned block is the only one.
        var seen = new HashSet<nint>();
        for (int turn = 0; turn < 10; turn++)
        {
            using HostBuffer<double> buffer = BufferPool.Rent<double>(70_000);
            seen.Add((nint)buffer.Pointer);
            Assert.True(buffer.Span.IndexOfAnyExcept(0.0) < 0);
            buffer.Span.Fill(turn + 1);
        }
        Assert.Single(seen);
        // A smaller request of the same class sees no more than its own, and leaves no more behind.
        using HostBuffer<byte> next = BufferPool.Rent<byte>(600_000);
        Assert.Contains((nint)next.Pointer, seen);
        Assert.True(new ReadOnlySpan<byte>(next.Pointer, 1 << 20).IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void Wipe_WhileHeld_KeepsTheBlock()
    {
        using HostBuffer<long> buffer = BufferPool.Rent<long>(100);
        long outstanding = BufferPool.OutstandingBlocks;
        buffer.Span.Fill(-1);
        buffer.Wipe();
        Assert.True(buffer.Span.IndexOfAnyExcept(0L) < 0);
        Assert.Equal(outstanding, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Dispose_Twice_CountsOnce()
    {
        long outstanding = BufferPool.OutstandingBlocks, wiped = BufferPool.WipedBlocks, bytes = BufferPool.WipedBytes;
        HostBuffer<float> buffer = BufferPool.Rent<float>(10);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Equal((outstanding, wiped + 1, bytes + 40), (BufferPool.OutstandingBlocks, BufferPool.WipedBlocks, BufferPool.WipedBytes));
        // Nor does the second give the block out twice.
        using HostBuffer<float> a = BufferPool.Rent<float>(10);
        using HostBuffer<float> b = BufferPool.Rent<float>(10);
        Assert.NotEqual((nint)a.Pointer, (nint)b.Pointer);
    }

    [Fact]
    public void Use_AfterDispose_Throws()
    {
        HostBuffer<byte> buffer = BufferPool.Rent<byte>(10);
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => (nint)buffer.Pointer);
        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
        Assert.Throws<ObjectDisposedException>(buffer.Wipe);
        Assert.Equal(10, buffer.Length);
    }

    [Fact]
    public void Rent_NegativeLength_Throws()
    {
        long outstanding = BufferPool.OutstandingBlocks;
        Assert.Throws<ArgumentOutOfRangeException>(() => BufferPool.Rent<byte>(-1));
        Assert.Equal(outstanding, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Rent_ManyThreads_NeverSharesAndCountsRight()
    {
        long outstanding = BufferPool.OutstandingBlocks, wiped = BufferPool.WipedBlocks;
        int wrong = 0;
        const int Threads = 6, Turns = 2_000;
        Thread[] threads = [.. Enumerable.Range(1, Threads).Select(mark => new Thread(() =>
        {
            var random = new Random(mark);
            for (int i = 0; i < Turns; i++)
            {
                using HostBuffer<byte> buffer = BufferPool.Rent<byte>(random.Next(1, 20_000));
                if (buffer.Span.IndexOfAnyExcept((byte)0) >= 0)
                    Interlocked.Increment(ref wrong);
                buffer.Span.Fill((byte)mark);
                if (buffer.Span.IndexOfAnyExcept((byte)mark) >= 0)
                    Interlocked.Increment(ref wrong);
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.Equal(0, wrong);
        Assert.Equal(outstanding, BufferPool.OutstandingBlocks);
        Assert.Equal(wiped + (Threads * Turns), BufferPool.WipedBlocks);
    }

    [Fact]
    public void Dispose_RacingThreads_ReturnsOnce()
    {
        long outstanding = BufferPool.OutstandingBlocks;
        for (int turn = 0; turn < 200; turn++)
        {
            HostBuffer<byte> buffer = BufferPool.Rent<byte>(100);
            Parallel.For(0, 4, _ => buffer.Dispose());
        }
        Assert.Equal(outstanding, BufferPool.OutstandingBlocks);
    }
}
