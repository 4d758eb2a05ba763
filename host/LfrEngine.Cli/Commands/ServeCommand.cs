using LfrEngine.Cli.Serving;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr serve</c>: the host of deployments and its console.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        ConfigOption config = new();
        var command = new Command("serve", "Serve the console: watchlists, authorities, deployments, alerts, audit.");
        config.AddTo(command);
        command.SetAction(async (parsed, stopping) =>
        {
            StandardScreen.HasProduct();
            Installation installation = config.Read(parsed);
            using DataLock only = DataLock.Take(installation);
            await using WebApplication app = Server.Build(installation, TimeProvider.System);
            await StoreSetup.MigrateAsync(app.Services, stopping);
            await app.StartAsync(stopping);
            if (await app.Services.GetRequiredService<OfficerRegister>().InviteFirstAsync(stopping) is { } secret)
                AnsiConsole.WriteLine($"There are no officers yet. Use this link to create the first administrator. It works once, within two days:\n{installation.InvitationLink(secret)}");
            AnsiConsole.WriteLine($"{installation.Config.Name}: {string.Join(", ", app.Urls)}. Press Ctrl-C to stop.");
            await app.WaitForShutdownAsync(stopping);
            return ExitCode.Success;
        });
        return command;
    }
}
