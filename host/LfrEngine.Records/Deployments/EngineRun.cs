using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using LfrEngine.Alerts;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Records.Receipts;

namespace LfrEngine.Records.Deployments;

/// <summary>One run of the engine for a deployment: from a start to the next pause or the end.</summary>
/// <remarks>
/// The cameras run on separate threads. Alerts pass through a bounded queue, so that a slow store does not delay the cameras; only if the queue
/// is full does the engine wait. An alert that cannot be stored stops the run, because an engine whose alerts nobody sees
/// must not watch people.
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

    /// <summary>The result of the run, once everything is wiped and every alert is stored. Fails with the exception that ended the run.</summary>
    public Task<RunReport> Completion { get; }

    /// <summary>Why an alert could not be stored; null if all were.</summary>
    public Exception? LostAlert { get; private set; }

    /// <summary>Tracklets good enough to be compared so far.</summary>
    public long FacesSeen => statuses.Sum(s => s.FacesSeen);

    /// <summary>How long it has been running.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(started);

    /// <summary>Starts a run.</summary>
    /// <param name="deployment">Whose.</param>
    /// <param name="models">Borrowed for the run.</param>
    /// <param name="gallery">Loaded to the search device. The run takes ownership and wipes it.</param>
    /// <param name="settings">Thresholds and devices.</param>
    /// <param name="cameras">What to watch.</param>
    /// <param name="take">Stores an alert, and disposes it in any case.</param>
    public static EngineRun Start(Guid deployment, EngineModels models, Gallery gallery, PipelineSettings settings, CameraSettings[] cameras, Func<Alert, Task> take) =>
        new(deployment, models, gallery, settings, cameras, take);

    /// <summary>The live view of a camera; null if the camera is not in this run.</summary>
    public LiveView? ViewOf(string camera) => cameras.FirstOrDefault(c => c.Name == camera)?.LiveView;

    /// <summary>The next missed erasure deadline that has not been reported.</summary>
    public bool TryTakeMiss(out DeadlineMiss miss) => misses.TryDequeue(out miss);

    /// <summary>Requests a stop; <see cref="Completion"/> completes when it has stopped.</summary>
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
#pragma warning disable CA1031 // Any exception of the store: the other alerts are still stored, and the run stops with an error.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LostAlert ??= e;
                Stop();
            }
        }
    }
}
