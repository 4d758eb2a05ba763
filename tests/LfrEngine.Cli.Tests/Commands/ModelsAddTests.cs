using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using LfrEngine.Models;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary><c>lfr models add</c>: the licence is shown first, and only the file of the manifest is kept.</summary>
[Trait("Speed", "slow")]
public sealed class ModelsAddTests(Material material) : IDisposable
{
    private const string Yunet = "yunet-2023mar", Accept = "--accept-licence";

    private readonly TemporaryFolder folder = new();

    private string Cache => folder["cache"];

    private string Brought => Path.Combine(Cache, "brought");

    private (string, string)[] Variables => [("LFR_CACHE", Cache)];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Add_FileOfTheManifest_IsReportedKeptListedAndUsed()
    {
        string file = Shared.Need("models/yunet_s_640_640.onnx");
        ShareDefaultModels();

        Outcome outcome = (await RunAsync("models", "add", Yunet, "--from", file, Accept, "--json")).Exits(ExitCode.Success).IsCivil();

        Assert.Contains("licence        MIT", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("training data  for research only. WIDER FACE", outcome.Error, StringComparison.Ordinal);
        JsonNode added = outcome.Json;
        Assert.Equal((Yunet, "detect", "added", "ready", "researchOnly"), ((string?)added["id"], (string?)added["task"], (string?)added["origin"], (string?)added["state"], (string?)added["trainingData"]!["state"]));
        Assert.Equal([$"{Yunet}.onnx"], Kept());
        Assert.Equal(PackageCache.HashOf(file), PackageCache.HashOf((string)added["path"]!));
        (await RunAsync("models", "add", Yunet)).Exits(ExitCode.Success).Says("Already present", $"--detector {Yunet}");
        JsonArray listed = (await RunAsync("models", "list", "--json")).Exits(ExitCode.Success).Json.AsArray();
        Assert.Equal("added", (string?)listed.Single(m => (string?)m!["id"] == Yunet)!["origin"]);
        (await EnrolAsync("--detector", Yunet)).Exits(ExitCode.Success).IsCivil();
    }

    [Fact]
    public async Task Add_YunetN_GivesTheNumbersOfItsFile() =>
        (await RunAsync("models", "add", "yunet-n", "--from", Shared.Need("models/yunet_n_dynamic.onnx"), Accept)).Exits(ExitCode.Success).Says("Added: ");

    [Fact]
    public async Task Add_OwnManifest_IsKeptWithItsModelAndUsedByItsId()
    {
        ShareDefaultModels();
        string manifest = BroughtModel.Write(folder, "mine", "embed", "embedder", DefaultModel("mobilefacenet-512"), "bgr", 3, ["output"], 512);
        await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken)).Replace("\"default\"", "\"mine\"", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        (await RunAsync("models", "add", manifest, Accept)).Exits(ExitCode.Success).IsCivil().Says("licence        see its source", "training data  unknown. Not stated in the manifest.", "--embedder mine", "are compared as if uncovered until `lfr-lab cover-scale FOLDER --embedder mine --write MANIFEST`");

        Assert.Equal(["mine.json", "mine.onnx"], Kept());
        File.Delete(manifest);
        JsonNode listed = (await RunAsync("models", "list", "--json")).Exits(ExitCode.Success).Json.AsArray().Single(m => (string?)m!["id"] == "mine")!;
        Assert.Equal(("added", "ready", "unknown"), ((string?)listed["origin"], (string?)listed["state"], (string?)listed["trainingData"]!["state"]));
        (await RunAsync("models", "list")).Exits(ExitCode.Success).Says("mine", "Training data unknown (mine): Not stated in the manifest.");
        (await RunAsync("doctor", "--json")).Says("model mine");
        (await EnrolAsync("--embedder", "mine")).Exits(ExitCode.Usage).Says("no default threshold");
        (await EnrolAsync("--embedder", "mine", "--threshold", "0.5")).Exits(ExitCode.Success).IsCivil();
    }

    [Fact]
    public async Task Add_LicenceNotAccepted_ShowsItAndKeepsNothing()
    {
        string manifest = BroughtModel.Write(folder, "mine", "embed", "embedder", DefaultModel("mobilefacenet-512"), "bgr", 3, ["output"], 512);

        Outcome outcome = (await RunAsync("models", "add", manifest)).Exits(ExitCode.Usage).IsCivil().Says("licence        see its source", "--accept-licence");

        Assert.Equal("", outcome.Output);
        Assert.Empty(Kept());
    }

    [Theory]
    [InlineData("y", ExitCode.Success)]
    [InlineData("n", ExitCode.Usage)]
    [InlineData("\x03", ExitCode.Stopped)]
    public async Task Add_InATerminal_AsksWhetherTheLicenceIsAccepted(string answer, int code)
    {
        string manifest = BroughtModel.Write(folder, "mine", "embed", "embedder", DefaultModel("mobilefacenet-512"), "bgr", 3, ["output"], 512);
        using Lfr lfr = Lfr.StartInTerminal(Variables, "models", "add", manifest);
        await lfr.SeesAsync("training data  unknown");

        await lfr.TypeAsync(answer + "\n");

        (await lfr.EndAsync()).Exits(code).IsCivil();
        Assert.Equal(code == ExitCode.Success ? ["mine.json", "mine.onnx"] : [], Kept());
    }

    [Fact]
    public async Task Add_AnotherFileWhenTheModelIsThere_SaysSoAndLeavesItThere()
    {
        (await RunAsync("models", "add", Yunet, "--from", Shared.Need("models/yunet_s_640_640.onnx"), Accept)).Exits(ExitCode.Success).IsCivil();
        string[] kept = Kept();

        (await RunAsync("models", "add", Yunet, "--from", DefaultModel("ultraface-rfb-320"), Accept)).Exits(ExitCode.Input).IsCivil().Says("has SHA-256");

        Assert.Equal(kept, Kept());
    }

    [Theory]
    [InlineData("another model", "has SHA-256")]
    [InlineData("pointer", "is a Git LFS pointer")]
    [InlineData("page", "is a web page, not a model")]
    [InlineData("empty", "is empty.")]
    [InlineData("missing", "cannot be read: The file does not exist.")]
    [InlineData("folder", "is a folder, not a file")]
    public async Task Add_AnotherFile_SaysWhatItIsAndKeepsNothing(string kind, string said)
    {
        string file = folder["given.onnx"];
        switch (kind)
        {
            case "another model":
                file = DefaultModel("ultraface-rfb-320");
                break;
            case "pointer":
                await File.WriteAllTextAsync(file, "version https://git-lfs.github.com/spec/v1\noid sha256:8f2383\nsize 232589\n", TestContext.Current.CancellationToken);
                break;
            case "page":
                await File.WriteAllTextAsync(file, "\n<!DOCTYPE html><html></html>", TestContext.Current.CancellationToken);
                break;
            case "empty":
                await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
                break;
            case "folder":
                Directory.CreateDirectory(file);
                break;
        }

        (await RunAsync("models", "add", Yunet, "--from", file, Accept)).Exits(ExitCode.Input).IsCivil().Says(Path.GetFileName(file), said);

        Assert.Empty(Kept());
    }

    [Theory]
    [InlineData("text", "cannot be loaded")]
    [InlineData("output", "no-such-output")]
    [InlineData("length", "gives 512 values per face, but its manifest says 128")]
    public async Task Add_OwnManifestThatDoesNotFit_SaysWhatAndKeepsNothing(string kind, string said)
    {
        string file = kind == "text" ? folder["text.onnx"] : DefaultModel("mobilefacenet-512");
        if (kind == "text")
            await File.WriteAllTextAsync(file, "This is not a network.", TestContext.Current.CancellationToken);
        string manifest = BroughtModel.Write(folder, "mine", "embed", "embedder", file, "bgr", 3, [kind == "output" ? "no-such-output" : "output"], kind == "length" ? 128 : 512);

        Outcome outcome = (await RunAsync("models", "add", manifest, Accept)).Exits(ExitCode.Input).IsCivil().Says("mine", said);

        Assert.DoesNotContain(".partial", outcome.Text, StringComparison.Ordinal);
        Assert.Empty(Kept());
    }

    [Fact]
    public async Task Add_NamesThatCannotBe_AreRefused()
    {
        (await RunAsync("models", "add", "no-such-model", Accept)).Exits(ExitCode.Usage).IsCivil().Says("\"no-such-model\" is not offered", Yunet, "sface-2021dec");
        (await RunAsync("models", "add", "mobilefacenet-512", Accept)).Exits(ExitCode.Usage).IsCivil().Says("comes with the engine", "lfr models restore");
        foreach ((string id, string said) in (IEnumerable<(string, string)>)[(Yunet, "already has the id"), ("../escape", "cannot be used as a file name")])
        {
            string manifest = BroughtModel.Write(folder, "mine", "embed", "embedder", DefaultModel("mobilefacenet-512"), "bgr", 3, ["output"], 512);
            await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken)).Replace("\"mine\"", $"\"{id}\"", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            (await RunAsync("models", "add", manifest, Accept)).Exits(ExitCode.Input).IsCivil().Says(said);
        }
        Assert.Empty(Kept());
    }

    [Fact]
    public async Task Add_FullDisk_SaysSoAndLeavesNothing()
    {
        using TinyDisk disk = TinyDisk.Mount(64);
        string manifest = BroughtModel.Write(folder, "mine", "embed", "embedder", DefaultModel("mobilefacenet-512"), "bgr", 3, ["output"], 512);

        (await Lfr.RunInAsync(null, [("LFR_CACHE", disk.Path)], "models", "add", manifest, Accept)).Exits(ExitCode.Output).IsCivil().Says("\"mine\" could not be written", "The disk is full.", "LFR_CACHE");

        Assert.Empty(Directory.GetFiles(disk.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Add_FromAnAddress_IsDownloaded()
    {
        string file = DefaultModel("mobilefacenet-512"), manifest = BroughtModel.Write(folder, "mine", "embed", "embedder", file, "bgr", 3, ["output"], 512);
        using var server = new HalfServer(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken), 1, hold: false);

        (await RunAsync("models", "add", manifest, "--from", server.Url, Accept)).Exits(ExitCode.Success).Says("Added: ");

        Assert.Equal(["mine.json", "mine.onnx"], Kept());
    }

    [Fact]
    public async Task Add_AddressThatFails_SaysHowWithoutItsSecretsAndKeepsNothing()
    {
        using var web = new WebFolder(folder.Path);
        using var cut = new HalfServer(await File.ReadAllBytesAsync(DefaultModel("ultraface-rfb-320"), TestContext.Current.CancellationToken), 0.5, hold: false);
        using var gone = new TcpListener(IPAddress.Loopback, 0);
        gone.Start();
        string nobody = $"http://127.0.0.1:{((IPEndPoint)gone.LocalEndpoint).Port}/model.onnx";
        gone.Stop();
        foreach ((string address, string said) in (IEnumerable<(string, string)>)[(web.Url("none.onnx"), "answers 404"), (cut.Url, "cannot be downloaded"), (nobody, "cannot be downloaded")])
        {
            string secret = address.Replace("http://", "http://user:pass-word@", StringComparison.Ordinal) + "?token=hush";
            Outcome outcome = (await RunAsync("models", "add", Yunet, "--from", secret, Accept)).Exits(ExitCode.Environment).IsCivil().Says(said, "--from FILE");
            Assert.DoesNotContain("pass-word", outcome.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("hush", outcome.Text, StringComparison.Ordinal);
        }
        Assert.Empty(Kept());
    }

    [Fact]
    public async Task Add_InterruptedInTheMiddle_LeavesNothing()
    {
        using var server = new HalfServer(await File.ReadAllBytesAsync(DefaultModel("ultraface-rfb-320"), TestContext.Current.CancellationToken), 0.5, hold: true);
        using Lfr lfr = Lfr.Start(null, Variables, "models", "add", Yunet, "--from", server.Url, Accept);
        await server.Asked;
        using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
        {
            while (!Directory.Exists(Brought) || !Directory.EnumerateFiles(Brought).Any(f => new FileInfo(f).Length > 0))
                await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        lfr.Interrupt();

        (await lfr.EndAsync()).Exits(ExitCode.Stopped).IsCivil();
        Assert.Empty(Kept());
    }

    [Fact]
    public async Task List_ModelsThatCanBeBrought_AreOfferedWithTheLineThatBringsThem()
    {
        ShareDefaultModels();

        JsonArray models = (await RunAsync("models", "list", "--json")).Exits(ExitCode.Success).Json.AsArray();

        JsonNode[] offered = [.. models.Where(m => (string?)m!["origin"] == "offered").Select(m => m!)];
        Assert.Equal(["arcface-r100", "sface-2021dec", Yunet, "yunet-n"], offered.Select(m => (string?)m["id"]));
        Assert.All(offered, m => Assert.Equal($"lfr models add {m["id"]}", (string?)m["state"]));
        Assert.All(models, m => Assert.NotEqual("", (string?)m!["trainingData"]!["words"]));
        (await EnrolAsync("--detector", Yunet)).Exits(ExitCode.Environment).IsCivil().Says($"lfr models add {Yunet}");
    }

    private static string DefaultModel(string id)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        return catalog.FileOf(catalog.Manifests().Single(m => m.Id == id));
    }

    private Task<Outcome> RunAsync(params string[] arguments) => Lfr.RunInAsync(null, Variables, arguments);

    private Task<Outcome> EnrolAsync(params string[] more)
    {
        Directory.CreateDirectory(folder["people/woman"]);
        File.Copy(material.Photo, folder["people/woman/photo.jpg"], overwrite: true);
        return RunAsync(["enrol", folder["people"], "-o", folder["list.lfr"], "--key-file", material.KeyFile, .. more]);
    }

    private string[] Kept() => Directory.Exists(Brought) ? [.. Directory.EnumerateFiles(Brought).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)] : [];

    private void ShareDefaultModels()
    {
        Directory.CreateDirectory(Cache);
        foreach (string package in Directory.EnumerateDirectories(PackageCache.Default.Root, "*@*"))
            Directory.CreateSymbolicLink(Path.Combine(Cache, Path.GetFileName(package)), package);
    }

    /// <summary>Answers every request with a file, of which only the beginning comes.</summary>
    private sealed class HalfServer : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        private readonly TaskCompletionSource asked = new();
        private readonly Task serving;

        public HalfServer(byte[] file, double share, bool hold)
        {
            listener.Start();
            serving = Task.Run(() => ServeAsync(file, (int)(file.Length * share), hold));
        }

        public string Url => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/model.onnx";

        public Task Asked => asked.Task.WaitAsync(TimeSpan.FromMinutes(2), ending.Token);

        public void Dispose()
        {
            ending.Cancel();
            listener.Dispose();
            serving.GetAwaiter().GetResult();
            ending.Dispose();
        }

        private async Task ServeAsync(byte[] file, int sent, bool hold)
        {
            try
            {
                while (true)
                {
                    using TcpClient client = await listener.AcceptTcpClientAsync(ending.Token);
                    using var reader = new StreamReader(client.GetStream());
                    while (await reader.ReadLineAsync(ending.Token) is { Length: > 0 })
                        continue;
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {file.Length}\r\nConnection: close\r\n\r\n"), ending.Token);
                    await client.GetStream().WriteAsync(file.AsMemory(0, sent), ending.Token);
                    asked.TrySetResult();
                    if (hold)
                        await Task.Delay(Timeout.Infinite, ending.Token);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
