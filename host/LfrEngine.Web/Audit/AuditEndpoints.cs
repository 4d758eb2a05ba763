using System.Security.Claims;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Audit;

/// <summary>Endpoints of the audit trail.</summary>
internal static class AuditEndpoints
{
    public static void MapAudit(this WebApplication app)
    {
        RouteGroupBuilder audit = app.MapGroup("/api/v1/audit").RequireAuthorization(Permissions.SeeAudit).WithTags("Audit");
        audit.MapGet("", FindAsync).WithSummary("Entries, newest first, 200 at a time. The access is recorded too.");
        audit.MapGet("/export", ExportAsync).Produces<Stream>(StatusCodes.Status200OK, "application/jsonl").WithSummary("The whole audit trail as JSON lines, for `lfr audit verify`.");
    }

    private static async Task<AuditEntry[]> FindAsync(
        [AsParameters] AuditQuery query, ClaimsPrincipal user, [FromServices] Journal journal, [FromServices] IDbContextFactory<LfrStore> stores, CancellationToken stopping)
    {
        if (Period.Fault("\"from\"", query.From, "\"to\"", query.To) is { } reversed)
            throw new BadHttpRequestException(reversed);
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        AuditEntry[] found = await query.FindAsync(store, stopping);
        await journal.NoteAsync(Actor.Of(user), "audit.viewed", "audit", query, stopping);
        return found;
    }

    private static async Task ExportAsync(HttpContext context, ClaimsPrincipal user, [FromServices] Installation installation, [FromServices] Journal journal, [FromServices] IDbContextFactory<LfrStore> stores)
    {
        await journal.NoteAsync(Actor.Of(user), "audit.exported", "audit", new { }, context.RequestAborted);
        await using LfrStore store = await stores.CreateDbContextAsync(context.RequestAborted);
        context.Response.ContentType = "application/jsonl";
        context.Response.Headers.ContentDisposition = "attachment; filename=\"audit.jsonl\"";
        await AuditFile.WriteAsync(context.Response.Body, installation.Config.Name, AuditFile.Lines(store), context.RequestAborted);
    }
}
