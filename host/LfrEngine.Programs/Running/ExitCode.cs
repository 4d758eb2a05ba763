namespace LfrEngine.Programs;

/// <summary>Exit codes of every command; docs/commands.md lists them.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A fault of the program itself.</summary>
    public const int Internal = 1;

    /// <summary>Wrong arguments.</summary>
    public const int Usage = 2;

    /// <summary>The machine lacks something, such as a package, memory or a free port, or a model is missing or cannot be used.</summary>
    public const int Environment = 3;

    /// <summary>An input cannot be used: video, picture, pair list, watchlist, key.</summary>
    public const int Input = 4;

    /// <summary>Output cannot be written: a full disk, a read-only folder.</summary>
    public const int Output = 5;

    /// <summary>The run finished, but a camera failed, a photo was refused or a check was not met.</summary>
    public const int Incomplete = 6;

    /// <summary>Stopped before there was a result, or still running 10 s after the request to stop; see <see cref="ProcessSignals"/>.</summary>
    public const int Stopped = 130;
}
