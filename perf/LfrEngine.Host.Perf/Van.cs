using LfrEngine.Cli.Serving;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Host.Perf;

/// <summary>Prepares an installation for a deployment with one person listed.</summary>
internal static class Van
{
    /// <summary>Lets an installation believe a laboratory of its own; before its host starts.</summary>
    /// <param name="config">Completed.</param>
    /// <param name="folder">Of lfr.json.</param>
    public static HostConfig Configure(HostConfig config, string folder) => config with { Laboratories = [SampleDeployment.MakeLaboratory(folder)] };

    /// <summary>Lists a person and has a deployment on all configured cameras signed, from an hour ago until two hours from now.</summary>
    /// <param name="services">Of the host.</param>
    /// <param name="photo">A picture of the person, alone.</param>
    /// <param name="name">Of the deployment.</param>
    /// <param name="least">How often each camera must be searched; null for the least that can be demanded.</param>
    /// <param name="cameras">Null for all that are configured.</param>
    public static async Task<SampleDeployment> PrepareAsync(IServiceProvider services, string photo, string name, LeastSearched? least = null, IReadOnlyList<string>? cameras = null)
    {
        Officer drafter = await EnrolAsync(services, Roles.Operator), signer = await EnrolAsync(services, Roles.AuthorisingOfficer);
        return await SampleDeployment.MakeAsync(services, photo, name, WatchlistCategory.Wanted, new PersonDetails("Listed Person", "REF 1", "Warrant", "Custody picture"), drafter, signer, hours: 2, least, cameras);
    }

    /// <summary>The built file of a watchlist.</summary>
    public static string FileOf(Installation installation, Guid watchlist) => installation.DataPath("watchlists", $"{watchlist:N}.lfr");

    /// <summary>Its key.</summary>
    public static string KeyOf(Installation installation, Guid watchlist) => installation.DataPath("keys", $"{watchlist:N}.key");

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
