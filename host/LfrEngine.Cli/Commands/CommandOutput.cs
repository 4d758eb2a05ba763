using LfrEngine.Files;

namespace LfrEngine.Cli.Commands;

/// <summary>Writes a command's output file; a failure becomes a message with the file's name.</summary>
internal static class CommandOutput
{
    /// <summary>Writes the file atomically.</summary>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        try
        {
            await OutputFile.WriteAsync(path, write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"{path} cannot be written: {FileTrouble.Words(e)}", e);
        }
    }
}
