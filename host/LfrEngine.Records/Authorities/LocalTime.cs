using System.Globalization;

namespace LfrEngine.Records.Authorities;

/// <summary>Times entered by people, in this installation's time zone.</summary>
internal static class LocalTime
{
    /// <summary>The format of <c>datetime-local</c> fields.</summary>
    public const string Format = "yyyy-MM-dd'T'HH:mm";

    /// <summary>Parses a time.</summary>
    /// <param name="text">For example 2026-03-29T02:30.</param>
    /// <param name="zone">The time zone.</param>
    /// <param name="later">Whether an ambiguous time, when the clocks go back, is the later one.</param>
    /// <returns>Null if the text is not a time, or the clocks skip it.</returns>
    public static DateTimeOffset? Read(string text, TimeZoneInfo zone, bool later)
    {
        if (!DateTime.TryParseExact(text, [Format, Format + "':'ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local) || zone.IsInvalidTime(local))
            return null;
        TimeSpan offset = zone.IsAmbiguousTime(local) ? (later ? zone.GetAmbiguousTimeOffsets(local).Min() : zone.GetAmbiguousTimeOffsets(local).Max()) : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset);
    }

    public static string Write(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone).ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>An instant as people read it.</summary>
    public static string Show(DateTimeOffset at, TimeZoneInfo zone) => FormattableString.Invariant($"{TimeZoneInfo.ConvertTime(at, zone):d MMM yyyy HH:mm zzz}");
}
