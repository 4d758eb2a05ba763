using System.Security.Cryptography;
using System.Text;
using LfrEngine.Files;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Policies;

/// <summary>Officers who are there: they check in from their phones, and the engine runs only while enough of them are.</summary>
/// <remarks>A position is compared with the area of the deployment and forgotten. What is kept is that an officer was within reach, until when, signed by the installation.</remarks>
internal sealed class PresenceRegister(InstallationKey key, Journal journal, PolicyShelf policies, TimeProvider time)
{
    /// <summary>Audit entry of a check-in that ran out.</summary>
    public const string Lapsed = "presence.lapsed";

    /// <summary>The rules of presence of a deployment; null if there are none, or its area cannot be read.</summary>
    public (PresenceRules Rules, DeploymentArea Area)? RulesOf(Authority authority) =>
        policies.Of(authority)?.Presence is { } rules && DeploymentArea.TryParse(authority.Area, out DeploymentArea? area) ? (rules, area!) : null;

    /// <summary>Checks an officer in, or again.</summary>
    /// <param name="officer">Who is there.</param>
    /// <param name="deployment">Where.</param>
    /// <param name="latitude">Of the phone, degrees.</param>
    /// <param name="longitude">Of the phone, degrees.</param>
    /// <param name="accuracyMetres">How well the phone knows its place.</param>
    /// <returns>Until when it counts.</returns>
    /// <exception cref="PresenceRefusedException">The deployment asks for no presence, or the officer is too far away.</exception>
    public async Task<DateTimeOffset> CheckInAsync(Actor officer, Guid deployment, double latitude, double longitude, double accuracyMetres) => await journal.ChangeAsync(officer, async (store, entries) =>
    {
        DeploymentRecord? record = await store.Deployments.FirstOrDefaultAsync(d => d.Id == deployment);
        if (record is null || AuthorityService.TryRead(record) is not { } authority || RulesOf(authority) is not var (rules, area)
            || record.State is DeploymentState.Draft or DeploymentState.Ended or DeploymentState.Withdrawn)
            throw new PresenceRefusedException("This deployment asks nobody to check in.");
        if (!(accuracyMetres >= 0) || !(Math.Abs(latitude) <= 90) || !(Math.Abs(longitude) <= 180) || accuracyMetres > rules.Metres)
            throw new PresenceRefusedException($"Your phone does not know well enough where it is. Go outside, or wait a moment; it must know to within {rules.Metres:0} m.");
        if (area.MetresTo(latitude, longitude) is var metres && metres > rules.Metres)
            throw new PresenceRefusedException($"You are {metres:0} m away from the area; the policy allows {rules.Metres:0} m.");
        DateTimeOffset now = AuthorityDrafting.ToMicroseconds(time.GetUtcNow());
        PresenceRecord? presence = await store.Presences.FirstOrDefaultAsync(p => p.DeploymentId == deployment && p.OfficerId == officer.OfficerId);
        if (presence is null)
            store.Presences.Add(presence = new PresenceRecord { DeploymentId = deployment, OfficerId = officer.OfficerId, Signature = "" });
        // Only coming and going is recorded, not every time that a phone says it is still there.
        if (presence.ExpiresAt <= now)
            entries.Note("presence.checked-in", $"deployment/{deployment}", new { });
        (presence.At, presence.ExpiresAt) = (now, now.AddMinutes(rules.Minutes));
        presence.Signature = Convert.ToBase64String(key.Sign(TextOf(presence)));
        return presence.ExpiresAt;
    });

    /// <summary>Checks an officer out.</summary>
    public Task CheckOutAsync(Actor officer, Guid deployment) => journal.ChangeAsync(officer, async (store, entries) =>
    {
        if (await store.Presences.Where(p => p.DeploymentId == deployment && p.OfficerId == officer.OfficerId).ExecuteDeleteAsync() > 0)
            entries.Note("presence.checked-out", $"deployment/{deployment}", new { });
    });

    /// <summary>Removes check-ins that have expired.</summary>
    public async Task ForgetAsync(LfrStore reading)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (!await reading.Presences.AnyAsync(p => p.ExpiresAt <= now))
            return;
        await journal.ChangeAsync(Actor.Engine, async (store, entries) =>
        {
            foreach (PresenceRecord gone in await store.Presences.Where(p => p.ExpiresAt <= now).ToListAsync())
            {
                store.Presences.Remove(gone);
                entries.Note(Lapsed, $"deployment/{gone.DeploymentId}", new { Officer = gone.OfficerId });
            }
        });
    }

    /// <summary>Why the officers who are there are not enough; null if they are, or if the rules ask for none.</summary>
    public async Task<string?> FaultAsync(LfrStore store, Authority authority)
    {
        if (RulesOf(authority) is not var (rules, _))
            return null;
        DateTimeOffset now = time.GetUtcNow();
        PresenceRecord[] there = await store.Presences.AsNoTracking().Where(p => p.DeploymentId == authority.Deployment && p.ExpiresAt > now && store.Users.Any(u => u.Id == p.OfficerId && !u.Disabled)).ToArrayAsync();
        int altered = there.Count(p => !IsGenuine(p));
        int count = there.Length - altered;
        return count >= rules.Officers ? null
            : $"{new Counted(count):officer is|officers are} checked in within {rules.Metres:0} m of the area; the policy demands {rules.Officers}, each within the last {rules.Minutes} minutes."
                + (altered > 0 ? $" {new Counted(altered):check-in has|check-ins have} been altered and {(altered == 1 ? "does" : "do")} not count." : "");
    }

    private bool IsGenuine(PresenceRecord presence)
    {
        try
        {
            using ECDsa own = SignedFile.KeyFrom(key.PublicPem);
            return own.VerifyData(TextOf(presence), Convert.FromBase64String(presence.Signature), HashAlgorithmName.SHA256);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static byte[] TextOf(PresenceRecord presence) => Encoding.UTF8.GetBytes(FormattableString.Invariant($"presence\n{presence.DeploymentId}\n{presence.OfficerId}\n{presence.At.UtcTicks}\n{presence.ExpiresAt.UtcTicks}"));
}

/// <summary>A check-in is refused. The message is for the officer.</summary>
public sealed class PresenceRefusedException(string message) : Exception(message);
