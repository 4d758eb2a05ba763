using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Receipts;

/// <summary>Endpoint of the erasure receipts.</summary>
internal static class ReceiptEndpoints
{
    /// <summary>Address of a receipt.</summary>
    public static string AddressOf(string fileName) => $"/api/v1/receipts/{Uri.EscapeDataString(fileName)}";

    public static void MapReceipts(this WebApplication app) =>
        app.MapGet("/api/v1/receipts/{name}", (string name, ReceiptShelf shelf) =>
                shelf.PathOf(name) is { } path ? Results.File(path, "application/json", name) : Results.Problem($"There is no receipt \"{Shown.Name(name)}\".", statusCode: StatusCodes.Status404NotFound))
            .RequireAuthorization(Permissions.SeeDeployments).WithTags("operations").Produces<Stream>(StatusCodes.Status200OK, "application/json").ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("A signed erasure receipt, for `lfr receipt verify`.");
}
