using Microsoft.Extensions.Hosting.Systemd;

namespace LfrEngine.Cli.Serving;

/// <summary>Reports the state of the server to systemd. Signals are handled by <see cref="ProcessSignals"/>.</summary>
/// <param name="application">Its states.</param>
/// <param name="systemd">Null if not run by systemd.</param>
internal sealed class ServerLifetime(IHostApplicationLifetime application, ISystemdNotifier? systemd = null) : IHostLifetime
{
    /// <summary>How long open connections have: the rest of an orderly end must fit into <see cref="ProcessSignals.Patience"/> as well.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        application.ApplicationStarted.Register(() => systemd?.Notify(ServiceState.Ready));
        application.ApplicationStopping.Register(() => systemd?.Notify(ServiceState.Stopping));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
