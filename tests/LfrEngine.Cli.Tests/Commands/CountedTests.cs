using System.Globalization;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Numbers agree with their nouns.</summary>
public sealed class CountedTests
{
    [Theory]
    [InlineData(0, "0 faces")]
    [InlineData(1, "1 face")]
    [InlineData(1234, "1234 faces")]
    public void Counted_Number_AgreesWithItsNoun(long count, string expected)
    {
        Assert.Equal(expected, $"{new Counted(count):face|faces}");
        Assert.Equal(count.ToString("#,0", CultureInfo.InvariantCulture) + expected[expected.IndexOf(' ', StringComparison.Ordinal)..], string.Format(CultureInfo.InvariantCulture, "{0:#,0 face|faces}", new Counted(count)));
    }
}
