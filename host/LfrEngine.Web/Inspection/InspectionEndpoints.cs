using LfrEngine.Records.Inspection;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Inspection;

/// <summary>The inspector's export.</summary>
internal static class InspectionEndpoints
{
    /// <summary>Its address.</summary>
    public const string Address = "/api/v1/inspection";

    public static void MapInspection(this WebApplication app) =>
        app.MapGet(Address, async (InspectionFile file, CancellationToken stopping) => Results.Stream(await file.MakeAsync(stopping), "application/zip", "inspection.zip"))
            .RequireAuthorization(Permissions.Inspect).WithTags("Inspection").Produces<Stream>(StatusCodes.Status200OK, "application/zip")
            .WithSummary("Audit trail, signed authorities, receipts, figures and retention policy in one ZIP file.");
}
