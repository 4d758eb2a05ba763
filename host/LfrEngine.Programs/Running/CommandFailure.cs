namespace LfrEngine.Programs;

/// <summary>Ends a command with a message for the user and an exit code.</summary>
internal sealed class CommandFailure(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    public int ExitCode { get; } = exitCode;
}
