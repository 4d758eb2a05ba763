using LfrEngine.Threading;
using Xunit;

namespace LfrEngine.Tests.Threading;

public sealed class EngineThreadTests
{
    [Fact]
    public void Start_WorkThatThrows_ReportsWhyAndEndsNothingElse()
    {
        Exception? told = null;
        string? on = null;
        EngineThread thread = EngineThread.Start("test", () => throw new InvalidOperationException("the reason"), e => (told, on) = (e, Thread.CurrentThread.Name));

        thread.Join();

        Assert.Equal("the reason", Assert.IsType<InvalidOperationException>(told).Message);
        Assert.Equal("test", on);
    }

    [Fact]
    public void Start_WorkThatEnds_ReportsNothing()
    {
        int done = 0;
        EngineThread thread = EngineThread.Start("test", () => done++, e => Assert.Fail(e.Message));

        Assert.True(thread.Join(TimeSpan.FromSeconds(60)));
        Assert.Equal(1, done);
    }
}
