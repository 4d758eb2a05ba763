using System.Collections.Frozen;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Alerts;

/// <summary>The one table of what may follow what, and who may decide it. An alert's state is what its entries add up to, never anything else.</summary>
/// <remarks>
/// <code>
/// raised ─┬─ viable ── engaged ─┬─ confirmed ── arrest | other disposal | safeguarded | no action
///         └─ rejected           └─ incorrect
/// </code>
/// The operator decides the first step, the engagement officer all others; who judged an alert viable takes none of the later steps. An entry is taken back by a
/// further entry that names it, the latest that stands first.
/// </remarks>
public static class AlertTransitions
{
    private static readonly FrozenDictionary<AlertState, AlertState[]> Next = new Dictionary<AlertState, AlertState[]>
    {
        [AlertState.Raised] = [AlertState.Viable, AlertState.Rejected],
        [AlertState.Viable] = [AlertState.Engaged],
        [AlertState.Engaged] = [AlertState.Confirmed, AlertState.Incorrect],
        [AlertState.Confirmed] = [AlertState.Arrest, AlertState.OtherDisposal, AlertState.Safeguarded, AlertState.NoAction],
    }.ToFrozenDictionary();

    /// <summary>States that may follow one; empty where the alert is over.</summary>
    public static IReadOnlyList<AlertState> After(AlertState state) => Next.GetValueOrDefault(state, []);

    /// <summary>Permission to enter a state, and to take that entry back.</summary>
    public static string PermissionFor(AlertState to) => to is AlertState.Viable or AlertState.Rejected ? Permissions.JudgeAlerts : Permissions.EngageAlerts;

    /// <summary>The entries that stand, in order: those that were taken back and those that took back are left out.</summary>
    /// <param name="entries">All of one alert, in order.</param>
    /// <exception cref="InvalidDataException">They do not follow the table: somebody changed the store by other ways.</exception>
    public static IReadOnlyList<AlertEvent> Standing(IEnumerable<AlertEvent> entries)
    {
        var standing = new List<AlertEvent>();
        AlertState state = AlertState.Raised;
        foreach (AlertEvent entry in entries)
        {
            bool fits = entry.From == state;
            if (entry.UndoesId is { } undone)
            {
                fits &= standing is [.., { } last] && last.Id == undone && last.From == entry.To;
                if (fits)
                    standing.RemoveAt(standing.Count - 1);
            }
            else
            {
                fits &= After(state).Contains(entry.To);
                standing.Add(entry);
            }
            if (!fits)
                throw new InvalidDataException($"Entry {entry.Id} of alert {entry.AlertId:N} leads from {entry.From} to {entry.To}, which cannot follow {state}.");
            state = entry.To;
        }
        return standing;
    }

    /// <summary>State that entries add up to.</summary>
    /// <param name="entries">All of one alert, in order.</param>
    /// <exception cref="InvalidDataException">They do not follow the table.</exception>
    public static AlertState StateOf(IEnumerable<AlertEvent> entries) => Standing(entries) is [.., { } last] ? last.To : AlertState.Raised;

    /// <summary>Why an officer may not decide this now; null when it is allowed.</summary>
    /// <param name="standing">From <see cref="Standing"/>.</param>
    /// <param name="to">State wanted.</param>
    /// <param name="undoes">The entry to take back; null for a step forward.</param>
    /// <param name="officer">Who decides.</param>
    /// <param name="may">Whether the officer holds a permission.</param>
    public static Refusal? RefusalOf(IReadOnlyList<AlertEvent> standing, AlertState to, long? undoes, Guid officer, Func<string, bool> may)
    {
        AlertEvent? last = standing.Count > 0 ? standing[^1] : null;
        AlertState state = last?.To ?? AlertState.Raised;
        if (undoes is { } id && (last is null || last.Id != id || last.From != to))
            return Refusal.NotTheLatest;
        if (undoes is null && !After(state).Contains(to))
            return Refusal.OutOfOrder;
        // Taking back needs what the entry itself needed.
        AlertState step = undoes is null ? to : state;
        if (!may(PermissionFor(step)))
            return Refusal.NotYourRole;
        return PermissionFor(step) == Permissions.EngageAlerts && standing.Any(e => e.To == AlertState.Viable && e.OfficerId == officer) ? Refusal.SamePerson : null;
    }
}

/// <summary>Why a decision is refused.</summary>
public enum Refusal
{
    /// <summary>The state wanted does not follow the alert's state.</summary>
    OutOfOrder,

    /// <summary>Only the latest entry that stands can be taken back.</summary>
    NotTheLatest,

    /// <summary>The officer's roles do not include it.</summary>
    NotYourRole,

    /// <summary>Two people: who judged the alert viable does not engage.</summary>
    SamePerson,

    /// <summary>Somebody decided since the officer looked.</summary>
    Changed,

    /// <summary>The sighting belongs to an alert, which is the one to decide.</summary>
    Joined,

    /// <summary>There is no such alert.</summary>
    Unknown,
}
