using System.Security.Cryptography;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Watchlists and keys that cannot be used: one sentence, no camera opened.</summary>
[Trait("Speed", "slow")]
public sealed class RunWatchlistTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("flipped", "damaged", "enrol again with `lfr enrol`")]
    [InlineData("truncated", "damaged: the file has", "Copy it again from its source")]
    [InlineData("appended", "damaged: the file has", "Copy it again from its source")]
    [InlineData("empty", "damaged: the file is empty", "Copy it again from its source")]
    [InlineData("foreign", "not a watchlist file", "`lfr enrol`")]
    [InlineData("newer", "watchlist format 3", "this engine reads formats 1 to 2")]
    [InlineData("missing", "cannot be read", "The file does not exist.")]
    public async Task Run_UnusableWatchlist_SaysHow(string kind, string said, string wayOut)
    {
        string list = folder["list.lfr"];
        byte[] bytes = await File.ReadAllBytesAsync(material.Watchlist, TestContext.Current.CancellationToken);
        switch (kind)
        {
            case "flipped":
                bytes[bytes.Length / 2] ^= 1;
                break;
            case "truncated":
                bytes = bytes[..(bytes.Length / 2)];
                break;
            case "appended":
                bytes = [.. bytes, 0];
                break;
            case "empty":
                bytes = [];
                break;
            case "foreign":
                bytes = await File.ReadAllBytesAsync(material.Photo, TestContext.Current.CancellationToken);
                break;
            case "newer":
                bytes[8] = 3;
                break;
            default:
                break;
        }
        if (kind != "missing")
            await File.WriteAllBytesAsync(list, bytes, TestContext.Current.CancellationToken);

        await FailsAsync(list, material.KeyFile, list, said, wayOut);
    }

    [Fact]
    public async Task Run_WrongKeyFile_SaysSo()
    {
        await File.WriteAllBytesAsync(folder["other"], RandomNumberGenerator.GetBytes(32), TestContext.Current.CancellationToken);

        await FailsAsync(material.Watchlist, folder["other"], material.Watchlist, "this key file does not open the file", "Give the key file it was encrypted with");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(5000)]
    public async Task Run_UnusableKeyFile_SaysWhatOneIs(int bytes)
    {
        await File.WriteAllBytesAsync(folder["key"], new byte[bytes], TestContext.Current.CancellationToken);

        await FailsAsync(material.Watchlist, folder["key"], folder["key"], "a key file has 32 to 4,096 bytes");
    }

    [Fact]
    public async Task Run_MissingKeyFile_NamesIt() => await FailsAsync(material.Watchlist, folder["nowhere"], folder["nowhere"], "cannot read the key file: The file does not exist.");

    [Fact]
    public async Task Run_NoKey_SaysHowToGiveOne() =>
        (await Lfr.RunAsync("run", "--watchlist", material.Watchlist, "--camera", "gate=no-such-clip.mp4"))
            .Exits(ExitCode.Input).Says("encrypted with a key file", "--key-file").IsCivil();

    [Fact]
    public async Task Run_PassphraseInsteadOfKeyFile_SaysSo() =>
        (await Lfr.RunInAsync(null, [("LFR_PASSPHRASE", "secret words")], "run", "--watchlist", material.Watchlist, "--camera", "gate=no-such-clip.mp4"))
            .Exits(ExitCode.Input).Says("encrypted with a key file", "--key-file").IsCivil();

    [Fact]
    public async Task Run_Passphrase_OpensOnlyWithTheRightOne()
    {
        string list = folder["sealed.lfr"], people = Directory.CreateDirectory(folder["people/she"]).Parent!.FullName;
        File.Copy(material.Photo, folder["people/she/1.jpg"]);
        string[] run = ["run", "--watchlist", list, "--json", "--camera", $"gate={material.ShortClip}"];
        (await Lfr.RunInAsync(null, [("LFR_PASSPHRASE", "correct horse")], "enrol", people, "-o", list)).Exits(ExitCode.Success);

        Outcome right = (await Lfr.RunInAsync(null, [("LFR_PASSPHRASE", "correct horse")], run)).Exits(ExitCode.Success);
        Assert.Equal("she", (string?)right.Lines[0]["candidate"]!["id"]);

        Outcome wrong = (await Lfr.RunInAsync(null, [("LFR_PASSPHRASE", "correct house")], run)).Exits(ExitCode.Input);
        wrong.Says(list, "this passphrase does not open the file").IsCivil();
        Assert.DoesNotContain("correct house", wrong.Text, StringComparison.Ordinal);

        (await Lfr.RunAsync(run)).Exits(ExitCode.Usage).Says("--key-file", "LFR_PASSPHRASE").IsCivil();
        (await Lfr.RunAsync([.. run, "--key-file", material.KeyFile])).Exits(ExitCode.Input).Says("encrypted with a passphrase, not with a key file");
    }

    [Fact]
    public async Task Run_WatchlistOfAnotherEmbedder_NamesBothAndNeverCompares()
    {
        string manifest = BroughtModel.Embedder128(folder), list = folder["other.lfr"], people = Directory.CreateDirectory(folder["people/she"]).Parent!.FullName;
        File.Copy(material.Photo, folder["people/she/1.jpg"]);
        (await Lfr.RunAsync("enrol", people, "-o", list, "--key-file", material.KeyFile, "--embedder", manifest)).Exits(ExitCode.Success);

        await FailsAsync(list, material.KeyFile, "brought-128", "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581", "`lfr watchlist re-enrol FILE -o NEW`");

        // With the embedder that made it, it works.
        (await Lfr.RunAsync("run", "--watchlist", list, "--key-file", material.KeyFile, "--embedder", manifest, "--json", "--camera", $"gate={material.ShortClip}")).Exits(ExitCode.Success);
    }

    private static async Task FailsAsync(string list, string key, params string[] said)
    {
        Outcome run = (await Lfr.RunAsync("run", "--watchlist", list, "--key-file", key, "--json", "--camera", "gate=no-such-clip.mp4")).Exits(ExitCode.Input);
        run.Says(said).IsCivil();
        Assert.Empty(run.Output);
    }
}
