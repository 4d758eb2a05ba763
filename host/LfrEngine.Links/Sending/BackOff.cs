using System.Threading.Channels;

namespace LfrEngine.Links.Sending;

/// <summary>Waiting time after consecutive failures: about a second, then twice as long each time, up to five minutes; randomised, so that clients do not retry at the same time.</summary>
internal sealed class BackOff(TimeProvider time)
{
    private const double FirstSeconds = 1;
    private const double MostSeconds = 300;

    private int failures;

    public void Reset() => failures = 0;

    public Task WaitAsync(CancellationToken stopping) => Task.Delay(NextDelay(), time, stopping);

    /// <summary>The next wait, between half and all of the current interval.</summary>
    internal TimeSpan NextDelay()
    {
        double whole = Math.Min(MostSeconds, FirstSeconds * Math.Pow(2, Math.Min(failures++, 30)));
        #pragma warning disable CA5394 // Spreads load; not security relevant.
        return TimeSpan.FromSeconds(whole * (0.5 + (Random.Shared.NextDouble() / 2)));
        #pragma warning restore CA5394
    }
}

/// <summary>Wakes a waiting sender; several signals count as one.</summary>
internal sealed class Wakeup
{
    private readonly Channel<bool> pending = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Signals that there may be work.</summary>
    public void Set() => pending.Writer.TryWrite(true);

    public async Task WaitAsync(CancellationToken stopping) => await pending.Reader.ReadAsync(stopping);
}
