using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using LfrEngine.Alerts;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Records.Receipts;

namespace LfrEngine.Records.Deployments;

/// <summary>The engine at work for a deployment, once: from a start to the next pause or the end.</summary>
/// <remarks>
/// The cameras run on threads of their own. Alerts pass through a queue with an end, so that a store that is slow holds up no camera: only when
/// as many wait as would be a fault does the engine wait too. An alert that cannot be stored stops the run: an engine whose alerts nobody sees
/// has no business to look at people.
/// </remarks>
internal sealed class EngineRun : IDisposable
{
    private const int AlertQueue = 256;

    private readonly EngineModels models;
    private readonly Gallery gallery;
    private readonly PipelineSettings settings;
    private readonly CameraSettings[] cameras;
    private readonly Func<Alert, Task> take;
    private readonly CameraStatus[] statuses;
    private readonly Channel<Alert> alerts = Channel.CreateBounded<Alert>(new BoundedChannelOptions(AlertQueue) { SingleReader = true, SingleWriter = true });
    private readonly ConcurrentQueue<DeadlineMiss> misses = new();
    private readonly RunTotals totals;
    private readonly CancellationTokenSource stopping = new();
    private readonly long started = Stopwatch.GetTimestamp();

    private EngineRun(Guid deployment, EngineModels models, Gallery gallery, PipelineSettings settings, CameraSettings[] cameras, Func<Alert, Task> take)
    {
        Deployment = deployment;
        (this.models, this.gallery, this.settings, this.take) = (models, gallery, settings, take);
        this.cameras = [.. cameras.Select(c => c with { LiveView = new LiveView() })];
        statuses = [.. cameras.Select(c => new CameraStatus(c.Name))];
        totals = new RunTotals(misses.Enqueue);
        Completion = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Whose.</summary>
    public Guid Deployment { get; }

    /// <summary>One per camera; updated while running.</summary>
    public IReadOnlyList<CameraStatus> Cameras => statuses;

    /// <summary>What was erased, and how fast, and how fast alerts came; updated while running.</summary>
    public RunTotals Totals => totals;

    /// <summary>How the cameras were opened, in the same order.</summary>
    public IReadOnlyList<CameraSettings> CameraSettings => cameras;

    /// <summary>What the run came to, once everything of it is wiped and every alert stored; fails with what ended it.</summary>
    public Task<RunReport> Completion { get; }

    /// <summary>Why an alert could not be stored; null while all could.</summary>
    public Exception? LostAlert { get; private set; }

    /// <summary>Tracklets good enough to be compared so far.</summary>
    public long FacesSeen => statuses.Sum(s => s.FacesSeen);

    /// <summary>How long it has been running.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(started);

    /// <summary>Starts one.</summary>
    /// <param name="deployment">Whose.</param>
    /// <param name="models">Borrowed for the run.</param>
    /// <param name="gallery">Loaded where it is searched. Passes to the run, which wipes it.</param>
    /// <param name="settings">Thresholds and devices.</param>
    /// <param name="cameras">What to watch.</param>
    /// <param name="take">Stores an alert, and disposes it whether it can or not.</param>
    public static EngineRun Start(Guid deployment, EngineModels models, Gallery gallery, PipelineSettings settings, CameraSettings[] cameras, Func<Alert, Task> take) =>
        new(deployment, models, gallery, settings, cameras, take);

    /// <summary>The pictures of a camera; null for a camera that is not of this run.</summary>
    public LiveView? ViewOf(string camera) => cameras.FirstOrDefault(c => c.Name == camera)?.LiveView;

    /// <summary>The next missed erasure deadline that nobody has been told of.</summary>
    public bool TryTakeMiss(out DeadlineMiss miss) => misses.TryDequeue(out miss);

    /// <summary>Asks it to stop; <see cref="Completion"/> says when it has.</summary>
    public void Stop() => stopping.Cancel();

    /// <summary>After <see cref="Completion"/>.</summary>
    public void Dispose() => stopping.Dispose();

    private RunReport Run()
    {
        ErasureReading before = ErasureReading.Now();
        Task storing = Task.Run(StoreAsync);
        try
        {
            using (gallery)
                new LivePipeline(models, gallery, settings).Run(cameras, statuses, Hand, totals, stopping.Token);
        }
        finally
        {
            alerts.Writer.Complete();
            storing.GetAwaiter().GetResult();
        }
        return RunReport.From(totals, statuses, 0, before.UntilNow(totals));
    }

    private void Hand(Alert alert)
    {
        if (!alerts.Writer.TryWrite(alert))
            alerts.Writer.WriteAsync(alert).AsTask().GetAwaiter().GetResult();
    }

    private async Task StoreAsync()
    {
        await foreach (Alert alert in alerts.Reader.ReadAllAsync())
        {
            try
            {
                await take(alert);
            }
#pragma warning disable CA1031 // Whatever the store throws: the others are still stored, and the run stops, loudly.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LostAlert ??= e;
                Stop();
            }
        }
    }
}
