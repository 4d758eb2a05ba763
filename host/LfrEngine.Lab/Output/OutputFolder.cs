using LfrEngine.Files;

namespace LfrEngine.Lab.Output;

/// <summary>Writes a folder of files: all of them or none.</summary>
internal static class OutputFolder
{
    /// <summary>Writes the files into a temporary folder, then moves them. Older files of the same names are replaced.</summary>
    /// <param name="folder">Created if it does not exist.</param>
    /// <param name="what">The files, for messages: "The report".</param>
    /// <param name="write">Writes the files into the folder it is given.</param>
    /// <exception cref="CommandFailure">They cannot be written; nothing of them is left.</exception>
    public static void Write(string folder, string what, Action<string> write)
    {
        string partial = Path.Combine(folder, $".partial-{Guid.NewGuid():N}");
        bool made = !Directory.Exists(folder);
        try
        {
            OutputFile.Note(partial);
            Directory.CreateDirectory(partial);
            write(partial);
            foreach (string file in Directory.GetFiles(partial, "*", SearchOption.AllDirectories))
            {
                string target = Path.Combine(folder, Path.GetRelativePath(partial, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Move(file, target, overwrite: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"{what} cannot be written to {folder}: {FileTrouble.Words(e)} Free some space, or give another folder with --out.", e);
        }
        finally
        {
            OutputFile.Forget(partial);
            if (made && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
    }

    /// <summary>A field of a CSV file, quoted if necessary.</summary>
    public static string Quoted(string field) => field.AsSpan().IndexOfAny(",\"\n") >= 0 ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
