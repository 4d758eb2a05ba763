using LfrEngine.Records.Configuration;

namespace LfrEngine.Records.Store;

/// <summary>The lock of a data folder: only one program at a time may append to the audit trail.</summary>
public sealed class DataLock : IDisposable
{
    private readonly FileStream file;

    private DataLock(FileStream file) => this.file = file;

    /// <summary>Takes the lock until it is disposed; it is released if the program dies.</summary>
    /// <exception cref="CommandFailure">Another program has the lock.</exception>
    public static DataLock Take(Installation installation)
    {
        string path = installation.DataPath("lock");
        try
        {
            return new DataLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e)
        {
            throw new CommandFailure(ExitCode.Environment, $"{installation.DataFolder} is in use by a running `lfr serve` or another command. Use the console, or stop it first.", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
