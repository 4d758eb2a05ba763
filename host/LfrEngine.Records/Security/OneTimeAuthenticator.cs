using System.Collections.Concurrent;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Records.Security;

/// <summary>Codes of an authenticator app (RFC 6238). Each works once, so that somebody who sees it cannot reuse it.</summary>
internal sealed class OneTimeAuthenticator(UsedCodes used) : AuthenticatorTokenProvider<Officer>
{
    /// <summary>A code as typed, without the blanks and hyphens that apps show.</summary>
    public static string Plain(string code) => code.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);

    public override async Task<bool> ValidateAsync(string purpose, string token, UserManager<Officer> manager, Officer user) =>
        await base.ValidateAsync(purpose, token, manager, user) && used.TryUse(user.Id, token);
}

/// <summary>Codes that have been used.</summary>
internal sealed class UsedCodes(TimeProvider time)
{
    // A code is valid for its thirty seconds and two steps before and after.
    private static readonly TimeSpan Valid = TimeSpan.FromMinutes(3);

    private readonly ConcurrentDictionary<(Guid Officer, string Code), DateTimeOffset> codes = new();

    /// <summary>Marks a code as used; false if it was used before.</summary>
    public bool TryUse(Guid officer, string code)
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (((Guid, string) old, DateTimeOffset at) in codes)
        {
            if (now - at > Valid)
                codes.TryRemove(old, out _);
        }
        return codes.TryAdd((officer, code), now);
    }
}
