using LfrEngine.Pipeline;
using Xunit;

namespace LfrEngine.Tests.Pipeline;

public sealed class HandoffTests
{
    [Fact]
    public void Take_AfterPuts_KeepsTheOrder()
    {
        var queue = new Handoff<Item>(8, dropOldest: false);
        for (int i = 0; i < 8; i++)
            Assert.True(queue.Put(new Item(i)));
        queue.Complete();
        for (int i = 0; i < 8; i++)
        {
            Assert.True(queue.Take(out Item? item));
            Assert.Equal((i, 0), (item.Number, item.Disposals));
        }
        Assert.False(queue.Take(out Item? none));
        Assert.Null(none);
        Assert.Equal(0, queue.Dropped);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Put_FullAndDropping_DisposesTheOldestAndCounts(int capacity)
    {
        var queue = new Handoff<Item>(capacity, dropOldest: true);
        Item[] items = [.. Enumerable.Range(0, 10).Select(i => new Item(i))];
        Assert.All(items, item => Assert.True(queue.Put(item)));
        Assert.Equal(10 - capacity, queue.Dropped);
        Assert.All(items, item => Assert.Equal(item.Number < 10 - capacity ? 1 : 0, item.Disposals));
        queue.Complete();
        for (int i = 10 - capacity; i < 10; i++)
        {
            Assert.True(queue.Take(out Item? item));
            Assert.Equal(i, item.Number);
        }
        Assert.False(queue.Take(out _));
    }

    [Fact]
    public void Put_FullAndWaiting_GoesOnWhenRoomIsMade()
    {
        var queue = new Handoff<Item>(1, dropOldest: false);
        queue.Put(new Item(0));
        var writer = new Thread(() => queue.Put(new Item(1)));
        writer.Start();
        Assert.True(queue.Take(out Item? first));
        Assert.True(queue.Take(out Item? second));
        writer.Join();
        Assert.Equal((0, 1), (first.Number, second.Number));
    }

    [Fact]
    public void Abandon_ItemsLeft_DisposesThemAndThoseThatCome()
    {
        foreach (bool dropOldest in new[] { false, true })
        {
            var queue = new Handoff<Item>(3, dropOldest);
            Item[] left = [new Item(0), new Item(1)];
            Assert.All(left, item => queue.Put(item));
            queue.Abandon();
            Assert.All(left, item => Assert.Equal(1, item.Disposals));
            for (int i = 0; i < 10; i++)
            {
                var late = new Item(i);
                Assert.False(queue.Put(late));
                Assert.Equal(1, late.Disposals);
            }
            Assert.False(queue.Take(out _));
            Assert.Equal(0, queue.Dropped);
        }
    }

    [Fact]
    public void Abandon_WriterWaiting_FreesIt()
    {
        var queue = new Handoff<Item>(1, dropOldest: false);
        var first = new Item(0);
        var second = new Item(1);
        queue.Put(first);
        bool? accepted = null;
        var writer = new Thread(() => accepted = queue.Put(second));
        writer.Start();
        queue.Abandon();
        writer.Join();
        Assert.False(accepted);
        Assert.Equal((1, 1), (first.Disposals, second.Disposals));
    }

    [Fact]
    public void Complete_TakerWaiting_FreesIt()
    {
        var queue = new Handoff<Item>(1, dropOldest: false);
        bool? taken = null;
        var taker = new Thread(() => taken = queue.Take(out _));
        taker.Start();
        queue.Complete();
        taker.Join();
        Assert.False(taken);
    }

    /// <summary>Every item ends once: taken and disposed by its taker, or dropped and disposed by the queue.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Handoff_ManyThreads_LosesNothing(bool dropOldest, bool abandonMidway)
    {
        const int Writers = 4, Takers = 3, Each = 5_000;
        var queue = new Handoff<Item>(4, dropOldest);
        Item[] items = [.. Enumerable.Range(0, Writers * Each).Select(i => new Item(i))];
        long taken = 0;
        int[] lastSeen = new int[Takers * Writers];
        int outOfOrder = 0;
        Array.Fill(lastSeen, -1);
        Thread[] writers = [.. Enumerable.Range(0, Writers).Select(w => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
                queue.Put(items[(w * Each) + i]);
        }))];
        Thread[] takers = [.. Enumerable.Range(0, Takers).Select(t => new Thread(() =>
        {
            while (queue.Take(out Item? item))
            {
                ref int last = ref lastSeen[(t * Writers) + (item.Number / Each)];
                if (item.Number <= last)
                    Interlocked.Increment(ref outOfOrder);
                last = item.Number;
                item.Dispose();
                if (Interlocked.Increment(ref taken) == 2_000 && abandonMidway)
                    queue.Abandon();
            }
        }))];
        Array.ForEach(takers, t => t.Start());
        Array.ForEach(writers, w => w.Start());
        Array.ForEach(writers, w => w.Join());
        queue.Complete();
        Array.ForEach(takers, t => t.Join());
        Assert.Equal(0, outOfOrder);
        Assert.All(items, item => Assert.Equal(1, item.Disposals));
        if (!abandonMidway)
            Assert.Equal(items.Length, taken + queue.Dropped);
        if (!dropOldest)
            Assert.Equal(0, queue.Dropped);
    }

    private sealed class Item(int number) : IDisposable
    {
        private int disposals;

        public int Number { get; } = number;

        public int Disposals => Volatile.Read(ref disposals);

        public void Dispose() => Interlocked.Increment(ref disposals);
    }
}
