using System.Text.Json;
using System.Text.RegularExpressions;
using LfrEngine.Files;

namespace LfrEngine.Web.Shell;

/// <summary>Answers requests that cannot be read: which value, and for JSON which line and column. Without it the answer is 400 and empty.</summary>
internal static partial class BadRequests
{
    /// <summary>Makes reading a request throw instead of answering with nothing.</summary>
    public static void AddBadRequests(this IServiceCollection services) => services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);

    /// <summary>Turns what is thrown into an answer.</summary>
    public static void UseBadRequests(this WebApplication app) => app.Use(async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await TypedResults.Problem(Words(e), statusCode: e.StatusCode).ExecuteAsync(context);
        }
    });

    /// <summary>What a status says that an endpoint gave without words; null where its title is enough.</summary>
    public static string? Words(int? status) => status switch
    {
        StatusCodes.Status401Unauthorized => "Sign in, or show a token that is valid.",
        StatusCodes.Status403Forbidden => "Your roles, or the permissions of the token, do not allow this. A locked session allows nothing.",
        StatusCodes.Status404NotFound => "There is nothing at this address.",
        StatusCodes.Status405MethodNotAllowed => "This address does not take this method.",
        StatusCodes.Status415UnsupportedMediaType => "This address does not take a body of this content type. JSON is application/json; /openapi/v1.json names the others.",
        _ => null,
    };

    private static string Words(BadHttpRequestException e) => e switch
    {
        { InnerException: JsonException inJson } => JsonTrouble.Words("The body", inJson),
        _ when Unreadable().Match(e.Message) is { Success: true } value => $"\"{value.Groups["name"].Value}\" cannot be read: {value.Groups["given"].Value} was given.",
        _ when NotGiven().Match(e.Message) is { Success: true } value => $"\"{value.Groups["name"].Value}\" is missing.",
        _ when e.Message.Contains("body", StringComparison.Ordinal) && e.StatusCode == StatusCodes.Status400BadRequest => "The body is missing, or cannot be read.",
        _ => e.Message,
    };

    [GeneratedRegex("""^Failed to bind parameter ".*?(?<name>\w+)" from (?<given>".*")\.$""")]
    private static partial Regex Unreadable();

    [GeneratedRegex("""^Required parameter ".*?(?<name>\w+)" was not provided""")]
    private static partial Regex NotGiven();
}
