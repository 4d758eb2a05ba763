using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using LfrEngine.Cli.Cameras;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary><c>lfr cameras discover</c> against cameras that run as separate programs, on the loopback interface.</summary>
[Trait("Speed", "slow")]
public sealed class CamerasDiscoverTests : IDisposable
{
    private const string Password = "s3cret-of-the-camera";

    private static readonly (string Name, string Value) PasswordVariable = ("LFR_CAMERA_PASSWORD", Password);

    private readonly OnvifCameras cameras = new();

    public void Dispose() => cameras.Dispose();

    [Fact]
    public async Task Discover_SeveralCameras_ListsEachWithItsStreams()
    {
        await cameras.StartAsync(
            new JsonObject { ["name"] = "Front%20gate", ["maker"] = "Acme & Sons" },
            new JsonObject { ["name"] = "old", ["no_services"] = true },
            new JsonObject { ["media2"] = true, ["profiles"] = Profiles("H265", 3840, 2160, 20, "rtsp://ADDRESS:8554/cam?a=1&b=2") });

        Outcome found = (await OnvifCameras.DiscoverAsync()).Exits(ExitCode.Success).IsCivil();

        JsonObject front = cameras.Of(found, 1);
        Assert.Equal(("Front gate", "Acme & Sons", "Box 1", "1.2.3", "ready"),
            ((string?)front["name"], (string?)front["manufacturer"], (string?)front["model"], (string?)front["firmware"], (string?)front["state"]));
        JsonObject main = front["profiles"]![0]!.AsObject();
        Assert.Equal(("main", "H264", 1920, 1080, 25, $"rtsp://{cameras[1]}:554/main"),
            ((string?)main["name"], (string?)main["codec"], (int)main["width"]!, (int)main["height"]!, (int)main["framesPerSecond"]!, (string?)main["source"]));
        Assert.Equal(["main", "sub"], front["profiles"]!.AsArray().Select(p => (string?)p!["name"]));
        Assert.Equal(2, cameras.Of(found, 2)["profiles"]!.AsArray().Count);
        JsonNode fine = cameras.Of(found, 3)["profiles"]![0]!;
        Assert.Equal(("H265", 3840, $"rtsp://{cameras[3]}:8554/cam?a=1&b=2"), ((string?)fine["codec"], (int)fine["width"]!, (string?)fine["source"]));
        (await Lfr.RunAsync("cameras", "discover", "--interface", "127.0.0.1", "--timeout", "1.5")).Exits(ExitCode.Success)
            .Says("Front gate", "H264, 1920x1080, 25 fps", $"rtsp://{cameras[1]}:554/sub", "lfr cameras test");
    }

    [Fact]
    public async Task Discover_CamerasThatWantAPassword_SaysWhatIsNeeded()
    {
        await cameras.StartAsync(Locked(), Locked(http: true), new JsonObject());

        Outcome found = (await OnvifCameras.DiscoverAsync()).Exits(ExitCode.Success).IsCivil();

        Assert.All([1, 2], n => Assert.Equal(("refused", "it requires a user name and password: give --user NAME"), ((string?)cameras.Of(found, n)["state"], (string?)cameras.Of(found, n)["message"])));
        Assert.Equal("ready", (string?)cameras.Of(found, 3)["state"]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-90_061)]
    [InlineData(7_300)]
    public async Task Discover_WithPassword_AnswersByTheCamerasClock(int clockOffset)
    {
        JsonObject leaking = Locked(http: true);
        leaking["profiles"] = Profiles("H264", 640, 360, 25, $"rtsp://ops:{Password}@ADDRESS/cam?user=ops&password={Password}&x=1");
        await cameras.StartAsync(Locked(clockOffset), Locked(http: true), leaking);

        Outcome found = (await DiscoverWithPasswordAsync()).Exits(ExitCode.Success).IsCivil();

        Assert.All([1, 2, 3], n => Assert.Equal("ready", (string?)cameras.Of(found, n)["state"]));
        Assert.Equal($"rtsp://{cameras[3]}/cam?user=ops&password=***&x=1", (string?)cameras.Of(found, 3)["profiles"]![0]!["source"]);
        Assert.DoesNotContain(Password, found.Text, StringComparison.Ordinal);
        // Digests come only after a refusal without.
        Assert.Contains($"{cameras[1]} GetDeviceInformation refused: no token", cameras.Log);
        Assert.DoesNotContain(cameras.Log, l => l.EndsWith("not of this time", StringComparison.Ordinal) || l.EndsWith("is no digest", StringComparison.Ordinal) || l.EndsWith("not a digest", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Discover_WrongPassword_IsTriedOncePerCamera()
    {
        await cameras.StartAsync(Locked().With("password", "another"), Locked(http: true).With("password", "another"));

        Outcome found = (await DiscoverWithPasswordAsync()).Exits(ExitCode.Success).IsCivil();

        Assert.All([1, 2], n => Assert.Equal(("refused", "it does not accept the user \"ops\" with this password"), ((string?)cameras.Of(found, n)["state"], (string?)cameras.Of(found, n)["message"])));
        // More tries would lock the account.
        Assert.All([1, 2], n => Assert.Single(cameras.Log, l => l == $"{cameras[n]} GetDeviceInformation refused: wrong user or password"));
    }

    [Fact]
    public async Task Discover_AddressesOfOtherMachines_AreNotAsked()
    {
        // Number 1 answers no probe: whoever asks it was sent there.
        string trap = $"{{{cameras[1]}}}";
        await cameras.StartAsync(
            new JsonObject { ["answers"] = 0 },
            new JsonObject { ["xaddrs"] = $"http://{trap}/onvif/device_service" },
            new JsonObject { ["media_xaddr"] = $"http://{trap}/onvif/media" },
            new JsonObject { ["profiles"] = Profiles("H264", 640, 360, 25, $"rtsp://{cameras[1]}/stream") },
            new JsonObject { ["bomb"] = "redirect", ["location"] = $"http://{trap}/onvif/device_service" },
            Locked().With("media_xaddr", $"http://{trap}/onvif/media"));

        Outcome found = (await DiscoverWithPasswordAsync()).Exits(ExitCode.Success).IsCivil();

        Assert.DoesNotContain(cameras.Log, l => l.StartsWith(cameras[1] + " ", StringComparison.Ordinal) && !l.EndsWith("probed", StringComparison.Ordinal));
        Assert.DoesNotContain(found.Json["cameras"]!.AsArray(), c => (string?)c!["address"] == cameras[1] || (string?)c["address"] == cameras[2]);
        found.Says($"{cameras[2]} reports its service at {cameras[1]}, which is another machine: ignored");
        Assert.Equal(("unusable", "it reports no media service of its own"), ((string?)cameras.Of(found, 3)["state"], (string?)cameras.Of(found, 3)["message"]));
        JsonObject elsewhere = cameras.Of(found, 4);
        Assert.Equal("unusable", (string?)elsewhere["state"]);
        Assert.Null(elsewhere["profiles"]![0]!["source"]);
        Assert.Contains("another machine", (string?)elsewhere["warnings"]![0], StringComparison.Ordinal);
        Assert.Contains("redirects to another address", (string?)cameras.Of(found, 5)["message"], StringComparison.Ordinal);
        Assert.Equal("unusable", (string?)cameras.Of(found, 6)["state"]);
    }

    [Fact]
    public async Task Discover_HostileServices_DoNotAffectOthers()
    {
        string[] kinds = ["dtd", "entities", "external", "deep", "latin", "huge", "endless", "drip", "silent"];
        await cameras.StartAsync([.. kinds.Select(k => new JsonObject { ["bomb"] = k }), new JsonObject { ["raw"] = "<a/>" }, new JsonObject { ["raw"] = "" },
            new JsonObject { ["raw"] = "\u00ff\u00fe\u0000<" }, new JsonObject { ["name"] = "good" }]);
        long started = Stopwatch.GetTimestamp();

        Outcome found = (await Lfr.RunAsync("cameras", "discover", "--interface", "lo", "--timeout", "1", "--json")).Exits(ExitCode.Success).IsCivil();

        // Four questions' time at the most for one camera, and they are asked at once.
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60));
        Assert.All(Enumerable.Range(1, kinds.Length + 3), n => Assert.Equal("unusable", (string?)cameras.Of(found, n)["state"]));
        Assert.Equal("ready", (string?)cameras.Of(found, kinds.Length + 4)["state"]);
        Assert.DoesNotContain(cameras.Log, l => l.Contains("GET", StringComparison.Ordinal) && l.Contains("stolen", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Discover_HostileAnswersToTheProbe_DoNotAffectOthers()
    {
        const string Evil = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e \"x\">]><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body><ProbeMatches><ProbeMatch/></ProbeMatches></e:Body></e:Envelope>";
        await cameras.StartAsync(
            new JsonObject { ["raw_discovery"] = "is not XML" },
            new JsonObject { ["raw_discovery"] = "" },
            new JsonObject { ["raw_discovery"] = Evil },
            new JsonObject { ["raw_discovery"] = string.Concat(Enumerable.Repeat("<a>", 20_000)) },
            new JsonObject { ["raw_discovery"] = $"<E><RelatesTo>{string.Concat(Enumerable.Repeat("<a>", 9000))}{string.Concat(Enumerable.Repeat("</a>", 9000))}</RelatesTo></E>" },
            new JsonObject { ["raw_discovery"] = "<Envelope><RelatesTo>urn:uuid:of-somebody-else</RelatesTo><ProbeMatch/></Envelope>" },
            new JsonObject { ["answers"] = 300, ["xaddrs"] = $"http://{cameras[7]}:1/NUMBER" },
            new JsonObject { ["name"] = "%1B%5B2J%E2%80%AEevil%0Aline", ["model"] = "[red]x[/]", ["profiles"] = Profiles("H264", 640, 360, 25, "rtsp://ADDRESS/a;$(reboot)'x") });

        Outcome found = (await OnvifCameras.DiscoverAsync()).Exits(ExitCode.Success).IsCivil();

        Assert.InRange(found.Json["cameras"]!.AsArray().Count(c => (string?)c!["address"] == cameras[7]), 1, 8);
        Assert.All([1, 2, 3, 4, 5, 6], n => Assert.DoesNotContain(found.Json["cameras"]!.AsArray(), c => (string?)c!["address"] == cameras[n]));
        found.Says($"{cameras[1]} sent an answer that is not XML");
        JsonObject evil = cameras.Of(found, 8);
        Assert.Equal(("[2J evil line", "[red]x[/]"), ((string?)evil["name"], (string?)evil["model"]));
        Assert.Equal($"rtsp://{cameras[8]}/a%3B%24%28reboot%29%27x", (string?)evil["profiles"]![0]!["source"]);
        Outcome table = (await Lfr.RunAsync("cameras", "discover", "--interface", "lo", "--timeout", "4")).Exits(ExitCode.Success).Says("[red]x[/]");
        Assert.DoesNotContain("\u001b", table.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\u202e", table.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("60", "probed")]
    [InlineData("1", "silent")]
    public async Task Discover_CtrlC_Stops(string timeout, string when)
    {
        await cameras.StartAsync(new JsonObject { ["bomb"] = "silent" });
        using Lfr lfr = Lfr.Start(null, [], "cameras", "discover", "--interface", "lo", "--timeout", timeout, "--json");
        await cameras.SeesAsync(when);

        lfr.Interrupt();

        Outcome outcome = (await lfr.EndAsync(TimeSpan.FromSeconds(10))).Exits(ExitCode.Stopped).Says("Stopped.").IsCivil();
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public async Task Discover_NoCameraAnswers_SaysWhatToDo() =>
        (await Lfr.RunWithoutNetworkAsync(loopback: true, "cameras", "discover", "--interface", "lo", "--timeout", "0.5")).Exits(ExitCode.Success)
            .Says("No camera answered within 0.5 s on lo (127.0.0.1)", "ONVIF is switched on", "lfr cameras test 'gate=rtsp://").IsCivil();

    [Fact]
    public async Task Discover_NoNetwork_IsOfTheEnvironment() =>
        (await Lfr.RunWithoutNetworkAsync(loopback: false, "cameras", "discover")).Exits(ExitCode.Environment).Says("No network interface of this machine can multicast").IsCivil();

    [Fact]
    public async Task Discover_Misuse_IsExplained()
    {
        (await Lfr.RunAsync("cameras", "discover", "--timeout", "0")).Exits(ExitCode.Usage).Says("--timeout takes a number from 0.5 to 60, not \"0\"").IsCivil();
        (await Lfr.RunAsync("cameras", "discover", "--interface", "nowhere0")).Exits(ExitCode.Usage).Says("no interface \"nowhere0\"", "lo (127.0.0.1)").IsCivil();
        (await Lfr.RunAsync("cameras", "discover", "--interface", "lo", "--user", "ops")).Exits(ExitCode.Usage).Says("LFR_CAMERA_PASSWORD").IsCivil();
    }

    [Fact]
    public void Parse_DeepDocument_IsRefused()
    {
        string Nested(int levels) => $"{string.Concat(Enumerable.Repeat("<a>", levels))}x{string.Concat(Enumerable.Repeat("</a>", levels))}";
        Assert.Equal("x", OnvifXml.Parse(Encoding.UTF8.GetBytes(Nested(50)))!.Value);
        Assert.Null(OnvifXml.Parse(Encoding.UTF8.GetBytes(Nested(70_000))));
    }

    [Fact]
    public void Parse_AnyBytes_GivesADocumentOrNothing()
    {
        var random = new Random(12);
        byte[] answer = Encoding.UTF8.GetBytes("<?xml version=\"1.0\" encoding=\"utf-8\"?><e:Envelope xmlns:e=\"a\"><e:Body><Uri>rtsp://10.0.0.1/é&amp;&#x41;</Uri></e:Body></e:Envelope>");
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = i % 4 == 0 ? new byte[random.Next(0, 200)] : [.. answer];
            if (i % 4 == 0)
                random.NextBytes(bytes);
            for (int change = random.Next(1, 6); change > 0 && bytes.Length > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            OnvifXml.Parse(bytes.AsMemory(0, random.Next(bytes.Length + 1)))?.TextAt("Body", "Uri");
        }
        Assert.Equal("rtsp://10.0.0.1/é&A", OnvifXml.Parse(answer).TextAt("Body", "Uri"));
    }

    private static Task<Outcome> DiscoverWithPasswordAsync() =>
        Lfr.RunInAsync(null, [PasswordVariable], "cameras", "discover", "--interface", "lo", "--timeout", "2", "--json", "--user", "ops");

    private static JsonObject Locked(int clockOffset = 0, bool http = false) =>
        new() { ["user"] = "ops", ["password"] = Password, ["http_digest"] = http, ["clock_offset"] = clockOffset };

    private static JsonArray Profiles(string codec, int width, int height, int fps, string uri) =>
        [new JsonObject { ["name"] = "main", ["codec"] = codec, ["width"] = width, ["height"] = height, ["fps"] = fps, ["uri"] = uri }];
}

/// <summary>For building settings in one expression.</summary>
internal static class JsonObjectExtensions
{
    public static JsonObject With(this JsonObject settings, string name, string value)
    {
        settings[name] = value;
        return settings;
    }
}
