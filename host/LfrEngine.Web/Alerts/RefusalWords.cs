using LfrEngine.Records.Alerts;
using LfrEngine.Records.Store;
using LfrEngine.Web.Shell;
using LfrEngine.Web.Texts;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Alerts;

/// <summary>Texts for refused decisions.</summary>
public sealed class RefusalWords(IStringLocalizer<AlertTexts> texts, TimeProvider time)
{
    /// <summary>The sentence for a refused decision.</summary>
    public string Of(Decision decision) => decision switch
    {
        { Refusal: Refusal.Changed or Refusal.OutOfOrder or Refusal.NotTheLatest, Before: { } first } => texts["RefusalFirst", first.OfficerName, Instants.Clock(first.At, time), texts[StateKey(first.To)]],
        { Refusal: { } refusal } => texts[$"Refusal{refusal}"],
        _ => throw new ArgumentException("The decision was not refused.", nameof(decision)),
    };

    /// <summary>Resource key of a state's name.</summary>
    public static string StateKey(AlertState state) => $"State{state}";
}
