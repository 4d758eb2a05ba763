using System.Globalization;
using System.Security.Cryptography;

namespace LfrEngine.Pipeline;

/// <summary>Ids of runs: the start time, UTC, then six random characters. They sort by time and can be used in any file name.</summary>
public static class RunIds
{
    // No letters that look like digits.
    private const string Characters = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int RandomCharacters = 6;

    /// <summary>A new id, for example 20260514T093012-k3f9x2.</summary>
    public static string New() =>
        string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyyMMdd'T'HHmmss}-{RandomNumberGenerator.GetString(Characters, RandomCharacters)}");
}
