using LfrEngine.Frames;
using Xunit;

namespace LfrEngine.Tests.Frames;

public sealed class PictureZoneTests
{
    [Theory]
    [InlineData("")]
    [InlineData("0,0 100,0")]
    [InlineData("0,0 100,0 100")]
    [InlineData("0,0 100,0 100,101")]
    [InlineData("0,0 100,0 -1,50")]
    [InlineData("0,0 100,0 NaN,50")]
    [InlineData("0;0 100;0 50;50")]
    public void TryParse_NoZone_IsRefused(string text) => Assert.False(PictureZone.TryParse(text, out _));

    [Fact]
    public void Contains_PolygonWithANotch_IsInsideItsEdgesOnly()
    {
        // A rectangle with a notch from above.
        Assert.True(PictureZone.TryParse("10,10  40,10 50,60 60,10 90,10.5 90,90 10,90", out PictureZone? zone));
        Assert.Equal("10,10 40,10 50,60 60,10 90,10.5 90,90 10,90", zone.ToString());
        Assert.True(zone.Contains(20, 20) && zone.Contains(80, 20) && zone.Contains(50, 70));
        Assert.False(zone.Contains(50, 20) || zone.Contains(5, 50) || zone.Contains(50, 95) || zone.Contains(95, 50));
    }
}
