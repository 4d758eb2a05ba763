using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using LfrEngine.Memory;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Http.HttpResults;

namespace LfrEngine.Web.Alerts;

/// <summary>Alerts for programs, and pictures for pages: docs/host-json.md.</summary>
internal static class AlertEndpoints
{
    public static void MapAlerts(this WebApplication app)
    {
        RouteGroupBuilder api = app.MapGroup("/api/v1/alerts");
        api.MapGet("/", ListAsync).RequireAuthorization(Permissions.SeeAlerts).WithName("listAlerts").WithSummary("Alerts, newest first, without names.");
        api.MapGet("/{id:guid}", GetAsync).RequireAuthorization(Permissions.SeeAlerts).WithName("getAlert").WithSummary("One alert with the candidate and all decisions. The access is recorded in the audit trail.");
        api.MapPost("/{id:guid}/decisions", DecideAsync).RequireAuthorization(Permissions.SeeAlerts).WithName("decideAlert").WithSummary("Records a decision. Which decisions are allowed depends on the state, the role and the person.");
        api.MapGet("/stream", Stream).RequireAuthorization(Permissions.SeeAlerts).WithName("followAlerts").WithSummary("Server-sent events. Last-Event-ID resumes after that event.");
        app.MapGet("/pictures/alerts/{id:guid}/{kind}", PictureAsync).RequireAuthorization(Permissions.SeeAlerts).Produces<Stream>(StatusCodes.Status200OK, "image/jpeg").WithSummary("A picture of an alert: probe, reference or moment. It must not be stored. The access is recorded in the audit trail.");
    }

    private static async Task<Results<Ok<IReadOnlyList<AlertSummary>>, ProblemHttpResult>> ListAsync(AlertService alerts, ClaimsPrincipal user, CancellationToken stopping, string? state = null, Guid? deployment = null, int skip = 0, int take = 25)
    {
        if (skip < 0 || take is < 1 or > AlertFilter.MostAtOnce)
            return TypedResults.Problem($"\"take\" must be 1 to {AlertFilter.MostAtOnce}, \"skip\" 0 or more.", statusCode: StatusCodes.Status400BadRequest);
        var states = new List<AlertState>();
        foreach (string name in state?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
        {
            if (!Enum.TryParse(name, ignoreCase: true, out AlertState known) || !Enum.IsDefined(known) || char.IsDigit(name[0]))
                return TypedResults.Problem($"\"{name}\" is not a state. Valid states: {string.Join(", ", Enum.GetNames<AlertState>().Select(JsonNamingPolicy.CamelCase.ConvertName))}.", statusCode: StatusCodes.Status400BadRequest);
            states.Add(known);
        }
        return TypedResults.Ok(await alerts.ListAsync(Actor.Of(user), new AlertFilter { States = states, DeploymentId = deployment, Skip = skip, Take = take }, stopping));
    }

    private static async Task<Results<Ok<AlertDetail>, NotFound>> GetAsync(Guid id, ClaimsPrincipal user, AlertService alerts, CancellationToken stopping) =>
        await alerts.LookAsync(Actor.Of(user), id, stopping) is { } detail ? TypedResults.Ok(detail) : TypedResults.NotFound();

    private static async Task<Results<Ok<AlertEntry>, NotFound, ProblemHttpResult>> DecideAsync(Guid id, DecisionRequest request, ClaimsPrincipal user, AlertService alerts, RefusalWords words)
    {
        if (request.Note is { Length: > AlertService.LongestNote })
            return TypedResults.Problem($"A note has at most {AlertService.LongestNote} characters.", statusCode: StatusCodes.Status400BadRequest);
        Decision decision = await alerts.DecideAsync(user, id, request.To, request.Note ?? "", request.Undoes, request.Seen);
        return decision.Refusal switch
        {
            null => TypedResults.Ok(decision.Entry),
            Refusal.Unknown => TypedResults.NotFound(),
            Refusal.NotYourRole or Refusal.SamePerson => TypedResults.Problem(words.Of(decision), statusCode: StatusCodes.Status403Forbidden),
            _ => TypedResults.Problem(words.Of(decision), statusCode: StatusCodes.Status409Conflict),
        };
    }

    private static async Task PictureAsync(Guid id, string kind, HttpContext context, AlertService alerts)
    {
        AlertPicture? which = kind switch
        {
            "probe" => AlertPicture.Probe,
            "reference" => AlertPicture.Reference,
            "moment" => AlertPicture.Moment,
            _ => null,
        };
        using HostBuffer<byte>? jpeg = which is { } wanted ? await alerts.PictureAsync(Actor.Of(context.User), id, wanted) : null;
        if (jpeg is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        context.Response.ContentType = "image/jpeg";
        context.Response.ContentLength = jpeg.Length;
        jpeg.Span.CopyTo(context.Response.BodyWriter.GetSpan(jpeg.Length));
        context.Response.BodyWriter.Advance(jpeg.Length);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static ServerSentEventsResult<AlertNews> Stream(HttpContext context, AlertFeed feed, IHostApplicationLifetime lifetime, long? after = null)
    {
        long? last = long.TryParse(context.Request.Headers["Last-Event-ID"], out long id) ? id : after;
        return TypedResults.ServerSentEvents(NewsAsync(Actor.Of(context.User), feed, last, lifetime.ApplicationStopping, context.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<AlertNews>> NewsAsync(Actor officer, AlertFeed feed, long? after, CancellationToken ending, [EnumeratorCancellation] CancellationToken stopping)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ending, stopping);
        long from = after ?? await feed.LatestAsync(both.Token);
        // Sent immediately, so that the listener knows that it is connected and where it would resume.
        yield return new SseItem<AlertNews>(new AlertNews(null, null, null), "listening") { EventId = Number(from) };
        await using IAsyncEnumerator<IReadOnlyList<AuditEntry>> news = feed.FollowAsync(officer, from, both.Token).GetAsyncEnumerator(both.Token);
        while (await AlertFeed.MoreAsync(news))
        {
            foreach (AuditEntry entry in news.Current)
                yield return new SseItem<AlertNews>(new AlertNews(AlertActions.AlertOf(entry.Subject), entry.At, JsonSerializer.Deserialize<JsonElement>(entry.Details)), entry.Action) { EventId = Number(entry.Sequence) };
        }
    }

    private static string Number(long sequence) => sequence.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A decision sent by a program.</summary>
/// <param name="To">State wanted.</param>
/// <param name="Note">The officer's own words.</param>
/// <param name="Undoes">The entry to undo.</param>
/// <param name="Seen">How many entries the officer saw. If there are more by now, the decision is refused.</param>
internal sealed record DecisionRequest(AlertState To, string? Note, long? Undoes, int? Seen);

/// <summary>One event of the stream: an entry of the audit trail.</summary>
/// <param name="Alert">Id of the alert.</param>
/// <param name="At">When.</param>
/// <param name="Details">Of the entry.</param>
internal sealed record AlertNews(Guid? Alert, DateTimeOffset? At, JsonElement? Details);
