using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Http.HttpResults;

namespace LfrEngine.Web.Security;

/// <summary>Tokens of programs, for programs with an officer's session: a token makes no token.</summary>
internal static class TokenEndpoints
{
    public static void MapTokens(this WebApplication app)
    {
        RouteGroupBuilder tokens = app.MapGroup("/api/v1/tokens").RequireAuthorization(Permissions.OwnAccount).WithTags("Tokens");
        tokens.MapGet("/", async (HttpContext context, TokenRegister register) =>
            TypedResults.Ok((await register.ListAsync(Actor.Of(context.User).OfficerId)).Select(t => TokenLine.Of(t.Token)).ToArray())).WithName("listTokens").WithSummary("Your tokens, without their secrets.");
        tokens.MapPost("/", async Task<Results<Ok<MadeToken>, ProblemHttpResult>> (NewToken wanted, HttpContext context, TokenRegister register) =>
        {
            try
            {
                (ApiToken made, string secret) = await register.MakeAsync(context.User, wanted.Name ?? "", wanted.Permissions ?? [], wanted.Days);
                return TypedResults.Ok(new MadeToken(secret, TokenLine.Of(made)));
            }
            catch (OfficerRefusedException e)
            {
                return TypedResults.Problem(e.Message, statusCode: StatusCodes.Status400BadRequest);
            }
        }).WithName("makeToken").WithSummary("Makes a token. It is in the answer and nowhere else.");
        tokens.MapDelete("/{id:guid}", async Task<Results<NoContent, NotFound>> (Guid id, HttpContext context, TokenRegister register) =>
            await register.RevokeAsync(Actor.Of(context.User), id, Actor.Of(context.User).OfficerId) ? TypedResults.NoContent() : TypedResults.NotFound()).WithName("revokeToken").WithSummary("Revokes a token at once.");
    }
}

/// <summary>A token wanted.</summary>
/// <param name="Name">For people.</param>
/// <param name="Permissions">Names of permissions, for example see-alerts.</param>
/// <param name="Days">Its life.</param>
internal sealed record NewToken(string? Name, string[]? Permissions, int Days);

/// <summary>A token, once.</summary>
/// <param name="Secret">For the header Authorization: Bearer.</param>
/// <param name="Token">What is known about it afterwards.</param>
internal sealed record MadeToken(string Secret, TokenLine Token);

/// <summary>A token without its secret.</summary>
internal sealed record TokenLine(Guid Id, string Name, string[] Permissions, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? LastUsedAt)
{
    public static TokenLine Of(ApiToken t) => new(t.Id, t.Name, t.Permissions.Split(','), t.CreatedAt, t.ExpiresAt, t.LastUsedAt);
}
