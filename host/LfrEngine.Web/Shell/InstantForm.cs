namespace LfrEngine.Web.Shell;

/// <summary>How much of a time is shown.</summary>
public enum InstantForm
{
    /// <summary>Day, hours and minutes.</summary>
    Minutes,

    /// <summary>With seconds.</summary>
    Exact,

    /// <summary>Hours, minutes and seconds of today.</summary>
    Clock,
}
