using System.Globalization;

namespace LfrEngine.Web.Shell;

/// <summary>Times for people: ISO date, 24 hours, with the zone, so that they cannot be misread.</summary>
internal static class Instants
{
    /// <summary>For example <c>2026-11-23 08:05 +00:00</c>, in the zone of this installation.</summary>
    public static string Text(DateTimeOffset instant, TimeProvider time) =>
        TimeZoneInfo.ConvertTime(instant, time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture);
}
