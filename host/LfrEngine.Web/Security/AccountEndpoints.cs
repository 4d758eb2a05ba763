using System.Security.Claims;
using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Web.Security;

/// <summary>Endpoints for passkeys, and for the antiforgery token.</summary>
internal static class AccountEndpoints
{
    public static void MapAccount(this WebApplication app)
    {
        RouteGroupBuilder account = app.MapGroup("/account");

        account.MapGet("/antiforgery", (HttpContext context, IAntiforgery antiforgery) =>
        {
            AntiforgeryTokenSet tokens = antiforgery.GetAndStoreTokens(context);
            return TypedResults.Ok(new AntiforgeryToken(tokens.HeaderName!, tokens.RequestToken!));
        }).RequireAuthorization(Permissions.OwnSession);

        // For a person with an invitation, or for an officer who adds a passkey.
        account.MapPost("/passkey/creation-options", async (HttpContext context, SignInManager<Officer> signIn, UserManager<Officer> officers, OfficerRegister register) =>
        {
            IFormCollection form = await context.Request.ReadFormAsync(context.RequestAborted);
            PasskeyUserEntity? whose = null;
            if (await register.FindAsync(form["secret"]) is not null)
                whose = new PasskeyUserEntity { Id = Guid.NewGuid().ToString(), Name = form["userName"].ToString().Trim(), DisplayName = form["displayName"].ToString().Trim() };
            else if (await officers.GetUserAsync(context.User) is { } officer)
                whose = new PasskeyUserEntity { Id = officer.Id.ToString(), Name = officer.UserName!, DisplayName = officer.DisplayName };
            if (whose is null)
                return Results.Forbid();
            if (whose.Name.Length == 0 || whose.DisplayName.Length == 0)
                return Results.Problem("Enter a name and a user name first.", statusCode: StatusCodes.Status400BadRequest);
            return Results.Content(await signIn.MakePasskeyCreationOptionsAsync(whose), "application/json");
        }).AllowAnonymous().RequireAntiforgery();

        // Before sign-in the server does not disclose which passkeys exist: the browser offers what it has.
        account.MapPost("/passkey/request-options", async (HttpContext context, SignInManager<Officer> signIn, UserManager<Officer> officers) =>
            TypedResults.Content(await signIn.MakePasskeyRequestOptionsAsync((await officers.GetUserAsync(context.User))!), "application/json"))
            .AllowAnonymous().RequireAntiforgery();

        // Proof of identity just before a signature.
        account.MapPost("/passkey/proof", async (HttpContext context, SignInManager<Officer> signIn, StepUp stepUp) =>
        {
            IFormCollection form = await context.Request.ReadFormAsync(context.RequestAborted);
            PasskeyAssertionResult<Officer> answer = await signIn.PerformPasskeyAssertionAsync(form["credential"].ToString());
            if (!answer.Succeeded || answer.User.Disabled || answer.User.Id.ToString() != context.User.FindFirstValue(ClaimTypes.NameIdentifier))
                return Results.Problem("This passkey does not belong to the officer who is signed in.", statusCode: StatusCodes.Status403Forbidden);
            await signIn.UserManager.AddOrUpdatePasskeyAsync(answer.User, answer.Passkey);
            stepUp.ProvedByPasskey(answer.User.Id);
            return Results.NoContent();
        }).RequireAuthorization(Permissions.OwnAccount).RequireAntiforgery();
    }

    /// <summary>Refuses cross-site request forgery: for every change by somebody who is signed in, and where an endpoint asks for it.</summary>
    /// <remarks>The circuit of an open page needs no token: its connection needs the strict cookie and carries no form.</remarks>
    public static void UseAntiforgeryEverywhere(this WebApplication app) => app.Use(async (context, next) =>
    {
        bool mayChange = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) && !HttpMethods.IsOptions(context.Request.Method);
        // A browser never sends a token by itself, so no other site can make it.
        bool matters = context.User.Identity is { IsAuthenticated: true, AuthenticationType: not TokenAuthentication.SchemeName } || context.GetEndpoint()?.Metadata.GetMetadata<NeedsAntiforgery>() is not null;
        if (mayChange && matters && !context.Request.Path.StartsWithSegments("/_blazor")
            && !await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context))
        {
            await Results.Problem("The form's token is missing or has expired. Reload the page. Programs get a token from /account/antiforgery.", statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
            return;
        }
        await next(context);
    });

    private static RouteHandlerBuilder RequireAntiforgery(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new NeedsAntiforgery());

    private sealed class NeedsAntiforgery;

    private sealed record AntiforgeryToken(string Header, string Token);
}
