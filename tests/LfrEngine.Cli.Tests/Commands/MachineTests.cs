using System.Diagnostics;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Machines as people have them: no home folder, another country's numbers.</summary>
public sealed class MachineTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("models", "list")]
    [InlineData("verify", "nowhere")]
    [InlineData("receipt", "key")]
    public async Task AnyCommand_HomeThatDoesNotExist_SaysSoAndLeavesNothingHere(params string[] command)
    {
        (string, string)[] variables = [("LFR_CACHE", ""), ("LFR_CONFIG", ""), ("XDG_CACHE_HOME", "relative"), ("XDG_CONFIG_HOME", ""), ("HOME", folder["nowhere"])];

        Outcome outcome = (await Lfr.RunInAsync(folder.Path, variables, command)).Exits(ExitCode.Environment);

        outcome.Says(folder["nowhere"], "HOME", command[0] == "receipt" ? "LFR_CONFIG" : "LFR_CACHE").IsCivil();
        Assert.Empty(folder.Files);
        Assert.Empty(Directory.GetDirectories(folder.Path));
    }

    /// <summary>A checkout that may not be written to and is not built: whose it is, and what to do.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Script_CheckoutOfAnotherUser_NamesTheOwnerAndSaysWhatToDo(bool buildFolder)
    {
        if (OperatingSystem.IsWindows() || !File.Exists("/usr/bin/setpriv"))
        {
            Assert.Skip("The script and setpriv are of Linux.");
            return;
        }
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "scripts", "setup.sh")))
            root = Path.GetDirectoryName(root)!;
        Directory.CreateDirectory(folder["scripts"]);
        Directory.CreateDirectory(folder["native-interop/media"]);
        if (buildFolder)
            Directory.CreateDirectory(folder["build"]);
        File.Copy(Path.Combine(root, "lfr"), folder["lfr"]);
        foreach (string sourced in new[] { "setup.sh", "start.sh" })
            File.Copy(Path.Combine(root, "scripts", sourced), folder[$"scripts/{sourced}"]);
        const UnixFileMode ReadOnly = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        string[] folders = [folder.Path, .. Directory.GetDirectories(folder.Path, "*", SearchOption.AllDirectories)];
        foreach (string one in folders)
            File.SetUnixFileMode(one, ReadOnly);
        // Root writes everywhere.
        string[] other = Environment.IsPrivilegedProcess ? ["--reuid=65534", "--regid=65534", "--clear-groups"] : [];
        try
        {
            using Process script = Process.Start(new ProcessStartInfo("/usr/bin/setpriv", [.. other, "bash", folder["lfr"], "models", "list"]) { RedirectStandardError = true })!;
            string said = await script.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await script.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.True(script.ExitCode == ExitCode.Environment, said);
            Assert.Contains($"belongs to {Environment.UserName}", said, StringComparison.Ordinal);
            Assert.Contains("git clone", said, StringComparison.Ordinal);
            Assert.DoesNotContain("Permission denied", said, StringComparison.Ordinal);
        }
        finally
        {
            foreach (string one in folders)
                File.SetUnixFileMode(one, ReadOnly | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public async Task ReceiptKey_PlaceThatCannotBeWritten_SaysWhatToDo()
    {
        await File.WriteAllTextAsync(folder["file"], "", TestContext.Current.CancellationToken);

        (await Lfr.RunInAsync(null, [("LFR_CONFIG", folder["file/below"])], "receipt", "key")).Exits(ExitCode.Environment).Says(folder["file/below"], "LFR_CONFIG").IsCivil();
    }

    [Theory]
    [InlineData("0,48", "tr_TR.UTF-8")]
    [InlineData("0,48", "de_DE.UTF-8")]
    [InlineData("nan", "C")]
    [InlineData("infinity", "no_such.locale")]
    [InlineData("high", "C")]
    public async Task Threshold_ThatIsNoNumber_IsRefusedInEveryCountry(string threshold, string locale)
    {
        (string, string)[] variables = [("LC_ALL", locale), ("TZ", "Nowhere/Land")];

        Outcome outcome = (await Lfr.RunInAsync(folder.Path, variables, "run", "--watchlist", "none", "--camera", "a=none.mp4", "--threshold", threshold)).Exits(ExitCode.Usage);

        outcome.Says("--threshold takes a number such as 0.48", $"\"{threshold}\"").IsCivil();
        Assert.DoesNotContain("System.", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WholeNumber_ThatIsNone_IsRefusedInWords() =>
        (await Lfr.RunAsync("run", "--watchlist", "none", "--camera", "a=none.mp4", "--workers", "two")).Exits(ExitCode.Usage).Says("--workers takes a whole number", "\"two\"").IsCivil();

    [Theory]
    [InlineData("tr_TR.UTF-8")]
    [InlineData("de_DE.UTF-8")]
    public async Task Threshold_WithAPoint_IsTheSameInEveryCountry(string locale)
    {
        // The threshold is taken; what stops the run is the list that is not there.
        Outcome outcome = await Lfr.RunInAsync(folder.Path, [("LC_ALL", locale), ("LANG", locale)], "run", "--watchlist", folder["none"], "--camera", "a=none.mp4", "--threshold", "0.48");

        outcome.Exits(ExitCode.Input).Says(folder["none"]).IsCivil();
    }
}
