using LfrEngine.Records.Configuration;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr config</c>: writes, explains and checks <c>lfr.json</c>.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        ConfigOption config = new();
        var check = new Command("check", "Check lfr.json. Every error is reported with its path and the allowed values.");
        config.AddTo(check);
        check.SetAction(parsed =>
        {
            Installation installation = config.Read(parsed);
            AnsiConsole.WriteLine($"{installation.Config.Name}: {new Counted(installation.Config.Cameras.Length):camera|cameras}, data in {installation.DataFolder}, store {installation.Config.Store.Kind.ToString().ToLowerInvariant()}.");
            return ExitCode.Success;
        });
        var init = new Command("init", "Write an initial lfr.json.");
        config.AddTo(init);
        init.SetAction(parsed =>
        {
            string path = config.PathOf(parsed);
            ConfigFile.Begin(path);
            StandardScreen.HasProduct();
            AnsiConsole.WriteLine($"{path} written. Check it with `lfr config check`, use it with `lfr serve`.");
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
