using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LfrEngine.Web.Tests;

/// <summary>An authenticator app: RFC 6238, written from the standard.</summary>
internal static class Totp
{
    /// <summary>The code that an app shows.</summary>
    /// <param name="key">Base 32.</param>
    /// <param name="steps">Steps of thirty seconds from now; the server takes −2 to 2.</param>
    public static string Code(string key, int steps = 0)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, (DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30) + steps);
#pragma warning disable CA5350 // The standard's default, which every app uses.
        byte[] hash = HMACSHA1.HashData(Decode(key), counter.ToArray());
#pragma warning restore CA5350
        int number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(hash[^1] & 15)) & int.MaxValue;
        return (number % 1_000_000).ToString("D6", System.Globalization.CultureInfo.InvariantCulture);
    }

    private static byte[] Decode(string base32)
    {
        var bytes = new List<byte>();
        int bits = 0, held = 0;
        foreach (char c in base32)
        {
            held = ((held << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal)) & 0xFFFF;
            bits += 5;
            if (bits < 8)
                continue;
            bits -= 8;
            bytes.Add((byte)(held >> bits));
        }
        return [.. bytes];
    }
}
