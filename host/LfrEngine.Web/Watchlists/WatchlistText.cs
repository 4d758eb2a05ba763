using System.Globalization;
using LfrEngine.Records.Security;
using LfrEngine.Records.Watchlists;

namespace LfrEngine.Web.Watchlists;

/// <summary>Formats values for the watchlist pages.</summary>
internal static class WatchlistText
{
    /// <summary>The short name of an entry, as refusals use it.</summary>
    public static string Entry(Guid person) => $"{person:N}"[^8..];

    public static string Day(DateOnly? day) => day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "–";

    /// <summary>A score or a quality.</summary>
    public static string Number(float value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>Text for a failure that the officer can fix. Null for a fault of the program.</summary>
    public static IReadOnlyList<string>? Reasons(Exception e) => e switch
    {
        WatchlistRefusedException refused => refused.Reasons,
        KeyNotFoundException or KeyDestroyedException or CommandFailure or LfrEngine.Watchlists.WatchlistException or IOException => [e.Message],
        _ => null,
    };
}
