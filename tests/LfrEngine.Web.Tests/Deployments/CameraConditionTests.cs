using LfrEngine.Frames;
using LfrEngine.Pipeline;
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
        (double Skipped, double LateMs) told = default;
        for (int second = 1; second <= 20; second++)
            told = window.Add(second, 25 * second, dropped * Math.Max(0, second - 5), (25 * second) - (dropped * Math.Max(0, second - 5)), lateMs);

        Assert.Equal(skipped, told.Skipped, 3);
        // Where everything is dropped, nothing waits.
        Assert.Equal(dropped == 25 ? 0 : lateMs, told.LateMs, 3);
    }

    /// <summary>The lag of the last frame stays what it was when the engine stands still; what waits does not.</summary>
    [Fact]
    public void Window_NothingIsAnalysedAnyMore_BecomesLater()
    {
        var window = new FrameWindow();
        (double Skipped, double LateMs) told = default;
        for (int second = 1; second <= 12; second++)
            told = window.Add(second, 25 * second, 0, 25 * Math.Min(second, 2), 80);

        Assert.True(told.LateMs > 4000, $"{told.LateMs} ms");
        // And is forgotten within ten seconds once it is followed again.
        for (int second = 13; second <= 24; second++)
            told = window.Add(second, 25 * second, 0, 25 * second, 80);
        Assert.Equal(80, told.LateMs, 3);
    }
}
