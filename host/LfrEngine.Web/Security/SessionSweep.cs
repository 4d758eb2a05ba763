using LfrEngine.Records.Security;

namespace LfrEngine.Web.Security;

/// <summary>Locks and ends sessions when their time is up, whether or not anybody asks.</summary>
internal sealed partial class SessionSweep(SessionRegister register, TimeProvider time, ILogger<SessionSweep> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await register.SweepAsync(stoppingToken);
            }
#pragma warning disable CA1031 // Any exception: the next sweep must still run; requests check by themselves.
            catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
            {
                SweepFailed(log, e.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "Sessions could not be checked and will be again: {Reason}")]
    private static partial void SweepFailed(ILogger log, string reason);
}
