using LfrEngine.Models;
using LfrEngine.Records.Policies;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LfrEngine.Records.Authorities;

/// <summary>Signed authorities and their evidence.</summary>
internal static class AuthoritySetup
{
    /// <summary>A published authority: the signed text with the officer's key and signature.</summary>
    public static readonly SignedKind Kind = new("authority", "authority", "Choose another place.");

    public static void AddAuthorities(this IServiceCollection services)
    {
        services.TryAddSingleton(ModelCatalog.Default);
        services.AddSingleton<FileHashes>().AddSingleton<PolicyShelf>().AddSingleton<PresenceRegister>().AddSingleton<EvidenceShelf>().AddSingleton<AuthorityPresent>().AddSingleton<AuthorityDrafting>().AddSingleton<AuthorityService>();
    }
}
