using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Detection;
using Xunit;

namespace LfrEngine.Tests.Layers;

/// <summary>What the layout promises, read from the files themselves.</summary>
public sealed partial class ArchitectureTests
{
    // A layer, and the layers it may stand on. native-interop/capi is the shell that hands the engine to C, so it stands above it; tests/StandIns
    // stands in for packages of the engine where these are not served, so it stands below it.
    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["native-interop"] = ["native-interop"],
        ["native-interop/capi"] = ["engine", "native-interop"],
        ["engine"] = ["engine", "native-interop", "tests/StandIns"],
        ["host"] = ["host", "engine", "native-interop"],
        ["perf"] = ["perf", "host", "engine", "native-interop", "native-interop/capi"],
        ["tests/StandIns"] = ["tests/StandIns"],
        ["tests"] = ["tests", "tests/StandIns", "perf", "host", "engine", "native-interop", "native-interop/capi"],
    };

    // The rooms of the host, and the rooms each may use. The records know nothing of whoever shows, sends or commands; the laboratory knows no records.
    private static readonly Dictionary<string, string[]> RoomMayUse = new()
    {
        ["LfrEngine.Programs"] = [],
        ["LfrEngine.Records"] = ["LfrEngine.Programs"],
        ["LfrEngine.Web"] = ["LfrEngine.Programs", "LfrEngine.Records"],
        ["LfrEngine.Links"] = ["LfrEngine.Programs", "LfrEngine.Records"],
        ["LfrEngine.Cli"] = ["LfrEngine.Programs", "LfrEngine.Records", "LfrEngine.Web", "LfrEngine.Links"],
        ["LfrEngine.Lab"] = ["LfrEngine.Programs"],
    };

    [Fact]
    public void Rooms_References_PointOneWay()
    {
        string[] projects = [.. Files("*.csproj").Where(p => LayerOf(p) == "host")];
        Assert.Equal(RoomMayUse.Keys.Order(), projects.Select(p => Path.GetFileNameWithoutExtension(p)).Order());
        foreach (string project in projects)
        {
            string room = Path.GetFileNameWithoutExtension(project);
            XDocument text = XDocument.Load(project);
            foreach (string used in text.Descendants("ProjectReference").Select(r => r.Attribute("Include")!.Value).Where(r => r.StartsWith("../LfrEngine.", StringComparison.Ordinal)).Select(r => Path.GetFileNameWithoutExtension(r)))
                Assert.True(RoomMayUse[room].Contains(used), $"{room} must not use {used}.");
            bool web = text.Descendants("FrameworkReference").Any(r => r.Attribute("Include")?.Value == "Microsoft.AspNetCore.App");
            Assert.True(!web || room is "LfrEngine.Web" or "LfrEngine.Links", $"{room} must not use the web framework.");
        }
    }

    [Fact]
    public void Projects_References_PointOneWay()
    {
        string[] projects = Files("*.csproj");
        Assert.Contains(projects, p => LayerOf(p) == "engine");
        Assert.Contains(projects, p => LayerOf(p) == "host");
        foreach (string project in projects)
        {
            Assert.True(MayReference.TryGetValue(LayerOf(project), out string[]? allowed), $"{Relative(project)} lies in no known layer.");
            foreach (XElement reference in XDocument.Load(project).Descendants("ProjectReference"))
            {
                string target = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, reference.Attribute("Include")!.Value.Replace('\\', '/')));
                Assert.True(File.Exists(target), $"{Relative(project)} refers to {target}, which is missing.");
                Assert.True(allowed.Contains(LayerOf(target)), $"{Relative(project)} must not refer to {Relative(target)}.");
            }
            // A path written out would be a reference in disguise. Test projects may share a helper.
            foreach (XElement compiled in XDocument.Load(project).Descendants("Compile").Where(_ => LayerOf(project) != "tests"))
                Assert.DoesNotContain("..", compiled.Attribute("Include")?.Value ?? "", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void PublicApi_OfEveryLibrary_IsListedAndEnoughForTheHost()
    {
        string[] libraries = [.. Files("*.csproj").Where(p => LayerOf(p) is "engine" or "native-interop" && !p.EndsWith(".Torch.csproj", StringComparison.Ordinal))];
        Assert.True(libraries.Length >= 5);
        foreach (string project in libraries)
        {
            string folder = Path.GetDirectoryName(project)!;
            Assert.True(File.ReadAllLines(Path.Combine(folder, "PublicAPI.Shipped.txt")).Length > 1, $"{Relative(project)} lists no public name.");
            Assert.Equal(["#nullable enable"], File.ReadAllLines(Path.Combine(folder, "PublicAPI.Unshipped.txt")));
        }
        // The host stands where a vendor stands: what it cannot reach, no vendor can. The laboratory and the tests look inside.
        string[] inside = [.. XDocument.Load(libraries.Single(p => p.EndsWith("/LfrEngine.csproj", StringComparison.Ordinal))).Descendants("InternalsVisibleTo").SelectMany(i => i.Attribute("Include")!.Value.Split(';'))];
        Assert.Contains("LfrEngine.Tests", inside);
        Assert.DoesNotContain(inside, n => n == "lfr" || (n != "LfrEngine.Lab" && RoomMayUse.ContainsKey(n)));
    }

    [Fact]
    public void NativeAssembly_Compiled_KnowsNoEngine()
    {
        Assert.DoesNotContain(typeof(MediaReader).Assembly.GetReferencedAssemblies(), a => a.Name!.StartsWith("LfrEngine", StringComparison.Ordinal));
        Assert.Equal(["LfrEngine.Native"], typeof(ModelManifest).Assembly.GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("LfrEngine", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Console.Write", "the engine has no console")]
    [InlineData("ArrayPool", "its arrays come back uncleared")]
    [InlineData("MemoryPool", "it is backed by ArrayPool")]
    [InlineData("AllocateUninitializedArray", "pinned arrays are not wiped")]
    public void EngineSources_BannedWords_AreAbsent(string word, string why)
    {
        string[] sources = [.. Files("*.cs").Where(f => LayerOf(f) is "engine" or "native-interop")];
        Assert.True(sources.Length > 30);
        foreach (string source in sources)
        {
            string text = File.ReadAllText(source);
            Assert.False(text.Contains(word, StringComparison.Ordinal), $"{Relative(source)} uses {word}: {why}.");
        }
    }

    [Fact]
    public void Manifests_EveryFile_HasLicenceAndHash()
    {
        string[] manifests = Directory.GetFiles(Path.Combine(RepoRoot.Path, "models"), "*.json");
        Assert.True(manifests.Length >= 4);
        int weights = 0;
        foreach (string path in manifests)
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = json.RootElement;
            bool samples = root.TryGetProperty("files", out JsonElement files);
            foreach (JsonElement file in samples ? files.EnumerateArray().ToArray() : [root])
            {
                Assert.False(string.IsNullOrWhiteSpace(file.GetProperty("licence").GetString()), $"{Relative(path)} has no licence.");
                Assert.Matches(Sha256(), file.GetProperty("sha256").GetString());
            }
            if (samples)
                continue;
            weights++;
            ModelManifest manifest = ModelManifest.Read(path);
            Assert.Equal(Path.GetFileNameWithoutExtension(path), manifest.Id);
            Assert.NotNull(manifest.Source.Npm);
            Assert.NotNull(manifest.Source.Version);
        }
        Assert.True(weights >= 3);
    }

    [Fact]
    public void Repository_Weights_AreNotInIt() =>
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(RepoRoot.Path, "models"), "*", SearchOption.AllDirectories), f => new FileInfo(f).Length > 100_000);

    private static string[] Files(string pattern) =>
        [.. Directory.EnumerateDirectories(RepoRoot.Path)
            .Where(d => Path.GetFileName(d) is "engine" or "native-interop" or "host" or "perf" or "tests")
            .SelectMany(d => Directory.EnumerateFiles(d, pattern, SearchOption.AllDirectories))
            .Where(f => !Relative(f).Split('/').Any(part => part is "obj" or "bin"))];

    private static string LayerOf(string path)
    {
        string[] parts = Relative(path).Split('/');
        return parts is ["native-interop", "capi", ..] or ["tests", "StandIns", ..] ? $"{parts[0]}/{parts[1]}" : parts[0];
    }

    private static string Relative(string path) => Path.GetRelativePath(RepoRoot.Path, path).Replace('\\', '/');

    [GeneratedRegex("^[0-9a-f]{64}$")]
    private static partial Regex Sha256();
}
