using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace LfrEngine.Cli.Cameras;

/// <summary>One stream that a camera offers. <paramref name="Source"/> is what <c>--camera NAME=</c> takes; absent if the camera does not report it.</summary>
internal sealed record FoundProfile(string Name, string? Codec, int? Width, int? Height, int? FramesPerSecond, string? Source);

/// <summary>One camera that answered. <paramref name="State"/> is ready, refused (it requires a user name and password) or unusable; <paramref name="Message"/> says what is needed.</summary>
internal sealed record FoundCamera(string Address, string Service, string State, string? Message, string? Name, string? Manufacturer, string? Model, string? Firmware,
    FoundProfile[] Profiles, string[] Warnings);

/// <summary>Result of <c>lfr cameras discover</c>.</summary>
internal sealed record DiscoveryReport(string[] Interfaces, FoundCamera[] Cameras, string[] Warnings);

/// <summary>Queries the cameras that answered a probe for their details and streams.</summary>
/// <param name="credentials">For cameras that require a login.</param>
/// <param name="timeout">Of one request; a camera has four times this for all requests.</param>
internal sealed partial class CameraFinder(NetworkCredential? credentials, TimeSpan timeout)
{
    private const int AtOnce = 8, MostProfiles = 16;

    private static readonly XNamespace Device = "http://www.onvif.org/ver10/device/wsdl";
    private static readonly XNamespace Media = "http://www.onvif.org/ver10/media/wsdl";
    private static readonly XNamespace Media2 = "http://www.onvif.org/ver20/media/wsdl";
    private static readonly XNamespace Schema = "http://www.onvif.org/ver10/schema";

    /// <summary>Queries all cameras, several at a time. The results are in the same order.</summary>
    public async Task<FoundCamera[]> AskAsync(IReadOnlyList<DiscoveryAnswer> answers, CancellationToken stopping)
    {
        var cameras = new FoundCamera[answers.Count];
        await Parallel.ForAsync(0, answers.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stopping },
            async (i, ended) => cameras[i] = await AskAsync(answers[i], ended));
        return cameras;
    }

    private async Task<FoundCamera> AskAsync(DiscoveryAnswer answer, CancellationToken stopping)
    {
        var found = new Answers();
        using var device = new OnvifDevice(answer.Address, credentials, timeout);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        bounded.CancelAfter(timeout * 4);
        string state = "ready";
        string? message = null;
        try
        {
            await AskAsync(answer, device, found, bounded.Token);
            if (!found.Profiles.Exists(p => p.Source is not null))
                (state, message) = ("unusable", "it reports no stream: check its settings, or use the RTSP address from its manual");
        }
        catch (OnvifException e) when (e.Refused)
        {
            (state, message) = ("refused", credentials is null ? "it requires a user name and password: give --user NAME" : $"it does not accept the user \"{credentials.UserName}\" with this password");
        }
        catch (OnvifException e)
        {
            (state, message) = ("unusable", e.Message);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            (state, message) = ("unusable", $"it had not finished answering after {(timeout * 4).TotalSeconds:0.#} s");
        }
        return new FoundCamera(answer.Address.ToString(), answer.Service.AbsoluteUri, state, message, answer.Name, found.Manufacturer, found.Model ?? answer.Hardware, found.Firmware,
            [.. found.Profiles], [.. found.Warnings]);
    }

    private static async Task AskAsync(DiscoveryAnswer answer, OnvifDevice device, Answers found, CancellationToken stopping)
    {
        device.ClockOffset = await ClockOffsetAsync(answer.Service, device, stopping);
        XElement information = await device.CallAsync(answer.Service, new XElement(Device + "GetDeviceInformation"), stopping);
        (found.Manufacturer, found.Model, found.Firmware) = (information.TextAt("Manufacturer"), information.TextAt("Model"), information.TextAt("FirmwareVersion"));
        (Uri media, bool second) = await MediaServiceAsync(answer, device, found, stopping);
        XNamespace space = second ? Media2 : Media;
        XElement profiles = await device.CallAsync(media, new XElement(space + "GetProfiles", second ? new XElement(space + "Type", "VideoEncoder") : null), stopping);
        foreach (XElement profile in profiles.All("Profiles").Take(MostProfiles))
        {
            if (profile.Attribute("token")?.Value is not { Length: > 0 and <= 256 } token)
                continue;
            XElement? encoder = profile.At("VideoEncoderConfiguration") ?? profile.At("VideoEncoder");
            string name = profile.TextAt("Name") ?? OnvifXml.Shown(token) ?? "unnamed";
            found.Profiles.Add(new FoundProfile(name, encoder.TextAt("Encoding"), encoder.NumberAt("Resolution", "Width"), encoder.NumberAt("Resolution", "Height"),
                encoder.NumberAt("RateControl", "FrameRateLimit"), await StreamAsync(answer, device, media, token, second, found, name, stopping)));
        }
    }

    // Works without a password, so that a digest with the right time can be made.
    private static async Task<TimeSpan> ClockOffsetAsync(Uri service, OnvifDevice device, CancellationToken stopping)
    {
        XElement? utc;
        try
        {
            utc = (await device.CallAsync(service, new XElement(Device + "GetSystemDateAndTime"), stopping)).At("UTCDateTime");
        }
        catch (OnvifException e) when (e.InnerException is null)
        {
            // It does not answer this request; its clock is assumed to be right.
            return TimeSpan.Zero;
        }
        if (utc.NumberAt("Year") is not (>= 1970 and <= 2200 and { } year) || utc.NumberAt("Month") is not (>= 1 and <= 12 and { } month)
            || utc.NumberAt("Day") is not (>= 1 and { } day) || day > DateTime.DaysInMonth(year, month)
            || utc.NumberAt("Hour") is not (<= 23 and { } hour) || utc.NumberAt("Minute") is not (<= 59 and { } minute) || utc.NumberAt("Second") is not (<= 60 and { } second))
        {
            return TimeSpan.Zero;
        }
        return new DateTime(year, month, day, hour, minute, Math.Min(second, 59), DateTimeKind.Utc) - DateTime.UtcNow;
    }

    // Only the second media service supports H.265.
    private static async Task<(Uri Service, bool Second)> MediaServiceAsync(DiscoveryAnswer answer, OnvifDevice device, Answers found, CancellationToken stopping)
    {
        try
        {
            XElement services = await device.CallAsync(answer.Service, new XElement(Device + "GetServices", new XElement(Device + "IncludeCapability", "false")), stopping);
            foreach (XNamespace space in new[] { Media2, Media })
            {
                XElement? service = services.All("Service").FirstOrDefault(s => s.At("Namespace")?.Value.Trim() == space.NamespaceName);
                if (Own(service.At("XAddr")?.Value, answer, found, "its media service") is { } at)
                    return (at, space == Media2);
            }
        }
        catch (OnvifException e) when (!e.Refused && e.InnerException is null)
        {
            // Early cameras answer only the request below.
        }
        XElement capabilities = await device.CallAsync(answer.Service, new XElement(Device + "GetCapabilities", new XElement(Device + "Category", "Media")), stopping);
        return Own(capabilities.At("Capabilities", "Media", "XAddr")?.Value, answer, found, "its media service") is { } media
            ? (media, false)
            : throw new OnvifException("it reports no media service of its own");
    }

    private static async Task<string?> StreamAsync(DiscoveryAnswer answer, OnvifDevice device, Uri media, string token, bool second, Answers found, string name, CancellationToken stopping)
    {
        XElement request = second
            ? new XElement(Media2 + "GetStreamUri", new XElement(Media2 + "Protocol", "RTSP"), new XElement(Media2 + "ProfileToken", token))
            : new XElement(Media + "GetStreamUri",
                new XElement(Media + "StreamSetup", new XElement(Schema + "Stream", "RTP-Unicast"), new XElement(Schema + "Transport", new XElement(Schema + "Protocol", "RTSP"))),
                new XElement(Media + "ProfileToken", token));
        try
        {
            XElement stream = await device.CallAsync(media, request, stopping);
            return Own(stream.At("Uri")?.Value, answer, found, $"the stream \"{name}\"", "rtsp", "rtsps") is { } uri ? WithoutSecrets(uri, found) : null;
        }
        catch (OnvifException e) when (!e.Refused)
        {
            found.Warn($"the address of the stream \"{name}\" is not available: {e.Message}");
            return null;
        }
    }

    private static Uri? Own(string? text, DiscoveryAnswer answer, Answers found, string what, params string[] schemes)
    {
        if (text is null)
            return null;
        string[] allowed = schemes.Length > 0 ? schemes : ["http", "https"];
        if (text.Length > 2048 || !Uri.TryCreate(text.Trim(), UriKind.Absolute, out Uri? uri) || !allowed.Contains(uri.Scheme))
        {
            found.Warn($"the address of {what} is not valid: ignored");
            return null;
        }
        if (WsDiscovery.IsAt(uri, answer.Address))
            return uri;
        found.Warn($"the camera reports {what} at {OnvifXml.Shown(uri.Host)}, which is another machine: ignored");
        return null;
    }

    // Some cameras write a user's password into the address.
    private static string WithoutSecrets(Uri uri, Answers found)
    {
        string plain = uri.UserInfo.Length == 0 ? uri.AbsoluteUri : new UriBuilder(uri) { UserName = "", Password = "" }.Uri.AbsoluteUri;
        string shown = PasswordInAddress().Replace(plain, "$1=***");
        if (shown != plain || uri.UserInfo.Length > 0)
            found.Warn("an address contains a password, which is not shown");
        // People copy it into a shell, so it must not end a quotation or start a command.
        return ShellCharacters().Replace(shown, c => $"%{(int)c.Value[0]:X2}");
    }

    [GeneratedRegex("(passwd|password|pass|pwd)=[^&_;/?]*", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PasswordInAddress();

    [GeneratedRegex("['\"`$();<>|\\\\]", RegexOptions.CultureInvariant)]
    private static partial Regex ShellCharacters();

    private sealed class Answers
    {
        private const int MostWarnings = 8;

        public string? Manufacturer { get; set; }

        public string? Model { get; set; }

        public string? Firmware { get; set; }

        public List<FoundProfile> Profiles { get; } = [];

        public List<string> Warnings { get; } = [];

        public void Warn(string text)
        {
            if (Warnings.Count < MostWarnings && !Warnings.Contains(text))
                Warnings.Add(text);
        }
    }
}
