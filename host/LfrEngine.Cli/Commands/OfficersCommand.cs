using LfrEngine.Cli.Serving;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr officers invite</c>: gives access to the console when no administrator can sign in any more.</summary>
internal static class OfficersCommand
{
    public static Command Create()
    {
        ConfigOption config = new();
        var invite = new Command("invite", "Print a one-time link for a new administrator, for when nobody can sign in. `lfr serve` must not be running. The audit trail records it.");
        config.AddTo(invite);
        invite.SetAction(async (parsed, stopping) =>
        {
            Installation installation = config.Read(parsed);
            using DataLock only = DataLock.Take(installation);
            await using ServiceProvider records = await OpenRecords.OpenAsync(installation, TimeProvider.System, stopping);
            string secret = await records.GetRequiredService<OfficerRegister>().InviteAsync(Actor.CommandLine, [Roles.Administrator]);
            AnsiConsole.WriteLine($"Use this link to create an administrator when `lfr serve` is running. It works once, within two days:\n{installation.InvitationLink(secret)}");
            return ExitCode.Success;
        });
        return new Command("officers", "Officers of `lfr serve`.") { invite };
    }
}
