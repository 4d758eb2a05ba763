using LfrEngine.Records.Audit;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Security;

/// <summary>The officers: invites, enrols and disables them, and changes their roles. Every change is in the audit trail. Officers are never removed, because the trail refers to them.</summary>
public sealed class OfficerRegister(Journal journal, OfficerSigning signing, IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>Validity of an invitation.</summary>
    public static readonly TimeSpan InvitationLife = TimeSpan.FromDays(2);

    /// <summary>Audit entry of a used invitation.</summary>
    public const string Enrolled = "officer.enrolled";

    /// <summary>Audit entry of an officer vouching for another.</summary>
    public const string Confirmed = "officer.confirmed";

    private const int RecoveryCodes = 10;
    private const int LongestName = 100;
    private const int LongestRank = 60;

    private const string Invited = "officer.invited";

    /// <summary>An invitation for the first administrator; null if there are officers already. An earlier unused one becomes invalid.</summary>
    /// <returns>The secret of the link; it cannot be read again.</returns>
    public Task<string?> InviteFirstAsync(CancellationToken stopping) => journal.ChangeAsync<string?>(Actor.Engine, async (store, entries) =>
    {
        if (await store.Users.AnyAsync(stopping))
            return null;
        foreach (Invitation former in await OpenInvitations(store).ToArrayAsync(stopping))
            store.Invitations.Remove(former);
        return Invite(store, entries, Actor.Engine, [Roles.Administrator]);
    }, stopping);

    /// <summary>Invites somebody.</summary>
    /// <param name="actor">The administrator.</param>
    /// <param name="roles">At least one of <see cref="Roles.All"/>.</param>
    /// <returns>The secret of the link; it cannot be read again.</returns>
    /// <exception cref="OfficerRefusedException">No role, or an unknown role.</exception>
    public Task<string> InviteAsync(Actor actor, IReadOnlyCollection<string> roles)
    {
        Check(roles);
        return journal.ChangeAsync(actor, (store, entries) => Task.FromResult(Invite(store, entries, actor, roles)));
    }

    /// <summary>Withdraws an unused invitation.</summary>
    public Task WithdrawAsync(Actor actor, Guid invitation) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        if (await OpenInvitations(store).SingleOrDefaultAsync(i => i.Id == invitation) is { } open)
        {
            store.Invitations.Remove(open);
            entries.Note("officer.invitation-withdrawn", $"invitation/{invitation}", new { open.Roles });
        }
    });

    /// <summary>The invitation of a link; null if it does not exist, was used or has expired.</summary>
    public async Task<Invitation?> FindAsync(string? secret)
    {
        if (string.IsNullOrEmpty(secret))
            return null;
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        return await OpenAsync(scope.ServiceProvider.GetRequiredService<LfrStore>(), secret);
    }

    /// <summary>Enrols an officer with an invitation, which is then used up.</summary>
    /// <param name="secret">Of the link.</param>
    /// <param name="id">The officer's id, which a passkey may already contain.</param>
    /// <param name="userName">To sign in with.</param>
    /// <param name="displayName">For people.</param>
    /// <param name="password">Null for an officer who uses only a passkey.</param>
    /// <param name="passkey">Attested; null for an officer with a password, who must then set up a second factor.</param>
    /// <exception cref="OfficerRefusedException">The invitation is not valid any more, or a name or the password is refused.</exception>
    public Task<Officer> EnrolAsync(string secret, Guid id, string userName, string displayName, string? password, UserPasskeyInfo? passkey)
    {
        if (password is null && passkey is null)
            throw new OfficerRefusedException("Set a password or a passkey.");
        Officer officer = NewOfficer(id, userName, displayName);
        return ChangeAsync(new Actor(id.ToString(), officer.DisplayName), async (officers, store, entries) =>
        {
            Invitation invitation = await OpenAsync(store, secret) ?? throw new OfficerRefusedException("This invitation has been used, has been withdrawn or has expired. Ask an administrator for a new one.");
            invitation.UsedAt = time.GetUtcNow();
            Check(password is null ? await officers.CreateAsync(officer) : await officers.CreateAsync(officer, password));
            string[] roles = invitation.Roles.Split(',');
            await GiveRolesAsync(store, officers, officer, roles);
            if (passkey is not null)
                Check(await officers.AddOrUpdatePasskeyAsync(officer, passkey));
            string invited = $"invitation/{invitation.Id}";
            string? invitedById = await store.Audit.Where(e => e.Subject == invited && e.Action == Invited).Select(e => e.ActorId).FirstOrDefaultAsync();
            entries.Note(Enrolled, SubjectOf(id), new { invitation.Roles, invitation.InvitedBy, InvitedById = invitedById, officer.UserName, officer.SigningPublicKey });
            return officer;
        });
    }

    /// <summary>Vouches that an officer is a person of their own, so that an authority need not say that one person may be both its drafter and its signer.</summary>
    /// <exception cref="OfficerRefusedException">The officer is the actor, or was invited by the actor.</exception>
    public Task ConfirmAsync(Actor actor, Guid id) => ChangeAsync(actor, async (officers, store, entries) =>
    {
        Officer officer = await OtherAsync(officers, actor, id);
        string subject = SubjectOf(id);
        string? enrolled = await store.Audit.Where(e => e.Subject == subject && e.Action == Enrolled).Select(e => e.Details).FirstOrDefaultAsync();
        if (enrolled?.Contains($"\"invitedById\":\"{actor.Id}\"", StringComparison.Ordinal) == true)
            throw new OfficerRefusedException("You invited this officer. Another administrator must confirm who they are.");
        entries.Note(Confirmed, subject, new { });
        return officer;
    });

    /// <summary>Subject of audit entries about an officer.</summary>
    public static string SubjectOf(Guid officer) => $"officer/{officer}";

    /// <summary>The officer whom an identity provider names: taken in at the first sign-in, and given the roles that the provider's claims stand for at every one.</summary>
    /// <param name="provider">Its issuer.</param>
    /// <param name="subject">Who, at the provider; never given to anybody else there.</param>
    /// <param name="userName">For a new officer.</param>
    /// <param name="displayName">For a new officer.</param>
    /// <param name="roles">Of <see cref="Roles.All"/>; may be none, which an officer who is known then has.</param>
    /// <returns>Null for somebody who is not known and has no role.</returns>
    /// <exception cref="OfficerRefusedException">A name is refused or taken.</exception>
    public Task<Officer?> TakeInAsync(string provider, string subject, string userName, string displayName, IReadOnlyCollection<string> roles) => ChangeAsync<Officer?>(Actor.Engine, async (officers, store, entries) =>
    {
        if (await officers.FindByLoginAsync(provider, subject) is { } known)
        {
            IList<string> before = await officers.GetRolesAsync(known);
            if (!before.ToHashSet().SetEquals(roles))
                await ChangeRolesAsync(officers, store, entries, known, before, roles);
            return known;
        }
        if (roles.Count == 0)
            return null;
        if (await officers.FindByNameAsync(userName) is not null)
            throw new OfficerRefusedException($"The user name {Shown.Name(userName)} belongs to another officer here.");
        Officer officer = NewOfficer(Guid.NewGuid(), userName, displayName);
        Check(await officers.CreateAsync(officer));
        Check(await officers.AddLoginAsync(officer, new UserLoginInfo(provider, subject, provider)));
        await GiveRolesAsync(store, officers, officer, roles);
        entries.Note(Enrolled, SubjectOf(officer.Id), new { Roles = Joined(roles), InvitedBy = provider, InvitedById = subject, officer.UserName, officer.SigningPublicKey });
        return officer;
    });

    /// <summary>Disables an officer, or enables the officer again. Open sessions end at once.</summary>
    /// <exception cref="OfficerRefusedException">The officer is the actor, or the last administrator.</exception>
    public Task SetDisabledAsync(Actor actor, Guid id, bool disabled) => ChangeAsync(actor, async (officers, store, entries) =>
    {
        Officer officer = await OtherAsync(officers, actor, id);
        if (officer.Disabled == disabled)
            return officer;
        if (disabled && await officers.IsInRoleAsync(officer, Roles.Administrator))
            await NeedAnotherAdministratorAsync(officers, officer);
        officer.Disabled = disabled;
        Check(await officers.UpdateAsync(officer));
        if (disabled)
        {
            await SessionRegister.EndAllAsync(store, entries, id, "disabled");
            await TokenRegister.RevokeAllAsync(store, entries, id, "disabled");
        }
        entries.Note(disabled ? "officer.disabled" : "officer.enabled", $"officer/{id}", new { });
        return officer;
    });

    /// <summary>Gives an officer these roles and no others. Open sessions end at once.</summary>
    /// <exception cref="OfficerRefusedException">The officer is the actor or the last administrator, or a role is unknown.</exception>
    public Task SetRolesAsync(Actor actor, Guid id, IReadOnlyCollection<string> roles)
    {
        Check(roles);
        return ChangeAsync(actor, async (officers, store, entries) =>
        {
            Officer officer = await OtherAsync(officers, actor, id);
            IList<string> before = await officers.GetRolesAsync(officer);
            if (before.Contains(Roles.Administrator) && !roles.Contains(Roles.Administrator))
                await NeedAnotherAdministratorAsync(officers, officer);
            await ChangeRolesAsync(officers, store, entries, officer, before, roles);
            return officer;
        });
    }

    /// <summary>Records the rank of an officer.</summary>
    /// <param name="actor">An administrator; not the officer.</param>
    /// <param name="id">The officer's.</param>
    /// <param name="rank">Up to 60 characters; empty for none.</param>
    /// <exception cref="OfficerRefusedException">The officer is the actor, or the rank will not do.</exception>
    public Task SetRankAsync(Actor actor, Guid id, string rank) => ChangeAsync(actor, async (officers, _, entries) =>
    {
        Officer officer = await OtherAsync(officers, actor, id);
        rank = rank.Trim();
        if (rank.Length > LongestRank || !Shown.IsPlain(rank))
            throw new OfficerRefusedException($"The rank is longer than {LongestRank} characters or contains characters that cannot be seen. Type it again.");
        string? before = officer.Rank;
        officer.Rank = rank.Length == 0 ? null : rank;
        Check(await officers.UpdateAsync(officer));
        entries.Note("officer.rank-changed", SubjectOf(id), new { Before = before, After = officer.Rank });
        return officer;
    });

    /// <summary>Records that an officer has completed a training.</summary>
    /// <param name="actor">An administrator; not the officer.</param>
    /// <param name="id">The officer's.</param>
    /// <param name="role">The role that it was for.</param>
    /// <param name="completedOn">The day; not in the future.</param>
    /// <exception cref="OfficerRefusedException">The officer is the actor, or role or day will not do.</exception>
    public Task RecordTrainingAsync(Actor actor, Guid id, string role, DateOnly completedOn) => ChangeAsync(actor, async (officers, store, entries) =>
    {
        Officer officer = await OtherAsync(officers, actor, id);
        Check([role]);
        if (completedOn > DateOnly.FromDateTime(time.GetLocalNow().DateTime))
            throw new OfficerRefusedException("The training is dated in the future. Enter the day on which it was completed.");
        store.Trainings.Add(new TrainingRecord { Id = Guid.NewGuid(), OfficerId = id, Role = role, CompletedOn = completedOn });
        entries.Note("officer.trained", SubjectOf(id), new { Role = role, completedOn });
        return officer;
    });

    /// <summary>Ends all sessions of an officer.</summary>
    public Task EndSessionsAsync(Actor actor, Guid id) => journal.ChangeAsync(actor, (store, entries) => SessionRegister.EndAllAsync(store, entries, id, "by-administrator"));

    /// <summary>Changes how an officer signs in, with an entry for the audit. All sessions of the officer end, this one too: the caller begins another.</summary>
    /// <param name="officer">The officer, who does it.</param>
    /// <param name="action">For example <c>officer.passkey-added</c>.</param>
    /// <param name="change">With the officer read anew; its result is checked.</param>
    public Task<Officer> ChangeOwnAsync(Officer officer, string action, Func<UserManager<Officer>, Officer, Task<IdentityResult>> change) =>
        ChangeAsync(new Actor(officer.Id.ToString(), officer.DisplayName), async (officers, store, entries) =>
        {
            Officer own = await officers.FindByIdAsync(officer.Id.ToString()) ?? throw new OfficerRefusedException("This officer does not exist.");
            Check(await change(officers, own));
            await SessionRegister.EndAllAsync(store, entries, own.Id, "ways-changed");
            entries.Note(action, $"officer/{own.Id}", new { });
            return own;
        });

    /// <summary>Changes an officer's authenticator app, after a code has shown that it works.</summary>
    /// <param name="officer">The officer, who does it.</param>
    /// <param name="key">The app's key, base 32.</param>
    /// <param name="code">From the app.</param>
    /// <returns>The reloaded officer, and recovery codes, which cannot be read again.</returns>
    /// <exception cref="OfficerRefusedException">The code is wrong.</exception>
    public async Task<(Officer Officer, IReadOnlyList<string> RecoveryCodes)> SetAuthenticatorAsync(Officer officer, string key, string code)
    {
        string[] recovery = [];
        Officer changed = await ChangeOwnAsync(officer, "officer.authenticator-set", async (officers, own) =>
        {
            Check(await officers.SetAuthenticationTokenAsync(own, "[AspNetUserStore]", "AuthenticatorKey", key));
            if (!await officers.VerifyTwoFactorTokenAsync(own, officers.Options.Tokens.AuthenticatorTokenProvider, OneTimeAuthenticator.Plain(code)))
                throw new OfficerRefusedException("This code is wrong. Check that the clock of the phone is right.");
            recovery = [.. await officers.GenerateNewTwoFactorRecoveryCodesAsync(own, RecoveryCodes) ?? []];
            return await officers.SetTwoFactorEnabledAsync(own, true);
        });
        return (changed, recovery);
    }

    /// <summary>Every officer with the officer's roles, and invitations that can still be used.</summary>
    public async Task<(IReadOnlyList<OfficerEntry> Officers, IReadOnlyList<Invitation> Invitations)> ListAsync()
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        LfrStore store = scope.ServiceProvider.GetRequiredService<LfrStore>();
        ILookup<Guid, string> roles = (await store.UserRoles.Join(store.Roles, u => u.RoleId, r => r.Id, (u, r) => new { u.UserId, r.Name }).ToArrayAsync()).ToLookup(r => r.UserId, r => r.Name!);
        Guid[] withPasskey = await store.UserPasskeys.Select(p => p.UserId).Distinct().ToArrayAsync();
        Dictionary<Guid, int> sessions = await store.Sessions.GroupBy(s => s.OfficerId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count);
        Guid[] withLogin = await store.UserLogins.Select(l => l.UserId).Distinct().ToArrayAsync();
        HashSet<string> confirmed = [.. await store.Audit.Where(e => e.Action == Confirmed).Select(e => e.Subject).ToArrayAsync()];
        ILookup<Guid, TrainingRecord> trainings = (await store.Trainings.AsNoTracking().ToArrayAsync()).ToLookup(t => t.OfficerId);
        OfficerEntry[] officers = [.. (await store.Users.AsNoTracking().OrderBy(o => o.DisplayName).ToArrayAsync())
            .Select(o => new OfficerEntry(o, [.. Roles.All.Where(roles[o.Id].Contains)], o.TwoFactorEnabled, withPasskey.Contains(o.Id), withLogin.Contains(o.Id), confirmed.Contains(SubjectOf(o.Id)), sessions.GetValueOrDefault(o.Id),
                trainings[o.Id].GroupBy(t => t.Role).ToDictionary(g => g.Key, g => g.Max(t => t.CompletedOn))))];
        return (officers, await OpenInvitations(store).AsNoTracking().OrderBy(i => i.ExpiresAt).ToArrayAsync());
    }

    private Task<T> ChangeAsync<T>(Actor actor, Func<UserManager<Officer>, LfrStore, Entries, Task<T>> change) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        // On the journal's context, so that the change and its entry are one transaction.
        using var officers = ActivatorUtilities.CreateInstance<UserManager<Officer>>(scope.ServiceProvider, ActivatorUtilities.CreateInstance<OfficerStore>(scope.ServiceProvider, store));
        return await change(officers, store, entries);
    });

    // With a key of the officer's own.
    private Officer NewOfficer(Guid id, string userName, string displayName)
    {
        if (string.IsNullOrWhiteSpace(displayName))
            throw new OfficerRefusedException("Enter your name. It is shown in the audit trail and on the documents you sign.");
        if (displayName.Length > LongestName || !Shown.IsPlain(displayName))
            throw new OfficerRefusedException($"Your name is longer than {LongestName} characters or contains characters that cannot be seen. Type it again.");
        (string publicPem, byte[] stored) = signing.CreateKey();
        return new Officer { Id = id, UserName = userName.Trim(), DisplayName = displayName.Trim(), SigningPublicKey = publicPem, SigningKey = stored, CreatedAt = time.GetUtcNow() };
    }

    private static async Task ChangeRolesAsync(UserManager<Officer> officers, LfrStore store, Entries entries, Officer officer, IList<string> before, IReadOnlyCollection<string> roles)
    {
        Check(await officers.RemoveFromRolesAsync(officer, before.Except(roles)));
        await GiveRolesAsync(store, officers, officer, roles.Except(before));
        await SessionRegister.EndAllAsync(store, entries, officer.Id, "roles-changed");
        await TokenRegister.RevokeAllAsync(store, entries, officer.Id, "roles-changed");
        entries.Note("officer.roles-changed", SubjectOf(officer.Id), new { Before = Joined(before), After = Joined(roles) });
    }

    private string Invite(LfrStore store, Entries entries, Actor actor, IReadOnlyCollection<string> roles)
    {
        string secret = RandomSecret.New();
        var invitation = new Invitation { Id = Guid.NewGuid(), SecretSha256 = RandomSecret.HashOf(secret), Roles = Joined(roles), InvitedBy = actor.Name, ExpiresAt = time.GetUtcNow() + InvitationLife };
        store.Invitations.Add(invitation);
        entries.Note(Invited, $"invitation/{invitation.Id}", new { invitation.Roles, invitation.ExpiresAt });
        return secret;
    }

    private IQueryable<Invitation> OpenInvitations(LfrStore store)
    {
        DateTimeOffset now = time.GetUtcNow();
        return store.Invitations.Where(i => i.UsedAt == null && i.ExpiresAt > now);
    }

    private Task<Invitation?> OpenAsync(LfrStore store, string secret)
    {
        string hash = RandomSecret.HashOf(secret);
        return OpenInvitations(store).SingleOrDefaultAsync(i => i.SecretSha256 == hash);
    }

    private static async Task GiveRolesAsync(LfrStore store, UserManager<Officer> officers, Officer officer, IEnumerable<string> roles)
    {
        foreach (string role in roles)
        {
            string normal = officers.NormalizeName(role);
            if (!await store.Roles.AnyAsync(r => r.NormalizedName == normal))
            {
                store.Roles.Add(new IdentityRole<Guid>(role) { Id = Guid.NewGuid(), NormalizedName = normal, ConcurrencyStamp = Guid.NewGuid().ToString() });
                await store.SaveChangesAsync();
            }
            Check(await officers.AddToRoleAsync(officer, role));
        }
    }

    private static async Task<Officer> OtherAsync(UserManager<Officer> officers, Actor actor, Guid id)
    {
        if (actor.Id == id.ToString())
            throw new OfficerRefusedException("You cannot change your own roles or disable yourself. Another administrator must.");
        return await officers.FindByIdAsync(id.ToString()) ?? throw new OfficerRefusedException("This officer does not exist.");
    }

    private static async Task NeedAnotherAdministratorAsync(UserManager<Officer> officers, Officer officer)
    {
        if (!(await officers.GetUsersInRoleAsync(Roles.Administrator)).Any(o => o.Id != officer.Id && !o.Disabled))
            throw new OfficerRefusedException("This is the last administrator who can sign in. Add another one first.");
    }

    private static void Check(IReadOnlyCollection<string> roles)
    {
        if (roles.Count == 0)
            throw new OfficerRefusedException("Choose at least one role.");
        if (roles.FirstOrDefault(r => !Roles.All.Contains(r)) is { } unknown)
            throw new OfficerRefusedException($"\"{unknown}\" is not a role. Roles: {string.Join(", ", Roles.All)}.");
    }

    private static void Check(IdentityResult result)
    {
        if (!result.Succeeded)
            throw new OfficerRefusedException(string.Join(" ", result.Errors.Select(e => e.Description)));
    }

    private static string Joined(IEnumerable<string> roles) => string.Join(',', Roles.All.Where(roles.Contains));
}

/// <summary>An officer as shown to administrators.</summary>
public sealed record OfficerEntry(Officer Officer, IReadOnlyList<string> Roles, bool HasAuthenticator, bool HasPasskey, bool HasLogin, bool IsConfirmed, int Sessions, IReadOnlyDictionary<string, DateOnly> Trained);

/// <summary>A change of officers was refused. The message is for people.</summary>
public sealed class OfficerRefusedException(string message) : Exception(message);
