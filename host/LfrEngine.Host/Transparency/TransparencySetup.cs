using System.ComponentModel;
using System.Security.Claims;
using LfrEngine.Host.Audit;
using LfrEngine.Host.Configuration;
using LfrEngine.Host.Security;
using LfrEngine.Host.Store;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Host.Transparency;

/// <summary>What is published of deployments, for those who may publish it.</summary>
internal static class TransparencySetup
{
    /// <summary>The report of this installation and, at a headquarters, of all its vans; every trail is checked first.</summary>
    /// <exception cref="CommandFailure">A trail has been altered: figures from it would be worth nothing.</exception>
    public static TransparencyReport Report(LfrStore store, Installation installation, DateOnly? from, DateOnly? to)
    {
        var ledger = new TransparencyLedger();
        Add(ledger, installation.Config.Name, AuditFile.Lines(store).Where(l => l.Entry is not null));
        foreach (string van in store.VanEntries.Select(e => e.Van).Distinct().OrderBy(v => v).ToArray())
            Add(ledger, van, AuditFile.Lines(store, van));
        return ledger.Report(from, to);
    }

    /// <summary>Adds a trail to a ledger, checked.</summary>
    /// <exception cref="CommandFailure">It has been altered.</exception>
    public static void Add(TransparencyLedger ledger, string installation, IEnumerable<AuditLine> lines)
    {
        var check = new AuditCheck();
        ledger.Add(installation, check.Pass(lines, signer: null));
        if (check.Fault is { } fault)
            throw new CommandFailure(ExitCode.Input, $"The audit trail of {installation} cannot be counted: {fault}. `lfr audit verify` says more.");
    }

    /// <summary>Its endpoint.</summary>
    public static void MapTransparency(this WebApplication app) =>
        app.MapGet("/api/v1/transparency", ExportAsync).RequireAuthorization(Permissions.Export).WithTags("Transparency")
            .WithSummary("What is published of deployments, counted from the audit trail: csv, json or html (docs/audit.md).");

    private static async Task<IResult> ExportAsync(
        [Description("csv, json or html.")] string format, [Description("First day.")] DateOnly? from, [Description("Last day.")] DateOnly? to,
        ClaimsPrincipal user, [FromServices] Installation installation, [FromServices] Journal journal, [FromServices] IDbContextFactory<LfrStore> stores, CancellationToken stopping)
    {
        if (!Enum.TryParse(format, ignoreCase: true, out TransparencyForm form) || !Enum.IsDefined(form))
            return Results.Problem($"\"{format}\" is no format: csv, json or html.", statusCode: StatusCodes.Status400BadRequest);
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        byte[] text;
        try
        {
            text = TransparencyText.Write(Report(store, installation, from, to), form);
        }
        catch (CommandFailure e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status409Conflict);
        }
        await journal.NoteAsync(Actor.Of(user), "transparency.exported", "transparency", new { Format = form, from, to }, stopping);
        return Results.File(text, TransparencyText.ContentType(form), $"deployments.{form.ToString().ToLowerInvariant()}");
    }
}
