using System.ComponentModel;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Records.Zones;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Configuration;

/// <summary>The content of <c>lfr.json</c>: the settings of an installation. Deployments are set up in the console.</summary>
/// <remarks>Read by <see cref="ConfigFile"/>, which reports the path of every error. Schema: <c>lfr config schema</c>, docs/lfr.schema.json.</remarks>
public sealed record HostConfig
{
    [Description("Path of the schema, for editors.")]
    [System.Text.Json.Serialization.JsonPropertyName("$schema")]
    public string? Schema { get; init; }

    [Description("Display name of this installation, for example of a van.")]
    public required string Name { get; init; }

    [Description("Folder of the installation's data: store, keys, pictures of alerts, watchlists, receipts. Relative to lfr.json.")]
    public string Data { get; init; } = "data";

    [Description("Addresses at which the console and the interfaces are served; https only.")]
    public string[] Listen { get; init; } = ["https://localhost:8443"];

    [Description("Further names by which browsers reach the console. Known without: addresses, the names in \"listen\" and in the certificate, and this machine's name.")]
    public string[] Names { get; init; } = [];

    [Description("Certificate for https. Default: one is created at the first start and kept in the data folder.")]
    public CertificateConfig? Certificate { get; init; }

    [Description("Single sign-on by OpenID Connect. Default: none.")]
    public SingleSignOnConfig? SingleSignOn { get; init; }

    [Description("Sessions of officers.")]
    public SessionsConfig Sessions { get; init; } = new();

    [Description("Database.")]
    public StoreConfig Store { get; init; } = new();

    [Description("Settings of the engine.")]
    public EngineConfig Engine { get; init; } = new();

    [Description("Cameras that deployments may use.")]
    public CameraConfig[] Cameras { get; init; } = [];

    [Description("Public keys (PEM files) of trusted laboratories. Relative to lfr.json.")]
    public string[] Laboratories { get; init; } = [];

    [Description("Limits of a watchlist, by category.")]
    public Dictionary<string, CategoryPolicy> Watchlist { get; init; } = [];

    [Description("Signed policy pack whose rules apply here; where lfr.json sets the same limit, the stricter one counts. Default: none.")]
    public PolicyConfig? Policy { get; init; }

    [Description("What is recorded of false alerts.")]
    public FalseAlertsConfig FalseAlerts { get; init; } = new();

    [Description("Retention periods.")]
    public RetentionConfig Retention { get; init; } = new();

    [Description("MQTT broker that receives alerts and the engine's state. Default: none.")]
    public MqttConfig? Mqtt { get; init; }

    [Description("Addresses that receive alerts and the engine's state, signed.")]
    public WebhookConfig[] Webhooks { get; init; } = [];

    [Description("Notifications to officers' phones by the push services of their browsers, which need the internet. Default: none.")]
    public PushConfig? Push { get; init; }

    [Description("Headquarters that receives deployments, outcomes and audit trail when the network allows. Default: none.")]
    public HeadquartersConfig? Headquarters { get; init; }

    [Description("Installations that may send deployments, outcomes and audit trail here: names and public keys (PEM files).")]
    public Dictionary<string, string> Vans { get; init; } = [];
}

/// <summary>A certificate with its private key.</summary>
public sealed record CertificateConfig
{
    [Description("PEM file of the certificate, followed by its chain. Relative to lfr.json.")]
    public required string Path { get; init; }

    [Description("PEM file of the private key. Relative to lfr.json.")]
    public required string KeyPath { get; init; }
}

/// <summary>An identity provider.</summary>
public sealed record SingleSignOnConfig
{
    [Description("Display name of the identity provider, on the sign-in page.")]
    public required string Name { get; init; }

    [Description("Its issuer: an https:// address; http:// on loopback only.")]
    public required string Authority { get; init; }

    [Description("This console's client id at the provider. Its redirect address there: https://NAME/account/sso/callback.")]
    public required string ClientId { get; init; }

    [Description("File with the client secret. Relative to lfr.json.")]
    public required string ClientSecretPath { get; init; }

    [Description("Claim that names an officer's groups or roles at the provider.")]
    public string RoleClaim { get; init; } = "groups";

    [Description("Roles here, by value of that claim.")]
    public required Dictionary<string, string[]> Roles { get; init; }
}

/// <summary>Settings of sessions.</summary>
public sealed record SessionsConfig
{
    [Description("Minutes without a key, a click or a touch after which a session is locked. 1 to 720.")]
    public int IdleMinutes { get; init; } = 15;
}

/// <summary>Settings of Web Push.</summary>
public sealed record PushConfig
{
    [Description("Whom a push service may ask about this installation: a mailto: or https:// address.")]
    public required string Contact { get; init; }

    [Description("Host names of push services to which notifications may be sent; *.NAME allows every host below NAME.")]
    public string[] Services { get; init; } = ["fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];

    /// <summary>Whether notifications may be sent to an address that a browser names: https, on loopback also http.</summary>
    public bool Allows(string? address) => Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback))
        && Services.Any(s => s.StartsWith("*.", StringComparison.Ordinal) ? uri.Host.EndsWith(s[1..], StringComparison.OrdinalIgnoreCase) : uri.Host.Equals(s, StringComparison.OrdinalIgnoreCase));
}

/// <summary>Settings of the database.</summary>
public sealed record StoreConfig
{
    [Description("sqlite: a file in the data folder. postgresql: a server, for a headquarters that serves many vans.")]
    public StoreKind Kind { get; init; } = StoreKind.Sqlite;

    [Description("Connection string of the PostgreSQL server.")]
    public string? Connection { get; init; }
}

/// <summary>Kinds of store.</summary>
public enum StoreKind
{
    Sqlite,
    Postgresql,
}

/// <summary>Settings of the engine, each as the option of <c>lfr run</c> with the same name.</summary>
public sealed record EngineConfig
{
    [Description("Detector: an id from `lfr models list`, or the path of a manifest (.json), relative to lfr.json.")]
    public string Detector { get; init; } = Pipeline.EngineModels.DefaultDetector;

    [Description("Embedder: an id from `lfr models list`, or the path of a manifest (.json), relative to lfr.json. With another one, drafts of watchlists are enrolled anew at the start, and new evidence is needed.")]
    public string Embedder { get; init; } = Pipeline.EngineModels.DefaultEmbedder;

    [Description("cpu, directml[:GPU], directml-half[:GPU], webgpu, cuda or auto.")]
    public string Inference { get; init; } = "cpu";

    [Description("simd, computesharp, vulkan, or vulkan:DEVICE.")]
    public string Search { get; init; } = "simd";

    [Description("software, d3d11va, vaapi or auto.")]
    public string Decode { get; init; } = "software";

    [Description("Milliseconds between searches for faces on each camera; 0 searches every frame.")]
    public int DetectEveryMs { get; init; } = Pipeline.PipelineSettings.DefaultDetectEveryMs;

    [Description("Worker threads; 0: one per processor.")]
    public int Workers { get; init; }

    [Description("Run although too little memory can be locked. Face data could then be swapped to disk.")]
    public bool AllowUnlocked { get; init; }
}

/// <summary>A camera.</summary>
public sealed record CameraConfig
{
    /// <summary>What a zone must be, for messages.</summary>
    internal const string WantedZone = "3 to 32 corners in percent, for example \"5,30 95,30 95,100 5,100\"";

    [Description("Display name, in authorities and alerts.")]
    public required string Name { get; init; }

    [Description("File, folder of pictures, device, rtsp://, rtp://, udp:// or http(s):// URL.")]
    public required string Source { get; init; }

    [Description("automatic, realtime (a recording is played at its own speed) or max.")]
    public CameraPace Pace { get; init; } = CameraPace.Realtime;

    [Description("For rtsp:// sources: auto (TCP, or UDP if the camera refuses TCP), tcp or udp.")]
    public CameraTransport Transport { get; init; }

    [Description("Degrees by which the picture is rotated clockwise: 0, 90, 180 or 270.")]
    public int Rotate { get; init; }

    [Description("Whether the picture is mirrored left to right, after rotation.")]
    public bool Mirror { get; init; }

    [Description("Whether a recording starts again at its end.")]
    public bool Loop { get; init; }

    [Description("Part of the picture in which faces are compared: 3 to 32 corners in percent of its width and height, for example \"5,30 95,30 95,100 5,100\". Default: the whole picture.")]
    public string? Zone { get; init; }

    [Description("How the camera is mounted, for the zone planner. Default: not known.")]
    public CameraMounting? Mounting { get; init; }

    /// <summary>The zone; null for the whole picture.</summary>
    internal PictureZone? PictureZone => Zone is not null && Frames.PictureZone.TryParse(Zone, out PictureZone? zone) ? zone : null;

    internal SourceOptions Options => new(Transport switch { CameraTransport.Tcp => RtspTransport.Tcp, CameraTransport.Udp => RtspTransport.Udp, _ => RtspTransport.Auto }, Rotate, Mirror, Loop);
}

/// <summary>How a camera is mounted, and the notice boards near it: what the zone planner draws. The engine does not use it.</summary>
public sealed record CameraMounting
{
    private const int MostBoards = 20;

    [Description("Focal length of the lens, millimetres, not converted to another format.")]
    public double FocalMillimetres { get; init; } = 25;

    [Description("Width of the part of the sensor that makes the picture, millimetres.")]
    public double SensorMillimetres { get; init; } = 7.2;

    [Description("Horizontal field of view, degrees, 1 to 170. Given, it counts instead of focal length and sensor.")]
    public double? FieldOfViewDegrees { get; init; }

    [Description("Height of the lens above the ground, metres, 0.1 to 30.")]
    public double HeightMetres { get; init; } = 3;

    [Description("Downward tilt, degrees, -30 to 90.")]
    public double TiltDegrees { get; init; } = 5;

    [Description("Notice boards.")]
    public IReadOnlyList<NoticeBoard> Boards { get; init; } = [];

    /// <summary>Equal by what it says, the boards too.</summary>
    public bool Equals(CameraMounting? other) => other is not null && Boards.SequenceEqual(other.Boards) &&
        (FocalMillimetres, SensorMillimetres, FieldOfViewDegrees, HeightMetres, TiltDegrees) == (other.FocalMillimetres, other.SensorMillimetres, other.FieldOfViewDegrees, other.HeightMetres, other.TiltDegrees);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(FocalMillimetres, SensorMillimetres, FieldOfViewDegrees, HeightMetres, TiltDegrees, Boards.Count);

    /// <summary>The field of view, given or of the lens.</summary>
    internal double Angle => FieldOfViewDegrees ?? ZoneCamera.FieldOfView(FocalMillimetres, SensorMillimetres);

    /// <summary>What the planner cannot draw; null if nothing.</summary>
    internal string? Fault =>
        HeightMetres is not (>= 0.1 and <= 30) ? "the height of the lens must be 0.1 to 30 m"
        : TiltDegrees is not (>= -30 and <= 90) ? "the tilt must be -30 to 90 degrees"
        : Angle is not (>= 1 and <= 170) ? "the field of view must be 1 to 170 degrees"
        : Boards.Count > MostBoards || Boards.Any(b => b.Ahead is not (>= -200 and <= 1000) || b.Aside is not (>= -500 and <= 500)) ? $"at most {MostBoards} notice boards, each within 1,000 m of the camera"
        : null;
}

/// <summary>A notice board on the ground.</summary>
public sealed record NoticeBoard
{
    [Description("Metres ahead of the camera.")]
    public double Ahead { get; init; }

    [Description("Metres to the right of the camera's axis; to the left is negative.")]
    public double Aside { get; init; }
}

/// <summary>Transport of RTSP media.</summary>
public enum CameraTransport
{
    Auto,
    Tcp,
    Udp,
}

/// <summary>How fast a recording is played.</summary>
public enum CameraPace
{
    Automatic,
    Realtime,
    Max,
}

/// <summary>A policy pack.</summary>
public sealed record PolicyConfig
{
    [Description("The signed file (`lfr policy sign`). Relative to lfr.json.")]
    public required string Path { get; init; }

    [Description("Public key (PEM file) of whoever sets the rules: `lfr receipt key` on the machine where the pack is signed prints it. Relative to lfr.json.")]
    public required string KeyPath { get; init; }
}

/// <summary>Limits of a watchlist for one category.</summary>
public sealed record CategoryPolicy
{
    [Description("Maximum number of people of this category on one list.")]
    public int MaximumPeople { get; init; } = 20_000;

    [Description("Maximum age of a photo when the list is built, days.")]
    public int MaximumImageAgeDays { get; init; } = 3650;

    [Description("Maximum time since the last review of an entry when the list is built, days.")]
    public int ReviewDays { get; init; } = 90;
}

/// <summary>What is recorded of false alerts.</summary>
public sealed record FalseAlertsConfig
{
    [Description("Whether an officer who judged an alert incorrect is offered to record the perceived sex, age band and skin tone of the person: as counts, without a link to the alert.")]
    public bool RecordGroups { get; init; } = true;
}

/// <summary>Retention periods.</summary>
public sealed record RetentionConfig
{
    [Description("Hours after which the pictures of an alert are erased; those of a rejected alert are erased at once. 0 to 24.")]
    public double AlertHours { get; init; } = 24;

    [Description("Hours after the end of a deployment by which its watchlist is destroyed. 0 to 24.")]
    public double WatchlistHours { get; init; } = 24;

    [Description("Days from its creation after which a watchlist that no ended deployment has used is destroyed. 1 to 90.")]
    public int UnusedWatchlistDays { get; init; } = 30;

    [Description("Days for which messages are kept for a receiver that is not reachable. They contain no biometric data.")]
    public int OutboxDays { get; init; } = 90;
}

/// <summary>An MQTT broker.</summary>
public sealed record MqttConfig
{
    [Description("mqtt://HOST:PORT or mqtts://HOST:PORT.")]
    public required string Broker { get; init; }

    [Description("Prefix of every topic.")]
    public string Topic { get; init; } = "lfr";

    [Description("User name at the broker.")]
    public string? User { get; init; }

    [Description("File with the password. Relative to lfr.json.")]
    public string? PasswordPath { get; init; }
}

/// <summary>A webhook.</summary>
public sealed record WebhookConfig
{
    [Description("Display name, also in the audit trail.")]
    public required string Name { get; init; }

    [Description("https:// address; http:// on loopback only.")]
    public required string Url { get; init; }

    [Description("File with the signing secret (HMAC-SHA-256). Relative to lfr.json.")]
    public required string SecretPath { get; init; }
}

/// <summary>A headquarters.</summary>
public sealed record HeadquartersConfig
{
    [Description("https:// address of its console.")]
    public required string Url { get; init; }

    [Description("PEM file of its certificate, if this machine does not trust the certificate's issuer. Relative to lfr.json.")]
    public string? CertificatePath { get; init; }
}
