using LfrEngine.Files;

namespace LfrEngine.Programs;

/// <summary>Checks before long work begins that its result can be written.</summary>
internal static class OutputPlace
{
    /// <summary>Checks the place of a file; an existing file is left as it is.</summary>
    /// <param name="path">The file; null if none is wanted.</param>
    /// <param name="option">The option that names it.</param>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    public static void RequireFile(string? path, string option)
    {
        if (path is null)
            return;
        if (Directory.Exists(path))
            throw new CommandFailure(ExitCode.Output, $"{path} cannot be written; nothing was changed. It is a folder: give a file with {option}.");
        Try(path, path, option);
    }

    /// <summary>Checks the place of a folder, which need not exist.</summary>
    /// <inheritdoc cref="RequireFile"/>
    public static void RequireFolder(string? path, string option)
    {
        string? there = path;
        while (there is not null && !Path.Exists(there))
            there = Path.GetDirectoryName(there);
        if (there is null)
            return;
        if (File.Exists(there))
            throw new CommandFailure(ExitCode.Output, $"{path} cannot be written: {there} is a file. Give a folder with {option}.");
        Try(Path.Combine(there, "file"), path!, option);
    }

    private static void Try(string file, string named, string option)
    {
        try
        {
            // Never finished, so nothing is left of it.
            OutputFile.Begin(file).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"{named} cannot be written; nothing was changed. {(e is NotAFileException ? e.Message : FileTrouble.Words(e))} Give another place with {option}.", e);
        }
    }
}
