using System.Security.Claims;
using System.Security.Cryptography;
using LfrEngine.Alerts;
using LfrEngine.Memory;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>Alerts from the engine to the last decision.</summary>
[Trait("Speed", "slow")]
public sealed class AlertServiceTests
{
    [Fact]
    public async Task TakeAsync_Alert_IsEncryptedRecordedAndPublished()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host, AlertMaterial.AuthorityText(WatchlistCategory.MissingOrVulnerable, "No restraint, no search."));
        Guid person = await material.AddPersonAsync(WatchlistCategory.MissingOrVulnerable, response: "Call her sister.");
        ClaimsPrincipal officer = await material.OfficerAsync("olga", Roles.Operator);
        Alert alert = material.Alert(person, WatchlistCategory.MissingOrVulnerable, 0.8f);
        using HostBuffer<byte> jpeg = alert.Probe.EncodeJpeg(92, out int bytes);

        await material.Alerts.TakeAsync(material.Deployment, alert);

        Assert.Throws<ObjectDisposedException>(() => alert.Probe.View);
        AlertSummary listed = Assert.Single(await material.Alerts.ListAsync(Actor.Engine, new AlertFilter(), TestContext.Current.CancellationToken));
        Assert.Equal((AlertState.Raised, Likeness.Ungraded, null, true), (listed.State, listed.Likeness, listed.Likelihood, listed.Vulnerable));
        using HostBuffer<byte> probe = (await material.Alerts.PictureAsync(Actor.Of(officer), listed.Id, AlertPicture.Probe))!;
        Assert.True(probe.Span.SequenceEqual(jpeg.Span[..bytes]));
        AlertRecord record = await material.RecordAsync(listed.Id);
        // One sealed thing cannot stand in for another.
        Assert.Throws<AuthenticationTagMismatchException>(() => material.Vault.Unseal(listed.Id, record.SealedReference!, "probe"));
        AlertDetail detail = (await material.Alerts.LookAsync(Actor.Of(officer), listed.Id, TestContext.Current.CancellationToken))!;
        Assert.Equal(("Ada Example", "Call her sister.", "No restraint, no search."), (detail.Person!.Name, detail.Person.Response, detail.Response));
        AuditEntry entry = Assert.Single(await material.EntriesAsync("alert.raised"));
        Assert.Equal($"alert/{listed.Id}", entry.Subject);
        Assert.Contains("\"category\":\"missing-or-vulnerable\"", entry.Details, StringComparison.Ordinal);
        Assert.DoesNotContain("Ada", entry.Details, StringComparison.Ordinal);

        // What the authority says is not about one person: it stays.
        await material.Alerts.EraseAsync(a => a.Id == listed.Id, "time-up");
        AlertDetail erased = (await material.Alerts.LookAsync(Actor.Of(officer), listed.Id, TestContext.Current.CancellationToken))!;
        Assert.Equal((null, "No restraint, no search."), (erased.Person, erased.Response));
    }

    [Fact]
    public async Task TakeAsync_PersonRemoved_LeavesNoKey()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);

        await Assert.ThrowsAsync<InvalidOperationException>(() => material.Alerts.TakeAsync(material.Deployment, material.Alert(Guid.NewGuid())));

        Assert.Equal([material.Watchlist], material.Vault.All());
    }

    [Fact]
    public async Task TakeAsync_SamePersonAgain_JoinsUnlessTheAlertWasRejected()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid person = await material.AddPersonAsync();
        ClaimsPrincipal judge = await material.OfficerAsync("olga", Roles.Operator);

        Guid first = await material.RaiseAsync(person), second = await material.RaiseAsync(person);
        Assert.Equal(first, (await material.RecordAsync(second)).JoinedAlertId);
        Assert.Equal(Refusal.Joined, (await material.Alerts.DecideAsync(judge, second, AlertState.Viable, "")).Refusal);
        Assert.Null((await material.Alerts.DecideAsync(judge, first, AlertState.Rejected, "")).Refusal);
        Guid third = await material.RaiseAsync(person), fourth = await material.RaiseAsync(person);

        // The rejected one may have been somebody else; those that follow are judged anew, together.
        Assert.Null((await material.RecordAsync(third)).JoinedAlertId);
        Assert.Equal(third, (await material.RecordAsync(fourth)).JoinedAlertId);
        Assert.Equal(2, (await material.EntriesAsync("alert.joined")).Length);
        Assert.NotNull((await material.RecordAsync(second)).ErasedAt);
        Assert.False(material.Vault.Has(second));
    }

    [Fact]
    public async Task DecideAsync_AllSteps_AreRecordedWithOfficerAndTime()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        ClaimsPrincipal judge = await material.OfficerAsync("olga", Roles.Operator), street = await material.OfficerAsync("emil", Roles.EngagementOfficer);
        AlertService alerts = material.Alerts;

        Decision viable = await alerts.DecideAsync(judge, alert, AlertState.Viable, "same scar", seen: 0);
        await alerts.DecideAsync(street, alert, AlertState.Engaged, "");
        await alerts.DecideAsync(street, alert, AlertState.Confirmed, "");
        Decision arrest = await alerts.DecideAsync(street, alert, AlertState.Arrest, "");
        await alerts.DecideAsync(street, alert, AlertState.Confirmed, "wrong button", undoes: arrest.Entry!.Id);
        Decision last = await alerts.DecideAsync(street, alert, AlertState.OtherDisposal, "");

        Assert.Null(last.Refusal);
        AlertRecord record = await material.RecordAsync(alert);
        Assert.Equal(AlertState.OtherDisposal, record.State);
        Assert.Equal(AlertTransitions.StateOf(record.Events.OrderBy(e => e.Id)), record.State);
        Assert.Equal(6, record.Events.Count);
        Assert.Equal(("olga", "same scar"), (viable.Entry!.OfficerName, viable.Entry.Note));
        AuditEntry[] decided = await material.EntriesAsync("alert.decided");
        Assert.Equal(6, decided.Length);
        Assert.Contains("\"from\":\"arrest\",\"to\":\"confirmed\"", decided[4].Details, StringComparison.Ordinal);
        Assert.Contains($"\"undoes\":{arrest.Entry.Id}", decided[4].Details, StringComparison.Ordinal);
        Assert.DoesNotContain("scar", decided[0].Details, StringComparison.Ordinal);
    }

    /// <summary>An alert without pictures is never judged, nor opened again for judging; what was engaged before can be completed and corrected.</summary>
    [Fact]
    public async Task DecideAsync_PicturesErased_NothingIsJudgedAnyMore()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        ClaimsPrincipal judge = await material.OfficerAsync("olga", Roles.Operator), street = await material.OfficerAsync("emil", Roles.EngagementOfficer);
        AlertService alerts = material.Alerts;
        Guid rejected = await material.RaiseAsync(await material.AddPersonAsync()), late = await material.RaiseAsync(await material.AddPersonAsync()), engaged = await material.RaiseAsync(await material.AddPersonAsync());
        Decision no = await alerts.DecideAsync(judge, rejected, AlertState.Rejected, "");
        await alerts.DecideAsync(judge, engaged, AlertState.Viable, "");
        Decision met = await alerts.DecideAsync(street, engaged, AlertState.Engaged, "");
        await alerts.EraseAsync(a => a.Id == late || a.Id == engaged, "time-up");

        Assert.Equal(Refusal.PicturesErased, (await alerts.DecideAsync(judge, rejected, AlertState.Raised, "wrong key", undoes: no.Entry!.Id)).Refusal);
        Assert.Equal(Refusal.PicturesErased, (await alerts.DecideAsync(judge, late, AlertState.Viable, "")).Refusal);
        Assert.Equal(Refusal.PicturesErased, (await alerts.DecideAsync(judge, late, AlertState.Rejected, "")).Refusal);
        Assert.Equal(Refusal.PicturesErased, (await alerts.DecideAsync(street, engaged, AlertState.Viable, "", undoes: met.Entry!.Id)).Refusal);
        Assert.Null((await alerts.DecideAsync(street, engaged, AlertState.Confirmed, "")).Refusal);
        foreach (Guid alert in new[] { rejected, late })
            Assert.Null((await alerts.LookAsync(Actor.Of(judge), alert, TestContext.Current.CancellationToken))!.Latest);
        Assert.Equal((AlertState.Rejected, AlertState.Raised, AlertState.Confirmed), ((await material.RecordAsync(rejected)).State, (await material.RecordAsync(late)).State, (await material.RecordAsync(engaged)).State));
    }

    [Fact]
    public async Task DecideAsync_SamePersonInTwoRoles_MayNotEngage()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        ClaimsPrincipal both = await material.OfficerAsync("olga", Roles.Operator, Roles.EngagementOfficer);

        await material.Alerts.DecideAsync(both, alert, AlertState.Viable, "");

        Assert.Equal(Refusal.SamePerson, (await material.Alerts.DecideAsync(both, alert, AlertState.Engaged, "")).Refusal);
        ClaimsPrincipal other = await material.OfficerAsync("emil", Roles.EngagementOfficer);
        Assert.Null((await material.Alerts.DecideAsync(other, alert, AlertState.Engaged, "")).Refusal);
        // Nor confirm, nor take the other's step back.
        Assert.Equal(Refusal.SamePerson, (await material.Alerts.DecideAsync(both, alert, AlertState.Confirmed, "")).Refusal);
        long engaged = (await material.RecordAsync(alert)).Events.Max(e => e.Id);
        Assert.Equal(Refusal.SamePerson, (await material.Alerts.DecideAsync(both, alert, AlertState.Viable, "", engaged)).Refusal);
    }

    [Fact]
    public async Task DecideAsync_RolesThatDoNotIncludeIt_AreRefused()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        ClaimsPrincipal street = await material.OfficerAsync("emil", Roles.EngagementOfficer), auditor = await material.OfficerAsync("ada", Roles.Auditor);

        Assert.Equal(Refusal.NotYourRole, (await material.Alerts.DecideAsync(street, alert, AlertState.Viable, "")).Refusal);
        Assert.Equal(Refusal.NotYourRole, (await material.Alerts.DecideAsync(auditor, alert, AlertState.Rejected, "")).Refusal);
        Assert.Equal(AlertState.Raised, (await material.RecordAsync(alert)).State);
        Assert.Empty(await material.EntriesAsync("alert.decided"));
    }

    [Fact]
    public async Task DecideAsync_TwoOperatorsAtOnce_TheSecondSeesWhoWasFirst()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        ClaimsPrincipal[] officers = [await material.OfficerAsync("olga", Roles.Operator), await material.OfficerAsync("otto", Roles.Operator)];
        for (int round = 0; round < 10; round++)
        {
            Guid alert = await material.RaiseAsync(await material.AddPersonAsync());

            Decision[] both = await Task.WhenAll(officers.Select((o, i) => Task.Run(() => material.Alerts.DecideAsync(o, alert, i == 0 ? AlertState.Viable : AlertState.Rejected, "", seen: 0))));

            Decision won = Assert.Single(both, d => d.Refusal is null), lost = Assert.Single(both, d => d.Refusal is not null);
            Assert.Equal(Refusal.Changed, lost.Refusal);
            Assert.Equal(won.Entry!.Id, lost.Before!.Id);
            Assert.Single((await material.RecordAsync(alert)).Events);
        }
    }

    [Fact]
    public async Task PictureAsync_OfficerLooksAgainAndAgain_IsNotedOnce()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        Actor olga = Actor.Of(await material.OfficerAsync("olga", Roles.Operator)), otto = Actor.Of(await material.OfficerAsync("otto", Roles.Operator));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Look(olga, i % 2 == 0 ? AlertPicture.Probe : AlertPicture.Reference)));
        await Look(otto, AlertPicture.Probe);
        await host.RestartAsync();
        await Look(olga, AlertPicture.Probe);

        Assert.Equal(["olga", "otto"], (await material.EntriesAsync("alert.viewed")).Select(e => e.ActorName));

        async Task Look(Actor who, AlertPicture kind)
        {
            using HostBuffer<byte>? picture = await material.Alerts.PictureAsync(who, alert, kind);
            Assert.NotNull(picture);
        }
    }

    [Fact]
    public async Task ListAsync_ManyAlerts_NewestFirstByStateAndByPage()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        var raised = new List<Guid>();
        foreach (Guid person in await material.AddPeopleAsync(Enumerable.Repeat(WatchlistCategory.Wanted, 30)))
            raised.Add(await material.RaiseAsync(person));
        ClaimsPrincipal judge = await material.OfficerAsync("olga", Roles.Operator);
        foreach (Guid alert in raised.Take(5))
            await material.Alerts.DecideAsync(judge, alert, AlertState.Viable, "");
        raised.Reverse();

        Assert.Equal(raised.Take(25), (await material.Alerts.ListAsync(Actor.Engine, new AlertFilter(), TestContext.Current.CancellationToken)).Select(a => a.Id));
        Assert.Equal(raised.Skip(25), (await material.Alerts.ListAsync(Actor.Engine, new AlertFilter { Skip = 25 }, TestContext.Current.CancellationToken)).Select(a => a.Id));
        Assert.Equal(raised.TakeLast(5), (await material.Alerts.ListAsync(Actor.Engine, new AlertFilter { States = [AlertState.Viable] }, TestContext.Current.CancellationToken)).Select(a => a.Id));
        IReadOnlyDictionary<AlertState, int> counts = await material.Alerts.CountAsync(Actor.Engine, TestContext.Current.CancellationToken);
        Assert.Equal((25, 5), (counts[AlertState.Raised], counts[AlertState.Viable]));
    }

    /// <summary>In the order of work, and by each filter; an alert that nobody can judge any more does not wait.</summary>
    [Fact]
    public async Task ListAsync_QueueAndFilters_ListsWhatIsAskedFor()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid first = await material.RaiseAsync(await material.AddPersonAsync()), second = await material.RaiseAsync(await material.AddPersonAsync(), camera: "bridge"),
            atRisk = await material.RaiseAsync(await material.AddPersonAsync(WatchlistCategory.AtRiskOfHarm), WatchlistCategory.AtRiskOfHarm), missing = await material.RaiseAsync(await material.AddPersonAsync(WatchlistCategory.MissingOrVulnerable), WatchlistCategory.MissingOrVulnerable);
        DateTimeOffset at = (await material.RecordAsync(atRisk)).RaisedAt;

        Assert.Equal([atRisk, missing, first, second], await ListedAsync(new AlertFilter { AsQueue = true }));
        Assert.Equal([second], await ListedAsync(new AlertFilter { Camera = "bridge" }));
        Assert.Equal([missing, atRisk], await ListedAsync(new AlertFilter { From = at }));
        Assert.Equal([second, first], await ListedAsync(new AlertFilter { Before = at }));
        Assert.Empty(await ListedAsync(new AlertFilter { DeploymentId = Guid.NewGuid() }));
        Assert.Equal([missing, atRisk, second, first], await ListedAsync(new AlertFilter { DeploymentId = material.Deployment, Reference = "w-1" }));
        Assert.Empty(await ListedAsync(new AlertFilter { Reference = "W-18" }));
        AlertChoices choices = await material.Alerts.ChoicesAsync(Actor.Engine, TestContext.Current.CancellationToken);
        Assert.Equal(["bridge", "gate"], choices.Cameras);
        Assert.Equal([KeyValuePair.Create(material.Deployment, "High Street")], choices.Deployments);

        await material.Alerts.EraseAsync(a => a.Id == first, "time-up");
        Assert.Equal([atRisk, missing, second], await ListedAsync(new AlertFilter { AsQueue = true }));
        Assert.DoesNotContain(first, await ListedAsync(new AlertFilter { Reference = "W-17" }));
        Assert.Contains(first, await ListedAsync(new AlertFilter()));
        Assert.Equal(3, (await material.Alerts.CountAsync(Actor.Engine, TestContext.Current.CancellationToken))[AlertState.Raised]);

        async Task<Guid[]> ListedAsync(AlertFilter filter) => [.. (await material.Alerts.ListAsync(Actor.Engine, filter, TestContext.Current.CancellationToken)).Select(a => a.Id)];
    }
}
