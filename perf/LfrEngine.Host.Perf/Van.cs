using LfrEngine.Evaluation.Evidence;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Host.Perf;

/// <summary>Prepares an installation for a deployment with one person listed, through the services of its host: what officers would do in the console.</summary>
/// <param name="Deployment">Signed, in its window.</param>
/// <param name="Watchlist">Built.</param>
internal sealed record Van(Guid Deployment, Guid Watchlist)
{
    private const double Threshold = 0.48;

    /// <summary>Lets an installation believe a laboratory of its own; before its host starts.</summary>
    /// <param name="config">Completed.</param>
    /// <param name="folder">Of lfr.json.</param>
    public static HostConfig Configure(HostConfig config, string folder)
    {
        using InstallationKey laboratory = Laboratory(folder);
        File.WriteAllText(Path.Combine(folder, "laboratory.pem"), laboratory.PublicPem);
        return config with { Laboratories = ["laboratory.pem"] };
    }

    /// <summary>Lists a person and has a deployment on all configured cameras signed, from an hour ago until two hours from now.</summary>
    /// <param name="services">Of the host.</param>
    /// <param name="photo">A picture of the person, alone.</param>
    /// <param name="name">Of the deployment.</param>
    public static async Task<Van> PrepareAsync(IServiceProvider services, string photo, string name)
    {
        Installation installation = services.GetRequiredService<Installation>();
        AuthorityService authorities = services.GetRequiredService<AuthorityService>();
        DateTimeOffset now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        Officer drafter = await EnrolAsync(services, Roles.Operator), signer = await EnrolAsync(services, Roles.AuthorisingOfficer);
        var actor = new Actor(drafter.Id.ToString(), drafter.DisplayName);

        WatchlistService watchlists = services.GetRequiredService<WatchlistService>();
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        Guid watchlist = await watchlists.CreateAsync(actor, name);
        Guid person = await watchlists.AddPersonAsync(actor, watchlist, WatchlistCategory.Wanted, new PersonDetails("Listed Person", "REF 1", "Warrant", "Custody picture"), today, rolePlayer: false);
        await using (FileStream picture = File.OpenRead(photo))
            await watchlists.AddPhotoAsync(actor, person, picture, today);
        await watchlists.BuildAsync(actor, watchlist);

        string evidence = ShelveEvidence(services, $"{watchlist:N}.json");
        Guid deployment = await authorities.DraftAsync(actor, new AuthorityDraft
        {
            Name = name,
            Purpose = "To see the engine at work.",
            DeploymentType = "overt",
            Place = "High Street",
            Start = now.AddHours(-1),
            End = now.AddHours(2),
            Cameras = [.. installation.Config.Cameras.Select(c => c.Name)],
            WatchlistId = watchlist,
            PassersBy = 1000,
            Categories = [new CategoryDraft(WatchlistCategory.Wanted, Threshold, Models.PackageCache.HashOf(evidence), "Ask for a name.")],
            Assessments = new ImpactAssessments("DPIA 1", "EIA 1", "CIA 1"),
            AuthorisingOfficer = signer.Id,
        });
        services.GetRequiredService<StepUp>().ProvedByPasskey(signer.Id);
        await authorities.SignByPasskeyAsync(deployment, signer.Id);
        return new Van(deployment, watchlist);
    }

    /// <summary>Puts evidence of the installation's own laboratory on the shelf: a list of one person, the usual threshold.</summary>
    /// <param name="services">Of the host.</param>
    /// <param name="name">Of the file.</param>
    /// <returns>Its path.</returns>
    public static string ShelveEvidence(IServiceProvider services, string name)
    {
        Installation installation = services.GetRequiredService<Installation>();
        string path = installation.DataPath("evidence", name);
        using InstallationKey laboratory = Laboratory(installation.BaseFolder);
        EvidenceFile.Write(path, new EvidenceDocument(EvidenceDocument.CurrentFormat, services.GetRequiredService<TimeProvider>().GetUtcNow().AddDays(-30), "passages", "test",
            services.GetRequiredService<AuthorityPresent>().Embedder.Sha256, new Dictionary<string, string>(), new Dictionary<string, string>(), "", 7,
            [new OperatingPoint(1, Threshold, null, 1e-4, 5e-5, 2e-4, 40, 400_000, 0.9, 0.85, 0.94, 900, 1000, [])]), laboratory);
        return path;
    }

    /// <summary>The built file of a watchlist.</summary>
    public static string FileOf(Installation installation, Guid watchlist) => installation.DataPath("watchlists", $"{watchlist:N}.lfr");

    /// <summary>Its key.</summary>
    public static string KeyOf(Installation installation, Guid watchlist) => installation.DataPath("keys", $"{watchlist:N}.key");

    private static InstallationKey Laboratory(string folder) => InstallationKey.Open(Path.Combine(folder, "laboratory-key.pem"));

    private static async Task<Officer> EnrolAsync(IServiceProvider services, string role)
    {
        await using AsyncServiceScope scope = services.CreateAsyncScope();
        UserManager<Officer> officers = scope.ServiceProvider.GetRequiredService<UserManager<Officer>>();
        RoleManager<IdentityRole<Guid>> roles = scope.ServiceProvider.GetRequiredService<RoleManager<IdentityRole<Guid>>>();
        if (!await roles.RoleExistsAsync(role))
            Check(await roles.CreateAsync(new IdentityRole<Guid>(role)));
        (string publicPem, byte[] stored) = services.GetRequiredService<OfficerSigning>().CreateKey();
        string name = $"{role}-{Guid.NewGuid():N}";
        var officer = new Officer { UserName = name, DisplayName = role, SigningPublicKey = publicPem, SigningKey = stored, CreatedAt = services.GetRequiredService<TimeProvider>().GetUtcNow() };
        Check(await officers.CreateAsync(officer));
        Check(await officers.AddToRoleAsync(officer, role));
        return officer;
    }

    private static void Check(IdentityResult result)
    {
        if (!result.Succeeded)
            throw new InvalidOperationException(string.Join("; ", result.Errors.Select(e => e.Description)));
    }
}
