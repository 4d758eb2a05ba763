using System.Text.RegularExpressions;

namespace LfrEngine.Files;

/// <summary>Messages of exceptions, as a person reads them.</summary>
public static partial class Sentence
{
    /// <summary>The message without what .NET appends for programmers: the name of a parameter of ours, and its value.</summary>
    /// <param name="message">May contain that of another exception.</param>
    public static string Of(string message) => Appended().Replace(message, "");

    /// <inheritdoc cref="Of(string)"/>
    /// <param name="e">A lack of memory is told in words of ours.</param>
    public static string Of(Exception e) => e is OutOfMemoryException and not InsufficientMemoryException ? "The system gives this process no more memory." : Of(e.Message);

    [GeneratedRegex(@" \(Parameter '[^']*'\)|\r?\nActual value was .*", RegexOptions.CultureInvariant)]
    private static partial Regex Appended();
}
