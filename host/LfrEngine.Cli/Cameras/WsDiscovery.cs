using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Xml.Linq;

namespace LfrEngine.Cli.Cameras;

/// <summary>An answer to a probe.</summary>
/// <param name="Address">Where the answer came from.</param>
/// <param name="Service">Its ONVIF device service, always on the answerer itself.</param>
/// <param name="Name">From its scopes, safe to display; null if missing.</param>
/// <param name="Hardware">Likewise.</param>
internal sealed record DiscoveryAnswer(IPAddress Address, Uri Service, string? Name, string? Hardware);

/// <summary>Finds ONVIF cameras on the local network: sends a WS-Discovery probe by multicast and collects answers for a limited time.</summary>
/// <remarks>Answers are untrusted: their number and size are limited, and none can redirect us to another machine.</remarks>
internal sealed class WsDiscovery(Action<string> warn)
{
    private const int LongestDatagram = 65_536, MostAnswers = 256, MostPerAddress = 8, MostDatagrams = 4096, MostWarnings = 32;

    private static readonly IPEndPoint Group = new(IPAddress.Parse("239.255.255.250"), 3702);
    private static readonly XNamespace Addressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
    private static readonly XNamespace Discovery = "http://schemas.xmlsoap.org/ws/2005/04/discovery";

    // Datagrams get lost, so each probe is sent twice. Early cameras know only the first type, some later ones only the second.
    private static readonly TimeSpan[] SendAt = [TimeSpan.Zero, TimeSpan.FromMilliseconds(400)];
    private static readonly (string Type, string Namespace)[] Types =
        [("NetworkVideoTransmitter", "http://www.onvif.org/ver10/network/wsdl"), ("Device", "http://www.onvif.org/ver10/device/wsdl")];

    private readonly Lock gate = new();
    private readonly Dictionary<string, DiscoveryAnswer> answers = new(StringComparer.Ordinal);
    private readonly HashSet<string> warned = new(StringComparer.Ordinal);

    /// <summary>Probes on every interface at once and collects the answers.</summary>
    /// <exception cref="CommandFailure">Nothing could be sent on any interface.</exception>
    public async Task<DiscoveryAnswer[]> ProbeAsync(IReadOnlyList<LocalInterface> interfaces, TimeSpan timeout, CancellationToken stopping)
    {
        string?[] failures = await Task.WhenAll(interfaces.Select(i => ProbeAsync(i, timeout, stopping)));
        if (failures.All(f => f is not null))
            throw LocalInterface.NoNetwork(": " + string.Join("; ", failures));
        foreach (string? failure in failures)
        {
            if (failure is not null)
                Warn(failure);
        }
        lock (gate)
            return [.. answers.Values.OrderBy(a => BitConverter.ToUInt32([.. a.Address.GetAddressBytes().Reverse()])).ThenBy(a => a.Service.Port)];
    }

    // Null, or why nothing could be sent on this interface.
    private async Task<string?> ProbeAsync(LocalInterface from, TimeSpan timeout, CancellationToken stopping)
    {
        string[] ids = [.. Types.Select(_ => $"urn:uuid:{Guid.NewGuid()}")];
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            socket.Bind(new IPEndPoint(from.Address, 0));
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, from.Address.GetAddressBytes());
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 1);
            ended.CancelAfter(timeout);
            Task listening = ListenAsync(socket, ids, ended.Token);
            long started = Stopwatch.GetTimestamp();
            foreach (TimeSpan at in SendAt)
            {
                TimeSpan wait = at - Stopwatch.GetElapsedTime(started);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, stopping);
                foreach (((string Type, string Namespace) type, string id) in Types.Zip(ids))
                    await socket.SendToAsync(Probe(type, id), SocketFlags.None, Group, stopping);
            }
            await listening;
        }
        catch (SocketException e)
        {
            await ended.CancelAsync();
            return $"{from} cannot multicast ({e.Message})";
        }
        stopping.ThrowIfCancellationRequested();
        return null;
    }

    private async Task ListenAsync(Socket socket, string[] ids, CancellationToken ended)
    {
        byte[] buffer = new byte[LongestDatagram];
        for (int i = 0; i < MostDatagrams; i++)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), ended);
                Take(((IPEndPoint)received.RemoteEndPoint).Address, buffer.AsMemory(0, received.ReceivedBytes), ids);
            }
            catch (SocketException)
            {
                // Windows reports here that an earlier datagram was refused, which does not affect the next answer.
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Take(IPAddress sender, ReadOnlyMemory<byte> datagram, string[] ids)
    {
        if (OnvifXml.Parse(datagram) is not { } envelope)
        {
            Warn($"{sender} sent an answer that is not XML: ignored");
            return;
        }
        // An answer to another program's probe.
        if (envelope.At("RelatesTo")?.Value.Trim() is { } question && !ids.Contains(question))
            return;
        foreach (XElement match in envelope.All("ProbeMatch").Take(MostPerAddress))
        {
            if (ServiceOf(sender, match) is not { } service)
                continue;
            string[] scopes = Words(match.At("Scopes"));
            var answer = new DiscoveryAnswer(sender, service, Scope(scopes, "name"), Scope(scopes, "hardware"));
            lock (gate)
            {
                if (answers.Count >= MostAnswers || answers.Values.Count(a => a.Address.Equals(sender)) >= MostPerAddress)
                    Warn($"too many answers from {sender}: only the first is used");
                else
                    answers.TryAdd($"{sender} {service.AbsoluteUri}", answer);
            }
        }
    }

    // Only the machine that answered: a camera cannot redirect us, or a password digest, to another machine.
    private Uri? ServiceOf(IPAddress sender, XElement match)
    {
        Uri[] offered = [.. Words(match.At("XAddrs")).Take(16).Select(a => Uri.TryCreate(a, UriKind.Absolute, out Uri? uri) ? uri : null)
            .Where(u => u is { Scheme: "http" or "https", UserInfo: "" }).Select(u => u!)];
        if (offered.Length == 0)
            return new Uri($"http://{sender}/onvif/device_service");
        Uri? own = offered.Where(u => IsAt(u, sender)).OrderBy(u => u.Scheme, StringComparer.Ordinal).FirstOrDefault();
        if (own is null)
            Warn($"{sender} reports its service at {OnvifXml.Shown(offered[0].Host)}, which is another machine: ignored");
        return own;
    }

    /// <summary>Whether an address names this machine, by number.</summary>
    public static bool IsAt(Uri uri, IPAddress address) => IPAddress.TryParse(uri.IdnHost, out IPAddress? host) && host.Equals(address);

    private static string[] Words(XElement? element) => element?.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static string? Scope(string[] scopes, string kind)
    {
        string start = $"onvif://www.onvif.org/{kind}/";
        return scopes.FirstOrDefault(s => s.StartsWith(start, StringComparison.OrdinalIgnoreCase)) is { } scope ? OnvifXml.Shown(Uri.UnescapeDataString(scope[start.Length..])) : null;
    }

    private void Warn(string text)
    {
        lock (gate)
        {
            if (warned.Count < MostWarnings && warned.Add(text))
                warn(text);
        }
    }

    private static byte[] Probe((string Type, string Namespace) type, string id) => OnvifXml.Envelope(
        [
            new XElement(Addressing + "Action", Discovery.NamespaceName + "/Probe"),
            new XElement(Addressing + "MessageID", id),
            new XElement(Addressing + "ReplyTo", new XElement(Addressing + "Address", Addressing.NamespaceName + "/role/anonymous")),
            new XElement(Addressing + "To", "urn:schemas-xmlsoap-org:ws:2005:04:discovery"),
        ],
        new XElement(Discovery + "Probe", new XElement(Discovery + "Types", new XAttribute(XNamespace.Xmlns + "dn", type.Namespace), $"dn:{type.Type}")));
}
