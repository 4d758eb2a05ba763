using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace LfrEngine.Records.Security;

/// <summary>Secrets of links, sessions and tokens: 256 random bits, of which only the hash is stored.</summary>
internal static class RandomSecret
{
    private const int Bytes = 32;

    /// <summary>A new secret, for addresses and headers.</summary>
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>SHA-256, hexadecimal. A slow hash would add nothing: nobody guesses 256 bits.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
