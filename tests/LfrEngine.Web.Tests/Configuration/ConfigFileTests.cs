using LfrEngine.Pipeline;
using LfrEngine.Records.Configuration;

namespace LfrEngine.Web.Tests.Configuration;

/// <summary>lfr.json is read whole, or every error in it is named.</summary>
public sealed class ConfigFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-config-");

    private string File => Path.Combine(folder.FullName, "lfr.json");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Read_CommentsAndOnlyAName_RestHasValues()
    {
        Installation installation = Read("""{ /* here */ "name": "Van 7", "cameras": [{ "name": "gate", "source": "rtsp://10.0.0.5/1" }], }""");

        Assert.Equal(("Van 7", CameraPace.Realtime, Path.Combine(folder.FullName, "data")), (installation.Config.Name, installation.Config.Cameras.Single().Pace, installation.DataFolder));
        Assert.Equal(["https://localhost:8443"], installation.Config.Listen);
    }

    /// <summary>Of another shape than the schema: all such places at once.</summary>
    [Fact]
    public void Read_WrongShape_EveryPlaceIsNamedWithWhatIsAllowed() => Assert.Equal(
        [
            "cameras[0].pace: \"fast\" is not one of automatic, realtime, max",
            "cameras[1].source: missing. File, folder of pictures, device, rtsp://, rtp://, udp:// or http(s):// URL.",
            "engine.workers: must be integer, not number. Worker threads; 0: one per processor.",
            "engine.allowUnlocked: must be boolean, not string. Run although too little memory can be locked. Face data could then be swapped to disk.",
            "store.sort: unknown property. Allowed: kind, connection",
            "store.kind: 1 is not one of sqlite, postgresql",
            "watchlist.wanted.maximumPeople: must be integer, not null. Maximum number of people of this category on one list.",
            "name: missing. Display name of this installation, for example of a van.",
        ],
        Errors("""
            {
              "cameras": [{ "name": "gate", "source": "a.mp4", "pace": "fast" }, { "name": "north" }],
              "engine": { "workers": 2.5, "allowUnlocked": "yes" },
              "store": { "sort": "sqlite", "kind": 1 },
              "watchlist": { "wanted": { "maximumPeople": null } }
            }
            """));

    /// <summary>Of the right shape, and impossible: all such places at once.</summary>
    [Fact]
    public void Read_ImpossibleValues_EveryPlaceIsNamedWithWhatIsAllowed()
    {
        string[] errors = Errors("""
            {
              "name": " ", "listen": ["http://localhost"], "certificate": { "path": "no.pem", "keyPath": "no.key" },
              "store": { "connection": "Host=hq" },
              "engine": { "inference": "opencl", "search": "gpu", "decode": "cuvid", "detectEveryMs": 1001, "workers": -1 },
              "cameras": [{ "name": "gate", "source": "a.mp4" }, { "name": "gate", "source": "" }],
              "laboratories": ["no-lab.pem"],
              "watchlist": { "vip": {}, "wanted": { "maximumPeople": -1, "maximumImageAgeDays": 0, "reviewDays": 0 } },
              "retention": { "alertHours": 25, "watchlistHours": -1, "unusedWatchlistDays": 91, "outboxDays": 0 },
              "mqtt": { "broker": "http://hq", "topic": "lfr/#" },
              "webhooks": [{ "name": "hq", "url": "http://hq", "secretPath": "no" }],
              "headquarters": { "url": "ftp://hq" }, "vans": { "Van 8": "no-van.pem" }
            }
            """);

        Assert.Equal(
            ["name", "listen[0]", "certificate.path", "certificate.keyPath", "store.connection", "engine.inference", "engine.search", "engine.decode", "engine.detectEveryMs", "engine.workers",
                "cameras[1].source", "cameras[1].name", "laboratories[0]", "watchlist.vip", "watchlist.wanted.maximumPeople", "watchlist.wanted.maximumImageAgeDays", "watchlist.wanted.reviewDays",
                "retention.alertHours", "retention.watchlistHours", "retention.unusedWatchlistDays", "retention.outboxDays", "mqtt.broker", "mqtt.topic", "webhooks[0].url", "webhooks[0].secretPath", "headquarters.url", "vans.Van 8"],
            errors.Select(e => e[..e.IndexOf(": ", StringComparison.Ordinal)]));
        Assert.Contains("engine.inference: \"opencl\" is not one of cpu, directml[:GPU], directml-half[:GPU], webgpu, cuda and auto", errors);
        Assert.All(errors, e => Assert.True(e.Length - e.IndexOf(": ", StringComparison.Ordinal) > 6, e));
    }

    /// <summary>Unknown properties, wrong kinds, impossible values and missing files are reported together; what stands in for a faulty value is not.</summary>
    [Fact]
    public void Read_FaultsOfAllKinds_AreNamedAtOnce() => Assert.Equal(
        ["camera", "listen", "engine.workers", "store.kind", "cameras[0].source", "name", "engine.detectEveryMs", "laboratories[0]", "retention.alertHours"],
        Errors("""
            {
              "camera": [], "listen": "https://localhost", "engine": { "workers": "two", "detectEveryMs": 1001 },
              "store": { "kind": "postgres", "connection": "Host=hq" }, "cameras": [{ "name": "gate" }],
              "laboratories": ["no-lab.pem"], "retention": { "alertHours": 25 }
            }
            """).Select(e => e[..e.IndexOf(": ", StringComparison.Ordinal)]));

    [Theory]
    [InlineData("{\n  \"name\": \"a\",\n  oops\n}", ", line 3, column 3: a name in quotation marks is expected, not \"o\".")]
    [InlineData("{ \"name\": \"a\", \"name\": \"b\" }", "\"name\" appears twice: keep one.")]
    [InlineData("null", "the file: must be object, not null.")]
    [InlineData("", ", line 1, column 1: there is no JSON in it.")]
    public void Read_NotJson_SaysWhere(string text, string expected)
    {
        string message = Assert.Throws<CommandFailure>(() => Read(text)).Message;

        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.StartsWith(File, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoFile_NamesTheCommandThatWritesOne() =>
        Assert.Contains("lfr config init", Assert.Throws<CommandFailure>(() => ConfigFile.Read(File)).Message, StringComparison.Ordinal);

    [Fact]
    public void Begin_NothingThere_WritesWhatCanBeReadAndOverwritesNothing()
    {
        ConfigFile.Begin(File);
        string written = System.IO.File.ReadAllText(File);

        Assert.Equal(Environment.MachineName, ConfigFile.Read(File).Config.Name);
        CommandFailure refused = Assert.Throws<CommandFailure>(() => ConfigFile.Begin(File));
        Assert.Equal((ExitCode.Usage, written), (refused.ExitCode, System.IO.File.ReadAllText(File)));
    }

    [Fact]
    public void Read_ModelsByNameOrManifest_AreFoundOrRefused()
    {
        string manifest = Path.Combine(Path.GetDirectoryName(File)!, "own.json");
        System.IO.File.Copy(Path.Combine(RepoRoot.Folder, "models", "mobilefacenet-512.json"), manifest);

        Installation standard = Read("""{ "name": "v" }"""), own = Read("""{ "name": "v", "engine": { "embedder": "own.json" } }""");

        Assert.Equal((EngineModels.DefaultDetector, EngineModels.DefaultEmbedder), (standard.Detector, standard.Embedder));
        // As `lfr run --embedder` takes it; a path is relative to lfr.json.
        Assert.Equal(manifest, own.Embedder);
        string[] errors = Errors("""{ "name": "v", "engine": { "detector": "mobilefacenet-512", "embedder": "no-such-model" } }""");
        Assert.StartsWith("engine.detector: The model \"mobilefacenet-512\" is for Embed", errors[0], StringComparison.Ordinal);
        Assert.StartsWith("engine.embedder: Unknown model \"no-such-model\"", errors[1], StringComparison.Ordinal);
        Assert.StartsWith("engine.embedder: ", Assert.Single(Errors("""{ "name": "v", "engine": { "embedder": "missing.json" } }""")), StringComparison.Ordinal);
    }

    /// <summary>What is published is what is read.</summary>
    [Fact]
    public void Schema_Published_IsTheOneOfTheTypes() =>
        Assert.Equal(ConfigFile.SchemaText(), System.IO.File.ReadAllText(Path.Combine(RepoRoot.Folder, "docs", "lfr.schema.json")));

    private Installation Read(string text)
    {
        System.IO.File.WriteAllText(File, text);
        return ConfigFile.Read(File);
    }

    private string[] Errors(string text) => [.. Assert.Throws<CommandFailure>(() => Read(text)).Message.Split("\n  ")[1..]];
}
