using System.Threading.Channels;

namespace LfrEngine.Links;

/// <summary>How long to wait after each failure in a row: about a second, then twice as long each time, up to five minutes; by chance, so that many do not come at once.</summary>
internal sealed class BackOff(TimeProvider time)
{
    private const double FirstSeconds = 1;
    private const double MostSeconds = 300;

    private int failures;

    /// <summary>It went well.</summary>
    public void Reset() => failures = 0;

    /// <summary>It failed again: waits.</summary>
    public Task WaitAsync(CancellationToken stopping) => Task.Delay(NextDelay(), time, stopping);

    /// <summary>The next wait, between half and the whole of its turn.</summary>
    internal TimeSpan NextDelay()
    {
        double whole = Math.Min(MostSeconds, FirstSeconds * Math.Pow(2, Math.Min(failures++, 30)));
        #pragma warning disable CA5394 // Spreads load; nobody gains by guessing it.
        return TimeSpan.FromSeconds(whole * (0.5 + (Random.Shared.NextDouble() / 2)));
        #pragma warning restore CA5394
    }
}

/// <summary>Wakes one who waits; set several times is set once.</summary>
internal sealed class Wakeup
{
    private readonly Channel<bool> pending = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>There may be something to do.</summary>
    public void Set() => pending.Writer.TryWrite(true);

    /// <summary>Waits until there may be.</summary>
    public async Task WaitAsync(CancellationToken stopping) => await pending.Reader.ReadAsync(stopping);
}
