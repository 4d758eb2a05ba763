using LfrEngine.Files;
using LfrEngine.Native.Files;

namespace LfrEngine.Records.Receipts;

/// <summary>The path of a run's receipt. It is reserved when the run begins, so that no other receipt is ever replaced and an unwritable path is detected before any camera is opened.</summary>
/// <remarks>
/// A receipt is evidence of what its run erased; a second one under the same name would destroy it. The path is reserved by an open file next to it,
/// which the operating system releases when the program is killed, so nothing has to be cleaned up by hand.
/// </remarks>
internal sealed class ReceiptFile : IDisposable
{
    // On Windows the share mode locks the file and must allow moving it; elsewhere only None locks.
    private static readonly FileShare OnlyMine = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    private readonly string path;
    private readonly string partial;
    private readonly FileStream file;

    private ReceiptFile(string path, string partial, FileStream file) => (this.path, this.partial, this.file) = (path, partial, file);

    /// <summary>Reserves a path.</summary>
    /// <param name="place">A file that does not exist yet; or a folder, in which the file is named after the run.</param>
    /// <param name="run">The run.</param>
    /// <exception cref="CommandFailure">There is already a receipt, another run has reserved the path, or it cannot be written.</exception>
    public static ReceiptFile Take(string place, string run)
    {
        string path = Directory.Exists(place) ? Path.Combine(place, $"{run}.json") : place, partial = path + ".partial";
        FileStream file;
        try
        {
            file = new FileStream(partial, FileMode.OpenOrCreate, FileAccess.Write, OnlyMine);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw File.Exists(partial) && e is not UnauthorizedAccessException
                ? new CommandFailure(ExitCode.Output, $"Another run is about to write its erasure receipt to {path}. Give another name, or a folder, with --receipt.", e)
                : Unwritable(path, e);
        }
        if (!File.Exists(partial))
        {
            // Its owner released it between our opening and locking it.
            file.Dispose();
            return Take(place, run);
        }
        OutputFile.Note(partial);
        var taken = new ReceiptFile(path, partial, file);
        if (!Path.Exists(path))
            return taken;
        taken.Dispose();
        throw new CommandFailure(ExitCode.Output, $"{path} already exists, and a receipt is never replaced. With --receipt give another name, or a folder for the receipts of all runs.");
    }

    /// <summary>Writes the receipt atomically.</summary>
    /// <exception cref="CommandFailure">The receipt cannot be written.</exception>
    public void Write(string text)
    {
        try
        {
            file.SetLength(0);
            file.Write(System.Text.Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
            NewName.Give(partial, path);
            file.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    /// <summary>Releases the reservation; the receipt is kept.</summary>
    public void Dispose()
    {
        try
        {
            OutputFile.Forget(partial);
            file.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An empty file is left next to it; the next run reuses it.
        }
    }

    private static CommandFailure Unwritable(string path, Exception e) =>
        new(ExitCode.Output, $"The erasure receipt cannot be written to {path}: {FileTrouble.Words(e)} Give another place with --receipt.", e);
}
