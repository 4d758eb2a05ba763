using LfrEngine.Records.Authorities;

namespace LfrEngine.Web.Tests.Authorities;

/// <summary>Times as people type them, on the days on which clocks change.</summary>
public sealed class LocalTimeTests
{
    private static readonly TimeZoneInfo London = TimeZoneInfo.FindSystemTimeZoneById("Europe/London");

    [Theory]
    [InlineData("2026-05-14T09:30", "2026-05-14T08:30Z", "2026-05-14T08:30Z")]
    [InlineData("2026-01-14T09:30:00", "2026-01-14T09:30Z", "2026-01-14T09:30Z")]
    // 01:30 comes twice; a start is the later, an end the earlier, so that the window is never longer than what was meant.
    [InlineData("2026-10-25T01:30", "2026-10-25T01:30Z", "2026-10-25T00:30Z")]
    public void Read_LocalTime_IsTheInstant(string text, string start, string end)
    {
        Assert.Equal(DateTimeOffset.Parse(start, null), LocalTime.Read(text, London, later: true));
        Assert.Equal(DateTimeOffset.Parse(end, null), LocalTime.Read(text, London, later: false));
    }

    [Theory]
    [InlineData("2026-03-29T01:30")]
    [InlineData("2026-02-30T10:00")]
    [InlineData("tomorrow")]
    [InlineData("")]
    public void Read_NoTimeOnTheseClocks_IsRefused(string text) => Assert.Null(LocalTime.Read(text, London, later: true));

    [Fact]
    public void Write_Instant_IsReadBackTheSame() =>
        Assert.Equal(new DateTimeOffset(2026, 5, 14, 8, 30, 0, TimeSpan.Zero), LocalTime.Read(LocalTime.Write(new DateTimeOffset(2026, 5, 14, 8, 30, 0, TimeSpan.Zero), London), London, later: true));
}
