namespace LfrEngine.Web.Tests.Alerts;

/// <summary>A clock that goes when a test says so. The wall clock and the monotonic one can part, as when somebody sets the machine's clock.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private TimeSpan elapsed;
    private DateTimeOffset start = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp()
    {
        lock (gate)
            return elapsed.Ticks;
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return start + elapsed;
    }

    /// <summary>Sets the machine's clock, as people do; no real time passes.</summary>
    public void SetWall(TimeSpan by)
    {
        lock (gate)
            start += by;
    }

    /// <summary>Lets real time pass; timers that fall due are called.</summary>
    public void Pass(TimeSpan time)
    {
        ManualTimer[] due;
        lock (gate)
        {
            elapsed += time;
            due = [.. timers.Where(t => t.DueAt <= elapsed)];
            foreach (ManualTimer timer in due)
                timer.DueAt = timer.Period > TimeSpan.Zero ? elapsed + timer.Period : TimeSpan.MaxValue;
        }
        foreach (ManualTimer timer in due)
            timer.Call();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        lock (gate)
            timers.Add(timer);
        return timer;
    }

    private sealed class ManualTimer(ManualTime time, Action call) : ITimer
    {
        public TimeSpan DueAt { get; set; } = TimeSpan.MaxValue;

        public TimeSpan Period { get; private set; }

        public Action Call { get; } = call;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                DueAt = dueTime == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : time.elapsed + dueTime;
                Period = period;
            }
            return true;
        }

        public void Dispose()
        {
            lock (time.gate)
                time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
