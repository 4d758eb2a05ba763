using LfrEngine.Frames;
using LfrEngine.Pipeline;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Deployments;

namespace LfrEngine.Web.Tests.Deployments;

/// <summary>A camera that cannot be followed is not called well.</summary>
public sealed class CameraConditionTests
{
    [Theory]
    [InlineData(CameraState.Running, ClockHealth.Good, 0.0, 0.0, 80, CameraCondition.Ok)]
    [InlineData(CameraState.Running, ClockHealth.Good, null, 0.0, 0, CameraCondition.Ok)]
    [InlineData(CameraState.Running, ClockHealth.Good, 2.9, 0.09, 999, CameraCondition.Ok)]
    [InlineData(CameraState.Running, ClockHealth.Good, 0.0, 0.1, 80, CameraCondition.Degraded)]
    [InlineData(CameraState.Running, ClockHealth.Good, 0.0, 0.0, 1000, CameraCondition.Degraded)]
    [InlineData(CameraState.Running, ClockHealth.Jump, 0.0, 0.0, 80, CameraCondition.Degraded)]
    [InlineData(CameraState.Opening, ClockHealth.Good, null, 0.0, 0, CameraCondition.Degraded)]
    [InlineData(CameraState.Running, ClockHealth.Good, 0.0, 0.3, 80, CameraCondition.Overloaded)]
    [InlineData(CameraState.Running, ClockHealth.Good, 0.0, 0.37, 2000, CameraCondition.Overloaded)]
    [InlineData(CameraState.Running, ClockHealth.Jump, 0.0, 0.0, 7752, CameraCondition.Overloaded)]
    [InlineData(CameraState.Running, ClockHealth.Good, 3.0, 0.0, 80, CameraCondition.Lost)]
    [InlineData(CameraState.Running, ClockHealth.Good, 3.0, 0.9, 9000, CameraCondition.Lost)]
    [InlineData(CameraState.Opening, ClockHealth.Good, 1.0, 0.0, 0, CameraCondition.Lost)]
    [InlineData(CameraState.Reconnecting, ClockHealth.Good, 0.0, 0.0, 80, CameraCondition.Lost)]
    [InlineData(CameraState.Failed, ClockHealth.Good, 0.0, 0.0, 80, CameraCondition.Lost)]
    [InlineData(CameraState.Ended, ClockHealth.Good, 0.0, 0.0, 80, CameraCondition.Lost)]
    public void Of_Readings_IsTheWorstThatIsTrue(CameraState state, ClockHealth clock, double? lastFrameSeconds, double skipped, double lateMs, CameraCondition expected) =>
        Assert.Equal(expected, CameraConditions.Of(state, clock, lastFrameSeconds, skipped, lateMs));

    /// <summary>Of 25 frames a second, some are dropped from the fifth second on; the lag is given for each second.</summary>
    [Theory]
    [InlineData(0, 0.0, 80)]
    [InlineData(5, 0.2, 80)]
    [InlineData(25, 1.0, 80)]
    public void Window_FramesAreDropped_CountsTheLastTenSeconds(int dropped, double skipped, double lateMs)
    {
        var window = new FrameWindow();
        (double Skipped, double LateMs, double SearchedPerSecond) told = default;
        for (int second = 1; second <= 20; second++)
        {
            int gone = dropped * Math.Max(0, second - 5);
            told = window.Add(second, 25 * second, gone, (25 * second) - gone, (25 * second) - gone, lateMs);
        }

        Assert.Equal(skipped, told.Skipped, 3);
        Assert.Equal(25 - dropped, told.SearchedPerSecond, 3);
        // Where everything is dropped, nothing waits.
        Assert.Equal(dropped == 25 ? 0 : lateMs, told.LateMs, 3);
    }

    /// <summary>Every third of 25 frames a second is to be searched; all of these are dropped, the others only released.</summary>
    [Fact]
    public void Window_AllFramesToSearchAreDropped_IsAllSkipped()
    {
        var window = new FrameWindow();
        (double Skipped, double LateMs, double SearchedPerSecond) told = default;
        for (int second = 1; second <= 12; second++)
            told = window.Add(second, 25 * second, 8 * second, 0, 17 * second, 80);

        Assert.Equal((1, 0), (told.Skipped, told.SearchedPerSecond));
    }

    /// <summary>The authority demands two searched frames per second, and allows thirty seconds of fewer.</summary>
    [Fact]
    public void Floor_SearchedTooSeldom_IsToldAfterTheTimeAllowed()
    {
        var floor = new SearchFloor(new LeastSearched(2, 30));
        long searched = 0;
        double second = 0;
        double? For(int seconds, int perSecond, bool sends = true)
        {
            double? told = null;
            for (int i = 0; i < seconds; i++)
                told = floor.Add(++second, searched += perSecond, sends);
            return told;
        }

        Assert.Null(For(60, 2));
        // Enough on average of the time allowed, and then no longer.
        Assert.Null(For(15, 8));
        Assert.Null(For(20, 0));
        Assert.Equal(1, For(31, 1));
        // A camera that is lost is not searched too seldom, and has the whole time again when it returns.
        Assert.Null(For(60, 0, sends: false));
        Assert.Null(For(30, 1));
        Assert.Equal(1, For(1, 1));
        Assert.Null(new SearchFloor(null).Add(100, 0, true));
    }

    /// <summary>The lag of the last frame stays what it was when the engine stands still; what waits does not.</summary>
    [Fact]
    public void Window_NothingIsAnalysedAnyMore_BecomesLater()
    {
        var window = new FrameWindow();
        (double Skipped, double LateMs, double SearchedPerSecond) told = default;
        for (int second = 1; second <= 12; second++)
            told = window.Add(second, 25 * second, 0, 25 * Math.Min(second, 2), 25 * Math.Min(second, 2), 80);

        Assert.True(told.LateMs > 4000, $"{told.LateMs} ms");
        // And is forgotten within ten seconds once it is followed again.
        for (int second = 13; second <= 24; second++)
            told = window.Add(second, 25 * second, 0, 25 * second, 25 * second, 80);
        Assert.Equal(80, told.LateMs, 3);
    }
}
