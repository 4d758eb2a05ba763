using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;

namespace LfrEngine.Cli.Cameras;

/// <summary>A camera's service gave no answer; the message says why.</summary>
internal sealed class OnvifException(string message, bool refused = false, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The camera requires a login, or does not accept it.</summary>
    public bool Refused { get; } = refused;
}

/// <summary>Calls one camera's ONVIF services: SOAP 1.2 over HTTP, limited in size and time, only at the camera's address.</summary>
/// <param name="address">The camera. All connections go there, whatever addresses the answers contain.</param>
/// <param name="credentials">Used only after the camera has refused a request without login.</param>
/// <param name="timeout">Of one call.</param>
internal sealed class OnvifDevice(IPAddress address, NetworkCredential? credentials, TimeSpan timeout) : IDisposable
{
    private static readonly XNamespace Security = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    private static readonly XNamespace Utility = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    private const string DigestType = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
    private const string Base64Type = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

    private readonly HttpClient client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        MaxResponseHeadersLength = 32,
        MaxConnectionsPerServer = 1,
        Credentials = credentials is null ? null : new DigestOnly(credentials),
        ConnectCallback = async (context, stopping) =>
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), stopping);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
        // Cameras sign their own certificates. The only secret sent is a digest, which plain HTTP, the usual case, would expose as well.
        #pragma warning disable CA5359
        SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
        #pragma warning restore CA5359
    })
    { MaxResponseContentBufferSize = OnvifXml.LongestAnswer, Timeout = Timeout.InfiniteTimeSpan };

    private bool signs;

    /// <summary>Offset of the camera's clock from this machine's: it accepts a digest only near its own time.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>Calls one operation.</summary>
    /// <param name="at">The service.</param>
    /// <param name="request">The operation with its parameters.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <returns>The body of the answer.</returns>
    /// <exception cref="OnvifException">Refused, broken, or nothing within the time.</exception>
    public async Task<XElement> CallAsync(Uri at, XElement request, CancellationToken stopping)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        bounded.CancelAfter(timeout);
        try
        {
            try
            {
                return await PostAsync(at, request, bounded.Token);
            }
            catch (OnvifException e) when (e.Refused && !signs && credentials is not null && e.InnerException is null)
            {
                signs = true;
                return await PostAsync(at, request, bounded.Token);
            }
        }
        catch (OperationCanceledException e) when (!stopping.IsCancellationRequested)
        {
            throw new OnvifException($"no answer within {timeout.TotalSeconds:0.#} s", cause: e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            throw new OnvifException(e is HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } ? "its answer is too long" : "it cannot be reached over HTTP", cause: e);
        }
    }

    public void Dispose() => client.Dispose();

    private async Task<XElement> PostAsync(Uri at, XElement request, CancellationToken stopping)
    {
        using var content = new ByteArrayContent(OnvifXml.Envelope(signs ? [Token()] : [], request));
        content.Headers.TryAddWithoutValidation("Content-Type", $"application/soap+xml; charset=utf-8; action=\"{request.Name.NamespaceName}/{request.Name.LocalName}\"");
        using HttpResponseMessage response = await client.PostAsync(at, content, stopping);
        int status = (int)response.StatusCode;
        if (status is >= 300 and < 400)
            throw new OnvifException("it redirects to another address, which is not followed");
        if (status is 401 or 403)
        {
            // If HTTP digest was requested, the handler has already answered with it: the same password in the other form would be a second wrong attempt.
            bool tried = credentials is not null && response.Headers.WwwAuthenticate.Any(c => c.Scheme.Equals("Digest", StringComparison.OrdinalIgnoreCase));
            throw new OnvifException("refused", refused: true, tried ? new HttpRequestException("refused after HTTP digest") : null);
        }
        XElement? body = OnvifXml.Parse(await response.Content.ReadAsByteArrayAsync(stopping)).At("Body");
        if (body?.At("Fault") is { } fault)
        {
            string text = fault.TextAt("Reason", "Text") ?? fault.TextAt("faultstring") ?? "no reason given";
            bool refused = fault.All("Value").Any(v => v.Value.Contains("NotAuthorized", StringComparison.OrdinalIgnoreCase) || v.Value.Contains("FailedAuthentication", StringComparison.OrdinalIgnoreCase))
                || text.Contains("authori", StringComparison.OrdinalIgnoreCase);
            throw new OnvifException($"it says: {text}", refused);
        }
        return body ?? throw new OnvifException(status == 200 ? "its answer cannot be read" : $"it answers with HTTP status {status}");
    }

    private XElement Token()
    {
        byte[] nonce = RandomNumberGenerator.GetBytes(16);
        string created = (DateTime.UtcNow + ClockOffset).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        #pragma warning disable CA5350 // The standard's digest; there is no other.
        byte[] digest = SHA1.HashData([.. nonce, .. Encoding.UTF8.GetBytes(created + credentials!.Password)]);
        #pragma warning restore CA5350
        return new XElement(Security + "Security", new XAttribute(OnvifXml.Soap + "mustUnderstand", "1"),
            new XElement(Security + "UsernameToken",
                new XElement(Security + "Username", credentials.UserName),
                new XElement(Security + "Password", new XAttribute("Type", DigestType), Convert.ToBase64String(digest)),
                new XElement(Security + "Nonce", new XAttribute("EncodingType", Base64Type), Convert.ToBase64String(nonce)),
                new XElement(Utility + "Created", created)));
    }

    // Basic would send the password itself.
    private sealed class DigestOnly(NetworkCredential credentials) : ICredentials
    {
        public NetworkCredential? GetCredential(Uri uri, string authType) => authType.Equals("Digest", StringComparison.OrdinalIgnoreCase) ? credentials : null;
    }
}
