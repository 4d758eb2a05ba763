using System.Collections.Frozen;
using LfrEngine.Records.Retention;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Alerts;

/// <summary>The state table of alerts: which state may follow which, and who may decide it. The state is always computed from the entries.</summary>
/// <remarks>
/// <code>
/// raised ─┬─ viable ── engaged ─┬─ confirmed ── arrest | other disposal | safeguarded | no action
///         └─ rejected           └─ incorrect
/// </code>
/// The operator decides the first step, the engagement officer all others; the officer who judged an alert viable cannot take any later step. An entry is undone by a
/// further entry that refers to it, the latest valid entry first. Without pictures nobody can compare two faces: once they are erased (<see cref="RetentionPolicy"/>;
/// at once for a rejected alert), nothing is judged any more, and no judgement is undone. What was engaged before can still be completed and corrected.
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

    /// <summary>States that may follow a state; empty for final states.</summary>
    /// <param name="state">Before.</param>
    /// <param name="hasPictures">Whether the alert's pictures still exist.</param>
    public static IReadOnlyList<AlertState> After(AlertState state, bool hasPictures) =>
        Next.GetValueOrDefault(state, []) is var next && hasPictures ? next : [.. next.Where(to => !NeedsPictures(to))];

    // A state that somebody reaches by comparing the two faces, or that asks somebody to.
    private static bool NeedsPictures(AlertState state) => state is AlertState.Raised or AlertState.Viable or AlertState.Rejected;

    /// <summary>Permission to enter a state, and to undo that entry.</summary>
    public static string PermissionFor(AlertState to) => to is AlertState.Viable or AlertState.Rejected ? Permissions.JudgeAlerts : Permissions.EngageAlerts;

    /// <summary>The valid entries, in order, without undone entries and the entries that undid them.</summary>
    /// <param name="entries">All of one alert, in order.</param>
    /// <exception cref="InvalidDataException">They do not follow the table: the store was changed by other means.</exception>
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
                fits &= After(state, hasPictures: true).Contains(entry.To);
                standing.Add(entry);
            }
            if (!fits)
                throw new InvalidDataException($"Entry {entry.Id} of alert {entry.AlertId:N} leads from {entry.From} to {entry.To}, which cannot follow {state}.");
            state = entry.To;
        }
        return standing;
    }

    /// <summary>The state that results from the entries.</summary>
    /// <param name="entries">All of one alert, in order.</param>
    /// <exception cref="InvalidDataException">They do not follow the table.</exception>
    public static AlertState StateOf(IEnumerable<AlertEvent> entries) => Standing(entries) is [.., { } last] ? last.To : AlertState.Raised;

    /// <summary>The entry that can be undone; null if none can.</summary>
    /// <param name="entries">All of one alert, in order.</param>
    /// <param name="hasPictures">Whether the alert's pictures still exist.</param>
    public static long? Undoable(IEnumerable<AlertEvent> entries, bool hasPictures) => Standing(entries) is [.., { } last] && (hasPictures || !NeedsPictures(last.From)) ? last.Id : null;

    /// <summary>Why an officer may not make this decision now; null if allowed.</summary>
    /// <param name="standing">From <see cref="Standing"/>.</param>
    /// <param name="to">State wanted.</param>
    /// <param name="undoes">The entry to take back; null for a step forward.</param>
    /// <param name="officer">Who decides.</param>
    /// <param name="hasPictures">Whether the alert's pictures still exist.</param>
    /// <param name="may">Whether the officer holds a permission.</param>
    public static Refusal? RefusalOf(IReadOnlyList<AlertEvent> standing, AlertState to, long? undoes, Guid officer, bool hasPictures, Func<string, bool> may)
    {
        AlertEvent? last = standing.Count > 0 ? standing[^1] : null;
        AlertState state = last?.To ?? AlertState.Raised;
        if (undoes is { } id && (last is null || last.Id != id || last.From != to))
            return Refusal.NotTheLatest;
        if (undoes is null && !After(state, hasPictures: true).Contains(to))
            return Refusal.OutOfOrder;
        if (!hasPictures && NeedsPictures(to))
            return Refusal.PicturesErased;
        // Undoing needs the same permission as the entry.
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

    /// <summary>Only the latest valid entry can be undone.</summary>
    NotTheLatest,

    /// <summary>The officer's roles do not include it.</summary>
    NotYourRole,

    /// <summary>The officer who judged the alert viable must not engage.</summary>
    SamePerson,

    /// <summary>The pictures are erased, so nobody can judge the alert or undo a judgement.</summary>
    PicturesErased,

    /// <summary>Somebody else has decided since the officer opened the alert.</summary>
    Changed,

    /// <summary>The sighting belongs to an alert; decide on that alert.</summary>
    Joined,

    /// <summary>The officer's training for this role is not recorded, or has ended.</summary>
    Untrained,

    /// <summary>The alert belongs to a deployment with a crew, and the officer is not in it.</summary>
    NotYourCrew,

    /// <summary>The alert does not exist.</summary>
    Unknown,
}
