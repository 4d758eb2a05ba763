namespace LfrEngine.Frames;

/// <summary>Health of a stream's time stamps.</summary>
public enum ClockHealth
{
    /// <summary>The time stamps are used.</summary>
    Good,

    /// <summary>Frames have no time stamps.</summary>
    Missing,

    /// <summary>Every frame has the same time stamp.</summary>
    StandStill,

    /// <summary>The time stamps jumped back, or ahead by more than the elapsed time.</summary>
    Jump,

    /// <summary>The time stamps run faster or slower than real time.</summary>
    WrongSpeed,
}
