using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace LfrEngine.Native.Tests.Media;

/// <summary>An RTSP camera on loopback, as far as opening goes: it describes, sets up and says that it plays, with the ways of real ones.</summary>
internal sealed partial class RtspCamera : IDisposable
{
    private const string Nonce = "0123456789abcdef";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Task serving;

    public RtspCamera()
    {
        listener.Start();
        serving = Task.Run(ServeAsync);
    }

    /// <summary>User and password, checked by digest; null: open to all.</summary>
    public (string User, string Password)? Login { get; init; }

    /// <summary>Answers 461 to TCP.</summary>
    public bool UdpOnly { get; init; }

    /// <summary>Answers 461 to UDP.</summary>
    public bool TcpOnly { get; init; }

    /// <summary>Answers the description with this instead of 200.</summary>
    public string? Refusal { get; init; }

    /// <summary>Describes no video.</summary>
    public bool IsStarting { get; init; }

    /// <summary>Transports asked for, in order.</summary>
    public List<string> Transports { get; } = [];

    public string Url(string login = "") => $"rtsp://{login}127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/live";

    public void Dispose()
    {
        listener.Dispose();
        serving.GetAwaiter().GetResult();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await listener.AcceptTcpClientAsync();
                await TalkAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        using var reader = new StreamReader(client.GetStream());
        var lines = new List<string>();
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.Length > 0)
                {
                    lines.Add(line);
                    continue;
                }
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Answer(lines)));
                lines.Clear();
            }
        }
        catch (IOException)
        {
            // The reader hung up.
        }
    }

    private string Answer(List<string> request)
    {
        string method = request[0].Split(' ')[0], url = request[0].Split(' ')[1];
        string Header(string name) => request.FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim() ?? "";
        string code = "200 OK", extra = "", body = "";
        if (Login is { } login && method != "OPTIONS" && !IsLoggedIn(login, method, Header("Authorization")))
        {
            code = "401 Unauthorized";
            extra = $"WWW-Authenticate: Digest realm=\"cam\", nonce=\"{Nonce}\"\r\n";
        }
        else if (method == "DESCRIBE")
        {
            code = Refusal ?? code;
            body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\na=control:*\r\n"
                + (IsStarting ? "" : "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n");
            extra = $"Content-Type: application/sdp\r\nContent-Base: {url}/\r\n";
        }
        else if (method == "SETUP")
        {
            string transport = Header("Transport");
            Transports.Add(transport.Contains("TCP", StringComparison.Ordinal) ? "tcp" : "udp");
            if (Transports[^1] == "tcp" ? UdpOnly : TcpOnly)
                code = "461 Unsupported Transport";
            else
                extra = $"Transport: {(Transports[^1] == "tcp" ? "RTP/AVP/TCP;unicast;interleaved=0-1" : transport + ";server_port=6970-6971")}\r\nSession: 1\r\n";
        }
        else
        {
            extra = method == "OPTIONS" ? "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n" : "Session: 1\r\n";
        }
        string length = body.Length > 0 && code.StartsWith('2') ? string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n") : "";
        return $"RTSP/1.0 {code}\r\nCSeq: {Header("CSeq")}\r\n{extra}{length}\r\n{(length.Length > 0 ? body : "")}";
    }

    private static bool IsLoggedIn((string User, string Password) login, string method, string authorization)
    {
        var said = Pairs().Matches(authorization).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        return said.TryGetValue("response", out string? response)
            && response == Md5($"{Md5($"{login.User}:cam:{login.Password}")}:{Nonce}:{Md5($"{method}:{said["uri"]}")}");
    }

#pragma warning disable CA5351 // Digest authentication is made of MD5.
    private static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5351

    [GeneratedRegex("(\\w+)=\"([^\"]*)\"")]
    private static partial Regex Pairs();
}
