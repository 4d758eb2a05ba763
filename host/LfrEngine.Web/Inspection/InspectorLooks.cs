using System.Security.Claims;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Authorization;

namespace LfrEngine.Web.Inspection;

/// <summary>Records every look of an inspector: pages and what is fetched. Only the address is recorded, without what was searched for.</summary>
internal sealed class InspectorLooks(Journal journal)
{
    private const string Subject = "inspection";

    /// <summary>Records requests of inspectors that were let in.</summary>
    public static void Use(WebApplication app) => app.Use(async (context, next) =>
    {
        if (context.User.IsInRole(Roles.Inspector) && context.GetEndpoint() is { } endpoint && endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(a => a.Policy is { } policy && Permissions.ByRole.ContainsKey(policy)))
            await context.RequestServices.GetRequiredService<InspectorLooks>().NoteAsync(context.User, context.Request.Path, context.RequestAborted);
        await next(context);
    });

    /// <summary>Records a page that an inspector opened without a new request.</summary>
    /// <param name="user">Who is signed in; ignored unless an inspector who may see the page.</param>
    /// <param name="page">The component.</param>
    /// <param name="path">Its address.</param>
    public Task NoteAsync(ClaimsPrincipal user, Type page, string path)
    {
        string[] policies = [.. page.GetCustomAttributes(typeof(AuthorizeAttribute), inherit: true).Cast<AuthorizeAttribute>().Select(a => a.Policy).OfType<string>()];
        return user.IsInRole(Roles.Inspector) && policies.Length > 0 && policies.All(p => Permissions.ByRole.TryGetValue(p, out string[]? roles) && roles.Any(user.IsInRole))
            ? NoteAsync(user, path, CancellationToken.None)
            : Task.CompletedTask;
    }

    private Task NoteAsync(ClaimsPrincipal user, PathString path, CancellationToken stopping) => path.StartsWithSegments("/api")
        ? journal.NoteAsync(Actor.Of(user), Looked, Subject, new { Export = path.Value }, stopping)
        : journal.NoteAsync(Actor.Of(user), Looked, Subject, new { Page = path.Value }, stopping);

    private const string Looked = "inspector.looked";
}
