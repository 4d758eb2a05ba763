using System.Security.Claims;

namespace LfrEngine.Records.Security;

/// <summary>The actor of an audit entry.</summary>
/// <param name="Id">The officer's id; empty for the engine.</param>
/// <param name="Name">The officer's name.</param>
public sealed record Actor(string Id, string Name)
{
    /// <summary>The program itself.</summary>
    public static readonly Actor Engine = new("", "engine");

    /// <summary>The user of the command line on this machine.</summary>
    public static Actor CommandLine => new("", $"command line ({Environment.UserName})");

    /// <summary>The officer who is signed in.</summary>
    /// <exception cref="InvalidOperationException">Nobody is signed in.</exception>
    public static Actor Of(ClaimsPrincipal user) => new(
        user.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("Nobody is signed in."),
        user.FindFirstValue(DisplayNameClaim) ?? user.Identity!.Name!);

    /// <summary>The officer's id.</summary>
    /// <exception cref="InvalidOperationException">The actor is the engine.</exception>
    public Guid OfficerId => Guid.TryParse(Id, out Guid id) ? id : throw new InvalidOperationException("The engine is not an officer.");

    /// <summary>Claim with <see cref="Officer.DisplayName"/>.</summary>
    public const string DisplayNameClaim = "display-name";
}
