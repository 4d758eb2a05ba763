using System.Net;
using LfrEngine.Links.Headquarters;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Authorization;
using Microsoft.EntityFrameworkCore;
using Prometheus;

namespace LfrEngine.Links.Monitoring;

/// <summary>Metrics for Prometheus at <c>/metrics</c> (docs/metrics.md), for programs on this machine and for officers.</summary>
internal sealed class HostMetrics
{
    private readonly CollectorRegistry registry = Metrics.NewCustomRegistry();
    private readonly DeploymentRunner runner;

    public HostMetrics(IDbContextFactory<LfrStore> stores, Outbox outbox, DeploymentRunner runner, IServiceProvider services, TimeProvider time)
    {
        this.runner = runner;
        MetricFactory make = Metrics.WithCustomRegistry(registry);
        Gauge entries = make.CreateGauge("lfr_audit_entries", "Entries of the audit trail.");
        Gauge unsealed = make.CreateGauge("lfr_audit_unsealed_entries", "Entries after the last seal.");
        Gauge waiting = make.CreateGauge("lfr_outbox_messages", "Messages waiting for delivery.", "channel");
        Gauge oldest = make.CreateGauge("lfr_outbox_oldest_seconds", "Age of the oldest waiting message.", "channel");
        Gauge behind = make.CreateGauge("lfr_headquarters_behind_entries", "Entries of the trail that the headquarters has not confirmed; -1 until it has answered.");
        Gauge running = make.CreateGauge("lfr_deployment_running", "1 while a deployment runs.");
        HeadquartersSender? headquarters = services.GetService<HeadquartersSender>();
        registry.AddBeforeCollectCallback(async stopping =>
        {
            await using LfrStore store = await stores.CreateDbContextAsync(stopping);
            long last = await store.Audit.MaxAsync(e => (long?)e.Sequence, stopping) ?? 0, seal = await store.AuditSeals.MaxAsync(s => (long?)s.Sequence, stopping) ?? 0;
            entries.Set(last);
            unsealed.Set(last - seal);
            if (headquarters is not null)
                behind.Set(headquarters.Acknowledged is { } known ? last - known : -1);
            running.Set(await store.Deployments.AnyAsync(d => d.State == DeploymentState.Running, stopping) ? 1 : 0);
            var queues = await store.Outbox.GroupBy(m => m.Channel).Select(g => new { g.Key, Count = g.Count(), Oldest = g.Min(m => m.CreatedAt) }).ToDictionaryAsync(g => g.Key, stopping);
            foreach (string channel in outbox.Channels)
            {
                waiting.WithLabels(channel).Set(queues.TryGetValue(channel, out var queue) ? queue.Count : 0);
                oldest.WithLabels(channel).Set(queue is null ? 0 : Math.Max(0, (time.GetUtcNow() - queue.Oldest).TotalSeconds));
            }
        });
    }

    public static void Map(WebApplication app) => app.MapGet("/metrics", async (HttpContext context, HostMetrics metrics, IAuthorizationService authorization) =>
    {
        if (!IsLocal(context) && !(await authorization.AuthorizeAsync(context.User, Permissions.SeeDeployments)).Succeeded)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        using var text = new MemoryStream();
        await metrics.registry.CollectAndExportAsTextAsync(text, context.RequestAborted);
        // Counters of the current runs start with them, which Prometheus treats as a counter reset.
        if (metrics.runner.Running is { Count: > 0 } running)
        {
            CollectorRegistry run = Metrics.NewCustomRegistry();
            RunMetrics.Fill(run, [.. running.SelectMany(d => d.Run.Cameras)], [.. running.Select(d => d.Run.Totals)]);
            Fill(run, [.. running.SelectMany(d => d.Health)]);
            await run.CollectAndExportAsTextAsync(text, context.RequestAborted);
        }
        await context.Response.Body.WriteAsync(text.GetBuffer().AsMemory(0, (int)text.Length), context.RequestAborted);
    }).AllowAnonymous().ExcludeFromDescription();

    private static void Fill(CollectorRegistry registry, IReadOnlyList<CameraHealth> cameras)
    {
        MetricFactory make = Metrics.WithCustomRegistry(registry);
        Gauge condition = make.CreateGauge("lfr_camera_condition", "1 for the condition that the camera is in.", "camera", "condition");
        Gauge skipped = make.CreateGauge("lfr_camera_skipped_ratio", "Share of the frames of the last ten seconds that were skipped.", "camera");
        Gauge late = make.CreateGauge("lfr_camera_late_seconds", "How late alerts are, on average of the last ten seconds.", "camera");
        foreach (CameraHealth camera in cameras)
        {
            foreach (CameraCondition one in Enum.GetValues<CameraCondition>())
                condition.WithLabels(camera.Name, one.ToString().ToLowerInvariant()).Set(one == camera.Condition ? 1 : 0);
            skipped.WithLabels(camera.Name).Set(camera.SkippedShare);
            late.WithLabels(camera.Name).Set(camera.LateMs / 1000);
        }
    }

    // A local proxy forwards requests from elsewhere and marks them in a header.
    private static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } from && IPAddress.IsLoopback(from) && !context.Request.Headers.ContainsKey("Forwarded") && !context.Request.Headers.ContainsKey("X-Forwarded-For");
}
