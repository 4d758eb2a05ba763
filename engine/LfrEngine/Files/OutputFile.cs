using System.Collections.Concurrent;
using System.Text;
using LfrEngine.Native.Files;

namespace LfrEngine.Files;

/// <summary>Writes a file atomically: to a temporary file in the same folder, flushed to disk, then moved into place. Readers see the complete new file or the old one.</summary>
public sealed class OutputFile : IDisposable
{
    // Unfinished files; a process that must end at once removes them first.
    private static readonly ConcurrentDictionary<string, bool> Unfinished = new(StringComparer.Ordinal);

    private readonly string path, partial;
    private readonly bool replace;

    private OutputFile(string path, bool ownerOnly, bool replace)
    {
        InputFile.Check(path);
        this.path = Place(path);
        this.replace = replace;
        partial = PartialOf(this.path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (ownerOnly && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            Stream = new FileStream(partial, options);
        }
        catch
        {
            Forget(partial);
            throw;
        }
    }

    /// <summary>Receives the content, unbuffered.</summary>
    public FileStream Stream { get; }

    /// <summary>Begins a file. Without <see cref="Finish"/> nothing is left of it.</summary>
    /// <param name="path">Final path.</param>
    /// <param name="ownerOnly">Whether only this user may read it, from the first byte on.</param>
    /// <param name="replace">Whether an existing file is replaced; otherwise it is kept, and <see cref="Finish"/> fails.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public static OutputFile Begin(string path, bool ownerOnly = false, bool replace = true) => new(path, ownerOnly, replace);

    /// <summary>Writes a text, UTF-8.</summary>
    /// <inheritdoc cref="Begin"/>
    public static void Write(string path, string text, bool ownerOnly = false, bool replace = true)
    {
        using OutputFile file = Begin(path, ownerOnly, replace);
        file.Stream.Write(Encoding.UTF8.GetBytes(text));
        file.Finish();
    }

    /// <summary>Writes a file asynchronously.</summary>
    /// <inheritdoc cref="Begin"/>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        using OutputFile file = Begin(path);
        await write(file.Stream).ConfigureAwait(false);
        file.Finish();
    }

    /// <summary>Lets another program write a file.</summary>
    /// <param name="path">Final path.</param>
    /// <param name="produce">Writes to the path it is given.</param>
    public static async Task ProduceAsync(string path, Func<string, Task> produce)
    {
        InputFile.Check(path);
        path = Place(path);
        string partial = PartialOf(path);
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

    /// <summary>Moves the file into place.</summary>
    /// <exception cref="IOException">The file cannot be written; the old file is unchanged.</exception>
    public void Finish()
    {
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
        if (replace)
            File.Move(partial, path, overwrite: true);
        else
            NewName.Give(partial, path);
    }

    /// <summary>Removes what was not finished.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        Forget(partial);
    }

    /// <summary>Registers a folder or file that is useless unless the work is finished.</summary>
    public static void Note(string partial) => Unfinished[partial] = true;

    /// <summary>Removes an unfinished file or folder, if it is there.</summary>
    public static void Forget(string partial)
    {
        Unfinished.TryRemove(partial, out _);
        try
        {
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
            else
                File.Delete(partial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure being reported is the one that matters.
        }
    }

    /// <summary>Removes everything unfinished, because the process ends without the code that writes it.</summary>
    public static void Abandon()
    {
        foreach (string partial in Unfinished.Keys)
            Forget(partial);
    }

    // A link is kept, and its target is written.
    private static string Place(string path) => Path.GetFullPath(new FileInfo(path) is { LinkTarget: not null } link ? link.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path : path);

    // In the same folder, so that the move cannot become a copy; with an independent name, because the file's name may already have the maximum length.
    private static string PartialOf(string path)
    {
        string partial = Path.Combine(Path.GetDirectoryName(path)!, $".{Guid.NewGuid():N}.partial");
        Unfinished[partial] = true;
        return partial;
    }
}
