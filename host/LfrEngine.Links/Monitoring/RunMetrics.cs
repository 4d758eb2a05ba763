using System.Net;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using Prometheus;

namespace LfrEngine.Links.Monitoring;

/// <summary>Serves a run's counters and the lifetimes of what it erased to Prometheus (docs/metrics.md). Camera names are the only labels chosen by users.</summary>
internal sealed class RunMetrics : IDisposable
{
    private static readonly double[] Shares = [0.5, 0.99];

    private readonly MetricServer server;

    private RunMetrics(MetricServer server) => this.server = server;

    /// <summary>Starts serving.</summary>
    /// <param name="address">HOST:PORT, or PORT alone for the loopback interface.</param>
    /// <param name="cameras">Read at every scrape.</param>
    /// <param name="totals">Read at every scrape.</param>
    /// <exception cref="CommandFailure">The address is not valid or is in use.</exception>
    public static RunMetrics Serve(string address, IReadOnlyList<CameraStatus> cameras, RunTotals totals)
    {
        int colon = address.LastIndexOf(':');
        string host = colon > 0 ? address[..colon] : IPAddress.Loopback.ToString();
        if (!ushort.TryParse(address[(colon + 1)..], System.Globalization.NumberStyles.None, null, out ushort port) || port == 0 || colon == 0)
            throw new CommandFailure(ExitCode.Usage, $"--metrics \"{address}\" is not ADDRESS:PORT, for example 127.0.0.1:9464.");

        CollectorRegistry registry = Metrics.NewCustomRegistry();
        Fill(registry, cameras, [totals]);
        var server = new MetricServer(host, port, registry: registry);
        try
        {
            server.Start();
        }
        catch (Exception e) when (e is HttpListenerException or ArgumentException)
        {
            server.Dispose();
            throw new CommandFailure(ExitCode.Environment, $"Metrics cannot be served at {address}: {e.Message} Give another address with --metrics.", e);
        }
        return new RunMetrics(server);
    }

    public void Dispose()
    {
        server.Stop();
        server.Dispose();
    }

    /// <summary>Adds the counters of runs: counts together, times of the slowest.</summary>
    /// <param name="registry">To which.</param>
    /// <param name="cameras">Of all runs. Read at every scrape.</param>
    /// <param name="runs">At least one. Read at every scrape.</param>
    internal static void Fill(CollectorRegistry registry, IReadOnlyList<CameraStatus> cameras, IReadOnlyList<RunTotals> runs)
    {
        FillCameras(registry, cameras);
        MetricFactory make = Metrics.WithCustomRegistry(registry);
        Gauge lifetime = make.CreateGauge("lfr_erasure_lifetime_seconds", "How long data of a face was held before it was wiped.", "kind", "quantile");
        Counter erased = make.CreateCounter("lfr_erasures_total", "Items of face data wiped.", "kind");
        Counter breaches = make.CreateCounter("lfr_erasure_deadline_breaches_total", "Times that data of a face was held after its verdict for longer than the deadline.");
        Gauge alertLatency = make.CreateGauge("lfr_capture_to_alert_seconds", "From the arrival of the frame that completed the evidence until the alert.", "quantile");

        registry.AddBeforeCollectCallback(() =>
        {
            foreach (IGrouping<string, LatencyHistogram> kind in runs.SelectMany(r => r.Erasure.Kinds).GroupBy(k => k.Kind, k => k.Lifetimes))
            {
                Quantiles(lifetime, [.. kind], kind.Key);
                erased.WithLabels(kind.Key).IncTo(kind.Sum(h => h.Count));
            }
            breaches.IncTo(runs.Sum(r => r.Erasure.DeadlineBreaches));
            Quantiles(alertLatency, [.. runs.Select(r => r.CaptureToAlert)]);
        });
    }

    private static void FillCameras(CollectorRegistry registry, IReadOnlyList<CameraStatus> cameras)
    {
        MetricFactory make = Metrics.WithCustomRegistry(registry);
        Counter decoded = make.CreateCounter("lfr_frames_decoded_total", "Frames decoded.", "camera");
        Counter analysed = make.CreateCounter("lfr_frames_analysed_total", "Frames analysed.", "camera");
        Counter dropped = make.CreateCounter("lfr_frames_dropped_total", "Frames dropped because a newer one came first.", "camera");
        Counter seen = make.CreateCounter("lfr_faces_seen_total", "Tracklets good enough to be compared.", "camera");
        Counter alerts = make.CreateCounter("lfr_alerts_total", "Alerts raised.", "camera");
        Counter reconnects = make.CreateCounter("lfr_reconnects_total", "Times that the source was reopened.", "camera");
        Gauge up = make.CreateGauge("lfr_camera_up", "1 while the camera works.", "camera");
        Gauge clock = make.CreateGauge("lfr_camera_clock_good", "1 while the camera's time stamps can be used.", "camera");

        registry.AddBeforeCollectCallback(() =>
        {
            foreach (CameraStatus camera in cameras)
            {
                decoded.WithLabels(camera.Name).IncTo(camera.FramesDecoded);
                analysed.WithLabels(camera.Name).IncTo(camera.FramesAnalysed);
                dropped.WithLabels(camera.Name).IncTo(camera.FramesDropped);
                seen.WithLabels(camera.Name).IncTo(camera.FacesSeen);
                alerts.WithLabels(camera.Name).IncTo(camera.Alerts);
                reconnects.WithLabels(camera.Name).IncTo(camera.Reconnects);
                up.WithLabels(camera.Name).Set(camera.State == CameraState.Running ? 1 : 0);
                clock.WithLabels(camera.Name).Set(camera.Clock == ClockHealth.Good ? 1 : 0);
            }
        });
    }

    private static void Quantiles(Gauge gauge, IReadOnlyList<LatencyHistogram> runs, params string[] labels)
    {
        foreach (double share in Shares)
            gauge.WithLabels([.. labels, share.ToString(System.Globalization.CultureInfo.InvariantCulture)]).Set(runs.Max(h => h.PercentileMs(share)) / 1000);
        gauge.WithLabels([.. labels, "1"]).Set(runs.Max(h => h.MaximumMs) / 1000);
    }
}
