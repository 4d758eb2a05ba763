using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace LfrEngine.Web.Security;

/// <summary>Rate limits: by address before sign-in, by officer afterwards.</summary>
internal static class RequestLimits
{
    /// <summary>Attempts a minute from one address to sign in or to use an invitation: enough for a van's crew at the start of a shift, too few to guess.</summary>
    public const int AttemptsPerMinute = 20;

    /// <summary>Requests a minute of one officer or program to the interfaces; a console with two hundred alerts a minute needs a tenth.</summary>
    private const int RequestsPerMinute = 6000;

    public static void AddRequestLimits(this IServiceCollection services) => services.AddRateLimiter(o =>
    {
        o.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        o.OnRejected = (context, stopping) =>
        {
            if (context.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait))
                context.HttpContext.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return new ValueTask(Results.Problem("Too many attempts. Try again in a minute.", statusCode: StatusCodes.Status429TooManyRequests).ExecuteAsync(context.HttpContext));
        };
        o.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(Partition);
    });

    private static RateLimitPartition<string> Partition(HttpContext context)
    {
        PathString path = context.Request.Path;
        string address = context.Connection.RemoteIpAddress?.ToString() ?? "";
        if (path.StartsWithSegments("/account") && HttpMethods.IsPost(context.Request.Method))
            return Window($"account {address}", AttemptsPerMinute);
        if (path.StartsWithSegments("/api") || path.StartsWithSegments("/pictures"))
            return Window($"api {context.User.FindFirstValue(ClaimTypes.NameIdentifier) ?? address}", RequestsPerMinute);
        return RateLimitPartition.GetNoLimiter("");
    }

    private static RateLimitPartition<string> Window(string key, int permits) =>
        RateLimitPartition.GetFixedWindowLimiter(key, _ => new FixedWindowRateLimiterOptions { PermitLimit = permits, Window = TimeSpan.FromMinutes(1) });
}
