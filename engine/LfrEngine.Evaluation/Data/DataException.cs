namespace LfrEngine.Evaluation.Data;

/// <summary>A data set cannot be used; the message names file and line and says what to do.</summary>
public sealed class DataException : Exception
{
    /// <summary>Creates the exception with a message for the user.</summary>
    public DataException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message for the user and its cause.</summary>
    public DataException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
