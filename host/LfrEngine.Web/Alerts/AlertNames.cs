using LfrEngine.Records.Alerts;
using LfrEngine.Watchlists;
using LfrEngine.Web.Texts;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Alerts;

/// <summary>Names of what an alert is about.</summary>
internal sealed class AlertNames(IStringLocalizer<AlertTexts> texts, IStringLocalizer<LikelihoodTexts> likelihoods)
{
    public string Of(WatchlistCategory category) => texts[$"Category{category.Name()}"];

    /// <summary>Words for the score: the degree of support if the evidence is calibrated.</summary>
    public string OfLikeness(AlertSummary alert) => alert.Likelihood is { } likelihood ? LikelihoodWords.Name(likelihood.Support, key => likelihoods[key]) : texts[$"Likeness{alert.Likeness}"];
}
