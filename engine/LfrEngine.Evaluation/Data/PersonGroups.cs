namespace LfrEngine.Evaluation.Data;

/// <summary>Groups of people, by column and value: the same names in the laboratory's data, in evidence and in the field.</summary>
/// <remarks>The three usual columns have fixed values, so that results can be compared. Columns in other words are free.</remarks>
public static class PersonGroups
{
    /// <summary>Column of the sex.</summary>
    public const string Sex = "sex";

    /// <summary>Column of the age band.</summary>
    public const string AgeBand = "age_band";

    /// <summary>Column of the skin tone. Its values name their scale: Monk (1 lightest to 10 darkest) or Fitzpatrick (I to VI).</summary>
    public const string SkinTone = "skin_tone";

    /// <summary>Maximum number of columns of one person.</summary>
    public const int MostColumns = 8;

    private const int MostName = 32, MostValue = 40;

    private static readonly Dictionary<string, string[]> Fixed = new()
    {
        [Sex] = ["female", "male", "other"],
        [AgeBand] = ["under 18", "18-29", "30-44", "45-59", "60 and over"],
        [SkinTone] = [.. Enumerable.Range(1, 10).Select(i => $"monk {i}"), .. new[] { "I", "II", "III", "IV", "V", "VI" }.Select(i => $"fitzpatrick {i}")],
    };

    /// <summary>The usual columns, in the order in which they are shown.</summary>
    public static IReadOnlyList<string> Usual { get; } = [Sex, AgeBand, SkinTone];

    /// <summary>Values of a usual column; empty for a column in other words.</summary>
    public static IReadOnlyList<string> ValuesOf(string column) => Fixed.GetValueOrDefault(column, []);

    /// <summary>Why a person cannot be in these groups, with what to do; null if they can.</summary>
    public static string? Problem(IReadOnlyDictionary<string, string> groups)
    {
        if (groups.Count > MostColumns)
            return $"A person can have at most {MostColumns} groups. Leave some out.";
        foreach ((string column, string group) in groups)
        {
            if (column.Length is 0 or > MostName || !char.IsAsciiLetterLower(column[0]) || !column.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'))
                return $"The name of a group column has 1 to {MostName} small letters, digits and underscores, for example glasses.";
            if (Fixed.TryGetValue(column, out string[]? values) && !values.Contains(group))
                return $"{column} is one of: {string.Join(", ", values)}.";
            if (group.Length is 0 or > MostValue || group.Trim() != group || group.Any(c => c is ';' or '=' || char.IsControl(c)))
                return $"The value of {column} has 1 to {MostValue} characters, without semicolons and equals signs.";
        }
        return null;
    }

    /// <summary>Groups in one line, the usual columns first: <c>sex=female; age_band=18-29; skin_tone=monk 5</c>.</summary>
    public static string Write(IReadOnlyDictionary<string, string> groups) =>
        string.Join("; ", groups.OrderBy(g => Usual.Contains(g.Key) ? 0 : 1).ThenBy(g => g.Key switch { Sex => 0, AgeBand => 1, _ => 2 }).ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key}={g.Value}"));

    /// <summary>Reads what <see cref="Write"/> writes.</summary>
    /// <param name="text">One line; may be empty.</param>
    /// <param name="groups">The groups; whether they are allowed is for <see cref="Problem"/>.</param>
    /// <returns>False if a part is not <c>column=value</c>, or a column is there twice.</returns>
    public static bool TryRead(string text, out IReadOnlyDictionary<string, string> groups)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        groups = read;
        foreach (string part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (part.Split('=', StringSplitOptions.TrimEntries) is not [{ Length: > 0 } column, { Length: > 0 } value] || !read.TryAdd(column, value))
                return false;
        }
        return true;
    }
}
