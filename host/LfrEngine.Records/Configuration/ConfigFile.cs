using System.ComponentModel;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LfrEngine.Files;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records.Deployments;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Configuration;

/// <summary>Reads and checks <c>lfr.json</c>. Every error is reported with its path and the allowed values.</summary>
internal static class ConfigFile
{
    private const double MostHours = 24;
    private const string WholeFile = "the file";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        NumberHandling = JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <summary>Reads and checks.</summary>
    /// <param name="path">The file, absolute.</param>
    /// <exception cref="CommandFailure">The file is missing, is not JSON, or has errors, which are all listed.</exception>
    public static Installation Read(string path)
    {
        byte[] text;
        try
        {
            text = InputFile.ReadBytes(path);
        }
        catch (FileNotFoundException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} does not exist. Create it with `lfr config init`, or give another file with --config.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"The configuration {path} cannot be read: {FileTrouble.Words(e)}", e);
        }
        var faults = new List<Fault>();
        HostConfig config;
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false });
            config = Mended(document.RootElement, Schema(), "", faults).Deserialize<HostConfig>(Options)!;
        }
        catch (JsonException e)
        {
            throw new CommandFailure(ExitCode.Input, JsonTrouble.Words(path, e), e);
        }
        catch (InvalidOperationException e)
        {
            // Half a surrogate pair: valid JSON syntax, but not text.
            throw new CommandFailure(ExitCode.Input, $"{path} contains an escape (\\uD800 to \\uDFFF) that is not a character: write the character itself.", e);
        }
        var installation = new Installation(config, Path.GetDirectoryName(path)!);
        faults.AddRange([.. Check(installation).Where(i => !faults.Exists(f => StandsIn(f.At, i.At)))]);
        return faults.Count == 0 ? installation
            : throw new CommandFailure(ExitCode.Input, $"{path} has {new Counted(faults.Count):error|errors}:{string.Concat(faults.Select(f => $"\n  {f.At}: {f.What}"))}");
    }

    /// <summary>Writes an initial file.</summary>
    /// <exception cref="CommandFailure">The file already exists, or cannot be written.</exception>
    public static void Begin(string path)
    {
        try
        {
            OutputFile.Write(path, $$"""
                {
                  // Display name of this installation.
                  "name": {{JsonSerializer.Serialize(Environment.MachineName, Options)}},

                  // Cameras that deployments may use: file, folder of pictures, device, rtsp://, rtp://, udp:// or http(s):// URL.
                  "cameras": [
                    // { "name": "gate", "source": "rtsp://10.0.0.5/stream1" }
                  ],

                  // Public keys (PEM files) of the trusted laboratories: `lfr receipt key` on the laboratory's machine prints its key.
                  "laboratories": []

                  // Everything else has a default; see `lfr config schema`.
                }

                """, ownerOnly: true, replace: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(File.Exists(path) ? ExitCode.Usage : ExitCode.Output, $"{path} was not written: {FileTrouble.Words(e)}", e);
        }
    }

    /// <summary>JSON Schema (2020-12) of the file, made from the types that read it.</summary>
    public static string SchemaText() => Schema().ToJsonString(Options) + "\n";

    private static JsonObject Schema()
    {
        JsonNode schema = Options.GetJsonSchemaAsNode(typeof(HostConfig), new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = (context, node) =>
            {
                ICustomAttributeProvider? provider = context.PropertyInfo?.AttributeProvider;
                if (node is JsonObject described && provider?.GetCustomAttributes(typeof(DescriptionAttribute), true) is [DescriptionAttribute description, ..])
                    described.Insert(0, "description", description.Description);
                return node;
            },
        });
        var whole = (JsonObject)schema;
        whole.Insert(0, "title", "lfr.json");
        whole.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        return whole;
    }

    // The same value with everything that violates the schema left out or replaced, so that the rest can be checked too. The deserializer would stop at the first
    // violation and name internal types.
    private static JsonNode? Mended(JsonElement value, JsonObject schema, string at, List<Fault> faults)
    {
        string place = at.Length == 0 ? WholeFile : at;
        if (schema["enum"] is JsonArray allowed)
        {
            if (value.ValueKind == JsonValueKind.String && allowed.Any(a => a!.GetValue<string>() == value.GetString()))
                return JsonValue.Create(value.GetString());
            faults.Add(new Fault(place, $"{value.GetRawText()} is not one of {string.Join(", ", allowed.Select(a => a!.GetValue<string>()))}"));
            return Neutral(schema);
        }
        string[] wanted = Kinds(schema);
        string found = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetInt32(out _) && wanted.Contains("integer") ? "integer" : "number",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind other => other.ToString().ToLowerInvariant(),
        };
        if (!wanted.Contains(found))
        {
            faults.Add(new Fault(place, $"must be {string.Join(" or ", wanted)}, not {found}. {schema["description"]?.GetValue<string>()}".TrimEnd()));
            return Neutral(schema);
        }
        if (found == "array")
            return new JsonArray([.. value.EnumerateArray().Select((item, i) => Mended(item, schema["items"]!.AsObject(), $"{at}[{i}]", faults))]);
        if (found != "object")
            return JsonNode.Parse(value.GetRawText());
        var mended = new JsonObject();
        JsonObject? properties = schema["properties"]?.AsObject();
        foreach (JsonProperty property in value.EnumerateObject())
        {
            string inner = Inside(at, property.Name);
            if ((properties?[property.Name] ?? schema["additionalProperties"] as JsonObject) is { } known)
                mended[property.Name] = Mended(property.Value, known.AsObject(), inner, faults);
            else
                faults.Add(new Fault(inner, $"unknown property. Allowed: {string.Join(", ", properties!.Select(p => p.Key))}"));
        }
        foreach (string name in Required(schema))
        {
            if (mended.ContainsKey(name))
                continue;
            faults.Add(new Fault(Inside(at, name), $"missing. {properties![name]!["description"]?.GetValue<string>()}".TrimEnd()));
            mended[name] = Neutral(properties[name]!.AsObject());
        }
        return mended;
    }

    // Whether a value is reported only because it replaces a faulty one.
    private static bool StandsIn(string faulty, string at) =>
        faulty == WholeFile || at == faulty || at.StartsWith(faulty + ".", StringComparison.Ordinal) || at.StartsWith(faulty + "[", StringComparison.Ordinal) || faulty.StartsWith(at + ".", StringComparison.Ordinal)
        || (at == "store.connection" && faulty == "store.kind");

    // The least value that the schema allows.
    private static JsonNode? Neutral(JsonObject schema)
    {
        if (schema["enum"] is JsonArray allowed)
            return allowed[0]!.DeepClone();
        string[] kinds = Kinds(schema);
        if (kinds.Contains("null"))
            return null;
        switch (kinds[0])
        {
            case "string":
                return "";
            case "boolean":
                return false;
            case "integer" or "number":
                return 0;
            case "array":
                return new JsonArray();
            default:
                var least = new JsonObject();
                foreach (string name in Required(schema))
                    least[name] = Neutral(schema["properties"]![name]!.AsObject());
                return least;
        }
    }

    private static string[] Kinds(JsonObject schema) => schema["type"] is JsonArray several ? [.. several.Select(t => t!.GetValue<string>())] : [schema["type"]!.GetValue<string>()];

    private static IEnumerable<string> Required(JsonObject schema) => schema["required"]?.AsArray().Select(r => r!.GetValue<string>()) ?? [];

    private static string Inside(string at, string name) => at.Length == 0 ? name : $"{at}.{name}";

    private static List<Fault> Check(Installation installation)
    {
        HostConfig c = installation.Config;
        var errors = new List<Fault>();
        void Need(bool holds, string at, string allowed)
        {
            if (!holds)
                errors.Add(new Fault(at, allowed));
        }
        void NeedFile(string? path, string at)
        {
            if (path?.Contains('\0', StringComparison.Ordinal) == true)
                Need(false, at, "a path without NUL characters");
            else if (path is not null)
                Need(File.Exists(installation.PathOf(path)), at, $"the file {installation.PathOf(path)} does not exist");
        }

        void NeedModel(string name, string at, string standard, ModelTask task)
        {
            if (name == standard)
                return;
            try
            {
                _ = name.Contains('\0', StringComparison.Ordinal) ? throw new ModelLoadException("a name without NUL characters") : ModelCatalog.Default.Find(installation.ModelOf(name), task);
            }
            catch (ModelLoadException e)
            {
                Need(false, at, e.Message);
            }
        }

        Need(c.Name.Trim().Length is > 0 and <= 100 && Shown.IsPlain(c.Name), "name", "1 to 100 characters that can be seen");
        Need(c.Data.Length > 0 && !c.Data.Contains('\0', StringComparison.Ordinal), "data", "a folder");
        Need(c.Listen.Length > 0, "listen", "at least one https:// address");
        for (int i = 0; i < c.Listen.Length; i++)
            Need(Uri.TryCreate(c.Listen[i], UriKind.Absolute, out Uri? uri) && uri is { Scheme: "https", AbsolutePath: "/" }, $"listen[{i}]", $"\"{c.Listen[i]}\" is not an https:// address with a port, for example https://localhost:8443");
        for (int i = 0; i < c.Names.Length; i++)
            Need(Uri.CheckHostName(c.Names[i]) == UriHostNameType.Dns, $"names[{i}]", $"\"{c.Names[i]}\" is not a name of a machine, for example lfr.example.org, without https:// and port");
        NeedFile(c.Certificate?.Path, "certificate.path");
        NeedFile(c.Certificate?.KeyPath, "certificate.keyPath");
        if (c.SingleSignOn is { } sso)
        {
            Need(sso.Name.Trim().Length is > 0 and <= 100 && Shown.IsPlain(sso.Name), "singleSignOn.name", "1 to 100 characters that can be seen");
            Need(Uri.TryCreate(sso.Authority, UriKind.Absolute, out Uri? uri) && (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback)), "singleSignOn.authority", "https:// (http:// on loopback only)");
            Need(sso.ClientId.Length > 0, "singleSignOn.clientId", "a client id");
            NeedFile(sso.ClientSecretPath, "singleSignOn.clientSecretPath");
            Need(sso.RoleClaim.Length > 0, "singleSignOn.roleClaim", "the name of a claim");
            foreach ((string group, string[] roles) in sso.Roles)
                Need(roles.Length > 0 && roles.All(Security.Roles.All.Contains), $"singleSignOn.roles.{group}", $"one or more of {string.Join(", ", Security.Roles.All)}");
        }
        Need(c.Sessions.IdleMinutes is >= 1 and <= 720, "sessions.idleMinutes", "1 to 720");
        Need(c.Store.Kind == StoreKind.Sqlite == string.IsNullOrEmpty(c.Store.Connection), "store.connection",
            c.Store.Kind == StoreKind.Sqlite ? "only with \"kind\": \"postgresql\"; the sqlite file is in the data folder" : "required with \"kind\": \"postgresql\", for example \"Host=/var/run/postgresql;Database=lfr\"");
        NeedModel(c.Engine.Detector, "engine.detector", EngineModels.DefaultDetector, ModelTask.Detect);
        NeedModel(c.Engine.Embedder, "engine.embedder", EngineModels.DefaultEmbedder, ModelTask.Embed);
        Need(EngineDevices.IsInference(c.Engine.Inference), "engine.inference", $"\"{c.Engine.Inference}\" is not one of {EngineDevices.InferenceWords}");
        Need(c.Engine.Search is "simd" or "computesharp" or "vulkan" || c.Engine.Search.StartsWith("vulkan:", StringComparison.Ordinal), "engine.search", $"\"{c.Engine.Search}\" is not one of simd, computesharp, vulkan and vulkan:DEVICE");
        Need(c.Engine.Decode is "software" or "d3d11va" or "vaapi" or "auto", "engine.decode", $"\"{c.Engine.Decode}\" is not one of software, d3d11va, vaapi and auto");
        Need(c.Engine.DetectEveryMs is >= 0 and <= 1000, "engine.detectEveryMs", "0 to 1000");
        Need(c.Engine.Workers is >= 0 and <= 1024, "engine.workers", "0 (one per processor) to 1024");
        for (int i = 0; i < c.Cameras.Length; i++)
        {
            foreach ((string at, string what) in CameraFaults(c.Cameras[i]))
                Need(false, $"cameras[{i}]{(at.Length == 0 ? "" : $".{at}")}", what);
            Need(c.Cameras.Take(i).All(o => o.Name != c.Cameras[i].Name), $"cameras[{i}].name", $"\"{c.Cameras[i].Name}\" is the name of another camera");
        }
        for (int i = 0; i < c.Laboratories.Length; i++)
            NeedFile(c.Laboratories[i], $"laboratories[{i}]");
        foreach ((string category, CategoryPolicy policy) in c.Watchlist)
        {
            Need(WatchlistCategories.TryParse(category, out _), $"watchlist.{category}", $"not a category. Allowed: {string.Join(", ", WatchlistCategories.AllNames)}");
            Need(policy.MaximumPeople is >= 0 and <= 1_000_000, $"watchlist.{category}.maximumPeople", "0 to 1000000");
            Need(policy.MaximumImageAgeDays is >= 1 and <= 36500, $"watchlist.{category}.maximumImageAgeDays", "1 to 36500");
            Need(policy.ReviewDays is >= 1 and <= 3650, $"watchlist.{category}.reviewDays", "1 to 3650");
        }
        Need(c.Retention.AlertHours is >= 0 and <= MostHours, "retention.alertHours", "0 to 24");
        Need(c.Retention.WatchlistHours is >= 0 and <= MostHours, "retention.watchlistHours", "0 to 24");
        Need(c.Retention.UnusedWatchlistDays is >= 1 and <= 90, "retention.unusedWatchlistDays", "1 to 90");
        Need(c.Retention.OutboxDays is >= 1 and <= 3650, "retention.outboxDays", "1 to 3650");
        if (c.Mqtt is { } mqtt)
        {
            Need(Uri.TryCreate(mqtt.Broker, UriKind.Absolute, out Uri? uri) && uri.Scheme is "mqtt" or "mqtts", "mqtt.broker", "mqtt://HOST:PORT or mqtts://HOST:PORT");
            Need(mqtt.Topic.Length > 0 && mqtt.Topic.IndexOfAny(['#', '+', '\0']) < 0, "mqtt.topic", "a topic without # and +");
            NeedFile(mqtt.PasswordPath, "mqtt.passwordPath");
        }
        for (int i = 0; i < c.Webhooks.Length; i++)
        {
            Need(c.Webhooks[i].Name.Trim().Length > 0 && c.Webhooks.Take(i).All(o => o.Name != c.Webhooks[i].Name), $"webhooks[{i}].name", "a unique name");
            Need(Uri.TryCreate(c.Webhooks[i].Url, UriKind.Absolute, out Uri? uri) && (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback)), $"webhooks[{i}].url", "https:// (http:// on loopback only)");
            NeedFile(c.Webhooks[i].SecretPath, $"webhooks[{i}].secretPath");
        }
        if (c.Push is { } push)
        {
            Need(Uri.TryCreate(push.Contact, UriKind.Absolute, out Uri? uri) && uri.Scheme is "mailto" or "https", "push.contact", "a mailto: or https:// address");
            Need(push.Services.Length > 0 && push.Services.All(s => Uri.CheckHostName(s.StartsWith("*.", StringComparison.Ordinal) ? s[2..] : s) != UriHostNameType.Unknown), "push.services", "host names, or *.NAME");
        }
        if (c.Headquarters is { } headquarters)
        {
            Need(Uri.TryCreate(headquarters.Url, UriKind.Absolute, out Uri? uri) && uri.Scheme == "https", "headquarters.url", "an https:// address");
            NeedFile(headquarters.CertificatePath, "headquarters.certificatePath");
        }
        foreach ((string van, string key) in c.Vans)
            NeedFile(key, $"vans.{van}");
        return errors;
    }

    /// <summary>What is wrong with a camera by itself: the property, or nothing, and what it must be.</summary>
    internal static IEnumerable<(string At, string What)> CameraFaults(CameraConfig camera)
    {
        if (camera.Name.Trim().Length is 0 or > 100 || !Shown.IsPlain(camera.Name))
            yield return ("name", "1 to 100 characters that can be seen");
        if (SourceAddress.Fault(camera.Source) is { } fault)
            yield return ("source", fault);
        if (camera.Options.FaultFor(camera.Source) is { } unfit)
            yield return ("", unfit);
        if (camera.Zone is not null && camera.PictureZone is null)
            yield return ("zone", CameraConfig.WantedZone);
        if (camera.Mounting?.Fault is { } misfit)
            yield return ("mounting", misfit);
    }

    private sealed record Fault(string At, string What);
}

/// <summary>A configuration and the folder it is relative to.</summary>
/// <param name="Config">Checked.</param>
/// <param name="BaseFolder">Folder of lfr.json.</param>
public sealed record Installation(HostConfig Config, string BaseFolder)
{
    /// <summary>Whom anybody may sign in as, in a demonstration; elsewhere nobody.</summary>
    public IReadOnlyList<SampleOfficer> SampleOfficers { get; init; } = [];

    /// <summary>Whether everything here is made up.</summary>
    public bool IsDemonstration => SampleOfficers.Count > 0;

    /// <summary>A path of the configuration, absolute.</summary>
    public string PathOf(string path) => Path.GetFullPath(path, BaseFolder);

    /// <summary>The data folder, absolute.</summary>
    public string DataFolder => PathOf(Config.Data);

    /// <summary>Id or full path of the manifest of the detector that runs here.</summary>
    public string Detector => ModelOf(Config.Engine.Detector);

    /// <summary>Id or full path of the manifest of the embedder that runs here.</summary>
    public string Embedder => ModelOf(Config.Engine.Embedder);

    internal string ModelOf(string name) => name.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? PathOf(name) : name;

    /// <summary>The link of an invitation, with this machine's name. The secret is in the fragment, which browsers do not send: it is in no log of a proxy.</summary>
    public Uri InvitationLink(string secret)
    {
        var at = new Uri(Config.Listen[0]);
        bool everywhere = System.Net.IPAddress.TryParse(at.Host.Trim('[', ']'), out System.Net.IPAddress? ip) && (ip.Equals(System.Net.IPAddress.Any) || ip.Equals(System.Net.IPAddress.IPv6Any));
        return new UriBuilder(at) { Host = everywhere ? Environment.MachineName : at.Host, Path = "/account/invitation", Fragment = $"secret={secret}" }.Uri;
    }

    /// <summary>A path in the data folder; its folder is created, accessible only to the owner.</summary>
    public string DataPath(params ReadOnlySpan<string> parts)
    {
        string path = Path.Combine([DataFolder, .. parts]);
        string folder = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}

/// <summary>An officer of a demonstration.</summary>
/// <param name="UserName">To sign in as.</param>
/// <param name="DisplayName">For people.</param>
/// <param name="Role">One of <see cref="Security.Roles.All"/>.</param>
public sealed record SampleOfficer(string UserName, string DisplayName, string Role);
