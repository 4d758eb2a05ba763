using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Http.HttpResults;

namespace LfrEngine.Web.Alerts.Pushes;

/// <summary>Notifications by Web Push, where the configuration allows them.</summary>
internal static class PushSetup
{
    public static void AddPushes(this IServiceCollection services, Installation installation)
    {
        if (installation.Config.Push is { } push)
            services.AddSingleton<PushKey>().AddHostedService(s => ActivatorUtilities.CreateInstance<PushSender>(s, push));
    }

    public static void MapPushes(this WebApplication app)
    {
        if (app.Services.GetRequiredService<Installation>().Config.Push is not { } push)
            return;
        app.MapPost("/session/push", async Task<Results<NoContent, ProblemHttpResult>> (PushAddress wanted, HttpContext context, SessionRegister sessions) =>
        {
            if (!push.Allows(wanted.Address) || wanted.Address!.Length > 2048 || wanted.Key is not { Length: > 0 and <= 128 } || wanted.Secret is not { Length: > 0 and <= 64 })
                return TypedResults.Problem("Notifications may not be sent to this browser's push service: see push.services in lfr.json.", statusCode: StatusCodes.Status400BadRequest);
            await sessions.SetPushAsync(context.Features.Get<OfficerSession>()!.Id, wanted.Address, wanted.Key, wanted.Secret);
            return TypedResults.NoContent();
        }).RequireAuthorization(Permissions.SeeAlerts).ExcludeFromDescription();
        app.MapDelete("/session/push", async (HttpContext context, SessionRegister sessions) =>
        {
            await sessions.SetPushAsync(context.Features.Get<OfficerSession>()!.Id, null, null, null);
            return TypedResults.NoContent();
        }).RequireAuthorization(Permissions.SeeAlerts).ExcludeFromDescription();
    }
}

/// <summary>Where and how a browser takes notifications.</summary>
/// <param name="Address">Of its push service.</param>
/// <param name="Key">Its public key, base64url.</param>
/// <param name="Secret">Its secret, base64url.</param>
internal sealed record PushAddress(string? Address, string? Key, string? Secret);
