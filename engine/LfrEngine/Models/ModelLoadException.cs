namespace LfrEngine.Models;

/// <summary>A model cannot be used: missing, altered, of the wrong shape, or its manifest is wrong. The message names the model and says what to do.</summary>
public class ModelLoadException : Exception
{
    /// <summary>Creates the exception with a message that says what is wrong and what to do.</summary>
    public ModelLoadException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and its cause.</summary>
    public ModelLoadException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>No model has the given id, or it is for another task: the choice is wrong, not the model.</summary>
public sealed class UnknownModelException(string message) : ModelLoadException(message);
