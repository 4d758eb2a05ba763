using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Policies;

/// <summary>Whether an officer's training for a role is recent enough for the rules.</summary>
internal static class TrainingCurrency
{
    /// <summary>Officers are told this long before a training ends.</summary>
    public const int WarningDays = 30;

    /// <summary>Why an officer may not act in a role; null if the officer may.</summary>
    /// <param name="store">Read only.</param>
    /// <param name="pack">The rules; null for none.</param>
    /// <param name="officer">Who.</param>
    /// <param name="name">For the message.</param>
    /// <param name="role">In which the officer acts.</param>
    /// <param name="today">In the installation's time zone.</param>
    /// <param name="stopping">Cancels the query.</param>
    public static async Task<string?> FaultAsync(LfrStore store, PolicyPack? pack, Guid officer, string name, string role, DateOnly today, CancellationToken stopping = default)
    {
        if (pack is null || !pack.TrainingDays.TryGetValue(role, out int days))
            return null;
        return await LastAsync(store, officer, role, stopping) is not { } last ? $"{name} has no recorded training as {role}, which the policy {pack.Name} {pack.Version} demands."
            : last.AddDays(days) < today ? $"The training of {name} as {role} ended on {last.AddDays(days):yyyy-MM-dd}."
            : null;
    }

    /// <summary>Trainings of an officer that have ended or end within <see cref="WarningDays"/>; the day is null where there has been none.</summary>
    public static async Task<IReadOnlyList<(string Role, DateOnly? Ends)>> EndingAsync(LfrStore store, PolicyPack? pack, Guid officer, IEnumerable<string> roles, DateOnly today)
    {
        var ending = new List<(string, DateOnly?)>();
        foreach (string role in roles)
        {
            if (pack is null || !pack.TrainingDays.TryGetValue(role, out int days))
                continue;
            DateOnly? ends = (await LastAsync(store, officer, role, default))?.AddDays(days);
            if (ends is null || ends.Value.DayNumber - today.DayNumber <= WarningDays)
                ending.Add((role, ends));
        }
        return ending;
    }

    /// <summary>The role in which an officer uses a permission.</summary>
    public static string RoleFor(string permission) => permission switch
    {
        Permissions.JudgeAlerts => Roles.Operator,
        Permissions.EngageAlerts => Roles.EngagementOfficer,
        Permissions.SignAuthority => Roles.AuthorisingOfficer,
        _ => throw new ArgumentOutOfRangeException(nameof(permission), permission, "No training is asked for it."),
    };

    private static Task<DateOnly?> LastAsync(LfrStore store, Guid officer, string role, CancellationToken stopping) =>
        store.Trainings.Where(t => t.OfficerId == officer && t.Role == role).OrderByDescending(t => t.CompletedOn).Select(t => (DateOnly?)t.CompletedOn).FirstOrDefaultAsync(stopping);
}
