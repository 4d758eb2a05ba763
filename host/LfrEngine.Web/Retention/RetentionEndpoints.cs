using LfrEngine.Records.Retention;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Retention;

/// <summary>The retention policy, for programs.</summary>
internal static class RetentionEndpoints
{
    public static void MapRetention(this WebApplication app) =>
        app.MapGet("/api/v1/retention", (RetentionPolicy policy) => TypedResults.Ok(policy.Text())).RequireAuthorization(Permissions.SeeDeployments)
            .WithName("retention").WithSummary("The retention policy, as enforced and published.");
}
