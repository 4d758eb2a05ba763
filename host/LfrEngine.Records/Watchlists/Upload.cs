using System.Security.Cryptography;
using LfrEngine.Memory;

namespace LfrEngine.Records.Watchlists;

/// <summary>Reads uploads into locked memory.</summary>
internal static class Upload
{
    private const int ChunkBytes = 32 << 10;
    private const int FirstBytes = 1 << 20;

    /// <summary>Reads a stream to its end; null if it has more than <paramref name="most"/> bytes.</summary>
    public static async Task<HostBuffer<byte>?> ReadAsync(Stream stream, int most, CancellationToken stopping)
    {
        var chunk = new byte[ChunkBytes];
        HostBuffer<byte> room = BufferPool.Rent<byte>(FirstBytes);
        int length = 0;
        try
        {
            while (await stream.ReadAsync(chunk, stopping) is var read and > 0)
            {
                if (length + read > most)
                    return null;
                if (length + read > room.Length)
                    room = Grow(room, length, Math.Min(most, room.Length * 2));
                chunk.AsSpan(0, read).CopyTo(room.Span[length..]);
                length += read;
            }
            HostBuffer<byte> whole = BufferPool.Rent<byte>(length);
            room.Span[..length].CopyTo(whole.Span);
            return whole;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(chunk);
            room.Dispose();
        }
    }

    private static HostBuffer<byte> Grow(HostBuffer<byte> room, int length, int bytes)
    {
        HostBuffer<byte> larger = BufferPool.Rent<byte>(bytes);
        room.Span[..length].CopyTo(larger.Span);
        room.Dispose();
        return larger;
    }
}
