namespace LfrEngine.Evaluation.Data;

/// <summary>A data set cannot be used; the message names file, line and the way out.</summary>
public sealed class DataException : Exception
{
    /// <summary>With a sentence for the person.</summary>
    public DataException(string message)
        : base(message)
    {
    }

    /// <summary>With a sentence for the person, and its cause.</summary>
    public DataException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
