using LfrEngine.Records.Authorities;
using LfrEngine.Watchlists;
using LfrEngine.Web.Authorities;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr authority verify FILE</c>: checks a published authority and shows what it allows.</summary>
internal static class AuthorityCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "Signed authority (download it from the console's page of the deployment, or from /api/v1/deployments/ID/authority)." };
        var key = new Option<FileInfo>("--key") { Description = "Public key (PEM) of the authorising officer.", Required = true };
        var verify = new Command("verify", "Check that an authority was signed by an officer and has not been altered.") { file, key };
        verify.SetAction(parsed =>
        {
            Authority authority = SignedDocument.Read(parsed.GetRequiredValue(file).FullName, AuthoritySetup.Kind, SignedDocument.TrustedPem(parsed.GetRequiredValue(key).FullName), Authority.Json);
            AnsiConsole.MarkupLineInterpolated($"[green]genuine[/]: {authority.Name}, signed by {authority.AuthorisingOfficer.Name}, drafted by {authority.Drafter.Name}, not altered");
            AnsiConsole.WriteLine($"{authority.Start:u} to {authority.End:u}, {authority.Place}: {authority.Purpose}");
            AnsiConsole.WriteLine($"Cameras: {string.Join(", ", authority.Cameras.Select(c => c.Name))}. Watchlist {authority.Watchlist.Name}: {new Counted(authority.Watchlist.People):person|people}.");
            foreach (AuthorisedCategory c in authority.Categories)
                AnsiConsole.WriteLine(FormattableString.Invariant($"{c.Category.Name()}: threshold {c.Threshold:0.####}, at most {new Counted(c.Evidence.MostFalseAlerts):false alert|false alerts} expected of {new Counted(authority.PassersBy):#,0 passer-by|passers-by}"));
            return ExitCode.Success;
        });
        return new Command("authority", "Signed authorities of deployments.") { verify };
    }
}
