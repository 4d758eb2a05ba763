namespace LfrEngine.Frames;

/// <summary>What a stream's own time stamps are worth.</summary>
public enum ClockHealth
{
    /// <summary>They are used.</summary>
    Good,

    /// <summary>Frames come without any.</summary>
    Missing,

    /// <summary>Every frame has the same.</summary>
    StandStill,

    /// <summary>They went back, or ahead by more than time has passed.</summary>
    Jump,

    /// <summary>They count faster or slower than time passes.</summary>
    WrongSpeed,
}
