using LfrEngine.Alerts;
using LfrEngine.DirectX.Devices;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Deployments;

/// <summary>Runs deployments, several at once: each with its own authority, list, cameras and receipts. The engine runs only while an authority says so.</summary>
/// <remarks>
/// Officers start, pause and end (<see cref="StartAsync(Actor, Guid, CancellationToken)"/>, …); the runner itself looks once a second whether the authority
/// still holds, and stops when it does not: at the end of the window for good, for any other reason until an officer starts it again. Every run leaves an
/// erasure receipt in the folder <c>receipts</c> of the data folder. What is counted is stored every few seconds, so that a crash loses no more; a deployment that was
/// running then is paused when the program starts again, since nobody saw its cameras meanwhile. Deployments share the networks and the devices, and nothing else: a camera
/// belongs to one of them at a time.
/// </remarks>
internal sealed partial class DeploymentRunner(Installation installation, CameraRegister known, IDbContextFactory<LfrStore> stores, Journal journal, DeploymentLedger ledger, AuthorityService authorities, WatchlistService watchlists,
    AlertService alerts, ModelCatalog catalog, TimeProvider time, ILogger<DeploymentRunner> log) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StoreEvery = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim turn = new(1);
    private volatile IReadOnlyList<RunningDeployment> all = [];
    private EngineDevices? devices;
    private EngineModels? models;

    /// <summary>Told once a second while a deployment runs, and whenever one starts or stops. On a thread of the runner, which must not be held up.</summary>
    public event Action? Changed;

    /// <summary>The deployments that run now, in the order of their starts.</summary>
    public IReadOnlyList<RunningDeployment> Running => all;

    /// <summary>A deployment that runs now; null if it does not.</summary>
    public RunningDeployment? Find(Guid deployment) => all.FirstOrDefault(d => d.Id == deployment);

    /// <summary>The deployment that uses a camera now; null if none does.</summary>
    public RunningDeployment? Using(string camera) => all.FirstOrDefault(d => d.Run.ViewOf(camera) is not null);

    /// <summary>Starts a deployment, or goes on with a paused one.</summary>
    /// <param name="actor">Who does it.</param>
    /// <param name="deployment">Signed or paused.</param>
    /// <param name="stopping">Before it runs.</param>
    /// <exception cref="DeploymentRefusedException">It may not run, or cannot; every reason in words.</exception>
    public async Task StartAsync(Actor actor, Guid deployment, CancellationToken stopping = default)
    {
        await CheckCrewAsync(actor, deployment);
        await InTurnAsync(async () =>
        {
            IReadOnlyList<string> reasons = await RefusalsAsync(deployment, stopping);
            if (reasons.Count == 0)
                reasons = await TryStartAsync(actor, deployment, stopping);
            if (reasons.Count > 0)
            {
                await journal.NoteAsync(actor, "deployment.refused", DeploymentLedger.Subject(deployment), new { reasons }, stopping);
                throw new DeploymentRefusedException(reasons);
            }
        }, stopping);
        Tell();
    }

    /// <summary>Stops the engine; an officer may start it again inside the window.</summary>
    /// <param name="actor">Who does it.</param>
    /// <param name="deployment">The one that runs.</param>
    /// <param name="reason">In words, for the audit; null when it is given later (<see cref="ExplainPauseAsync"/>), so that nobody types while the engine should stand still.</param>
    /// <exception cref="DeploymentRefusedException">It does not run.</exception>
    public async Task PauseAsync(Actor actor, Guid deployment, string? reason = null)
    {
        await CheckCrewAsync(actor, deployment);
        await InTurnAsync(async () =>
        {
            await StopAsync(Find(deployment) ?? throw new DeploymentRefusedException(["The deployment is not running."]), actor, DeploymentState.Paused, reason);
        });
        Tell();
    }

    /// <summary>Records why a deployment was paused.</summary>
    /// <param name="actor">Who says it.</param>
    /// <param name="deployment">Paused without a reason.</param>
    /// <param name="reason">In words, for the audit.</param>
    /// <exception cref="DeploymentRefusedException">It is not paused, or its reason is known.</exception>
    public async Task ExplainPauseAsync(Actor actor, Guid deployment, string reason)
    {
        await InTurnAsync(() => ledger.ExplainPauseAsync(actor, deployment, reason));
        Tell();
    }

    /// <summary>Ends a deployment for good; its watchlist's time begins to run out.</summary>
    /// <param name="actor">Who does it.</param>
    /// <param name="deployment">Running or paused.</param>
    /// <param name="reason">In words, for the audit.</param>
    /// <exception cref="DeploymentRefusedException">It is neither.</exception>
    public async Task EndAsync(Actor actor, Guid deployment, string reason)
    {
        await CheckCrewAsync(actor, deployment);
        await InTurnAsync(async () =>
        {
            if (Find(deployment) is { } running)
                await StopAsync(running, actor, DeploymentState.Ended, reason);
            else if (await ledger.StateAsync(deployment) == DeploymentState.Paused)
                await ledger.EndIdleAsync(actor, deployment, reason);
            else
                throw new DeploymentRefusedException(["Only a running or paused deployment can be ended. Withdraw the authority of a deployment that was never started."]);
        });
        Tell();
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ledger.PauseInterruptedAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await InTurnAsync(async () =>
        {
            foreach (RunningDeployment running in all)
                running.Run.Stop();
            foreach (RunningDeployment running in all)
                await StopAsync(running, Actor.Engine, DeploymentState.Paused, "The program was stopped.");
        }, CancellationToken.None);
    }

    public override void Dispose()
    {
        // Where nobody stopped the program in an orderly way: what runs must not lose its models.
        foreach (RunningDeployment running in all)
        {
            running.Run.Stop();
            ((IAsyncResult)running.Run.Completion).AsyncWaitHandle.WaitOne();
            running.Run.Dispose();
        }
        models?.Dispose();
        devices?.Dispose();
        turn.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var clock = new PeriodicTimer(LookEvery, time);
        do
        {
            await turn.WaitAsync(stoppingToken);
            try
            {
                await GuardedAsync(() => ledger.EndOverdueAsync(stoppingToken), stoppingToken);
                foreach (RunningDeployment running in all)
                    await GuardedAsync(() => LookAsync(running), stoppingToken);
            }
            finally
            {
                turn.Release();
            }
            Tell();
        }
        while (await clock.WaitForNextTickAsync(stoppingToken));
    }

    // What fails for one deployment must not end the watch over another.
    private async Task GuardedAsync(Func<Task> look, CancellationToken stopping)
    {
        try
        {
            await look();
        }
#pragma warning disable CA1031 // A store that cannot be reached for a moment must not end the watch over the window.
        catch (Exception e) when (!stopping.IsCancellationRequested)
#pragma warning restore CA1031
        {
            WatchFailed(log, e);
            await StopUnwatchedAsync();
        }
    }

    private void Tell() => Changed?.Invoke();

    private async Task InTurnAsync(Func<Task> work, CancellationToken stopping = default)
    {
        await turn.WaitAsync(stopping);
        try
        {
            await work();
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task CheckCrewAsync(Actor actor, Guid deployment)
    {
        if (actor.Id.Length > 0 && (await Crews.ClosedToAsync(stores, actor.OfficerId)).Contains(deployment))
            throw new DeploymentRefusedException(["You do not belong to the crew of this deployment."]);
    }

    private async Task<IReadOnlyList<string>> RefusalsAsync(Guid deployment, CancellationToken stopping)
    {
        if (Find(deployment) is not null)
            return ["The deployment is running."];
        if (await authorities.RefusalsAsync(deployment, stopping) is { Count: > 0 } reasons)
            return reasons;
        if (LockOption.Shortage() is { } shortage && !installation.Config.Engine.AllowUnlocked)
            return [$"{shortage} Or accept the risk with \"allowUnlocked\" in lfr.json."];
        return [];
    }

    private async Task<IReadOnlyList<string>> TryStartAsync(Actor actor, Guid deployment, CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        DeploymentRecord record = await store.Deployments.AsNoTracking().FirstAsync(d => d.Id == deployment, stopping);
        WatchlistRecord list = await store.Watchlists.AsNoTracking().FirstAsync(w => w.Id == record.WatchlistId, stopping);
        Gallery? gallery = null;
        try
        {
            Authority authority = AuthorityService.Of(record);
            if (authority.Cameras.Select(c => (c.Name, Using: Using(c.Name))).FirstOrDefault(c => c.Using is not null) is { Using: { } other } taken)
                return [$"The camera {taken.Name} is in use by \"{other.Authority.Name}\". A camera belongs to one deployment at a time; pause or end that one first."];
            EngineConfig engine = installation.Config.Engine;
            devices ??= EngineDevices.Open(engine.Inference, engine.Decode, engine.Search, told => Told(log, told));
            models ??= EngineModels.Load(catalog, installation.Detector, embedder: installation.Embedder, backend: devices.Backend);
            using (Watchlist people = watchlists.Open(list))
                gallery = Gallery.Create(people, models.Embedder.Manifest.CoverScales);
            PipelineSettings settings = devices.Settings(authority.Thresholds, engine.DetectEveryMs, engine.Workers);
            CameraSettings[] cameras = [.. authority.Cameras.Select(c => known.SettingsOf(known.Find(c.Name)!) with { Decoder = devices.Decoder })];
            EngineDevices.Load(settings, gallery);

            // Written first: should the program die in between, a deployment that did not run is found running, not one that did is found idle.
            (long faces, double seconds) = await ledger.BeginAsync(actor, deployment, stopping);
            EngineRun run = EngineRun.Start(deployment, models, gallery, settings, cameras, alert => alerts.TakeAsync(deployment, alert));
            gallery = null;
            all = [.. all, new RunningDeployment(run, authority, new CameraWatch(run, authority, time), faces, seconds, time)];
            return [];
        }
        catch (Exception e) when (e is CommandFailure or ModelLoadException or WatchlistException or WatchlistRefusedException or GpuException or VulkanException or MediaException or DllNotFoundException or KeyDestroyedException)
        {
            return [e.Message];
        }
        finally
        {
            gallery?.Dispose();
        }
    }

    // Once a second while it runs.
    private async Task LookAsync(RunningDeployment deployment)
    {
        EngineRun running = deployment.Run;
        var changes = new List<(string Camera, bool Lost, string Reason)>();
        var tooFew = new List<TooFewSearched>();
        deployment.Health = deployment.Watch.Look(changes, tooFew);
        foreach ((string camera, bool lost, string reason) in changes)
            await journal.NoteAsync(Actor.Engine, lost ? "camera.lost" : "camera.returned", DeploymentLedger.Subject(running.Deployment), new { camera, reason });
        while (running.TryTakeMiss(out DeadlineMiss miss))
            await journal.NoteAsync(Actor.Engine, "erasure.deadline-missed", DeploymentLedger.Subject(running.Deployment), new { miss.Milliseconds, miss.StillHeld });

        if (running.LostAlert is { } lostAlert)
        {
            AlertLost(log, lostAlert);
            await StopAsync(deployment, Actor.Engine, DeploymentState.Paused, $"An alert could not be stored: {lostAlert.Message}");
        }
        else if (running.Completion.IsCompleted)
        {
            IEnumerable<string> failed = deployment.Health.Where(c => c.State == CameraState.Failed).Select(c => $" {c.Name}: {c.Message}");
            await StopAsync(deployment, Actor.Engine, DeploymentState.Paused, $"All cameras have ended.{string.Concat(failed)}");
        }
        else if (await authorities.RefusalsAsync(running.Deployment) is { Count: > 0 } reasons)
        {
            bool over = time.GetUtcNow() >= deployment.Authority.End;
            await StopAsync(deployment, Actor.Engine, over ? DeploymentState.Ended : DeploymentState.Paused, string.Join(' ', reasons));
        }
        else if (tooFew.Count > 0)
        {
            foreach (TooFewSearched few in tooFew)
                await journal.NoteAsync(Actor.Engine, "camera.searched-too-seldom", DeploymentLedger.Subject(running.Deployment), new { camera = few.Camera, perSecond = Math.Round(few.PerSecond, 2), least = few.Least.PerSecond, seconds = few.Least.ForSeconds });
            await StopAsync(deployment, Actor.Engine, DeploymentState.Paused, string.Join(' ', tooFew.Select(f => FormattableString.Invariant(
                $"Camera {f.Camera} was searched {f.PerSecond:0.##} times per second for {f.Least.ForSeconds} s; the authority demands at least {f.Least.PerSecond:0.##}. Use fewer cameras, or a faster machine."))));
        }
        else if (time.GetElapsedTime(deployment.StoredAt) >= StoreEvery)
        {
            deployment.StoredAt = time.GetTimestamp();
            await journal.ChangeAsync(Actor.Engine, async (store, _) => deployment.Count(await store.Deployments.FirstAsync(d => d.Id == running.Deployment)));
        }
    }

    // The store cannot be asked whether the authority holds: its window is known all the same.
    private async Task StopUnwatchedAsync()
    {
        foreach (RunningDeployment over in all.Where(d => time.GetUtcNow() >= d.Authority.End))
        {
            over.Run.Stop();
            await ((Task)over.Run.Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task StopAsync(RunningDeployment deployment, Actor actor, DeploymentState state, string? reason)
    {
        EngineRun running = deployment.Run;
        running.Stop();
        await ((Task)running.Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        string? receipt = null;
        if (running.Completion.Exception?.InnerException is { } failure)
        {
            EngineStopped(log, failure);
            reason = $"The engine stopped: {failure.Message}";
        }
        else
        {
            receipt = WriteReceipt(deployment, await running.Completion, ref reason);
        }
        await journal.ChangeAsync(actor, async (store, entries) =>
        {
            DeploymentRecord record = await store.Deployments.FirstAsync(d => d.Id == running.Deployment);
            deployment.Count(record);
            await ledger.CloseAsync(store, entries, record, state, reason, receipt);
        });
        all = [.. all.Where(d => d != deployment)];
        running.Dispose();
    }

    private string? WriteReceipt(RunningDeployment deployment, RunReport report, ref string? reason)
    {
        string name = $"{deployment.Id:N}-{report.Run}.json";
        try
        {
            using InstallationKey key = InstallationKey.Open();
            using ReceiptFile file = ReceiptFile.Take(installation.DataPath("receipts", name), report.Run);
            file.Write(ErasureReceipt.Of(report, deployment.StartedAt, time.GetUtcNow(), deployment.Authority.Watchlist.Id, models!).Sign(key));
            return name;
        }
        catch (CommandFailure e)
        {
            ReceiptNotWritten(log, e.Message);
            reason = $"{reason} The erasure receipt was not written: {e.Message}".TrimStart();
            return null;
        }
    }

    [LoggerMessage(LogLevel.Error, "Watching the deployment failed; trying again.")]
    private static partial void WatchFailed(ILogger log, Exception fault);

    [LoggerMessage(LogLevel.Information, "{What}")]
    private static partial void Told(ILogger log, string what);

    [LoggerMessage(LogLevel.Critical, "An alert could not be stored.")]
    private static partial void AlertLost(ILogger log, Exception fault);

    [LoggerMessage(LogLevel.Error, "The engine stopped.")]
    private static partial void EngineStopped(ILogger log, Exception fault);

    [LoggerMessage(LogLevel.Error, "The erasure receipt was not written: {Reason}")]
    private static partial void ReceiptNotWritten(ILogger log, string reason);
}

/// <summary>A deployment may not do what was asked; every reason in words.</summary>
public sealed class DeploymentRefusedException(IReadOnlyList<string> reasons) : Exception(string.Join(' ', reasons))
{
    /// <summary>One sentence each.</summary>
    public IReadOnlyList<string> Reasons { get; } = reasons;
}
