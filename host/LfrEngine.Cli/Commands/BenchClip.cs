using LfrEngine.Native.Media;
using LfrEngine.Native.Processes;

namespace LfrEngine.Cli.Commands;

/// <summary>A recording that is played in a loop as a camera.</summary>
internal sealed class BenchClip
{
    /// <summary>Opens the recording to see whether it can be played so.</summary>
    /// <exception cref="CommandFailure">It cannot.</exception>
    public BenchClip(string path)
    {
        if (FileKind.OfOther(path) is { } kind)
            throw new CommandFailure(ExitCode.Input, $"{path} is {kind}, not a video file. Give a recording.");
        if (!File.Exists(path))
            throw new CommandFailure(ExitCode.Input, $"{path} is not a file. Give a recording.");
        using MediaReader reader = MediaReader.Open(path);
        MediaInfo info = reader.GetInfo();
        if (!(info.AverageFps > 0) || info.DurationUs is null)
            throw new CommandFailure(ExitCode.Input, $"{path} has no frame rate or no length, so it cannot be played as a camera. Give a recording in a container, for example MP4.");
        (FullPath, Width, Height, FramesPerSecond) = (Path.GetFullPath(path), info.Width, info.Height, info.AverageFps);
    }

    public string FullPath { get; }

    /// <summary>File name of the recording.</summary>
    public string Name => Path.GetFileName(FullPath);

    public int Width { get; }

    public int Height { get; }

    /// <summary>Frame rate of the recording.</summary>
    public double FramesPerSecond { get; }
}
