using System.Text.Json;
using System.Text.RegularExpressions;

namespace LfrEngine.Files;

/// <summary>Sentences for errors in JSON: where, what is wrong, and what to do.</summary>
public static partial class JsonTrouble
{
    private const string OfAnotherKind = "the value is of the wrong kind";

    // The parser's sentences, which name .NET types and its own terms, and ours. The first that fits is taken.
    private static readonly (Regex Theirs, string Ours)[] Sentences =
    [
        (Start(), "a value cannot begin with $1: put text in quotation marks"),
        (PropertyStart(), "a name in quotation marks is expected, not $1"),
        (AfterName(), "a colon is expected after a name, not $1"),
        (AfterValue(), "a comma or a closing bracket is expected, not $1"),
        (AfterEnd(), "nothing may follow the last closing bracket, but $1 does"),
        (TrailingComma(), "delete the comma before the closing bracket"),
        (Empty(), "there is no JSON in it"),
        (Unclosed(), "a closing bracket is missing at the end"),
        (Unended(), "it ends in the middle of a text, a number or a word"),
        (Escape(), "\\$1 is no escape: write \\\\ for a backslash"),
        (InText(), "a text contains a line end or another control character: write \\n for a line end"),
        (Literal(), "$1 is no value: put text in quotation marks; words without them are true, false and null"),
        (Number(), "a number is not complete, or is followed by something else, at $1"),
        (LeadingZero(), "a number must not begin with a zero"),
        (Duplicate(), "\"$1\" appears twice: keep one"),
        (Unknown(), "\"$1\" is not known here: check its spelling or delete it"),
        (Missing(), "missing: $1"),
        (WrongKind(), OfAnotherKind),
        (NotUtf8(), "it contains bytes that are not UTF-8: save it as UTF-8"),
        (TooDeep(), "brackets are nested too deeply"),
    ];

    /// <summary>For example <c>lfr.json, line 3, column 12: a comma or a closing bracket is expected, not "o".</c></summary>
    /// <param name="what">The file or body.</param>
    /// <param name="e">What reading it threw.</param>
    public static string Words(string what, JsonException e)
    {
        string place = e.LineNumber is { } line ? $", line {line + 1}, column {e.BytePositionInLine + 1}" : "";
        return $"{what}{place}: {Reason(e)}.";
    }

    private static string Reason(JsonException e)
    {
        string said = Position().Replace(e.Message, "").TrimEnd('.', ' ');
        string at = e.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal) ? $"{path[2..]}: " : "";
        foreach ((Regex theirs, string ours) in Sentences)
        {
            if (theirs.Match(said) is { Success: true } match)
                return (ours == OfAnotherKind ? at : "") + match.Result(ours).Replace("'\"'", "a quotation mark", StringComparison.Ordinal).Replace("'''", "an apostrophe", StringComparison.Ordinal).Replace('\'', '"');
        }
        // A sentence of our own readers.
        return at + said;
    }

    [GeneratedRegex(@"\s*(Path: .*?\s*\|\s*)?(LineNumber: \d+\s*\|\s*BytePositionInLine: \d+\.?)|\s*Path: \S+\.?$")]
    private static partial Regex Position();

    [GeneratedRegex(@"^('.+') is an invalid start of a value")]
    private static partial Regex Start();

    [GeneratedRegex(@"^('.+') is an invalid start of a property name")]
    private static partial Regex PropertyStart();

    [GeneratedRegex(@"^('.+') is invalid after a property name")]
    private static partial Regex AfterName();

    [GeneratedRegex(@"^('.+') is invalid after a value")]
    private static partial Regex AfterValue();

    [GeneratedRegex(@"^('.+') is invalid after a single JSON value")]
    private static partial Regex AfterEnd();

    [GeneratedRegex("trailing comma")]
    private static partial Regex TrailingComma();

    [GeneratedRegex("does not contain any JSON tokens")]
    private static partial Regex Empty();

    [GeneratedRegex("^Expected depth to be zero")]
    private static partial Regex Unclosed();

    [GeneratedRegex("reached end of (data|JSON)|^Expected end of string")]
    private static partial Regex Unended();

    [GeneratedRegex("^'(.+)' is an invalid escapable character")]
    private static partial Regex Escape();

    [GeneratedRegex("is invalid within a JSON string")]
    private static partial Regex InText();

    [GeneratedRegex("^('.+') is an invalid JSON literal")]
    private static partial Regex Literal();

    [GeneratedRegex("^('.+?') is (an invalid end of|invalid within) a number")]
    private static partial Regex Number();

    [GeneratedRegex("^Invalid leading zero")]
    private static partial Regex LeadingZero();

    [GeneratedRegex("^Duplicate property '(.+)' encountered")]
    private static partial Regex Duplicate();

    [GeneratedRegex("^The JSON property '(.+)' could not be mapped to any")]
    private static partial Regex Unknown();

    [GeneratedRegex("missing required properties including: (.+)$")]
    private static partial Regex Missing();

    [GeneratedRegex("^The JSON value could not be converted")]
    private static partial Regex WrongKind();

    [GeneratedRegex("UTF-8|UTF8")]
    private static partial Regex NotUtf8();

    [GeneratedRegex("maximum (configured )?depth")]
    private static partial Regex TooDeep();
}
