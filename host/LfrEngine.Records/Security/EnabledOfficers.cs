using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Records.Security;

/// <summary>Lets only enabled officers sign in.</summary>
internal sealed class EnabledOfficers : IUserConfirmation<Officer>
{
    public Task<bool> IsConfirmedAsync(UserManager<Officer> manager, Officer user) => Task.FromResult(!user.Disabled);
}
