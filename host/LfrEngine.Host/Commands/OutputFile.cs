namespace LfrEngine.Host.Commands;

/// <summary>Writes a file whole or not at all.</summary>
internal static class OutputFile
{
    /// <summary>Writes beside the file, then puts it in its place.</summary>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        string partial = path + $".{Guid.NewGuid():N}.partial";
        try
        {
            await using (FileStream stream = File.Create(partial))
                await write(stream);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"{path} cannot be written: {e.Message}", e);
        }
        finally
        {
            if (File.Exists(partial))
                File.Delete(partial);
        }
    }
}
