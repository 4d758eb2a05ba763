using System.CommandLine;
using LfrEngine.Watchlists;
using Spectre.Console;

namespace LfrEngine.Programs;

/// <summary>Options for the key of a watchlist: a key file, <c>$LFR_PASSPHRASE</c>, or a prompt.</summary>
internal sealed class KeyOptions
{
    private const string Variable = "LFR_PASSPHRASE";

    private readonly Option<FileInfo?> keyFile = new("--key-file") { Description = $"Key file of the watchlist (32 random bytes); default: the passphrase in ${Variable}, or a prompt." };

    public void AddTo(Command command) => command.Add(keyFile);

    /// <summary>The key to open a list; the list's header says whether it needs a passphrase or a key file.</summary>
    public WatchlistKey GetFor(ParseResult parsed, WatchlistFileInfo list)
    {
        bool hasFile = parsed.GetValue(keyFile) is not null;
        if (hasFile && list.SealedWithPassphrase)
            throw new CommandFailure(ExitCode.Input, $"The watchlist is encrypted with a passphrase, not with a key file. Leave out --key-file and set {Variable}, or type the passphrase when asked.");
        if (!hasFile && !list.SealedWithPassphrase)
            throw new CommandFailure(ExitCode.Input, "The watchlist is encrypted with a key file. Give it with --key-file.");
        return Get(parsed);
    }

    /// <summary>A key to seal a new list with.</summary>
    public WatchlistKey Get(ParseResult parsed)
    {
        if (parsed.GetValue(keyFile) is { } file)
        {
            WatchlistKey key = WatchlistKey.FromKeyFile(file.FullName);
            if (!OperatingSystem.IsWindows() && (file.UnixFileMode & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0)
                Console.Error.WriteLine($"Other users of this machine can read the key file {Shown.Name(file.FullName)}. Run: chmod 600 {Shown.Name(file.FullName)}");
            return key;
        }
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } passphrase)
            return WatchlistKey.FromPassphrase(passphrase);
        if (Console.IsInputRedirected)
            throw new CommandFailure(ExitCode.Usage, $"The watchlist needs a key. Give --key-file FILE, or set {Variable}.");
        return WatchlistKey.FromPassphrase(AnsiConsole.Prompt(new TextPrompt<string>("Passphrase of the watchlist:").Secret()));
    }
}
