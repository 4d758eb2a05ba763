using LfrEngine.Cli.Tests.Support;

namespace LfrEngine.Lab.Tests;

/// <summary>docs/commands.md is what the programs print of themselves.</summary>
public sealed class CommandsPageTests
{
    private const string Head = """
        # Commands

        Generated from the programs. To update it after a change: `LFR_WRITE_DOCS=1 ./test.sh -class '*CommandsPageTests'`.

        The output of `--json` is described in [json.md](json.md) and [lab-json.md](lab-json.md). Every command has `--help`. The key of a watchlist is a key file (`--key-file`), the passphrase in `LFR_PASSPHRASE`, or a passphrase typed at the prompt.

        ## Exit codes

        | code | meaning |
        |---|---|
        | 0 | success |
        | 1 | error in the program |
        | 2 | wrong arguments |
        | 3 | the machine lacks something, such as a package, memory or a free port, or a model is missing or cannot be used |
        | 4 | an input cannot be used |
        | 5 | output cannot be written |
        | 6 | done, but a camera failed, someone could not be enrolled, or a check was not met |
        | 130 | stopped before there was a result |

        Ctrl-C, SIGTERM and SIGHUP stop every command in an orderly way; repeating them has no effect. A stopped `lfr run` writes its summary and receipt and exits with 0, or with 6 or 4 if a camera sent no picture. A command that is still running after 10 s is ended with 130, and standard error says what was not written.


        """;

    [Fact]
    public async Task CommandsPage_IsWhatTheProgramsPrint()
    {
        string lfr = (await Lfr.RunAsync("commands-page")).Exits(ExitCode.Success).Output;
        using Lfr lab = Lfr.StartProgram(Laboratory.Program, null, [], "commands-page");
        string page = Head + lfr + "\n" + (await lab.EndAsync()).Exits(ExitCode.Success).Output, path = Path.Combine(Root(), "docs", "commands.md");
        if (Environment.GetEnvironmentVariable("LFR_WRITE_DOCS") is "1")
            await File.WriteAllTextAsync(path, page, TestContext.Current.CancellationToken);

        Assert.True(page == await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), "docs/commands.md is out of date. Run: LFR_WRITE_DOCS=1 ./test.sh -class '*CommandsPageTests'");
    }

    private static string Root()
    {
        DirectoryInfo folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LfrEngine.sln")))
            folder = folder.Parent!;
        return folder.FullName;
    }
}
