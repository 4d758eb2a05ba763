namespace LfrEngine.Models;

/// <summary>A model cannot be used: missing, altered, of the wrong shape, or its manifest is wrong. The message names it and the way out.</summary>
public sealed class ModelLoadException : Exception
{
    /// <summary>Says what is wrong and what to do.</summary>
    public ModelLoadException(string message)
        : base(message)
    {
    }

    /// <summary>Says what is wrong and what to do, with the cause.</summary>
    public ModelLoadException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
