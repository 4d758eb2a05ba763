using System.Diagnostics;
using LfrEngine.Memory;
using Xunit;

namespace LfrEngine.Tests.Memory;

public sealed class ErasureClockTests
{
    private readonly List<DeadlineMiss> misses = [];
    private readonly ErasureClock clock;

    public ErasureClockTests() => clock = new ErasureClock(misses.Add);

    [Fact]
    public void CheckDeadlines_NotWipedInTime_ReportsOnceAndCountsOnce()
    {
        int place = clock.Due(Ago(700));
        clock.CheckDeadlines();
        clock.CheckDeadlines();
        clock.Erased(place, 3);

        DeadlineMiss miss = Assert.Single(misses);
        Assert.True(miss.StillHeld);
        Assert.True(miss.Milliseconds >= 700);
        Assert.Equal(1, clock.DeadlineBreaches);
        Assert.Equal(3, clock.AfterVerdict.Count);
        Assert.True(clock.AfterVerdict.MaximumMs >= 700);
    }

    [Fact]
    public void Erased_TooLateAndNeverChecked_ReportsItself()
    {
        clock.Erased(clock.Due(Ago(700)), 1);

        Assert.False(Assert.Single(misses).StillHeld);
        Assert.Equal(1, clock.DeadlineBreaches);
    }

    [Fact]
    public void CheckDeadlines_InTimeOrWiped_ReportsNothing()
    {
        clock.Erased(clock.Due(Ago(0)), 1);
        int held = clock.Due(Ago(0));
        clock.CheckDeadlines();
        clock.Erased(held, 1);
        clock.CheckDeadlines();

        Assert.Empty(misses);
        Assert.Equal(0, clock.DeadlineBreaches);
        Assert.Equal(2, clock.AfterVerdict.Count);
    }

    [Fact]
    public void Due_ManyAtOnce_EachIsReportedSeparately()
    {
        int[] places = [.. Enumerable.Range(0, 5).Select(i => clock.Due(Ago(i % 2 == 0 ? 900 : 0)))];
        Assert.Equal(5, places.Distinct().Count());
        clock.CheckDeadlines();
        Assert.Equal(3, misses.Count);
        foreach (int place in places)
            clock.Erased(place, 1);
        // A place that is free again starts anew.
        clock.Due(Ago(900));
        clock.CheckDeadlines();
        Assert.Equal(4, misses.Count);
    }

    private static long Ago(int milliseconds) => Stopwatch.GetTimestamp() - (milliseconds * Stopwatch.Frequency / 1000);
}
