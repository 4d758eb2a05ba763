using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LfrEngine.Tests.Pipeline;

/// <summary>Serves a recording over HTTP and breaks every connection somewhere in the middle of it, each time elsewhere.</summary>
internal sealed class BreakingServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly byte[] recording;
    private readonly Action<int> onConnection;
    private readonly Thread thread;

    public BreakingServer(string path, Action<int> onConnection)
    {
        recording = File.ReadAllBytes(path);
        this.onConnection = onConnection;
        listener.Start();
        thread = new Thread(Serve) { IsBackground = true };
        thread.Start();
    }

    public string Url(int camera) => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/camera{camera}.ts";

    public void Dispose()
    {
        listener.Stop();
        thread.Join();
    }

    private void Serve()
    {
        for (int connections = 1; ; connections++)
        {
            try
            {
                using Socket client = listener.AcceptSocket();
                onConnection(connections);
                client.Receive(new byte[4096]);
                client.Send(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n"));
                // A third to the whole of it; the odd byte lies in the middle of a packet.
                client.Send(recording.AsSpan(0, Math.Min(recording.Length, (int)(recording.Length * (0.34 + (0.22 * (connections % 4)))) | 1)));
            }
            catch (SocketException) when (!listener.Server.IsBound)
            {
                return;
            }
            catch (SocketException)
            {
                // A camera that was stopped hangs up.
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }
}
