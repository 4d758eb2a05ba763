using LfrEngine.Cli.Commands;
using LfrEngine.Files;
using LfrEngine.Models;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Cli.Serving;

/// <summary>The demonstration of the console: sample officers, a list of one, a signed authority, and the demonstration's clip as a camera, in a temporary folder that is deleted at the end.</summary>
internal sealed class Demonstration : IDisposable
{
    private const string Camera = "high street", Deployment = "Demonstration";
    private const double Hours = 12;

    private static readonly SampleOfficer[] Officers =
    [
        new("olga", "Olga Sample", Roles.Operator),
        new("emil", "Emil Sample", Roles.EngagementOfficer),
        new("sam", "Sam Sample", Roles.AuthorisingOfficer),
        new("mona", "Mona Sample", Roles.WatchlistManager),
        new("anna", "Anna Sample", Roles.Auditor),
        new("ada", "Ada Sample", Roles.Administrator),
    ];

    private readonly string folder;

    private Demonstration(string folder, Installation installation) => (this.folder, Installation) = (folder, installation);

    public Installation Installation { get; }

    private string Photo => Path.Combine(folder, "photo.jpg");

    /// <summary>Makes the folder with its clip, photo and lfr.json.</summary>
    /// <param name="address">Where the console is served.</param>
    /// <param name="stopping">Ends it.</param>
    public static async Task<Demonstration> MakeAsync(string address, CancellationToken stopping)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        await catalog.RestoreAsync(_ => { }, stopping);
        var material = new DemoClip(catalog);
        string clip = await material.MakeAsync(stopping);
        string folder = Directory.CreateTempSubdirectory("lfr-demo-").FullName;
        OutputFile.Note(folder);
        try
        {
            // The key that signs receipts is made for this demonstration, too.
            Environment.SetEnvironmentVariable("LFR_CONFIG", Path.Combine(folder, "keys"));
            string file = Path.Combine(folder, "lfr.json");
            File.WriteAllText(file, System.Text.Json.JsonSerializer.Serialize(new
            {
                name = "Demonstration",
                listen = new[] { address },
                laboratories = new[] { SampleDeployment.MakeLaboratory(folder) },
                sessions = new { idleMinutes = 720 },
                engine = new { allowUnlocked = true },
                cameras = new[] { new { name = Camera, source = clip, pace = "realtime", loop = true } },
            }));
            var demonstration = new Demonstration(folder, ConfigFile.Read(file) with { SampleOfficers = Officers });
            await material.CutListedPhotoAsync(demonstration.Photo, stopping);
            return demonstration;
        }
        catch
        {
            OutputFile.Forget(folder);
            throw;
        }
    }

    /// <summary>Enrols the officers, lists the person, has the deployment signed, and starts it.</summary>
    public async Task BeginAsync(IServiceProvider services, CancellationToken stopping)
    {
        Dictionary<string, Officer> officers = [];
        foreach (SampleOfficer sample in Officers)
            officers.Add(sample.UserName, await EnrolAsync(services.GetRequiredService<OfficerRegister>(), sample));
        SampleDeployment made = await SampleDeployment.MakeAsync(services, Photo, Deployment, WatchlistCategory.MissingOrVulnerable,
            new PersonDetails("Fair-haired woman", "SAMPLE 1", "Reported missing by her family", "Family photo"), officers["olga"], officers["sam"], Hours);
        await services.GetRequiredService<DeploymentRunner>().StartAsync(new Actor(officers["olga"].Id.ToString(), officers["olga"].DisplayName), made.Deployment, stopping);
    }

    /// <summary>Waits until an alert has been raised, or the program is stopped.</summary>
    /// <returns>Whether one has been raised.</returns>
    public static async Task<bool> SeesAlertAsync(IServiceProvider services, CancellationToken stopping)
    {
        try
        {
            await foreach (IReadOnlyList<AuditEntry> entries in services.GetRequiredService<AlertFeed>().FollowAsync(Actor.Engine, 0, stopping))
            {
                if (entries.Any(e => e.Action == AlertActions.Raised))
                    return true;
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
        return false;
    }

    public void Dispose() => OutputFile.Forget(folder);

    private static async Task<Officer> EnrolAsync(OfficerRegister register, SampleOfficer sample)
    {
        string secret = await register.InviteAsync(Actor.Engine, [sample.Role]);
        Officer officer = await register.EnrolAsync(secret, Guid.NewGuid(), sample.UserName, sample.DisplayName, RandomSecret.New(), passkey: null);
        // They sign in by a click; a second factor is what every other page asks for.
        return await register.ChangeOwnAsync(officer, "officer.authenticator-set", async (officers, own) =>
            await officers.ResetAuthenticatorKeyAsync(own) is { Succeeded: false } refused ? refused : await officers.SetTwoFactorEnabledAsync(own, true));
    }
}
