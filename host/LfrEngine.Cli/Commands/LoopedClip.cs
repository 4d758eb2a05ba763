using System.Text;
using LfrEngine.Files;
using LfrEngine.Native.Media;
using LfrEngine.Native.Processes;

namespace LfrEngine.Cli.Commands;

/// <summary>A recording played in a loop, as a playlist next to a link to the file. Disposing removes both.</summary>
internal sealed class LoopedClip : IDisposable
{
    // Enough for a run of minutes over a clip of a tenth of a second; FFmpeg opens one entry at a time.
    private const int Rounds = 2000;

    private readonly DirectoryInfo folder;

    public LoopedClip(string path)
    {
        if (FileKind.OfOther(path) is { } kind)
            throw new CommandFailure(ExitCode.Input, $"{path} is {kind}, not a video file. Give a recording.");
        if (!File.Exists(path))
            throw new CommandFailure(ExitCode.Input, $"{path} is not a file. Give a recording.");
        using (MediaReader reader = MediaReader.Open(path))
        {
            MediaInfo info = reader.GetInfo();
            if (!(info.AverageFps > 0) || info.DurationUs is null)
                throw new CommandFailure(ExitCode.Input, $"{path} has no frame rate or no length, so it cannot be played as a camera. Give a recording in a container, for example MP4.");
            (Width, Height, FramesPerSecond) = (info.Width, info.Height, info.AverageFps);
        }
        Name = Path.GetFileName(path);
        folder = Directory.CreateTempSubdirectory("lfr-bench-");
        OutputFile.Note(folder.FullName);
        try
        {
            // The playlist can only refer to files next to itself, with simple names.
            File.CreateSymbolicLink(Path.Combine(folder.FullName, "clip"), Path.GetFullPath(path));
            var lines = new StringBuilder("ffconcat version 1.0\n");
            for (int i = 0; i < Rounds; i++)
                lines.Append("file clip\n");
            Playlist = Path.Combine(folder.FullName, "loop.ffconcat");
            File.WriteAllText(Playlist, lines.ToString());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>File name of the recording.</summary>
    public string Name { get; }

    /// <summary>Source for a camera.</summary>
    public string Playlist { get; }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Frame rate of the recording.</summary>
    public double FramesPerSecond { get; }

    public void Dispose() => OutputFile.Forget(folder.FullName);
}
