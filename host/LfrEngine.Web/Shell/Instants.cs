using System.Globalization;

namespace LfrEngine.Web.Shell;

/// <summary>Times for people, in the zone of this installation. Each page names the zone once.</summary>
internal static class Instants
{
    /// <summary>For example <c>23 Nov 2026 08:05</c>.</summary>
    public static string Text(DateTimeOffset at, TimeProvider time) => Local(at, time).ToString("d MMM yyyy HH:mm", CultureInfo.InvariantCulture);

    /// <summary>For example <c>23 Nov 2026 08:05:09</c>.</summary>
    public static string Exact(DateTimeOffset at, TimeProvider time) => Local(at, time).ToString("d MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>For example <c>08:05:09</c>.</summary>
    public static string Clock(DateTimeOffset at, TimeProvider time) => Local(at, time).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>For example <c>08:05</c>.</summary>
    public static string Short(DateTimeOffset at, TimeProvider time) => Local(at, time).ToString("HH:mm", CultureInfo.InvariantCulture);

    /// <summary>For programs: ISO 8601, UTC.</summary>
    public static string Iso(DateTimeOffset at) => at.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The zone with its difference from UTC now, for example <c>Europe/London (UTC+01:00)</c>.</summary>
    public static string Zone(TimeProvider time) => $"{time.LocalTimeZone.Id} (UTC{Local(time.GetUtcNow(), time).ToString("zzz", CultureInfo.InvariantCulture)})";

    private static DateTimeOffset Local(DateTimeOffset at, TimeProvider time) => TimeZoneInfo.ConvertTime(at, time.LocalTimeZone);
}
