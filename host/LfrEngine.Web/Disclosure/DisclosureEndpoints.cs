using System.Security.Claims;
using LfrEngine.Records.Disclosure;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Disclosure;

/// <summary>Endpoint of disclosure bundles.</summary>
internal static class DisclosureEndpoints
{
    private const int Chunk = 64 << 10;

    /// <summary>Where the bundle of an alert is asked for.</summary>
    public static string AddressOf(Guid alert) => $"/api/v1/alerts/{alert}/disclosure";

    public static void MapDisclosure(this WebApplication app) =>
        app.MapPost("/api/v1/alerts/{id:guid}/disclosure", MakeAsync).RequireAuthorization(Permissions.Export).WithTags("Alerts").WithName("discloseAlert")
            .Produces<Stream>(StatusCodes.Status200OK, "application/zip").ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("The disclosure bundle of an alert (docs/disclosure.md). The form field \"reason\" says what for; the audit trail records it.");

    private static async Task<IResult> MakeAsync(Guid id, HttpContext context, ClaimsPrincipal user, DisclosureMaker maker)
    {
        string reason = context.Request.HasFormContentType ? (await context.Request.ReadFormAsync(context.RequestAborted))["reason"].ToString() : "";
        DisclosureBundle? made;
        try
        {
            made = await maker.MakeAsync(Actor.Of(user), id, reason, context.RequestAborted);
        }
        catch (CommandFailure e)
        {
            return Results.Problem(e.Message, statusCode: e.ExitCode == ExitCode.Usage ? StatusCodes.Status400BadRequest : StatusCodes.Status409Conflict);
        }
        if (made is null)
            return Results.Problem("There is no such alert.", statusCode: StatusCodes.Status404NotFound);
        using DisclosureBundle bundle = made;
        context.Response.ContentType = "application/zip";
        context.Response.ContentLength = bundle.Content.Length;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"disclosure-{id:N}.zip\"";
        for (int from = 0; from < bundle.Content.Length; from += Chunk)
        {
            Write(context.Response.BodyWriter, bundle.Content[from..Math.Min(bundle.Content.Length, from + Chunk)]);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
        return Results.Empty;
    }

    private static void Write(System.IO.Pipelines.PipeWriter to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to.GetSpan(bytes.Length));
        to.Advance(bytes.Length);
    }
}
