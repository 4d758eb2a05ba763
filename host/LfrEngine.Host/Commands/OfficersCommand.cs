using System.CommandLine;
using LfrEngine.Host.Configuration;
using LfrEngine.Host.Security;
using LfrEngine.Host.Store;
using Spectre.Console;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr officers invite</c>: the way back in when no administrator can sign in any more, for who holds the machine.</summary>
internal static class OfficersCommand
{
    public static Command Create()
    {
        ConfigOption config = new();
        var invite = new Command("invite", "Print a one-time link that makes an administrator, for when none can sign in. `lfr serve` must not be running; the audit names who asked.");
        config.AddTo(invite);
        invite.SetAction(async (parsed, stopping) =>
        {
            Installation installation = config.Read(parsed);
            using DataLock only = DataLock.Take(installation);
            await using WebApplication app = Server.Build(installation, TimeProvider.System);
            await StoreSetup.MigrateAsync(app.Services, stopping);
            string secret = await app.Services.GetRequiredService<OfficerRegister>().InviteAsync(Actor.CommandLine, [Roles.Administrator]);
            AnsiConsole.WriteLine($"This link makes an administrator once `lfr serve` runs; it serves once, within two days:\n{installation.InvitationLink(secret)}");
            return ExitCode.Success;
        });
        return new Command("officers", "Officers of `lfr serve`.") { invite };
    }
}
