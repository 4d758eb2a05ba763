using System.Collections.Concurrent;
using System.Security.Claims;
using LfrEngine.Evaluation.Data;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Alerts;

/// <summary>The perceived groups of people in false alerts, counted without a link to the alert.</summary>
/// <remarks>
/// Only the officer who has just judged an alert incorrect may record them, once: the offer is kept in memory, with the alert's id and without what was recorded, and is
/// gone when the program ends. The store keeps counts per deployment and category, with the day of the latest. There is no audit entry for a single record, since its
/// time would lead to the alert: the counts come into the trail on a later day (<see cref="Transparency.LateFigures"/>).
/// </remarks>
internal sealed class FalseAlertGroups(Journal journal, Installation installation, TimeProvider time)
{
    // Whoever judged it, by alert.
    private readonly ConcurrentDictionary<Guid, (Guid Officer, Guid Deployment, WatchlistCategory Category)> offers = new();

    /// <summary>Takes note of a decision: an offer begins when an alert about somebody sought is judged incorrect, and ends when that is undone.</summary>
    internal void Decided(AlertRecord alert, AlertState to, Guid officer)
    {
        if (installation.Config.FalseAlerts.RecordGroups && installation.Policy?.Pack.Public is not { FalseAlertGroups: false } && !alert.RolePlayer && to is AlertState.Rejected or AlertState.Incorrect)
            offers[alert.Id] = (officer, alert.DeploymentId, alert.Category);
        else
            offers.TryRemove(alert.Id, out _);
    }

    /// <summary>Whether an officer is offered to record the groups of the person in an alert.</summary>
    public bool Offers(ClaimsPrincipal officer, Guid alert) => offers.TryGetValue(alert, out var offer) && offer.Officer == Actor.Of(officer).OfficerId;

    /// <summary>Counts the groups of the person in a false alert.</summary>
    /// <param name="officer">Who judged the alert incorrect.</param>
    /// <param name="alert">The alert. Not stored.</param>
    /// <param name="groups">As perceived: value by column, of <see cref="PersonGroups.Usual"/>; at least one.</param>
    /// <returns>Why nothing was counted; null when it was.</returns>
    public async Task<string?> RecordAsync(ClaimsPrincipal officer, Guid alert, IReadOnlyDictionary<string, string> groups)
    {
        if (groups.Count == 0 || groups.Keys.Except(PersonGroups.Usual).Any())
            return $"Give at least one of {string.Join(", ", PersonGroups.Usual)}, and nothing else.";
        if (PersonGroups.Problem(groups) is { } problem)
            return problem;
        if (!Offers(officer, alert) || !offers.TryRemove(alert, out var offer))
            return "Groups can be recorded once, by the officer who has just judged the alert incorrect.";
        DateOnly today = DateOnly.FromDateTime(time.GetLocalNow().DateTime);
        await journal.ChangeAsync(Actor.Engine, async (store, _) =>
        {
            foreach ((string column, string group) in groups)
            {
                FalseAlertCount? count = await store.FalseAlertCounts.FindAsync(offer.Deployment, offer.Category, column, group);
                if (count is null)
                    store.Add(count = new FalseAlertCount { DeploymentId = offer.Deployment, Category = offer.Category, Column = column, Group = group });
                count.Count++;
                count.LatestOn = today;
            }
        });
        return null;
    }
}
