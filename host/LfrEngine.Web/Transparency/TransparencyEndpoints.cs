using System.ComponentModel;
using System.Security.Claims;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Transparency;

/// <summary>Endpoint of the published figures.</summary>
internal static class TransparencyEndpoints
{
    public static void MapTransparency(this WebApplication app) =>
        app.MapGet("/api/v1/transparency", ExportAsync).RequireAuthorization(Permissions.Export).WithTags("Transparency").Produces<Stream>(StatusCodes.Status200OK, "text/csv", "application/json", "text/html")
            .WithSummary("Published figures of deployments, counted from the audit trail: csv, json or html (docs/audit.md).");

    private static async Task<IResult> ExportAsync(
        [Description("csv, json or html.")] string format, [Description("First day.")] DateOnly? from, [Description("Last day.")] DateOnly? to,
        ClaimsPrincipal user, [FromServices] Installation installation, [FromServices] Journal journal, [FromServices] IDbContextFactory<LfrStore> stores, CancellationToken stopping)
    {
        if (!Enum.TryParse(format, ignoreCase: true, out TransparencyForm form) || !Enum.IsDefined(form))
            return Results.Problem($"\"{format}\" is not a format. Use csv, json or html.", statusCode: StatusCodes.Status400BadRequest);
        if (Period.Fault("\"from\"", from, "\"to\"", to) is { } reversed)
            return Results.Problem(reversed, statusCode: StatusCodes.Status400BadRequest);
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        byte[] text;
        try
        {
            text = TransparencyText.Write(PublishedFigures.Report(store, installation, from, to), form);
        }
        catch (CommandFailure e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status409Conflict);
        }
        await journal.NoteAsync(Actor.Of(user), "transparency.exported", "transparency", new { Format = form, from, to }, stopping);
        return Results.File(text, TransparencyText.ContentType(form), $"deployments.{form.ToString().ToLowerInvariant()}");
    }
}
