namespace LfrEngine.Alerts;

/// <summary>When scores become an alert.</summary>
public sealed record AlertPolicy
{
    /// <summary>Shots of one tracklet that must reach the threshold for the same identity. Two or more: one frame never raises an alert.</summary>
    public int AgreeingShots { get; init; } = 2;

    /// <summary>After an alert, further passages of the same identity on any camera join it for this long, milliseconds.</summary>
    public int CoolDownMs { get; init; } = 60_000;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is out of range.</exception>
    public AlertPolicy Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(AgreeingShots, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(CoolDownMs);
        return this;
    }
}
