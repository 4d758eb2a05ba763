using System.Security.Claims;
using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Web.Security;

/// <summary>What pages ask by script about passkeys, the token that goes with every change, and signing out.</summary>
internal static class AccountEndpoints
{
    /// <summary>Registers them.</summary>
    public static void MapAccount(this WebApplication app)
    {
        RouteGroupBuilder account = app.MapGroup("/account");

        account.MapGet("/antiforgery", (HttpContext context, IAntiforgery antiforgery) =>
        {
            AntiforgeryTokenSet tokens = antiforgery.GetAndStoreTokens(context);
            return TypedResults.Ok(new AntiforgeryToken(tokens.HeaderName!, tokens.RequestToken!));
        }).RequireAuthorization(Permissions.OwnAccount);

        account.MapPost("/sign-out", async (HttpContext context, SignInManager<Officer> signIn) =>
        {
            await signIn.SignOutAsync();
            return TypedResults.LocalRedirect("/account/sign-in");
        }).RequireAuthorization(Permissions.OwnAccount);

        // For somebody who has an invitation, or an officer who adds a passkey.
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
                return Results.Problem("Name and user name are needed first.", statusCode: StatusCodes.Status400BadRequest);
            return Results.Content(await signIn.MakePasskeyCreationOptionsAsync(whose), "application/json");
        }).AllowAnonymous().RequireAntiforgery();

        // Whose passkeys there are is told to nobody who is not signed in: the browser offers what it has.
        account.MapPost("/passkey/request-options", async (HttpContext context, SignInManager<Officer> signIn, UserManager<Officer> officers) =>
            TypedResults.Content(await signIn.MakePasskeyRequestOptionsAsync((await officers.GetUserAsync(context.User))!), "application/json"))
            .AllowAnonymous().RequireAntiforgery();

        // The fresh proof before something is signed.
        account.MapPost("/passkey/proof", async (HttpContext context, SignInManager<Officer> signIn, StepUp stepUp) =>
        {
            IFormCollection form = await context.Request.ReadFormAsync(context.RequestAborted);
            PasskeyAssertionResult<Officer> answer = await signIn.PerformPasskeyAssertionAsync(form["credential"].ToString());
            if (!answer.Succeeded || answer.User.Disabled || answer.User.Id.ToString() != context.User.FindFirstValue(ClaimTypes.NameIdentifier))
                return Results.Problem("This passkey does not prove who is signed in.", statusCode: StatusCodes.Status403Forbidden);
            await signIn.UserManager.AddOrUpdatePasskeyAsync(answer.User, answer.Passkey);
            stepUp.ProvedByPasskey(answer.User.Id);
            return Results.NoContent();
        }).RequireAuthorization(Permissions.OwnAccount).RequireAntiforgery();
    }

    /// <summary>Refuses changes that another site might have had the browser send: of everybody who is signed in, and where an endpoint asks for it.</summary>
    /// <remarks>The circuit of an open page is reached over a connection that starts with the strict cookie, and carries no form.</remarks>
    public static void UseAntiforgeryEverywhere(this WebApplication app) => app.Use(async (context, next) =>
    {
        bool mayChange = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) && !HttpMethods.IsOptions(context.Request.Method);
        bool matters = context.User.Identity?.IsAuthenticated == true || context.GetEndpoint()?.Metadata.GetMetadata<NeedsAntiforgery>() is not null;
        if (mayChange && matters && !context.Request.Path.StartsWithSegments("/_blazor")
            && !await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context))
        {
            await Results.Problem("The form's token is missing or out of date. Load the page anew; programs get one from /account/antiforgery.", statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
            return;
        }
        await next(context);
    });

    private static RouteHandlerBuilder RequireAntiforgery(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new NeedsAntiforgery());

    private sealed class NeedsAntiforgery;

    private sealed record AntiforgeryToken(string Header, string Token);
}
