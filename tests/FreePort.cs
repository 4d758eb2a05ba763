using System.Net;
using System.Net.Sockets;

namespace LfrEngine;

/// <summary>A port of the loopback interface for a server that the test starts later, or twice.</summary>
internal static class FreePort
{
    // Below the ports that Linux (32768 up) and Windows (49152 up) give to outgoing connections: another program's connection would take the port while the server is away.
    private const int First = 20_000, Count = 12_000;

    private static int next = Random.Shared.Next(Count);

    public static int Tcp() => Find(SocketType.Stream, ProtocolType.Tcp);

    public static int Udp() => Find(SocketType.Dgram, ProtocolType.Udp);

    private static int Find(SocketType type, ProtocolType protocol)
    {
        while (true)
        {
            int port = First + (int)((uint)Interlocked.Increment(ref next) % Count);
            using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }
    }
}
