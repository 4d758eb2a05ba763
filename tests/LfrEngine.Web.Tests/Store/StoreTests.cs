using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Web.Tests;

/// <summary>The same store on SQLite and on PostgreSQL.</summary>
[Trait("Speed", "slow")]
public sealed class StoreTests
{
    private static readonly DateTimeOffset Instant = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.FromHours(2)).AddTicks(1234560);

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Migrations_AreThoseOfTheModel(StoreKind kind)
    {
        await using RunningHost host = await RunningHost.StartAsync(kind: kind);
        await using LfrStore store = host.Store();

        Assert.False(store.Database.HasPendingModelChanges());
        Assert.Empty(await store.Database.GetPendingMigrationsAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Back to each form that a store ever had, and forward again: alerts stay.</summary>
    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Migrations_BackAndForward_KeepAlerts(StoreKind kind)
    {
        await using RunningHost host = await RunningHost.StartAsync(kind: kind);
        CancellationToken token = TestContext.Current.CancellationToken;
        Guid id = Guid.NewGuid();
        await host.Journal.ChangeAsync(Actor.Engine, (store, _) =>
        {
            store.Alerts.Add(new AlertRecord
            {
                Id = id, DeploymentId = Guid.NewGuid(), EngineId = "gate/1", PersonId = Guid.NewGuid(), Category = WatchlistCategory.Wanted, Camera = "gate", Score = 0.625f, Threshold = 0.5f,
                CapturedAt = Instant, RaisedAt = Instant, SealedProbe = [0, 255, 1], SealedMoment = [7], EraseBy = Instant.AddHours(24), Log10LikelihoodRatio = 3.25, LikelihoodRatioAtBound = true, LikelihoodListSize = 1200,
            });
            return Task.CompletedTask;
        }, token);
        await using LfrStore store = host.Store();
        AlertRecord before = await store.Alerts.AsNoTracking().SingleAsync(a => a.Id == id, token);
        Assert.Equal((3.25, true, 1200), (before.Log10LikelihoodRatio, before.LikelihoodRatioAtBound, before.LikelihoodListSize));
        IMigrator migrator = store.GetService<IMigrator>();
        string[] forms = [.. store.Database.GetMigrations().Reverse()];

        foreach (string form in forms.Skip(1))
        {
            await migrator.MigrateAsync(form, token);
            Assert.Equal(form, (await store.Database.GetAppliedMigrationsAsync(token)).Last());
        }
        await migrator.MigrateAsync(null, token);

        AlertRecord after = await store.Alerts.AsNoTracking().SingleAsync(a => a.Id == id, token);
        Assert.Equal((0.625f, Instant, before.State), (after.Score, after.CapturedAt, after.State));
        Assert.Equal(before.SealedProbe, after.SealedProbe);
        // What the older form had no place for is gone, and is not made up.
        Assert.Null(after.SealedMoment);
        Assert.Equal((null, false, 0), (after.Log10LikelihoodRatio, after.LikelihoodRatioAtBound, after.LikelihoodListSize));
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Journal_ManyAtOnce_HangTogetherAfterReading(StoreKind kind)
    {
        await using RunningHost host = await RunningHost.StartAsync(kind: kind);
        CancellationToken token = TestContext.Current.CancellationToken;
        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => host.Journal.NoteAsync(Actor.Engine, "test.many", $"test/{i}", new { Ümlaut = "größer <&> \"' 人", Number = i / 7.0 }, token)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Journal.ChangeAsync(Actor.Engine, async (store, entries) =>
        {
            store.Watchlists.Add(new WatchlistRecord { Id = Guid.NewGuid(), Name = "lost", CreatedAt = Instant });
            await store.SaveChangesAsync(token);
            entries.Note("test.lost", "test/2", new { });
            throw new InvalidOperationException("no");
        }, token));
        await host.RestartAsync();
        await host.Journal.NoteAsync(Actor.Engine, "test.after", "test/31", new { }, token);

        await using LfrStore store = host.Store();
        var check = new AuditCheck();
        Assert.Equal(31, check.Pass(AuditFile.Lines(store).Where(l => l.Entry is not null), null).Count(e => e.Action.StartsWith("test.", StringComparison.Ordinal)));
        Assert.Null(check.Fault);
        Assert.Empty(await store.Watchlists.ToArrayAsync(token));
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Values_ComeBackAsTheyWere_AndInOrder(StoreKind kind)
    {
        await using RunningHost host = await RunningHost.StartAsync(kind: kind);
        CancellationToken token = TestContext.Current.CancellationToken;
        Guid deployment = Guid.NewGuid();
        byte[] sealedBytes = [0, 255, 1, 2, 3];
        await host.Journal.ChangeAsync(Actor.Engine, (store, _) =>
        {
            for (int i = 0; i < 3; i++)
            {
                store.Alerts.Add(new AlertRecord
                {
                    Id = Guid.NewGuid(), DeploymentId = deployment, EngineId = $"gate/{i}", PersonId = Guid.NewGuid(), Category = WatchlistCategory.MissingOrVulnerable, Camera = "gate",
                    Score = 0.1234567f, Threshold = 0.5f, CapturedAt = Instant, RaisedAt = Instant.AddMicroseconds(3 - i), State = AlertState.OtherDisposal, SealedProbe = i == 0 ? sealedBytes : null, EraseBy = Instant.AddHours(24),
                });
            }
            return Task.CompletedTask;
        }, token);

        await using LfrStore store = host.Store();
        AlertRecord[] found = await store.Alerts.Where(a => a.DeploymentId == deployment && a.RaisedAt > Instant).OrderBy(a => a.RaisedAt).ToArrayAsync(token);
        Assert.Equal(["gate/2", "gate/1", "gate/0"], found.Select(a => a.EngineId));
        AlertRecord first = found[^1];
        Assert.Equal(sealedBytes, first.SealedProbe);
        Assert.Equal(Instant, first.CapturedAt);
        Assert.Equal(0.1234567f, first.Score);
        Assert.Equal((WatchlistCategory.MissingOrVulnerable, AlertState.OtherDisposal), (first.Category, first.State));
        Assert.Equal(3, await store.Alerts.CountAsync(a => a.ErasedAt == null && a.EraseBy < Instant.AddHours(25), token));
    }
}
