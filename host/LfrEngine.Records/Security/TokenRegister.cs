using System.Security.Claims;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Security;

/// <summary>Tokens of programs: named, with some of their officer's permissions, for a time. Making and revoking them is in the audit trail.</summary>
public sealed class TokenRegister(Journal journal, IDbContextFactory<LfrStore> stores, TimeProvider time)
{
    /// <summary>Longest life of a token, days.</summary>
    public const int MostDays = 365;

    /// <summary>Audit entry of a revoked token; its subject names it.</summary>
    public const string Revoked = "token.revoked";

    /// <summary>Begins every token, so that scanners recognise one in a file that should not have it.</summary>
    public const string Prefix = "lfr_";

    private const int LongestName = 100;
    private static readonly TimeSpan UsedWithin = TimeSpan.FromMinutes(1);

    /// <summary>What a program may be permitted. To sign, to judge, to engage and to manage officers remain with people.</summary>
    public static IReadOnlyList<string> Possible { get; } =
    [
        Permissions.SeeDeployments, Permissions.DraftAuthority, Permissions.RunDeployment, Permissions.SeeLive, Permissions.SeeAlerts, Permissions.EditWatchlists, Permissions.SeeAudit, Permissions.Export,
    ];

    /// <summary>The permissions that an officer can give to a program. An inspector has none to give: a program's looks would not be an inspector's.</summary>
    public static IEnumerable<string> PossibleFor(ClaimsPrincipal officer) => officer.IsInRole(Roles.Inspector) ? [] : Possible.Where(p => Permissions.ByRole[p].Any(officer.IsInRole));

    /// <summary>Makes a token in the officer's name.</summary>
    /// <param name="officer">Who is signed in.</param>
    /// <param name="name">For people.</param>
    /// <param name="permissions">Some of <see cref="PossibleFor"/>.</param>
    /// <param name="days">Its life.</param>
    /// <returns>The row, and the token, which cannot be read again.</returns>
    /// <exception cref="OfficerRefusedException">With the reason.</exception>
    public async Task<(ApiToken Token, string Secret)> MakeAsync(ClaimsPrincipal officer, string name, IReadOnlyCollection<string> permissions, int days)
    {
        name = name.Trim();
        if (name.Length is 0 or > LongestName || !Shown.IsPlain(name))
            throw new OfficerRefusedException($"Enter a name of 1 to {LongestName} characters that can be seen.");
        if (permissions.Count == 0)
            throw new OfficerRefusedException("Choose at least one permission.");
        if (permissions.FirstOrDefault(p => !PossibleFor(officer).Contains(p)) is { } refused)
            throw new OfficerRefusedException($"You cannot give a program the permission \"{Shown.Name(refused)}\". Possible: {string.Join(", ", PossibleFor(officer))}.");
        if (days is < 1 or > MostDays)
            throw new OfficerRefusedException($"A token lives 1 to {MostDays} days.");
        Actor actor = Actor.Of(officer);
        string secret = Prefix + RandomSecret.New();
        DateTimeOffset now = time.GetUtcNow();
        var token = new ApiToken
        {
            Id = Guid.NewGuid(),
            Name = name,
            SecretSha256 = RandomSecret.HashOf(secret),
            OfficerId = actor.OfficerId,
            Permissions = string.Join(',', Possible.Where(permissions.Contains)),
            CreatedAt = now,
            ExpiresAt = now.AddDays(days),
        };
        await journal.ChangeAsync(actor, (store, entries) =>
        {
            store.ApiTokens.Add(token);
            entries.Note("token.made", SubjectOf(token.Id), new { token.Name, token.Permissions, token.ExpiresAt });
            return Task.CompletedTask;
        });
        return (token, secret);
    }

    /// <summary>Revokes a token.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="id">Which.</param>
    /// <param name="officer">Whose it must be; null for anybody's.</param>
    /// <returns>Whether there was one.</returns>
    public Task<bool> RevokeAsync(Actor actor, Guid id, Guid? officer) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        if (await store.ApiTokens.SingleOrDefaultAsync(t => t.Id == id && (officer == null || t.OfficerId == officer)) is not { } token)
            return false;
        Revoke(store, entries, token, "by-officer");
        return true;
    });

    /// <summary>Tokens, the latest first, also those that have expired.</summary>
    /// <param name="officer">Whose; null for everybody's.</param>
    public async Task<IReadOnlyList<OwnedToken>> ListAsync(Guid? officer)
    {
        await using LfrStore store = await stores.CreateDbContextAsync();
        return await store.ApiTokens.AsNoTracking().Where(t => officer == null || t.OfficerId == officer).OrderByDescending(t => t.CreatedAt)
            .Join(store.Users, t => t.OfficerId, o => o.Id, (t, o) => new OwnedToken(t, o.DisplayName)).ToArrayAsync();
    }

    /// <summary>The token that a program showed; null if it does not serve.</summary>
    public async Task<OwnedToken?> FindAsync(string secret, CancellationToken stopping)
    {
        string hash = RandomSecret.HashOf(secret);
        DateTimeOffset now = time.GetUtcNow();
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        OwnedToken? found = await store.ApiTokens.AsNoTracking().Where(t => t.SecretSha256 == hash && t.ExpiresAt > now)
            .Join(store.Users.Where(o => !o.Disabled), t => t.OfficerId, o => o.Id, (t, o) => new OwnedToken(t, o.DisplayName)).SingleOrDefaultAsync(stopping);
        if (found is not null && !(now - found.Token.LastUsedAt < UsedWithin))
            await store.ApiTokens.Where(t => t.Id == found.Token.Id).ExecuteUpdateAsync(u => u.SetProperty(t => t.LastUsedAt, now), stopping);
        return found;
    }

    /// <summary>Revokes all tokens of an officer, in the transaction of the change that is the reason.</summary>
    internal static async Task RevokeAllAsync(LfrStore store, Entries entries, Guid officer, string reason)
    {
        foreach (ApiToken token in await store.ApiTokens.Where(t => t.OfficerId == officer).ToArrayAsync())
            Revoke(store, entries, token, reason);
    }

    private static void Revoke(LfrStore store, Entries entries, ApiToken token, string reason)
    {
        store.ApiTokens.Remove(token);
        entries.Note(Revoked, SubjectOf(token.Id), new { token.Name, Reason = reason });
    }

    private static string SubjectOf(Guid token) => $"token/{token}";
}

/// <summary>A token and the name of its officer.</summary>
public sealed record OwnedToken(ApiToken Token, string OfficerName);
