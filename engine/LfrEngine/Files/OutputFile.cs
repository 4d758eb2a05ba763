using System.Collections.Concurrent;

namespace LfrEngine.Files;

/// <summary>The one way to write a file: beside its place, to the disk, then into its place. Whoever looks finds the whole file or the old one.</summary>
public static class OutputFile
{
    // What is being written; a process that must end at once removes it first.
    private static readonly ConcurrentDictionary<string, bool> Partial = new(StringComparer.Ordinal);

    /// <summary>What goes into its place at the end of a writing.</summary>
    public enum Existing
    {
        /// <summary>An older file is replaced.</summary>
        Replaced,

        /// <summary>An older file stays and the writing fails.</summary>
        Kept,
    }

    /// <summary>Writes a file.</summary>
    /// <param name="path">Its place.</param>
    /// <param name="write">Writes the content to an unbuffered stream.</param>
    /// <param name="existing">What becomes of an older file.</param>
    /// <param name="ownerOnly">Whether nobody else may read it, from the first byte on.</param>
    /// <exception cref="IOException">It cannot be written; the old file is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public static void Write(string path, Action<FileStream> write, Existing existing = Existing.Replaced, bool ownerOnly = false) => Produce(path, partial =>
    {
        using FileStream file = Create(partial, ownerOnly);
        write(file);
        file.Flush(flushToDisk: true);
    }, existing);

    /// <summary>Writes a text.</summary>
    /// <inheritdoc cref="Write(string, Action{FileStream}, Existing, bool)"/>
    public static void Write(string path, string text, Existing existing = Existing.Replaced, bool ownerOnly = false) =>
        Write(path, file => file.Write(System.Text.Encoding.UTF8.GetBytes(text)), existing, ownerOnly);

    /// <summary>Writes a file that takes its time.</summary>
    /// <inheritdoc cref="Write(string, Action{FileStream}, Existing, bool)"/>
    public static Task WriteAsync(string path, Func<FileStream, Task> write) => ProduceAsync(path, async partial =>
    {
        await using FileStream file = Create(partial, ownerOnly: false);
        await write(file).ConfigureAwait(false);
        file.Flush(flushToDisk: true);
    });

    /// <summary>Has a file written by another program.</summary>
    /// <param name="path">Its place.</param>
    /// <param name="produce">Writes to the path it is given.</param>
    public static async Task ProduceAsync(string path, Func<string, Task> produce)
    {
        InputFile.Check(path);
        string partial = PartialOf(path);
        Partial[partial] = true;
        try
        {
            await produce(partial).ConfigureAwait(false);
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            Forget(partial);
        }
    }

    /// <summary>Notes a folder of unfinished files, to be removed by <see cref="Forget"/>, or by <see cref="Abandon"/> when there is no time.</summary>
    public static void Note(string folder) => Partial[folder] = true;

    /// <summary>Removes an unfinished file or folder, if it is there.</summary>
    public static void Forget(string partial)
    {
        if (Directory.Exists(partial))
            Directory.Delete(partial, recursive: true);
        else
            TryDelete(partial);
        Partial.TryRemove(partial, out _);
    }

    /// <summary>Removes everything unfinished, as the process ends without those who write it.</summary>
    public static void Abandon()
    {
        foreach (string partial in Partial.Keys)
        {
            try
            {
                Forget(partial);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nobody is left who could do more.
            }
        }
    }

    private static void Produce(string path, Action<string> produce, Existing existing)
    {
        InputFile.Check(path);
        string partial = PartialOf(path);
        Partial[partial] = true;
        try
        {
            produce(partial);
            File.Move(partial, path, overwrite: existing == Existing.Replaced);
        }
        finally
        {
            Forget(partial);
        }
    }

    // In the same folder, so that the move cannot become a copy; under an ending that no list of files takes for its own.
    private static string PartialOf(string path) => $"{Path.GetFullPath(path)}.{Guid.NewGuid():N}.partial";

    private static FileStream Create(string partial, bool ownerOnly)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (ownerOnly && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(partial, options);
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure being reported is the one that matters.
        }
    }
}
