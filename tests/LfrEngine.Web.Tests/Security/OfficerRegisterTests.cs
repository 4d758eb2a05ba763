using LfrEngine.Cli.Tests.Support;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Security;

/// <summary>Who becomes an officer, and who changes whom.</summary>
[Trait("Speed", "slow")]
public sealed class OfficerRegisterTests
{
    [Fact]
    public async Task FirstInvitation_EveryStartUntilUsed_OnlyTheLastServesAndOnlyOnce()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        OfficerRegister register = host.Services.GetRequiredService<OfficerRegister>();
        CancellationToken token = TestContext.Current.CancellationToken;
        string first = (await register.InviteFirstAsync(token))!, second = (await register.InviteFirstAsync(token))!;

        Assert.Null(await register.FindAsync(first));
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.EnrolAsync(second, Guid.NewGuid(), "ada", "Ada", "short", null));
        // A name that reads as another one.
        foreach (string name in new[] { "Ada\u202Enaes", "Ada\u200B", "Ada\nRoot" })
            await Assert.ThrowsAsync<OfficerRefusedException>(() => register.EnrolAsync(second, Guid.NewGuid(), "ada", name, RunningHost.Password, null));
        await register.EnrolAsync(second, Guid.NewGuid(), "ada", "Ada", RunningHost.Password, null);
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.EnrolAsync(second, Guid.NewGuid(), "eve", "Eve", RunningHost.Password, null));

        Assert.Null(await register.InviteFirstAsync(token));
        OfficerEntry ada = Assert.Single((await register.ListAsync()).Officers);
        Assert.Equal([Roles.Administrator], ada.Roles);
        await using LfrStore store = host.Store();
        Assert.DoesNotContain(second, string.Join(' ', await store.Invitations.Select(i => i.SecretSha256).ToArrayAsync(token)), StringComparison.Ordinal);
        // What was refused left nothing, not even an entry.
        Assert.Equal(["officer.invited", "officer.invited", "officer.enrolled"], await store.Audit.OrderBy(e => e.Sequence).Select(e => e.Action).ToArrayAsync(token));
    }

    /// <summary>Nobody can sign in any more: who holds the machine makes an administrator, and the trail says so.</summary>
    [Fact, Trait("Store", "sqlite")]
    public async Task Invite_OnTheCommandLine_MakesAnAdministrator()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        await host.AddOfficerAsync("ada", Roles.Administrator);
        await host.StopAsync();
        string config = host.PathOf("lfr.json");
        await File.WriteAllTextAsync(config, """{ "name": "Test van", "listen": ["https://0.0.0.0:8443"] }""", TestContext.Current.CancellationToken);

        Outcome invited = (await Lfr.RunAsync("officers", "invite", "--config", config)).Exits(ExitCode.Success).IsCivil();
        await host.StartAgainAsync();

        Uri link = new(invited.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Trim());
        Assert.Equal((Environment.MachineName.ToLowerInvariant(), 8443, "/account/invitation"), (link.Host, link.Port, link.AbsolutePath));
        OfficerRegister register = host.Services.GetRequiredService<OfficerRegister>();
        Assert.Equal(Roles.Administrator, (await register.FindAsync(link.Fragment["#secret=".Length..]))!.Roles);
        Assert.Equal($"command line ({Environment.UserName})", await host.ReadAsync(s => s.Audit.Where(e => e.Action == "officer.invited").Select(e => e.ActorName).SingleAsync()));
    }

    [Fact]
    public async Task Invitation_TooOldOrWithdrawn_ServesNoLonger()
    {
        var clock = new MovedClock();
        await using RunningHost host = await RunningHost.StartAsync(time: clock);
        OfficerRegister register = host.Services.GetRequiredService<OfficerRegister>();
        Officer ada = await host.AddOfficerAsync("ada", Roles.Administrator);
        var actor = new Actor(ada.Id.ToString(), "Ada");
        string old = await register.InviteAsync(actor, [Roles.Operator]);
        clock.Offset = OfficerRegister.InvitationLife + TimeSpan.FromSeconds(1);
        string withdrawn = await register.InviteAsync(actor, [Roles.Operator]);
        await register.WithdrawAsync(actor, (await register.FindAsync(withdrawn))!.Id);

        foreach (string secret in new[] { old, withdrawn, "no such secret" })
            await Assert.ThrowsAsync<OfficerRefusedException>(() => register.EnrolAsync(secret, Guid.NewGuid(), "eve", "Eve", RunningHost.Password, null));
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.InviteAsync(actor, []));
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.InviteAsync(actor, ["king"]));
    }

    [Fact]
    public async Task Administrators_TheLastOneAndOneself_AreNotChanged()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        OfficerRegister register = host.Services.GetRequiredService<OfficerRegister>();
        Officer ada = await host.AddOfficerAsync("ada", Roles.Administrator), bob = await host.AddOfficerAsync("bob", Roles.Administrator);
        Actor actor = new(ada.Id.ToString(), "Ada"), other = new(bob.Id.ToString(), "Bob");

        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.SetRolesAsync(actor, ada.Id, [Roles.Administrator, Roles.AuthorisingOfficer]));
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.SetDisabledAsync(actor, ada.Id, true));
        await register.SetDisabledAsync(actor, bob.Id, true);
        // Bob's session has ended, but even a request under way would leave one administrator.
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.SetDisabledAsync(other, ada.Id, true));
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.SetRolesAsync(other, ada.Id, [Roles.Operator]));
        await register.SetDisabledAsync(actor, bob.Id, false);
        await register.SetRolesAsync(actor, bob.Id, [Roles.Auditor, Roles.Operator]);

        Assert.Equal([Roles.Operator, Roles.Auditor], (await register.ListAsync()).Officers.Single(o => o.Officer.Id == bob.Id).Roles);
        await using LfrStore store = host.Store();
        Assert.Equal(["officer.disabled", "officer.enabled", "officer.roles-changed"], await store.Audit.OrderBy(e => e.Sequence).Select(e => e.Action).ToArrayAsync(TestContext.Current.CancellationToken));
    }

    private sealed class MovedClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }
}
