using LfrEngine.Records.Configuration;

namespace LfrEngine.Records.Store;

/// <summary>The right to write a data folder: one program at a time, as the audit trail has one end.</summary>
public sealed class DataLock : IDisposable
{
    private readonly FileStream file;

    private DataLock(FileStream file) => this.file = file;

    /// <summary>Takes it until it is disposed; a program that dies lets go of it.</summary>
    /// <exception cref="CommandFailure">Another program has it.</exception>
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
