using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Records.Security;

/// <summary>Who may sign in at all.</summary>
internal sealed class EnabledOfficers : IUserConfirmation<Officer>
{
    public Task<bool> IsConfirmedAsync(UserManager<Officer> manager, Officer user) => Task.FromResult(!user.Disabled);
}
