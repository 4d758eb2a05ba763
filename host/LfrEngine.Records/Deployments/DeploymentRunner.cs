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
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Deployments;

/// <summary>Runs deployments, one at a time: the engine runs only while an authority says so.</summary>
/// <remarks>
/// Officers start, pause and end (<see cref="StartAsync(Actor, Guid, CancellationToken)"/>, …); the runner itself looks once a second whether the authority
/// still holds, and stops when it does not: at the end of the window for good, for any other reason until an officer starts it again. Every run leaves an
/// erasure receipt in the folder <c>receipts</c> of the data folder. What is counted is stored every few seconds, so that a crash loses no more; a deployment that was
/// running then is paused when the program starts again, since nobody saw its cameras meanwhile.
/// </remarks>
internal sealed partial class DeploymentRunner(Installation installation, IDbContextFactory<LfrStore> stores, Journal journal, DeploymentLedger ledger, AuthorityService authorities, WatchlistService watchlists,
    AlertService alerts, ModelCatalog catalog, TimeProvider time, ILogger<DeploymentRunner> log) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StoreEvery = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim turn = new(1);
    private volatile EngineRun? run;
    private volatile IReadOnlyList<CameraHealth> health = [];
    private CameraWatch? watch;
    private Authority? authority;
    private EngineDevices? devices;
    private EngineModels? models;
    private DateTimeOffset startedAt;
    private long facesBefore;
    private double secondsBefore;
    private long storedAt;

    /// <summary>Told once a second while a deployment runs, and whenever one starts or stops. On a thread of the runner, which must not be held up.</summary>
    public event Action? Changed;

    /// <summary>The deployment that runs now; null when none does.</summary>
    public Guid? RunningDeployment => run?.Deployment;

    /// <summary>Faces seen by it so far, over all its runs; 0 when nothing runs.</summary>
    public long FacesSeen => run is { } running ? facesBefore + running.FacesSeen : 0;

    /// <summary>What its run counts; null when nothing runs.</summary>
    public (IReadOnlyList<CameraStatus> Cameras, RunTotals Totals)? Counts => run is { } now ? (now.Cameras, now.Totals) : null;

    /// <summary>How its cameras are doing, as of the last second.</summary>
    public IReadOnlyList<CameraHealth> Health => health;

    /// <summary>The pictures of a camera that runs now; null for any other.</summary>
    public LiveView? LiveView(string camera) => run?.ViewOf(camera);

    /// <summary>Starts a deployment, or goes on with a paused one.</summary>
    /// <param name="actor">Who does it.</param>
    /// <param name="deployment">Signed or paused.</param>
    /// <param name="stopping">Before it runs.</param>
    /// <exception cref="DeploymentRefusedException">It may not run, or cannot; every reason in words.</exception>
    public async Task StartAsync(Actor actor, Guid deployment, CancellationToken stopping = default)
    {
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
        await InTurnAsync(async () =>
        {
            if (run?.Deployment != deployment)
                throw new DeploymentRefusedException(["The deployment is not running."]);
            await StopAsync(actor, DeploymentState.Paused, reason);
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
        await InTurnAsync(async () =>
        {
            if (run?.Deployment == deployment)
                await StopAsync(actor, DeploymentState.Ended, reason);
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
            if (run is not null)
                await StopAsync(Actor.Engine, DeploymentState.Paused, "The program was stopped.");
        }, CancellationToken.None);
    }

    public override void Dispose()
    {
        // Where nobody stopped the program in an orderly way: what runs must not lose its models.
        run?.Stop();
        ((IAsyncResult?)run?.Completion)?.AsyncWaitHandle.WaitOne();
        run?.Dispose();
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
                if (run is null)
                    await ledger.EndOverdueAsync(stoppingToken);
                else
                    await LookAsync();
            }
#pragma warning disable CA1031 // A store that cannot be reached for a moment must not end the watch over the window.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                WatchFailed(log, e);
                await StopUnwatchedAsync();
            }
            finally
            {
                turn.Release();
            }
            Tell();
        }
        while (await clock.WaitForNextTickAsync(stoppingToken));
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

    private async Task<IReadOnlyList<string>> RefusalsAsync(Guid deployment, CancellationToken stopping)
    {
        if (run is { } running)
        {
            await using LfrStore store = await stores.CreateDbContextAsync(stopping);
            string? name = (await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == running.Deployment, stopping))?.Name;
            return [$"\"{name}\" is running, and only one deployment can run at a time. Pause or end it first."];
        }
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
            authority = AuthorityService.Of(record);
            EngineConfig engine = installation.Config.Engine;
            devices ??= EngineDevices.Open(engine.Inference, engine.Decode, engine.Search, told => Told(log, told));
            models ??= EngineModels.Load(catalog, installation.Detector, embedder: installation.Embedder, backend: devices.Backend);
            using (Watchlist people = watchlists.Open(list))
                gallery = Gallery.Create(people, models.Embedder.Manifest.CoverScales);
            PipelineSettings settings = devices.Settings(authority.Thresholds, engine.DetectEveryMs, engine.Workers);
            CameraSettings[] cameras = [.. authority.Cameras.Select(c => CameraOf(c.Name))];
            EngineDevices.Load(settings, gallery);

            // Written first: should the program die in between, a deployment that did not run is found running, not one that did is found idle.
            (facesBefore, secondsBefore) = await ledger.BeginAsync(actor, deployment, stopping);
            startedAt = time.GetUtcNow();
            storedAt = time.GetTimestamp();
            run = EngineRun.Start(deployment, models, gallery, settings, cameras, alert => alerts.TakeAsync(deployment, alert));
            gallery = null;
            watch = new CameraWatch(run, authority, time);
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

    private CameraSettings CameraOf(string name)
    {
        CameraConfig camera = installation.Config.Cameras.First(c => c.Name == name);
        // A path is relative to lfr.json; a URL is not.
        string source = camera.Source.Contains("://", StringComparison.Ordinal) ? camera.Source : installation.PathOf(camera.Source);
        Pace pace = camera.Pace switch { CameraPace.Realtime => Pace.RealTime, CameraPace.Max => Pace.Maximum, _ => Pace.Automatic };
        return new CameraSettings(name, source, pace) { Decoder = devices!.Decoder, Options = camera.Options };
    }

    // Once a second while the engine runs.
    private async Task LookAsync()
    {
        EngineRun running = run!;
        var changes = new List<(string Camera, bool Lost, string Reason)>();
        var tooFew = new List<TooFewSearched>();
        health = watch!.Look(changes, tooFew);
        foreach ((string camera, bool lost, string reason) in changes)
            await journal.NoteAsync(Actor.Engine, lost ? "camera.lost" : "camera.returned", DeploymentLedger.Subject(running.Deployment), new { camera, reason });
        while (running.TryTakeMiss(out DeadlineMiss miss))
            await journal.NoteAsync(Actor.Engine, "erasure.deadline-missed", DeploymentLedger.Subject(running.Deployment), new { miss.Milliseconds, miss.StillHeld });

        if (running.LostAlert is { } lostAlert)
        {
            AlertLost(log, lostAlert);
            await StopAsync(Actor.Engine, DeploymentState.Paused, $"An alert could not be stored: {lostAlert.Message}");
        }
        else if (running.Completion.IsCompleted)
        {
            IEnumerable<string> failed = health.Where(c => c.State == CameraState.Failed).Select(c => $" {c.Name}: {c.Message}");
            await StopAsync(Actor.Engine, DeploymentState.Paused, $"All cameras have ended.{string.Concat(failed)}");
        }
        else if (await authorities.RefusalsAsync(running.Deployment) is { Count: > 0 } reasons)
        {
            bool over = time.GetUtcNow() >= authority!.End;
            await StopAsync(Actor.Engine, over ? DeploymentState.Ended : DeploymentState.Paused, string.Join(' ', reasons));
        }
        else if (tooFew.Count > 0)
        {
            foreach (TooFewSearched few in tooFew)
                await journal.NoteAsync(Actor.Engine, "camera.searched-too-seldom", DeploymentLedger.Subject(running.Deployment), new { camera = few.Camera, perSecond = Math.Round(few.PerSecond, 2), least = few.Least.PerSecond, seconds = few.Least.ForSeconds });
            await StopAsync(Actor.Engine, DeploymentState.Paused, string.Join(' ', tooFew.Select(f => FormattableString.Invariant(
                $"Camera {f.Camera} was searched {f.PerSecond:0.##} times per second for {f.Least.ForSeconds} s; the authority demands at least {f.Least.PerSecond:0.##}. Use fewer cameras, or a faster machine."))));
        }
        else if (time.GetElapsedTime(storedAt) >= StoreEvery)
        {
            storedAt = time.GetTimestamp();
            await journal.ChangeAsync(Actor.Engine, async (store, _) => Count(await store.Deployments.FirstAsync(d => d.Id == running.Deployment), running));
        }
    }

    // The store cannot be asked whether the authority holds: its window is known all the same.
    private async Task StopUnwatchedAsync()
    {
        if (run is not { } running || time.GetUtcNow() < authority!.End)
            return;
        running.Stop();
        await ((Task)running.Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Count(DeploymentRecord record, EngineRun running)
    {
        record.FacesSeen = facesBefore + running.FacesSeen;
        record.RunningSeconds = secondsBefore + running.Elapsed.TotalSeconds;
    }

    private async Task StopAsync(Actor actor, DeploymentState state, string? reason)
    {
        EngineRun running = run!;
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
            receipt = WriteReceipt(running, await running.Completion, ref reason);
        }
        await journal.ChangeAsync(actor, async (store, entries) =>
        {
            DeploymentRecord record = await store.Deployments.FirstAsync(d => d.Id == running.Deployment);
            Count(record, running);
            await ledger.CloseAsync(store, entries, record, state, reason, receipt);
        });
        run = null;
        watch = null;
        health = [];
        running.Dispose();
    }

    private string? WriteReceipt(EngineRun running, RunReport report, ref string? reason)
    {
        string name = $"{running.Deployment:N}-{report.Run}.json";
        try
        {
            using InstallationKey key = InstallationKey.Open();
            using ReceiptFile file = ReceiptFile.Take(installation.DataPath("receipts", name), report.Run);
            file.Write(ErasureReceipt.Of(report, startedAt, time.GetUtcNow(), authority!.Watchlist.Id, models!).Sign(key));
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
