using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Authorization;

namespace LfrEngine.Web.Security;

/// <summary>Permissions as policies of the web framework.</summary>
internal static class PermissionPolicies
{
    /// <summary>Makes a policy of each permission. Endpoints without a permission require a signed-in officer.</summary>
    public static void Add(AuthorizationOptions options)
    {
        foreach ((string permission, string[] roles) in Permissions.ByRole)
            options.AddPolicy(permission, p => p.RequireAuthenticatedUser().RequireAssertion(c => c.User.HasClaim(TokenAuthentication.Permission, permission) || (c.User.HasClaim(OfficerClaims.TwoFactors, "true") && roles.Any(c.User.IsInRole))));
        options.AddPolicy(Permissions.OwnAccount, p => p.RequireAuthenticatedUser().RequireAssertion(c => IsSession(c) && !c.User.HasClaim(OfficerSessions.LockedClaim, "true")));
        options.AddPolicy(Permissions.OwnSession, p => p.RequireAuthenticatedUser().RequireAssertion(IsSession));
        options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireClaim(OfficerClaims.TwoFactors).Build();
    }
    private static bool IsSession(AuthorizationHandlerContext context) => context.User.Identity?.AuthenticationType != TokenAuthentication.SchemeName;
}
