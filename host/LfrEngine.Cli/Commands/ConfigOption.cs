using LfrEngine.Records.Configuration;

namespace LfrEngine.Cli.Commands;

/// <summary>The <c>--config</c> option.</summary>
internal sealed class ConfigOption
{
    private readonly Option<string> path = new("--config") { Description = "Configuration file (`lfr config schema`).", DefaultValueFactory = _ => "lfr.json" };

    public void AddTo(Command command) => command.Options.Add(path);

    public string PathOf(ParseResult parsed) => Path.GetFullPath(parsed.GetRequiredValue(path));

    public Installation Read(ParseResult parsed) => ConfigFile.Read(PathOf(parsed));
}
