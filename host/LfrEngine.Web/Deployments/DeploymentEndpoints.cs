using System.Buffers;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Deployments;

/// <summary>Endpoints of running deployments (docs/host-json.md).</summary>
internal static class DeploymentEndpoints
{
    private const int LongestReason = 300;

    /// <summary>Maps start, pause and end, the cameras' health, and their pictures.</summary>
    public static void MapDeployments(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder one = app.MapGroup("/api/v1/deployments/{deployment:guid}").RequireAuthorization(Permissions.RunDeployment).WithTags("operations");
        one.MapPost("/start", (Guid deployment, HttpContext http, DeploymentRunner runner) => Answer(() => runner.StartAsync(Actor.Of(http.User), deployment)))
            .WithSummary("Starts a signed deployment or resumes a paused one.");
        one.MapPost("/pause", (Guid deployment, StopRequest? request, HttpContext http, DeploymentRunner runner) => request?.Reason is null
                ? Answer(() => runner.PauseAsync(Actor.Of(http.User), deployment))
                : Answer(request, r => runner.PauseAsync(Actor.Of(http.User), deployment, r)))
            .WithSummary("Stops the engine at once. The deployment can be resumed inside its window. The reason may be given later.");
        one.MapPost("/pause-reason", (Guid deployment, StopRequest request, HttpContext http, DeploymentRunner runner) => Answer(request, r => runner.ExplainPauseAsync(Actor.Of(http.User), deployment, r)))
            .WithSummary("Records why a deployment was paused.");
        one.MapPost("/end", (Guid deployment, StopRequest request, HttpContext http, DeploymentRunner runner) => Answer(request, r => runner.EndAsync(Actor.Of(http.User), deployment, r)))
            .WithSummary("Ends the deployment permanently.");
        app.MapGet("/api/v1/operations", async (HttpContext http, DeploymentRunner runner, IDbContextFactory<LfrStore> stores) =>
            {
                HashSet<Guid> closed = await Crews.ClosedToAsync(stores, Actor.Of(http.User).OfficerId, http.RequestAborted);
                return runner.Running.Where(d => !closed.Contains(d.Id)).Select(d => new OperationsAnswer(d.Id, d.Authority.Name, d.FacesSeen, d.Health));
            }).RequireAuthorization(Permissions.SeeDeployments).WithTags("operations")
            .WithSummary("The running deployments and the health of their cameras.");
        app.MapGet("/pictures/live/{camera}", LivePictureAsync).RequireAuthorization(Permissions.SeeLive).Produces<Stream>(StatusCodes.Status200OK, "image/jpeg").WithTags("operations")
            .WithSummary("The newest live picture, or no content while there is none. The viewing is recorded in the audit trail.");
    }

    private static Task<Results<NoContent, ProblemHttpResult>> Answer(StopRequest request, Func<string, Task> act) =>
        request.Reason?.Trim() is { Length: > 0 and <= LongestReason } reason
            ? Answer(() => act(reason))
            : Task.FromResult<Results<NoContent, ProblemHttpResult>>(Refused(StatusCodes.Status400BadRequest, [$"\"reason\" is required and must not be longer than {LongestReason} characters."]));

    private static async Task<Results<NoContent, ProblemHttpResult>> Answer(Func<Task> act)
    {
        try
        {
            await act();
            return TypedResults.NoContent();
        }
        catch (DeploymentRefusedException e)
        {
            return Refused(StatusCodes.Status409Conflict, e.Reasons);
        }
    }

    private static ProblemHttpResult Refused(int status, IReadOnlyList<string> reasons) =>
        TypedResults.Problem(string.Join(" ", reasons), statusCode: status, extensions: new Dictionary<string, object?> { ["reasons"] = reasons });

    // The newest picture. No content if there is none yet; the browser asks again.
    private static async Task LivePictureAsync(string camera, HttpContext http, DeploymentRunner runner, LiveViewers viewers, IDbContextFactory<LfrStore> stores)
    {
        if (runner.Using(camera) is not { } running || running.Run.ViewOf(camera) is not { } view || (await Crews.ClosedToAsync(stores, Actor.Of(http.User).OfficerId, http.RequestAborted)).Contains(running.Id))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        await viewers.NoteAsync(Actor.Of(http.User), running.Id, camera, http.RequestAborted);
        using (HostBuffer<byte>? jpeg = view.TakeJpeg(out int sizeBytes))
        {
            if (jpeg is null)
            {
                http.Response.StatusCode = StatusCodes.Status204NoContent;
                return;
            }
            http.Response.ContentType = "image/jpeg";
            http.Response.ContentLength = sizeBytes;
            http.Response.BodyWriter.Write(jpeg.Span[..sizeBytes]);
        }
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }
}

/// <summary>Why a deployment is paused or ended.</summary>
/// <param name="Reason">Recorded in the audit trail. Do not include names.</param>
public sealed record StopRequest(string? Reason);

/// <summary>A running deployment.</summary>
/// <param name="Deployment">Its id.</param>
/// <param name="Name">Of the authority.</param>
/// <param name="FacesSeen">So far, over all its runs.</param>
/// <param name="Cameras">Their health during the last second.</param>
public sealed record OperationsAnswer(Guid Deployment, string Name, long FacesSeen, IReadOnlyList<CameraHealth> Cameras);
