using System.CommandLine;
using LfrEngine.Records.Configuration;
using Spectre.Console;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr config</c>: writes, explains and checks <c>lfr.json</c>.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        ConfigOption config = new();
        var check = new Command("check", "Check lfr.json; every error is named with its path and what is allowed.");
        config.AddTo(check);
        check.SetAction(parsed =>
        {
            Installation installation = config.Read(parsed);
            AnsiConsole.WriteLine($"{installation.Config.Name}: {installation.Config.Cameras.Length} camera(s), data in {installation.DataFolder}, store {installation.Config.Store.Kind.ToString().ToLowerInvariant()}.");
            return ExitCode.Success;
        });
        var init = new Command("init", "Write an lfr.json to begin with.");
        config.AddTo(init);
        init.SetAction(parsed =>
        {
            string path = config.PathOf(parsed);
            ConfigFile.Begin(path);
            StandardScreen.HasProduct();
            AnsiConsole.WriteLine($"{path} is written. `lfr serve` serves it; `lfr config check` checks it.");
            return ExitCode.Success;
        });
        var schema = new Command("schema", "Print the JSON Schema of lfr.json.");
        schema.SetAction(_ =>
        {
            Console.Out.Write(ConfigFile.SchemaText());
            return ExitCode.Success;
        });
        return new Command("config", "The configuration of `lfr serve`.") { init, check, schema };
    }
}
