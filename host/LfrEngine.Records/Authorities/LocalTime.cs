using System.Globalization;

namespace LfrEngine.Records.Authorities;

/// <summary>Times as people type them, in this installation's zone.</summary>
internal static class LocalTime
{
    /// <summary>As <c>datetime-local</c> fields of forms write it.</summary>
    public const string Format = "yyyy-MM-dd'T'HH:mm";

    /// <summary>Reads one.</summary>
    /// <param name="text">For example 2026-03-29T02:30.</param>
    /// <param name="zone">Whose clock it is.</param>
    /// <param name="later">Which is meant of an hour that comes twice when the clocks go back.</param>
    /// <returns>Null where the text is no time, or one that the clocks leap over.</returns>
    public static DateTimeOffset? Read(string text, TimeZoneInfo zone, bool later)
    {
        if (!DateTime.TryParseExact(text, [Format, Format + "':'ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local) || zone.IsInvalidTime(local))
            return null;
        TimeSpan offset = zone.IsAmbiguousTime(local) ? (later ? zone.GetAmbiguousTimeOffsets(local).Min() : zone.GetAmbiguousTimeOffsets(local).Max()) : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset);
    }

    /// <summary>Writes one.</summary>
    public static string Write(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone).ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>An instant as people read it.</summary>
    public static string Show(DateTimeOffset at, TimeZoneInfo zone) => FormattableString.Invariant($"{TimeZoneInfo.ConvertTime(at, zone):yyyy-MM-dd HH:mm zzz}");
}
