using System.Globalization;

namespace LfrEngine.Programs;

/// <summary>Checks two ends that a person gives.</summary>
internal static class Period
{
    /// <summary>For example <c>--from 2026-02-01 is after --to 2026-01-01.</c>; null if the ends are in order, or one is not given.</summary>
    public static string? Fault<T>(string fromName, T? from, string toName, T? to)
        where T : struct, IComparable<T>, IFormattable =>
        from is { } first && to is { } last && first.CompareTo(last) > 0 ? $"{fromName} {Text(first)} is after {toName} {Text(last)}." : null;

    private static string Text<T>(T end)
        where T : struct, IFormattable => end.ToString(typeof(T) == typeof(DateOnly) ? "yyyy-MM-dd" : "u", CultureInfo.InvariantCulture);
}
