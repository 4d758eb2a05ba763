using LfrEngine.Records;
using LfrEngine.Records.Alerts;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>Likelihood ratios in words.</summary>
public sealed class LikelihoodWordsTests
{
    // The steps of the ENFSI guideline for evaluative reporting (2015), table 1: each begins where the one below ends.
    [Theory]
    [InlineData(0.1, Support.Against)]
    [InlineData(0.49, Support.Against)]
    [InlineData(0.51, Support.None)]
    [InlineData(1, Support.None)]
    [InlineData(1.99, Support.None)]
    [InlineData(2.01, Support.Weak)]
    [InlineData(9.9, Support.Weak)]
    [InlineData(10, Support.Moderate)]
    [InlineData(99, Support.Moderate)]
    [InlineData(100, Support.ModeratelyStrong)]
    [InlineData(1000, Support.Strong)]
    [InlineData(10_000, Support.VeryStrong)]
    [InlineData(999_000, Support.VeryStrong)]
    [InlineData(1_000_000, Support.ExtremelyStrong)]
    public void Support_OfARatio_IsTheGuidelinesStep(double ratio, Support support) => Assert.Equal(support, new AlertLikelihood(Math.Log10(ratio), false, 100).Support);

    [Theory]
    [InlineData(4321, false, 100, "A score like this is about 4,000 times more likely if this is the person than if it is the closest of 100 strangers.")]
    [InlineData(4999, true, 1200, "A score like this is at least 4,000 times more likely if this is the person than if it is the closest of 1,200 strangers. The measurement cannot show more.")]
    [InlineData(2.9, false, 1, "A score like this is about 2 times more likely if this is the person than if it is a stranger.")]
    [InlineData(1.4, false, 3, "A score like this is about as likely if this is the person as if it is the closest of 3 strangers.")]
    [InlineData(0.02, false, 3, "A score like this is about 50 times less likely if this is the person than if it is the closest of 3 strangers.")]
    [InlineData(0.09, true, 3, "A score like this is at least 10 times less likely if this is the person than if it is the closest of 3 strangers. The measurement cannot show more.")]
    public void Sentence_NamesBothCasesAndNoMoreDigitsThanAreKnown(double ratio, bool atBound, int list, string sentence) =>
        Assert.Equal(sentence, LikelihoodWords.Sentence(new AlertLikelihood(Math.Log10(ratio), atBound, list)));

    [Fact]
    public void Words_OfAnyRatio_ClaimNoCertainty()
    {
        foreach (Support support in Enum.GetValues<Support>())
        {
            string words = LikelihoodWords.Name(support);
            Assert.Contains("support", words, StringComparison.Ordinal);
            Assert.DoesNotMatch("(?i)certain|identif|proof|proves|confirm|positive|probab|%", words);
        }
    }
}
