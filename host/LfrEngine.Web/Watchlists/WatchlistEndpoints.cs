using System.Text;
using LfrEngine.Memory;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Watchlists;

/// <summary>Endpoints of watchlists (docs/host-json.md).</summary>
internal static class WatchlistEndpoints
{
    private const int MostPeopleAtOnce = 200;

    public static void MapWatchlists(this WebApplication app)
    {
        RouteGroupBuilder api = app.MapGroup("/api/v1/watchlists").RequireAuthorization(Permissions.EditWatchlists).WithTags("Watchlists").AddEndpointFilter(RefusalsAsync);
        api.MapGet("/", ListAsync);
        api.MapPost("/", async (NewWatchlist wanted, HttpContext context, WatchlistService watchlists) =>
            TypedResults.Ok(new Made(await watchlists.CreateAsync(Actor.Of(context.User), wanted.Name, context.RequestAborted))));
        api.MapGet("/{id:guid}", OneAsync);
        api.MapPut("/{id:guid}", async (Guid id, ListEdit wanted, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.EditAsync(Actor.Of(context.User), id, wanted.Name, wanted.Remarks ?? "", context.RequestAborted);
            return TypedResults.NoContent();
        });
        api.MapPost("/{id:guid}/copy", async (Guid id, NewWatchlist wanted, HttpContext context, WatchlistService watchlists) =>
            TypedResults.Ok(new Made(await watchlists.CopyAsync(Actor.Of(context.User), id, wanted.Name, context.RequestAborted))));
        api.MapGet("/template", (WatchlistService watchlists) => TypedResults.Text(PeopleFolder.Template(watchlists.Today), "text/csv", Encoding.UTF8)).Produces<string>(StatusCodes.Status200OK, "text/csv");
        api.MapGet("/{id:guid}/people", async (Guid id, string? search, int? skip, int? take, HttpContext context, WatchlistService watchlists) =>
            TypedResults.Ok((await watchlists.ViewAsync(Actor.Of(context.User), id, search, Math.Max(0, skip ?? 0), Math.Clamp(take ?? MostPeopleAtOnce, 1, MostPeopleAtOnce), context.RequestAborted)).People));
        api.MapPost("/{id:guid}/people", async (Guid id, NewPerson wanted, HttpContext context, WatchlistService watchlists) =>
            TypedResults.Ok(new Made(await watchlists.AddPersonAsync(Actor.Of(context.User), id, wanted.Category, wanted.Details, wanted.ReviewedOn, wanted.RolePlayer, context.RequestAborted))));
        api.MapPost("/people/{person:guid}/review", async (Guid person, Review review, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.ReviewAsync(Actor.Of(context.User), person, review.ReviewedOn, context.RequestAborted);
            return TypedResults.NoContent();
        });
        api.MapPut("/people/{person:guid}/groups", async (Guid person, GroupChange wanted, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.ChangeGroupsAsync(Actor.Of(context.User), person, wanted.Groups, wanted.ConsentOn, context.RequestAborted);
            return TypedResults.NoContent();
        });
        api.MapDelete("/people/{person:guid}", async (Guid person, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.RemovePersonAsync(Actor.Of(context.User), person, context.RequestAborted);
            return TypedResults.NoContent();
        });
        api.MapPost("/people/{person:guid}/photos", async Task<Results<Ok<PhotoVetting>, ProblemHttpResult>> (Guid person, DateOnly? takenOn, string? face, HttpContext context, WatchlistService watchlists) =>
            face is null
                ? TypedResults.Ok(await watchlists.AddPhotoAsync(Actor.Of(context.User), person, context.Request.Body, takenOn, stopping: context.RequestAborted))
                : PhotoPoint.TryParse(face, out PhotoPoint place)
                    ? TypedResults.Ok(await watchlists.AddPhotoAsync(Actor.Of(context.User), person, context.Request.Body, takenOn, place, context.RequestAborted))
                    : Problem(StatusCodes.Status400BadRequest, ["\"face\" must be a point inside the face, in pixels from the upper left corner, for example 190,125."]))
            .WithMetadata(new RequestSizeLimitAttribute(WatchlistEnroller.MaximumPhotoBytes)).Accepts<byte[]>("image/jpeg", "image/png", "image/bmp", "image/webp");
        api.MapDelete("/photos/{photo:guid}", async (Guid photo, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.RemovePhotoAsync(Actor.Of(context.User), photo, context.RequestAborted);
            return TypedResults.NoContent();
        });
        api.MapGet("/{id:guid}/similar", async (Guid id, HttpContext context, WatchlistService watchlists) => TypedResults.Ok(await watchlists.SimilarAsync(id, context.RequestAborted)));
        api.MapPost("/{id:guid}/build", async (Guid id, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.BuildAsync(Actor.Of(context.User), id, context.RequestAborted);
            return TypedResults.NoContent();
        });
        // Once begun it is finished, even if the client disconnects.
        api.MapPost("/{id:guid}/destroy", async (Guid id, Destruction wanted, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.DestroyAsync(Actor.Of(context.User), id, wanted.Reason, CancellationToken.None);
            return TypedResults.NoContent();
        });
        api.MapPost("/import", ImportAsync).WithMetadata(new RequestSizeLimitAttribute(ListInZip.MaximumBytes)).Accepts<byte[]>("application/zip");
        app.MapGet("/pictures/watchlists/{photo:guid}", PictureAsync).RequireAuthorization(Permissions.EditWatchlists).AddEndpointFilter(RefusalsAsync).Produces<Stream>(StatusCodes.Status200OK, "image/jpeg").WithTags("Watchlists").WithSummary("A photo, 256 by 256 pixels. It must not be stored.");
    }

    private static async Task<Ok<WatchlistSummary[]>> ListAsync(IDbContextFactory<LfrStore> stores, HttpContext context)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(context.RequestAborted);
        List<WatchlistRecord> all = await store.Watchlists.AsNoTracking().OrderByDescending(w => w.CreatedAt).ToListAsync(context.RequestAborted);
        return TypedResults.Ok(all.Select(WatchlistSummary.Of).ToArray());
    }

    private static async Task<Ok<WatchlistReport>> OneAsync(Guid id, WatchlistService watchlists, Installation installation, IDbContextFactory<LfrStore> stores, HttpContext context)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(context.RequestAborted);
        WatchlistRecord record = await store.Watchlists.FindAsync([id], context.RequestAborted) ?? throw new KeyNotFoundException("This watchlist does not exist.");
        Dictionary<WatchlistCategory, int> counts = await store.People.Where(p => p.WatchlistId == id).GroupBy(p => p.Category)
            .Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, context.RequestAborted);
        CategoryReport[] categories = [.. Enum.GetValues<WatchlistCategory>().Select(c => new CategoryReport(c, counts.GetValueOrDefault(c), installation.LimitsOf(c)))];
        return TypedResults.Ok(new WatchlistReport(WatchlistSummary.Of(record), categories, await watchlists.RefusalsAsync(id, context.RequestAborted)));
    }

    private static async Task<IResult> ImportAsync(string name, bool? dryRun, HttpContext context, WatchlistImport import)
    {
        HostBuffer<byte>? bytes = await Upload.ReadAsync(context.Request.Body, ListInZip.MaximumBytes, context.RequestAborted);
        if (bytes is null)
            throw new WatchlistRefusedException([$"The zip file is larger than {ListInZip.MaximumBytes >> 20} MiB. Split it or use `lfr watchlist import`."]);
        using var source = new ListInZip(bytes);
        ImportReport report = await import.RunAsync(Actor.Of(context.User), name, source, dryRun ?? false, stopping: context.RequestAborted);
        return TypedResults.Json(report, statusCode: report.Refusals.Length > 0 && dryRun != true ? StatusCodes.Status409Conflict : StatusCodes.Status200OK);
    }

    private static async Task<IResult> PictureAsync(Guid photo, SealedPeople people, IDbContextFactory<LfrStore> stores, HttpContext context)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(context.RequestAborted);
        PhotoRecord? record = await store.Photos.FindAsync([photo], context.RequestAborted);
        if (record is null || record.SealedPicture.Length == 0)
            return TypedResults.NotFound();
        Guid watchlist = await store.People.Where(p => p.Id == record.PersonId).Select(p => p.WatchlistId).SingleAsync(context.RequestAborted);
        using HostBuffer<byte> picture = people.Photo(watchlist, record);
        context.Response.ContentType = "image/jpeg";
        context.Response.ContentLength = picture.Length;
        picture.Span.CopyTo(context.Response.BodyWriter.GetSpan(picture.Length));
        context.Response.BodyWriter.Advance(picture.Length);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        return TypedResults.Empty;
    }

    // Refusals become problem responses.
    private static async ValueTask<object?> RefusalsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (WatchlistRefusedException e)
        {
            return Problem(StatusCodes.Status409Conflict, e.Reasons);
        }
        catch (KeyNotFoundException e)
        {
            return Problem(StatusCodes.Status404NotFound, [e.Message]);
        }
        catch (KeyDestroyedException)
        {
            return Problem(StatusCodes.Status410Gone, ["This watchlist has been destroyed. Nothing in it can be read."]);
        }
        catch (CommandFailure e)
        {
            return Problem(e.ExitCode == ExitCode.Input ? StatusCodes.Status400BadRequest : StatusCodes.Status500InternalServerError, [e.Message]);
        }
    }

    private static ProblemHttpResult Problem(int status, IReadOnlyList<string> reasons) =>
        TypedResults.Problem(string.Join(" ", reasons), statusCode: status, extensions: new Dictionary<string, object?> { ["reasons"] = reasons });
}

internal sealed record NewWatchlist(string Name);

internal sealed record ListEdit(string Name, string? Remarks);

internal sealed record NewPerson(WatchlistCategory Category, PersonDetails Details, DateOnly ReviewedOn, bool RolePlayer);

internal sealed record Review(DateOnly ReviewedOn);

internal sealed record GroupChange(IReadOnlyDictionary<string, string> Groups, DateOnly? ConsentOn);

internal sealed record Destruction(string Reason);

internal sealed record Made(Guid Id);

/// <summary>A watchlist without its people.</summary>
internal sealed record WatchlistSummary(Guid Id, string Name, string State, DateTimeOffset CreatedAt, DateTimeOffset? BuiltAt, string? FileSha256, int People, int Templates, DateTimeOffset? DestroyBy, DateTimeOffset? DestroyedAt)
{
    public static WatchlistSummary Of(WatchlistRecord w) => new(w.Id, w.Name, w.State.ToString().ToLowerInvariant(), w.CreatedAt, w.BuiltAt, w.FileSha256, w.People, w.Templates, w.DestroyBy, w.DestroyedAt);
}

/// <summary>People in a category, and the policy's limits.</summary>
internal sealed record CategoryReport(WatchlistCategory Category, int People, CategoryPolicy Policy);

/// <summary>A watchlist with the reasons why it cannot be built yet.</summary>
internal sealed record WatchlistReport(WatchlistSummary Watchlist, IReadOnlyList<CategoryReport> Categories, IReadOnlyList<string> Refusals);
