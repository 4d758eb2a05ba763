using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LfrEngine.Cli.Tests.Support;

/// <summary>A folder over HTTP on the loopback interface, as a camera or a media server gives lists and segments.</summary>
internal sealed class WebFolder : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly ConcurrentQueue<string> asked = new();
    private readonly Task serving;
    private readonly string folder;
    private readonly Func<string, string?>? write;

    /// <param name="folder">Its files are served.</param>
    /// <param name="write">The text of a name that is written when it is requested; null for a file.</param>
    public WebFolder(string folder, Func<string, string?>? write = null)
    {
        this.folder = folder;
        this.write = write;
        listener.Start();
        serving = Task.Run(ServeAsync);
    }

    /// <summary>Requested names, in order.</summary>
    public IReadOnlyCollection<string> Asked => asked;

    public string Url(string name) => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/{name}";

    public void Dispose()
    {
        ending.Cancel();
        listener.Dispose();
        serving.GetAwaiter().GetResult();
        ending.Dispose();
    }

    private async Task ServeAsync()
    {
        var answers = new List<Task>();
        try
        {
            while (true)
            {
                TcpClient client = await listener.AcceptTcpClientAsync(ending.Token);
                answers.Add(AnswerAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
        await Task.WhenAll(answers);
    }

    private async Task AnswerAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                using var reader = new StreamReader(client.GetStream());
                string? request = await reader.ReadLineAsync(ending.Token);
                while (await reader.ReadLineAsync(ending.Token) is { Length: > 0 })
                    continue;
                if (request is null)
                    return;
                string name = Path.GetFileName(request.Split(' ')[1]);
                asked.Enqueue(name);
                byte[]? body = await ReadAsync(name);
                string head = body is null ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n" : $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nContent-Type: {(name.EndsWith(".m3u8", StringComparison.Ordinal) ? "application/vnd.apple.mpegurl" : "video/mp2t")}\r\n";
                await client.GetStream().WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head + "Connection: close\r\n\r\n"), .. body ?? []], ending.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The reader hung up, or the test is over.
        }
    }

    private async Task<byte[]?> ReadAsync(string name)
    {
        if (write?.Invoke(name) is { } text)
            return Encoding.ASCII.GetBytes(text);
        try
        {
            return await File.ReadAllBytesAsync(Path.Combine(folder, name), ending.Token);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
