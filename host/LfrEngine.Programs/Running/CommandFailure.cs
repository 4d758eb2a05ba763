namespace LfrEngine.Programs;

/// <summary>Ends a command with a sentence for the person and an exit code.</summary>
internal sealed class CommandFailure(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    public int ExitCode { get; } = exitCode;
}
