using LfrEngine.Records.Configuration;
using LfrEngine.Records.Retention;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr retention</c>: prints the retention policy for publication.</summary>
internal static class RetentionCommand
{
    public static Command Create()
    {
        ConfigOption config = new();
        var command = new Command("retention", "Print the retention policy of `lfr serve`, for publication.");
        config.AddTo(command);
        command.SetAction(parsed =>
        {
            Installation installation = config.Read(parsed);
            AnsiConsole.WriteLine($"# Retention: {installation.Config.Name}");
            foreach (RetentionRule rule in new RetentionPolicy(installation).Text())
                Console.Out.WriteLine($"\n- {rule.What}: {rule.Text}");
            return ExitCode.Success;
        });
        return command;
    }
}
