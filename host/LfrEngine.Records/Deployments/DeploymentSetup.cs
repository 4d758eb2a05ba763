using LfrEngine.Models;
using LfrEngine.Records.Receipts;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LfrEngine.Records.Deployments;

/// <summary>Running deployments.</summary>
internal static class DeploymentSetup
{
    public static void AddDeployments(this IServiceCollection services)
    {
        services.TryAddSingleton(ModelCatalog.Default);
        services.AddSingleton<DeploymentLedger>().AddSingleton<ReceiptShelf>().AddSingleton<DeploymentRunner>().AddHostedService(s => s.GetRequiredService<DeploymentRunner>());
    }
}
