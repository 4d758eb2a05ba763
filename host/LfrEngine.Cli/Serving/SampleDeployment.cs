using LfrEngine.Evaluation.Evidence;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Serving;

/// <summary>A signed deployment with one person listed, made through the services of the host: what officers do in the console. For the demonstration and for measurements; its evidence is made up.</summary>
/// <param name="Deployment">Signed, in its window.</param>
/// <param name="Watchlist">Built.</param>
internal sealed record SampleDeployment(Guid Deployment, Guid Watchlist)
{
    private const double Threshold = 0.48;

    /// <summary>Makes the installation's own laboratory, which it trusts; before the host starts.</summary>
    /// <param name="folder">Of lfr.json.</param>
    /// <returns>The laboratory's public key, a file in the folder.</returns>
    public static string MakeLaboratory(string folder)
    {
        using InstallationKey laboratory = Laboratory(folder);
        File.WriteAllText(Path.Combine(folder, "laboratory.pem"), laboratory.PublicPem);
        return "laboratory.pem";
    }

    /// <summary>Lists a person and has a deployment on all configured cameras signed, from an hour ago.</summary>
    /// <param name="services">Of the host.</param>
    /// <param name="photo">A picture of the person, alone.</param>
    /// <param name="name">Of the deployment and of its list.</param>
    /// <param name="category">Of the person.</param>
    /// <param name="person">Name, reference, legal basis, source.</param>
    /// <param name="drafter">Drafts the authority and builds the list.</param>
    /// <param name="signer">Signs it.</param>
    /// <param name="hours">Length from now.</param>
    /// <param name="least">How often each camera must be searched; null for the least that can be demanded, because also a small machine with other work should show the demonstration.</param>
    public static async Task<SampleDeployment> MakeAsync(IServiceProvider services, string photo, string name, WatchlistCategory category, PersonDetails person, Officer drafter, Officer signer, double hours, LeastSearched? least = null, IReadOnlyList<string>? cameras = null)
    {
        AuthorityService authorities = services.GetRequiredService<AuthorityService>();
        WatchlistService watchlists = services.GetRequiredService<WatchlistService>();
        DateTimeOffset now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var actor = new Actor(drafter.Id.ToString(), drafter.DisplayName);

        Guid watchlist = await watchlists.CreateAsync(actor, name);
        Guid listed = await watchlists.AddPersonAsync(actor, watchlist, category, person, today, rolePlayer: false);
        await using (FileStream picture = File.OpenRead(photo))
            await watchlists.AddPhotoAsync(actor, listed, picture, today);
        await watchlists.BuildAsync(actor, watchlist);

        string evidence = ShelveEvidence(services, $"{watchlist:N}.json");
        Guid deployment = await authorities.DraftAsync(actor, new AuthorityDraft
        {
            Name = name,
            Purpose = "To see the engine at work.",
            DeploymentType = "overt",
            Place = "High Street",
            Start = now.AddHours(-1),
            End = now.AddHours(hours),
            Cameras = cameras ?? [.. services.GetRequiredService<Installation>().Config.Cameras.Select(c => c.Name)],
            Least = least ?? new LeastSearched(LeastSearched.Lowest, LeastSearched.UsualSeconds),
            WatchlistId = watchlist,
            PassersBy = 1000,
            Categories = [new CategoryDraft(category, Threshold, Models.PackageCache.HashOf(evidence), "Ask for a name.")],
            Assessments = new ImpactAssessments("DPIA 1", "EIA 1", "CIA 1"),
            AuthorisingOfficer = signer.Id,
        });
        services.GetRequiredService<StepUp>().ProvedByPasskey(signer.Id);
        await authorities.SignByPasskeyAsync(deployment, signer.Id);
        return new SampleDeployment(deployment, watchlist);
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
        EvidenceFile.Write(path, new EvidenceDocument(EvidenceDocument.CurrentFormat, services.GetRequiredService<TimeProvider>().GetUtcNow().AddDays(-30), "passages", "made up",
            services.GetRequiredService<AuthorityPresent>().Embedder.Sha256, new Dictionary<string, string>(), new Dictionary<string, string>(), "", 7,
            [new OperatingPoint(1, Threshold, null, 1e-4, 5e-5, 2e-4, 40, 400_000, 0.9, 0.85, 0.94, 900, 1000, [])]), laboratory);
        return path;
    }

    private static InstallationKey Laboratory(string folder) => InstallationKey.Open(Path.Combine(folder, "laboratory-key.pem"));
}
