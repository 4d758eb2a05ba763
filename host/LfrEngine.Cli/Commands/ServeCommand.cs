using LfrEngine.Cli.Serving;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr serve</c>: the host of deployments and its console.</summary>
internal static class ServeCommand
{
    private const string DemonstrationAddress = "https://localhost:8443";

    public static Command Create()
    {
        ConfigOption config = new();
        var demo = new Option<string?>("--demo") { Description = $"Serve a demonstration at this address ({DemonstrationAddress} if none is given): sample officers, a list of one, a signed authority and a clip as a camera. Everything is deleted at the end.", Arity = ArgumentArity.ZeroOrOne, HelpName = "address" };
        var command = new Command("serve", "Serve the console: watchlists, authorities, deployments, alerts, audit.") { demo };
        config.AddTo(command);
        command.SetAction((parsed, stopping) => parsed.GetResult(demo) is null ? ServeAsync(config.Read(parsed), stopping) : ServeDemonstrationAsync(parsed.GetValue(demo) ?? DemonstrationAddress, stopping));
        return command;
    }

    private static async Task<int> ServeAsync(Installation installation, CancellationToken stopping)
    {
        StandardScreen.HasProduct();
        using DataLock only = DataLock.Take(installation);
        await using WebApplication app = Server.Build(installation, TimeProvider.System);
        await StoreSetup.MigrateAsync(app.Services, stopping);
        await app.StartAsync(stopping);
        if (await app.Services.GetRequiredService<OfficerRegister>().InviteFirstAsync(stopping) is { } secret)
            AnsiConsole.WriteLine($"There are no officers yet. Use this link to create the first administrator. It works once, within two days:\n{installation.InvitationLink(secret)}");
        AnsiConsole.WriteLine($"{installation.Config.Name}: {string.Join(", ", app.Urls)}. Press Ctrl-C to stop.");
        await app.WaitForShutdownAsync(stopping);
        return ExitCode.Success;
    }

    private static async Task<int> ServeDemonstrationAsync(string address, CancellationToken stopping)
    {
        StandardScreen.HasProduct();
        // The people are on published sample photos, so unlocked memory is only reported here and not refused.
        if (LockOption.Shortage() is { } shortage)
            Console.Error.WriteLine(shortage);
        AnsiConsole.WriteLine("Preparing the demonstration: people from sample photos walk past a camera, and one of them is on a list.");
        using (Demonstration demonstration = await Demonstration.MakeAsync(address, stopping))
        await using (WebApplication app = Server.Build(demonstration.Installation, TimeProvider.System))
        {
            await StoreSetup.MigrateAsync(app.Services, stopping);
            await app.StartAsync(stopping);
            await demonstration.BeginAsync(app.Services, stopping);
            string at = app.Urls.First();
            AnsiConsole.WriteLine($"Open {at} and choose an officer. The browser warns once, because the certificate was made for this demonstration. Press Ctrl-C to stop.");
            if (await Demonstration.SeesAlertAsync(app.Services, app.Lifetime.ApplicationStopping))
                AnsiConsole.WriteLine($"An alert is waiting: {at}/alerts");
            await app.WaitForShutdownAsync(stopping);
        }
        AnsiConsole.WriteLine("The demonstration's data has been deleted.");
        return ExitCode.Success;
    }
}
