using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Erasure receipts: written by a run, signed by the installation, worthless when altered.</summary>
[Trait("Speed", "slow")]
public sealed class ReceiptCommandTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Receipt_OfARun_StatesWhatWasErasedAndIsGenuine()
    {
        JsonNode receipt = JsonNode.Parse(await MakeAsync())!["receipt"]!;

        Assert.Equal(0, (int)receipt["lifetimes"]!["deadlineBreaches"]!);
        Assert.Equal(0, (int)receipt["erased"]!["frameBuffersHeld"]!);
        Assert.True((int)receipt["frames"]! > 0);
        Assert.Equal((int)receipt["shotsCompared"]!, (int)receipt["lifetimes"]!["embedding"]!["count"]!);
        Assert.Equal((int)receipt["frames"]!, (int)receipt["lifetimes"]!["frame"]!["count"]!);
        foreach (string kind in (string[])["tensor", "crop", "activation", "afterVerdict"])
            Assert.True((int)receipt["lifetimes"]![kind]!["count"]! > 0, kind);
        string program = Path.Combine(AppContext.BaseDirectory, "LfrEngine.dll");
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(program, TestContext.Current.CancellationToken))), (string?)receipt["buildSha256"]!["LfrEngine.dll"]);
        // Detector, landmarks, embedder, mesh and two verifiers.
        Assert.Equal(6, receipt["modelSha256"]!.AsObject().Count);
        (await LfrAsync("receipt", "verify", folder["receipt.json"])).Exits(ExitCode.Success).Says("genuine", "not altered");
    }

    [Fact]
    public async Task Verify_AlteredReceipt_SaysSo()
    {
        string text = await MakeAsync();
        await File.WriteAllTextAsync(folder["receipt.json"], text.Replace("\"facesSeen\":", "\"facesSeen\":1", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        (await LfrAsync("receipt", "verify", folder["receipt.json"])).Exits(ExitCode.Input).Says("has been altered", folder["receipt.json"]).IsCivil();
    }

    [Fact]
    public async Task Verify_AnotherInstallation_NeedsItsPublicKey()
    {
        await MakeAsync();
        Outcome key = (await LfrAsync("receipt", "key")).Exits(ExitCode.Success);
        await File.WriteAllTextAsync(folder["key.pem"], key.Output, TestContext.Current.CancellationToken);

        (await ElsewhereAsync("receipt", "verify", folder["receipt.json"])).Exits(ExitCode.Input).Says("is signed by the installation", "--key").IsCivil();
        (await ElsewhereAsync("receipt", "verify", folder["receipt.json"], "--key", folder["key.pem"])).Exits(ExitCode.Success).Says("genuine");
        await File.WriteAllTextAsync(folder["none.pem"], "no key", TestContext.Current.CancellationToken);
        Outcome none = (await ElsewhereAsync("receipt", "verify", folder["receipt.json"], "--key", folder["none.pem"])).Exits(ExitCode.Input).Says("none.pem is not a public key: it must contain one ECDSA key, not encrypted, in PEM form.").IsCivil();
        Assert.DoesNotContain("Parameter", none.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{\"receipt\":{},\"publicKey\":\"x\",\"signature\":\"!\"}")]
    public async Task Verify_NoReceipt_SaysSo(string content)
    {
        await File.WriteAllTextAsync(folder["receipt.json"], content, TestContext.Current.CancellationToken);

        (await LfrAsync("receipt", "verify", folder["receipt.json"])).Exits(ExitCode.Input).Says("is not a signed erasure receipt").IsCivil();
    }

    [Fact]
    public async Task Run_ReceiptCannotBeWritten_SaysWhereAndLeavesNothing()
    {
        Outcome outcome = await LfrAsync("run", "--camera", "a=" + material.ShortClip, "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--receipt", Path.Combine(material.KeyFile, "receipt.json"));

        outcome.Exits(ExitCode.Output).Says("erasure receipt cannot be written", "--receipt").IsCivil();
    }

    private async Task<string> MakeAsync()
    {
        (await LfrAsync("run", "--camera", "a=" + material.ShortClip, "--watchlist", material.Watchlist, "--key-file", material.KeyFile, "--receipt", folder["receipt.json"])).Exits(ExitCode.Success);
        return await File.ReadAllTextAsync(folder["receipt.json"], TestContext.Current.CancellationToken);
    }

    private Task<Outcome> LfrAsync(params string[] arguments) => Lfr.RunInAsync(null, [("LFR_CONFIG", folder["here"])], arguments);

    private Task<Outcome> ElsewhereAsync(params string[] arguments) => Lfr.RunInAsync(null, [("LFR_CONFIG", folder["elsewhere"])], arguments);
}
