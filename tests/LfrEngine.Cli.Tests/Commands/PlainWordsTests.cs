namespace LfrEngine.Cli.Tests.Commands;

/// <summary>What a newcomer types wrong is answered in plain words, before any work begins.</summary>
public sealed class PlainWordsTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<string[], string> Wrong => new()
    {
        { ["run", "--watchlist", "w", "--camera", "a=b", "--workers", "two"], "--workers takes a whole number from 0 to 1024, not \"two\"." },
        { ["run", "--watchlist", "w", "--camera", "a=b", "--workers", "1025"], "--workers takes a whole number from 0 to 1024, not \"1025\"." },
        { ["run", "--watchlist", "w", "--camera", "a=b", "--workers", "99999999999"], "--workers takes a whole number from 0 to 1024, not \"99999999999\"." },
        { ["run", "--watchlist", "w", "--camera", "a=b", "--detect-every", "-1"], "--detect-every takes a whole number from 0 to 1000, not \"-1\"." },
        { ["run", "--watchlist", "w", "--camera", "a=b", "--threshold", "1.5"], "--threshold takes a number such as 0.48, above -1 and at most 1, not \"1.5\"." },
        { ["run", "--watchlist", "w", "--camera", "a=b", "--pace", "slow"], "--pace takes auto, realtime or max, not \"slow\"." },
        { ["run", "--watchlist", "", "--camera", "a=b"], "--watchlist takes the path of a file, not \"\"." },
        { ["run", "--watchlist", "w", "--camera", "a=b", "--json=maybe"], "Unrecognised command or argument 'maybe'." },
        { ["run", "--watchlist", "w", "--watchlist", "v", "--camera", "a=b"], "--watchlist is given 2 times. Give it once." },
        { ["models", "lst"], "Unrecognised command or argument 'lst'." },
        { ["export", "--from", "tomorrow"], "--from takes a date such as 2026-01-31, not \"tomorrow\"." },
        { ["export", "--from", "01/02/2026"], "--from takes a date such as 2026-01-31, not \"01/02/2026\"." },
        { ["export", "--format", "pdf"], "--format takes csv, json or html, not \"pdf\"." },
        { ["export", "--from", "2026-02-01", "--to", "2026-01-31"], "--from 2026-02-01 is after --to 2026-01-31." },
        { ["detect", ""], "FOLDER takes the path of a folder, not \"\"." },
        { ["bench", "clip", "--templates", "0"], "--templates takes a whole number from 1 to 1000000, not \"0\"." },
    };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task KeyFile_ReadableByOthers_SaysHowToMendIt()
    {
        string open = folder["open.key"];
        File.Copy(material.KeyFile, open);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(open, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        string[] run = ["run", "--watchlist", material.Watchlist, "--camera", "gate=none.mp4", "--key-file"];

        (await Lfr.RunAsync([.. run, open])).Says($"can read the key file {open}. Run: chmod 600 {open}").IsCivil();
        Assert.DoesNotContain("chmod", (await Lfr.RunAsync([.. run, material.KeyFile])).Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Option_WrongValue_SaysWhatIsWantedAndWhatWasGiven(string[] arguments, string said)
    {
        Outcome outcome = (await Lfr.RunAsync(arguments)).Exits(ExitCode.Usage).Says(said).IsCivil();

        Assert.DoesNotContain("System.", outcome.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Cannot parse", outcome.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Required command", outcome.Text, StringComparison.Ordinal);
    }

    /// <summary>A name can hold an escape sequence, or turn the direction of writing.</summary>
    [Theory]
    [InlineData("\u001B[31mred", "\\x1B[31mred")]
    [InlineData("gpj.\u202Efdp", "gpj.\\u202Efdp")]
    [InlineData("two\u0085lines", "two\\x85lines")]
    public async Task Terminal_NameWithControlCharacters_ShowsThemEscaped(string name, string shown)
    {
        Outcome missing = await Lfr.RunAsync("verify", folder[name]), wrong = await Lfr.RunAsync("run", "--watchlist", "w", "--camera", "a=b", "--pace", name);

        foreach (Outcome outcome in (Outcome[])[missing, wrong])
        {
            outcome.Says(shown).IsCivil();
            Assert.DoesNotContain(outcome.Text, c => (char.IsControl(c) && c is not ('\n' or '\r')) || c == '\u202E');
        }
    }

    [Fact]
    public async Task Enrol_PlaceThatCannotBeWritten_IsReportedBeforeAnyPhotoIsRead()
    {
        await File.WriteAllTextAsync(folder["file"], "", TestContext.Current.CancellationToken);

        // The folder of people does not exist either: what is said first was checked first.
        (await Lfr.RunAsync("enrol", folder["nobody"], "-o", folder["file/list"], "--key-file", material.KeyFile)).Exits(ExitCode.Output).Says(folder["file/list"], "cannot be written; nothing was changed", "--out").IsCivil();
        (await Lfr.RunAsync("enrol", folder["nobody"], "-o", folder.Path, "--key-file", material.KeyFile)).Exits(ExitCode.Output).Says("It is a folder: give a file with --out.").IsCivil();
    }
}
