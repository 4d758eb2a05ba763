using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Files;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Files;

/// <summary>Errors in JSON name the line, the column and what to do, and nothing of .NET.</summary>
public sealed class JsonTroubleTests
{
    private static readonly JsonSerializerOptions Strict = new()
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        Converters = { new WatchlistCategoryConverter() },
    };

    [Theory]
    [InlineData("", ", line 1, column 1: there is no JSON in it.")]
    [InlineData("{\n \"Name\": \"a\",\n oops\n}", ", line 3, column 2: a name in quotation marks is expected, not \"o\".")]
    [InlineData("{\"Name\" 1}", ", line 1, column 9: a colon is expected after a name, not \"1\".")]
    [InlineData("{\"Name\": x}", ", line 1, column 10: a value cannot begin with \"x\": put text in quotation marks.")]
    [InlineData("{\"Name\": 'x'}", ", line 1, column 10: a value cannot begin with an apostrophe: put text in quotation marks.")]
    [InlineData("{\"Name\": tru}", "\"tru}\" is no value: put text in quotation marks; words without them are true, false and null.")]
    [InlineData("{\"Name\": \"a\" \"Kind\": 2}", ", line 1, column 14: a comma or a closing bracket is expected, not a quotation mark.")]
    [InlineData("{\"Name\": \"a\",}", ", line 1, column 14: delete the comma before the closing bracket.")]
    [InlineData("{\"Name\": \"a\"", "closing bracket is missing at the end.")]
    [InlineData("{\"Name\": \"a", "it ends in the middle of a text, a number or a word.")]
    [InlineData("{\"Name\": \"\\q\"}", ", line 1, column 12: \\q is no escape: write \\\\ for a backslash.")]
    [InlineData("{\"Name\": \"a\nb\"}", "a text contains a line end or another control character: write \\n for a line end.")]
    [InlineData("{\"Count\": 01}", "a number must not begin with a zero.")]
    [InlineData("{\"Count\": 1x}", "a number is not complete, or is followed by something else, at \"x\".")]
    [InlineData("{\"Name\": \"a\"} x", "nothing may follow the last closing bracket, but \"x\" does.")]
    [InlineData("{\"Name\": \"a\", \"Name\": \"b\"}", "\"Name\" appears twice: keep one.")]
    [InlineData("{\"Name\": 5}", ", line 1, column 11: Name: the value is of the wrong kind.")]
    [InlineData("{\"Name\": \"a\", \"Foo\": 1}", "\"Foo\" is not known here: check its spelling or delete it.")]
    [InlineData("{}", "missing: \"Name\".")]
    [InlineData("{\"Name\": \"a\", \"Category\": \"criminal\"}", "Category: A watchlist category is one of: wanted, court-order, suspect, missing-or-vulnerable, at-risk.")]
    public void Words_OfAnyFault_SayWhereAndWhat(string json, string expected)
    {
        JsonException fault = Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<Entry>(Encoding.UTF8.GetBytes(json), Strict));

        string words = JsonTrouble.Words("lfr.json", fault);

        Assert.StartsWith("lfr.json", words, StringComparison.Ordinal);
        Assert.EndsWith(expected, words, StringComparison.Ordinal);
        Assert.All((string[])["LineNumber", "BytePosition", "Path:", "System.", nameof(Entry)], t => Assert.DoesNotContain(t, words, StringComparison.Ordinal));
    }

    private sealed record Entry
    {
        public required string Name { get; init; }

        public int Count { get; init; }

        public WatchlistCategory Category { get; init; }
    }
}
