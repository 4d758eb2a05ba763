using LfrEngine.Host.Configuration;
using LfrEngine.Host.Security;
using LfrEngine.Host.Store;
using LfrEngine.Memory;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Host.Watchlists;

/// <summary>Where watchlists are reached (docs/host-json.md).</summary>
internal static class WatchlistSetup
{
    private const int MostPeopleAtOnce = 200;

    /// <summary>Registers the service, and the recovery that runs before anything is served.</summary>
    public static void AddWatchlists(this IServiceCollection services) => services
        .AddSingleton(s => VetterOf(s.GetRequiredService<Installation>(), s.GetRequiredService<ILogger<PhotoVetter>>()))
        .AddSingleton<WatchlistService>()
        .AddHostedService<WatchlistRecovery>();

    /// <summary>A child process that judges photos with the models that run here.</summary>
    /// <param name="installation">Names them.</param>
    /// <param name="log">Told what became of the child.</param>
    /// <param name="sealedFaces">Whether it is given the face pictures of a watchlist.</param>
    public static PhotoVetter VetterOf(Installation installation, ILogger<PhotoVetter> log, bool sealedFaces = false) => new(log, installation.Detector, installation.Embedder, sealedFaces);

    /// <summary>Maps the endpoints.</summary>
    public static void MapWatchlists(this WebApplication app)
    {
        RouteGroupBuilder api = app.MapGroup("/api/v1/watchlists").RequireAuthorization(Permissions.EditWatchlists).WithTags("Watchlists").AddEndpointFilter(RefusalsAsync);
        api.MapGet("/", ListAsync);
        api.MapPost("/", async (NewWatchlist wanted, HttpContext context, WatchlistService watchlists) =>
            TypedResults.Ok(new Made(await watchlists.CreateAsync(Actor.Of(context.User), wanted.Name, context.RequestAborted))));
        api.MapGet("/{id:guid}", OneAsync);
        api.MapGet("/{id:guid}/people", async (Guid id, int? skip, int? take, HttpContext context, WatchlistService watchlists) =>
            TypedResults.Ok(await watchlists.ViewAsync(Actor.Of(context.User), id, Math.Max(0, skip ?? 0), Math.Clamp(take ?? MostPeopleAtOnce, 1, MostPeopleAtOnce), context.RequestAborted)));
        api.MapPost("/{id:guid}/people", async (Guid id, NewPerson wanted, HttpContext context, WatchlistService watchlists) =>
            TypedResults.Ok(new Made(await watchlists.AddPersonAsync(Actor.Of(context.User), id, wanted.Category, wanted.Details, wanted.ReviewedOn, wanted.RolePlayer, context.RequestAborted))));
        api.MapPost("/people/{person:guid}/review", async (Guid person, Review review, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.ReviewAsync(Actor.Of(context.User), person, review.ReviewedOn, context.RequestAborted);
            return TypedResults.NoContent();
        });
        api.MapDelete("/people/{person:guid}", async (Guid person, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.RemovePersonAsync(Actor.Of(context.User), person, context.RequestAborted);
            return TypedResults.NoContent();
        });
        api.MapPost("/people/{person:guid}/photos", async Task<Results<Ok<PhotoVetting>, BadRequest<string>>> (Guid person, DateOnly? takenOn, string? face, HttpContext context, WatchlistService watchlists) =>
            face is null
                ? TypedResults.Ok(await watchlists.AddPhotoAsync(Actor.Of(context.User), person, context.Request.Body, takenOn, stopping: context.RequestAborted))
                : PhotoPoint.TryParse(face, out PhotoPoint place)
                    ? TypedResults.Ok(await watchlists.AddPhotoAsync(Actor.Of(context.User), person, context.Request.Body, takenOn, place, context.RequestAborted))
                    : TypedResults.BadRequest("face is a place inside the face that is meant, in pixels from the upper left corner: 190,125"))
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
        // Once begun it is finished, whether or not somebody still waits for the answer.
        api.MapPost("/{id:guid}/destroy", async (Guid id, Destruction wanted, HttpContext context, WatchlistService watchlists) =>
        {
            await watchlists.DestroyAsync(Actor.Of(context.User), id, wanted.Reason, CancellationToken.None);
            return TypedResults.NoContent();
        });
        api.MapPost("/import", ImportAsync).WithMetadata(new RequestSizeLimitAttribute(ListInZip.MaximumBytes)).Accepts<byte[]>("application/zip");
        app.MapGet("/pictures/watchlists/{photo:guid}", PictureAsync).RequireAuthorization(Permissions.EditWatchlists).AddEndpointFilter(RefusalsAsync).ExcludeFromDescription();
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
        WatchlistRecord record = await store.Watchlists.FindAsync([id], context.RequestAborted) ?? throw new KeyNotFoundException("There is no such watchlist.");
        Dictionary<WatchlistCategory, int> counts = await store.People.Where(p => p.WatchlistId == id).GroupBy(p => p.Category)
            .Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, context.RequestAborted);
        CategoryReport[] categories = [.. Enum.GetValues<WatchlistCategory>().Select(c => new CategoryReport(c, counts.GetValueOrDefault(c), installation.Config.PolicyOf(c)))];
        return TypedResults.Ok(new WatchlistReport(WatchlistSummary.Of(record), categories, await watchlists.RefusalsAsync(id, context.RequestAborted)));
    }

    private static async Task<IResult> ImportAsync(string name, bool? dryRun, HttpContext context, WatchlistService watchlists)
    {
        HostBuffer<byte>? bytes = await Upload.ReadAsync(context.Request.Body, ListInZip.MaximumBytes, context.RequestAborted);
        if (bytes is null)
            throw new WatchlistRefusedException([$"The zip file is larger than {ListInZip.MaximumBytes >> 20} MiB: split it, or use `lfr watchlist import`."]);
        using var source = new ListInZip(bytes);
        ImportReport report = await watchlists.ImportAsync(Actor.Of(context.User), name, source, dryRun ?? false, stopping: context.RequestAborted);
        return TypedResults.Json(report, statusCode: report.Refusals.Length > 0 && dryRun != true ? StatusCodes.Status409Conflict : StatusCodes.Status200OK);
    }

    private static async Task<IResult> PictureAsync(Guid photo, WatchlistService watchlists, IDbContextFactory<LfrStore> stores, HttpContext context)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(context.RequestAborted);
        PhotoRecord? record = await store.Photos.FindAsync([photo], context.RequestAborted);
        if (record is null || record.SealedPicture.Length == 0)
            return TypedResults.NotFound();
        Guid watchlist = await store.People.Where(p => p.Id == record.PersonId).Select(p => p.WatchlistId).SingleAsync(context.RequestAborted);
        using HostBuffer<byte> picture = watchlists.Photo(watchlist, record);
        context.Response.ContentType = "image/jpeg";
        context.Response.ContentLength = picture.Length;
        picture.Span.CopyTo(context.Response.BodyWriter.GetSpan(picture.Length));
        context.Response.BodyWriter.Advance(picture.Length);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        return TypedResults.Empty;
    }

    // What is refused is said, not thrown.
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
            return Problem(StatusCodes.Status410Gone, ["The watchlist is destroyed: nothing of it can be read."]);
        }
        catch (CommandFailure e)
        {
            return Problem(e.ExitCode == ExitCode.Input ? StatusCodes.Status400BadRequest : StatusCodes.Status500InternalServerError, [e.Message]);
        }
    }

    private static ProblemHttpResult Problem(int status, IReadOnlyList<string> reasons) =>
        TypedResults.Problem(string.Join(" ", reasons), statusCode: status, extensions: new Dictionary<string, object?> { ["reasons"] = reasons });

    /// <summary>Finishes what an interruption left, before anything is served.</summary>
    private sealed class WatchlistRecovery(WatchlistService watchlists) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await watchlists.RecoverAsync(cancellationToken);
            await watchlists.ReenrolAsync(cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

internal sealed record NewWatchlist(string Name);

internal sealed record NewPerson(WatchlistCategory Category, PersonDetails Details, DateOnly ReviewedOn, bool RolePlayer);

internal sealed record Review(DateOnly ReviewedOn);

internal sealed record Destruction(string Reason);

internal sealed record Made(Guid Id);

/// <summary>A watchlist without its people.</summary>
internal sealed record WatchlistSummary(Guid Id, string Name, string State, DateTimeOffset CreatedAt, DateTimeOffset? BuiltAt, string? FileSha256, int People, int Templates, DateTimeOffset? DestroyBy, DateTimeOffset? DestroyedAt)
{
    public static WatchlistSummary Of(WatchlistRecord w) => new(w.Id, w.Name, w.State.ToString().ToLowerInvariant(), w.CreatedAt, w.BuiltAt, w.FileSha256, w.People, w.Templates, w.DestroyBy, w.DestroyedAt);
}

/// <summary>People of a category, beside what the policy allows.</summary>
internal sealed record CategoryReport(WatchlistCategory Category, int People, CategoryPolicy Policy);

/// <summary>A watchlist with what stands against building it.</summary>
internal sealed record WatchlistReport(WatchlistSummary Watchlist, IReadOnlyList<CategoryReport> Categories, IReadOnlyList<string> Refusals);
