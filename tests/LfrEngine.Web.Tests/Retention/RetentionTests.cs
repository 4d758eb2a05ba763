using System.Security.Claims;
using LfrEngine.Web.Tests.Alerts;
using LfrEngine.Memory;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Retention;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Retention;

/// <summary>Nothing is kept too long: not over a restart, not after a crash, not with a clock that is set.</summary>
[Trait("Speed", "slow")]
public sealed class RetentionTests
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24), Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Rejected_Alert_IsErasedAtOnceWithItsSightings()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid person = await material.AddPersonAsync(), alert = await material.RaiseAsync(person), sighting = await material.RaiseAsync(person);
        var traces = new List<byte[]>();
        foreach (Guid id in (Guid[])[alert, sighting])
            traces.AddRange(await TracesAsync(material, id));
        Assert.True(HoldsAny(host, traces), "what is looked for must be there before");

        await material.Alerts.DecideAsync(await material.OfficerAsync("olga", Roles.Operator), alert, AlertState.Rejected, "");

        AssertErased(await material.RecordAsync(alert));
        AssertErased(await material.RecordAsync(sighting));
        Assert.False(HoldsAny(host, traces));
        Assert.Equal(2, (await material.EntriesAsync("alert.pictures-erased")).Length);
    }

    [Fact]
    public async Task OtherAlerts_TimeIsUp_AreErasedBeforeItIs()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        await material.Alerts.DecideAsync(await material.OfficerAsync("olga", Roles.Operator), alert, AlertState.Viable, "");
        List<byte[]> traces = await TracesAsync(material, alert);
        Task erased = AlertMaterial.NextAsync(host, "alert.pictures-erased");

        time.Pass(Day - Minute);
        Assert.Null((await material.RecordAsync(alert)).ErasedAt);
        time.Pass(Minute - TimeSpan.FromSeconds(1));
        await erased;

        AlertRecord record = await material.RecordAsync(alert);
        AssertErased(record);
        Assert.True(record.ErasedAt <= record.EraseBy);
        Assert.Equal(AlertState.Viable, record.State);
        await material.Alerts.EraseAsync(_ => true, "time-up");
        Assert.False(HoldsAny(host, traces));
    }

    [Fact]
    public async Task ClockSetBack_WhileItRuns_ProlongsNothing()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        time.SetWall(TimeSpan.FromHours(-20));
        Guid later = await material.RaiseAsync(await material.AddPersonAsync());
        Task erased = AlertMaterial.NextAsync(host, "alert.pictures-erased");

        time.Pass(Day - TimeSpan.FromSeconds(1));
        await erased;

        AssertErased(await material.RecordAsync(alert));
        AssertErased(await material.RecordAsync(later));
    }

    [Fact]
    public async Task ClockSetForward_WhileItRuns_ErasesEarlier()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        Task erased = AlertMaterial.NextAsync(host, "alert.pictures-erased");
        time.SetWall(Day);

        time.Pass(RetentionPolicy.LookEvery);
        await erased;
        // And back again: what is taken in now lives no longer for it.
        time.SetWall(-Day);
        Guid later = await material.RaiseAsync(await material.AddPersonAsync());
        Task again = AlertMaterial.NextAsync(host, "alert.pictures-erased");
        time.Pass(Day - TimeSpan.FromSeconds(1));
        await again;

        AssertErased(await material.RecordAsync(alert));
        AssertErased(await material.RecordAsync(later));
    }

    [Fact]
    public async Task Restart_TimeCameWhileAway_IsErasedBeforeAnythingIsServed()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid old = await material.RaiseAsync(await material.AddPersonAsync());
        time.Pass(TimeSpan.FromHours(1));
        Guid young = await material.RaiseAsync(await material.AddPersonAsync());
        // Real time passes while nothing runs that would count it.
        time.SetWall(Day - Minute);

        await host.RestartAsync();

        AssertErased(await material.RecordAsync(old));
        Assert.Null((await material.RecordAsync(young)).ErasedAt);
    }

    [Fact]
    public async Task Restart_ClockWasSetBackWhileAway_ErasesAll()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        time.SetWall(TimeSpan.FromHours(-1));

        await host.RestartAsync();

        AssertErased(await material.RecordAsync(alert));
        Assert.Contains("clock-lost", (await material.EntriesAsync("alert.pictures-erased")).Single().Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restart_ClockWasPutRightWhileItRan_KeepsWhatIsNotDue()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        time.SetWall(TimeSpan.FromHours(-1));
        time.Pass(RetentionPolicy.LookEvery);
        host.Services.GetRequiredService<RetentionClock>().Save();

        await host.RestartAsync();
        Assert.Null((await material.RecordAsync(alert)).ErasedAt);
        Task erased = AlertMaterial.NextAsync(host, "alert.pictures-erased");
        time.Pass(Day - RetentionPolicy.LookEvery - TimeSpan.FromSeconds(1));
        await erased;

        AssertErased(await material.RecordAsync(alert));
    }

    [Fact]
    public async Task Watchlist_DestroyByHasCome_IsDestroyed()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        await material.AddPersonAsync();
        await host.Journal.ChangeAsync(Actor.Engine, async (store, _) =>
        {
            (await store.Deployments.SingleAsync(TestContext.Current.CancellationToken)).State = DeploymentState.Ended;
            (await store.Watchlists.SingleAsync(w => w.Id == material.Watchlist, TestContext.Current.CancellationToken)).DestroyBy = new RetentionPolicy(host.Installation).DestroyWatchlistBy(time.GetUtcNow());
        }, TestContext.Current.CancellationToken);
        Task destroyed = AlertMaterial.NextAsync(host, "watchlist.destroyed");

        time.Pass(Day - Minute);
        Assert.True(material.Vault.Has(material.Watchlist));
        time.Pass(Minute - TimeSpan.FromSeconds(1));
        await destroyed;

        Assert.False(material.Vault.Has(material.Watchlist));
    }

    /// <summary>Begun and forgotten: nothing is kept without an end.</summary>
    [Fact]
    public async Task WatchlistAndForm_NobodyUsesThem_AreDestroyedInTime()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync((c, _) => c with { Retention = c.Retention with { UnusedWatchlistDays = 2 } }, time);
        KeyVault vault = host.Services.GetRequiredService<KeyVault>();
        Guid forgotten = await host.Services.GetRequiredService<WatchlistService>().CreateAsync(Actor.CommandLine, "Forgotten", TestContext.Current.CancellationToken);
        Task destroyed = AlertMaterial.NextAsync(host, "watchlist.destroyed");
        var form = new AuthorityForm("Forgotten", "", "", "", "", "", [], 2, forgotten, 1, [], new ImpactAssessments("", "", ""), Guid.Empty);
        await host.Services.GetRequiredService<AuthorityService>().SaveFormAsync(new Actor(Guid.NewGuid().ToString(), "Dora"), Guid.NewGuid(), form, TestContext.Current.CancellationToken);

        time.Pass(2 * Day - Minute);
        Assert.True(vault.Has(forgotten));
        time.Pass(Minute - TimeSpan.FromSeconds(1));
        await destroyed;

        Assert.False(vault.Has(forgotten));
        time.Pass(RetentionPolicy.UnfinishedForms - (2 * Day) - Minute);
        Assert.Equal(1, await host.ReadAsync(s => s.AuthorityForms.CountAsync(TestContext.Current.CancellationToken)));
        Task deleted = AlertMaterial.NextAsync(host, "deployment.form-deleted");
        time.Pass(Minute);
        await deleted;
        Assert.Equal(0, await host.ReadAsync(s => s.AuthorityForms.CountAsync(TestContext.Current.CancellationToken)));
    }

    /// <summary>The power is cut after the pictures are sealed and before their record is committed.</summary>
    [Fact, Trait("Store", "sqlite")]
    public async Task PowerCut_BetweenSealingAndCommitting_LeavesNoReadablePicture()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid person = await material.AddPersonAsync();
        await host.Journal.NoteAsync(Actor.Engine, "test.begun", "test", new { }, TestContext.Current.CancellationToken);
        Task taking;
        string snapshot = host.PathOf("snapshot");
        using (var block = new SqliteConnection($"Data Source={host.Installation.DataPath("store.db")};Pooling=False"))
        {
            await block.OpenAsync(TestContext.Current.CancellationToken);
            using SqliteTransaction held = block.BeginTransaction(deferred: false);
            using var keys = new FileSystemWatcher(Path.Combine(host.Installation.DataFolder, "keys")) { EnableRaisingEvents = true };
            var made = new TaskCompletionSource();
            keys.Created += (_, _) => made.TrySetResult();
            taking = Task.Run(() => material.Alerts.TakeAsync(material.Deployment, material.Alert(person)), TestContext.Current.CancellationToken);
            await made.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            Copy(host.Installation.DataFolder, snapshot);
        }
        await taking;
        Assert.Equal(2, Directory.GetFiles(Path.Combine(snapshot, "keys")).Length);

        await using RunningHost after = await RunningHost.StartAsync((c, folder) =>
        {
            Copy(snapshot, Path.Combine(folder, "data"));
            return c;
        });

        Assert.Equal([material.Watchlist], after.Services.GetRequiredService<KeyVault>().All());
        await using LfrStore store = after.Store();
        Assert.Empty(await store.Alerts.ToListAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The power is cut when the rejection is committed and the key is still there.</summary>
    [Fact, Trait("Store", "sqlite")]
    public async Task PowerCut_RejectedAndKeyNotYetDestroyed_IsMadeGoodAtTheStart()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        ClaimsPrincipal judge = await material.OfficerAsync("olga", Roles.Operator);
        string snapshot = host.PathOf("snapshot");
        host.Journal.Written += entries =>
        {
            if (entries.Any(e => e.Action == "alert.decided"))
                Copy(host.Installation.DataFolder, snapshot);
        };
        await material.Alerts.DecideAsync(judge, alert, AlertState.Rejected, "");
        Assert.True(File.Exists(Path.Combine(snapshot, "keys", $"{alert:N}.key")));

        await using RunningHost after = await RunningHost.StartAsync((c, folder) =>
        {
            Copy(snapshot, Path.Combine(folder, "data"));
            return c;
        });

        Assert.False(after.Services.GetRequiredService<KeyVault>().Has(alert));
        await using LfrStore store = after.Store();
        AssertErased(await store.Alerts.SingleAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The power is cut when the key is destroyed and the record does not say so yet.</summary>
    [Fact]
    public async Task PowerCut_KeyDestroyedAndNotYetRecorded_IsRecordedAtTheStart()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        material.Vault.Destroy(alert);

        await host.RestartAsync();

        AssertErased(await material.RecordAsync(alert));
        Assert.Contains("key-lost", (await material.EntriesAsync("alert.pictures-erased")).Single().Details, StringComparison.Ordinal);
    }

    [Fact, Trait("Store", "sqlite")]
    public async Task Restart_PolicyHasBecomeShorter_Holds()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        string data = host.Installation.DataFolder, snapshot = host.PathOf("snapshot");
        host.CloseStore();
        Copy(data, snapshot);

        await using RunningHost after = await RunningHost.StartAsync((c, folder) =>
        {
            Copy(snapshot, Path.Combine(folder, "data"));
            return c with { Retention = new RetentionConfig { AlertHours = 1 } };
        }, time);

        await using LfrStore store = after.Store();
        Assert.True((await store.Alerts.SingleAsync(a => a.Id == alert, TestContext.Current.CancellationToken)).EraseBy <= time.GetUtcNow() + TimeSpan.FromHours(1));
    }

    [Fact]
    public void Text_PolicyChanges_SaysWhatIsDone()
    {
        var installation = new Installation(new HostConfig { Name = "van", Retention = new RetentionConfig { AlertHours = 12, WatchlistHours = 0.5 } }, "/nowhere");
        var policy = new RetentionPolicy(installation);
        DateTimeOffset at = DateTimeOffset.UnixEpoch;

        string text = string.Join('\n', policy.Text().Select(r => $"{r.What}|{r.Hours}|{r.Text}"));

        Assert.Equal(at.AddHours(12), policy.EraseAlertBy(at));
        Assert.Contains("erased 12 hours after the alert", text, StringComparison.Ordinal);
        Assert.Contains("destroyed 30 minutes after the end", text, StringComparison.Ordinal);
        Assert.Contains("judged rejected|0|They are erased at once", text, StringComparison.Ordinal);
        Assert.Equal([AlertState.Rejected], Enum.GetValues<AlertState>().Where(RetentionPolicy.ErasesAtOnce));
    }

    private static void AssertErased(AlertRecord record)
    {
        Assert.NotNull(record.ErasedAt);
        Assert.Null(record.SealedProbe);
        Assert.Null(record.SealedMoment);
        Assert.Null(record.SealedReference);
        Assert.Null(record.SealedPerson);
    }

    // What must not be found any more: the key, the pictures, and even the sealed bytes.
    private static async Task<List<byte[]>> TracesAsync(AlertMaterial material, Guid alert)
    {
        AlertRecord record = await material.RecordAsync(alert);
        var traces = new List<byte[]> { record.SealedProbe!, record.SealedMoment!, record.SealedReference!, record.SealedPerson! };
        using HostBuffer<byte> key = material.Vault.Read(alert), probe = material.Vault.Unseal(alert, record.SealedProbe!, "probe"), moment = material.Vault.Unseal(alert, record.SealedMoment!, "moment"), reference = material.Vault.Unseal(alert, record.SealedReference!, "reference");
        traces.AddRange([key.Span.ToArray(), probe.Span.ToArray(), moment.Span.ToArray(), reference.Span.ToArray()]);
        return traces;
    }

    // Any 32 bytes of any of them, at any place of any file of the data folder.
    private static bool HoldsAny(RunningHost host, List<byte[]> traces)
    {
        foreach (string file in Directory.EnumerateFiles(host.Installation.DataFolder, "*", SearchOption.AllDirectories))
        {
            using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var copy = new MemoryStream();
            open.CopyTo(copy);
            ReadOnlySpan<byte> bytes = copy.GetBuffer().AsSpan(0, (int)copy.Length);
            foreach (byte[] trace in traces)
            {
                for (int at = 0; at + 32 <= trace.Length; at += 32)
                {
                    if (bytes.IndexOf(trace.AsSpan(at, 32)) >= 0)
                        return true;
                }
            }
        }
        return false;
    }

    // As the disk is at this moment: the log's shared memory is not on it.
    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith("-shm", StringComparison.Ordinal)))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using FileStream copy = File.Create(target);
            open.CopyTo(copy);
        }
    }
}
