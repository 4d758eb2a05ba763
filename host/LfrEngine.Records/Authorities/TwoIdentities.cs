using System.Text.Json;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Authorities;

/// <summary>An authority needs two people, but the store knows only identities, and who invites can invite themself. Where nobody else vouches, the authority and the audit trail say so.</summary>
internal static class TwoIdentities
{
    /// <summary>A sentence that one person may hold both identities; null if somebody else vouches for one of them, or if neither depends on the other.</summary>
    /// <param name="store">Read only: the audit trail says who invited whom, and who confirmed whom.</param>
    /// <param name="drafter">Who drafts.</param>
    /// <param name="signer">Who is to sign.</param>
    /// <param name="stopping">Cancels the query.</param>
    public static async Task<string?> WarningAsync(LfrStore store, NamedOfficer drafter, NamedOfficer signer, CancellationToken stopping)
    {
        string[] subjects = [OfficerRegister.SubjectOf(drafter.Id), OfficerRegister.SubjectOf(signer.Id)];
        AuditEntry[] trail = await store.Audit.AsNoTracking()
            .Where(e => subjects.Contains(e.Subject) && (e.Action == OfficerRegister.Enrolled || e.Action == OfficerRegister.Confirmed)).ToArrayAsync(stopping);
        Inviter? Of(NamedOfficer officer) => trail.FirstOrDefault(e => e.Action == OfficerRegister.Enrolled && e.Subject == OfficerRegister.SubjectOf(officer.Id)) is { } enrolled
            ? JsonSerializer.Deserialize<Inviter>(enrolled.Details, AuditJson.Options) : null;
        bool IsConfirmed(NamedOfficer officer) => trail.Any(e => e.Action == OfficerRegister.Confirmed && e.Subject == OfficerRegister.SubjectOf(officer.Id) && e.ActorId != drafter.Id.ToString() && e.ActorId != signer.Id.ToString());
        if (IsConfirmed(drafter) || IsConfirmed(signer))
            return null;
        Inviter? byDrafters = Of(drafter), bySigners = Of(signer);
        return bySigners?.InvitedById == drafter.Id.ToString() ? $"One person may hold both identities: {drafter.Name}, who drafted, invited {signer.Name}, who signs. No other officer has confirmed that they are two people."
            : byDrafters?.InvitedById == signer.Id.ToString() ? $"One person may hold both identities: {signer.Name}, who signs, invited {drafter.Name}, who drafted. No other officer has confirmed that they are two people."
            : byDrafters is not null && byDrafters == bySigners ? $"One person may hold both identities: {byDrafters.InvitedBy} invited both {drafter.Name}, who drafted, and {signer.Name}, who signs. No other officer has confirmed that they are two people."
            : null;
    }

    /// <summary>Of the details of an enrolment.</summary>
    private sealed record Inviter(string InvitedBy, string? InvitedById);
}
