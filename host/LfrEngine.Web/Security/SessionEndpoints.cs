using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Web.Security;

/// <summary>Endpoints of the own session: to end it, to lock it, to show that somebody is there, and to hear alerts while it is locked.</summary>
internal static class SessionEndpoints
{
    public static void MapSessions(this WebApplication app)
    {
        app.MapPost("/account/sign-out", async (HttpContext context, SignInManager<Officer> signIn, SessionRegister sessions) =>
        {
            if (context.Features.Get<OfficerSession>() is { } session)
                await sessions.EndAsync(Actor.Of(context.User), session.Id, session.OfficerId, reason: null);
            await signIn.SignOutAsync();
            return TypedResults.LocalRedirect("/account/sign-in");
        }).RequireAuthorization(Permissions.OwnSession).ExcludeFromDescription();

        app.MapPost("/account/lock", async (HttpContext context, SessionRegister sessions) =>
        {
            if (context.Features.Get<OfficerSession>() is { } session)
                await sessions.LockAsync(Actor.Of(context.User), session.Id, "by-officer");
            // Back to the page from which it was locked.
            string from = Uri.TryCreate(context.Request.Headers.Referer, UriKind.Absolute, out Uri? page) ? page.PathAndQuery : "/";
            return TypedResults.LocalRedirect($"/account/locked?ReturnUrl={Uri.EscapeDataString(from)}");
        }).RequireAuthorization(Permissions.OwnAccount).ExcludeFromDescription();

        // Validating the session has noted the activity.
        app.MapPost("/session/active", () => TypedResults.NoContent()).RequireAuthorization(Permissions.OwnAccount).ExcludeFromDescription();

        app.MapGet("/session/alerts", (HttpContext context, AlertFeed feed, IHostApplicationLifetime lifetime) =>
            context.User.HasClaim(OfficerSessions.HearsAlerts, "true")
                ? (IResult)TypedResults.ServerSentEvents(SoundsAsync(Actor.Of(context.User), feed, lifetime.ApplicationStopping, context.RequestAborted))
                : TypedResults.NoContent())
            .RequireAuthorization(Permissions.OwnSession).ExcludeFromDescription();
    }

    // Which sound to play, and nothing about whom or where.
    private static async IAsyncEnumerable<SseItem<string>> SoundsAsync(Actor officer, AlertFeed feed, CancellationToken ending, [EnumeratorCancellation] CancellationToken stopping)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ending, stopping);
        long from = await feed.LatestAsync(both.Token);
        yield return new SseItem<string>("", "listening");
        await using IAsyncEnumerator<IReadOnlyList<AuditEntry>> news = feed.FollowAsync(officer, from, both.Token).GetAsyncEnumerator(both.Token);
        while (await AlertFeed.MoreAsync(news))
        {
            AuditEntry[] raised = [.. news.Current.Where(e => e.Action == AlertActions.Raised)];
            if (raised.Length > 0)
                yield return new SseItem<string>(raised.Any(IsVulnerable) ? "vulnerable" : "alert", "sound");
        }
    }

    private static bool IsVulnerable(AuditEntry raised)
    {
        using JsonDocument details = JsonDocument.Parse(raised.Details);
        return WatchlistCategories.TryParse(details.RootElement.GetProperty("category").GetString() ?? "", out WatchlistCategory category) && AlertSummary.IsVulnerable(category);
    }
}
