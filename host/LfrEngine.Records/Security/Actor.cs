using System.Security.Claims;

namespace LfrEngine.Records.Security;

/// <summary>Who does something, for the audit.</summary>
/// <param name="Id">The officer's id; empty for the engine.</param>
/// <param name="Name">The officer's name.</param>
public sealed record Actor(string Id, string Name)
{
    /// <summary>The program itself.</summary>
    public static readonly Actor Engine = new("", "engine");

    /// <summary>Who holds the machine and gives a command there.</summary>
    public static Actor CommandLine => new("", $"command line ({Environment.UserName})");

    /// <summary>The officer who is signed in.</summary>
    /// <exception cref="InvalidOperationException">Nobody is.</exception>
    public static Actor Of(ClaimsPrincipal user) => new(
        user.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("Nobody is signed in."),
        user.FindFirstValue(DisplayNameClaim) ?? user.Identity!.Name!);

    /// <summary>The officer's id.</summary>
    /// <exception cref="InvalidOperationException">It is the engine.</exception>
    public Guid OfficerId => Guid.TryParse(Id, out Guid id) ? id : throw new InvalidOperationException("The engine is not an officer.");

    /// <summary>Claim that holds <see cref="Officer.DisplayName"/>.</summary>
    public const string DisplayNameClaim = "display-name";
}
