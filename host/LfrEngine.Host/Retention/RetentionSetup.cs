using LfrEngine.Host.Security;

namespace LfrEngine.Host.Retention;

/// <summary>Retention: the policy, its clock, and who keeps it.</summary>
internal static class RetentionSetup
{
    /// <summary>Registers the services.</summary>
    public static void AddRetention(this IServiceCollection services) =>
        services.AddSingleton<RetentionPolicy>().AddSingleton<RetentionClock>().AddHostedService<RetentionService>();

    /// <summary>Registers the endpoint.</summary>
    public static void MapRetention(this WebApplication app) =>
        app.MapGet("/api/v1/retention", (RetentionPolicy policy) => TypedResults.Ok(policy.Text())).RequireAuthorization(Permissions.SeeDeployments)
            .WithName("retention").WithSummary("The retention policy, as it is kept and published.");
}
