using System.Text;
using LfrEngine.Models;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Store;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LfrEngine.Records.Authorities;

/// <summary>Signed authorities and their evidence.</summary>
internal static class AuthoritySetup
{
    /// <summary>A published authority: the signed text with the officer's key and signature.</summary>
    public static readonly SignedKind Kind = new("authority", "authority", "Choose another place.");

    /// <summary>A published authority; null if it is not signed.</summary>
    /// <param name="record">Of the deployment.</param>
    /// <param name="second">Whether with the second officer's signature, where a threshold became lower.</param>
    public static byte[]? FileOf(DeploymentRecord record, bool second = false) =>
        (second ? (record.SecondSignerPublicKey, record.SecondSignature) : (record.SignerPublicKey, record.Signature)) is ({ } key, { } signature)
            ? Encoding.UTF8.GetBytes(SignedDocument.Compose(Kind, record.AuthorityText, key, signature)) : null;

    public static void AddAuthorities(this IServiceCollection services)
    {
        services.TryAddSingleton(ModelCatalog.Default);
        services.AddSingleton<FileHashes>().AddSingleton<PolicyShelf>().AddSingleton<PresenceRegister>().AddSingleton<EvidenceShelf>().AddSingleton<AuthorityPresent>().AddSingleton<AuthorityDrafting>().AddSingleton<AuthorityService>();
    }
}
