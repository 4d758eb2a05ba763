using LfrEngine.Records.Authorities;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Authorities;

/// <summary>Deployments and their authorities, for programs.</summary>
internal static class AuthorityEndpoints
{
    public static void MapAuthorities(this WebApplication app)
    {
        RouteGroupBuilder deployments = app.MapGroup("/api/v1/deployments").RequireAuthorization(Permissions.SeeDeployments).WithTags("Deployments");
        deployments.MapGet("/", ListAsync).WithName("listDeployments").WithSummary("All deployments, the latest draft first.");
        deployments.MapGet("/{id:guid}", GetAsync).WithName("getDeployment").WithSummary("A deployment, and the reasons why it cannot run now.");
        deployments.MapGet("/{id:guid}/authority", AuthorityAsync).WithName("getAuthority").Produces<Stream>(StatusCodes.Status200OK, "application/json").WithSummary("The signed authority, as published; with \"second\", the same text with the second officer's signature, where a threshold became lower.");
    }

    private static async Task<IEnumerable<DeploymentLine>> ListAsync(LfrStore store, CancellationToken stopping) =>
        (await store.Deployments.AsNoTracking().OrderByDescending(d => d.DraftedAt).ToListAsync(stopping)).Select(DeploymentLine.Of);

    private static async Task<IResult> GetAsync(Guid id, LfrStore store, AuthorityService authorities, CancellationToken stopping) =>
        await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == id, stopping) is { } record
            ? Results.Ok(new DeploymentDetails(DeploymentLine.Of(record), await authorities.RefusalsAsync(id, stopping)))
            : Results.NotFound();

    private static async Task<IResult> AuthorityAsync(Guid id, LfrStore store, CancellationToken stopping, bool second = false) =>
        await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == id, stopping) is not { } record ? Results.NotFound()
        : AuthoritySetup.FileOf(record, second) is { } file ? Results.File(file, "application/json", $"{(second ? "second-signature" : "authority")}-{record.Id:N}.json")
        : Results.Problem(title: second ? "The authority has no second signature." : "The authority is not signed.", statusCode: StatusCodes.Status409Conflict);
}

/// <summary>A deployment, for programs.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Display name.</param>
/// <param name="State">draft, signed, running, paused, ended or withdrawn.</param>
/// <param name="StateReason">The reason for the state.</param>
/// <param name="WatchlistId">Its watchlist.</param>
/// <param name="DraftedAt">UTC.</param>
/// <param name="SignedAt">UTC.</param>
/// <param name="StartedAt">UTC.</param>
/// <param name="EndedAt">UTC.</param>
public sealed record DeploymentLine(Guid Id, string Name, string State, string? StateReason, Guid WatchlistId, DateTimeOffset DraftedAt, DateTimeOffset? SignedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt)
{
    internal static DeploymentLine Of(DeploymentRecord d) => new(d.Id, d.Name, d.State.ToString().ToLowerInvariant(), d.StateReason, d.WatchlistId, d.DraftedAt, d.SignedAt, d.StartedAt, d.EndedAt);
}

/// <summary>A deployment and the reasons why it cannot run.</summary>
/// <param name="Deployment">The deployment.</param>
/// <param name="Refusals">One sentence per reason. Empty if it can run now.</param>
public sealed record DeploymentDetails(DeploymentLine Deployment, IReadOnlyList<string> Refusals);
