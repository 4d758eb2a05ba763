using System.CommandLine;
using LfrEngine.Watchlists;
using Spectre.Console;

namespace LfrEngine.Host.Commands;

/// <summary>How every command gets at the key of a watchlist: a key file, <c>$LFR_PASSPHRASE</c>, or a prompt.</summary>
internal sealed class KeyOptions
{
    private const string Variable = "LFR_PASSPHRASE";

    private readonly Option<FileInfo?> keyFile = new("--key-file") { Description = $"Key file of the watchlist (32 random bytes); otherwise the passphrase in ${Variable}, or a prompt." };

    public void AddTo(Command command) => command.Add(keyFile);

    public WatchlistKey Get(ParseResult parsed)
    {
        if (parsed.GetValue(keyFile) is { } file)
            return WatchlistKey.FromKeyFile(file.FullName);
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } passphrase)
            return WatchlistKey.FromPassphrase(passphrase);
        if (Console.IsInputRedirected)
            throw new CommandFailure(ExitCode.Usage, $"The watchlist needs a key: give --key-file FILE, or set {Variable}.");
        return WatchlistKey.FromPassphrase(AnsiConsole.Prompt(new TextPrompt<string>("Passphrase of the watchlist:").Secret()));
    }
}
