using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Records.Security;

/// <summary>Registers officers: their storage and authentication.</summary>
internal static class OfficerSetup
{
    /// <summary>Rounds of PBKDF2-HMAC-SHA-512 recommended by OWASP.</summary>
    private const int PasswordRounds = 210_000;

    public static void AddOfficers(this IServiceCollection services, Installation installation)
    {
        services.AddDataProtection().SetApplicationName("lfr").PersistKeysToFileSystem(new DirectoryInfo(Path.GetDirectoryName(installation.DataPath("protection", "keys"))!));
        services.AddIdentityCore<Officer>(o =>
            {
                o.Password.RequiredLength = 12;
                o.Password.RequireNonAlphanumeric = o.Password.RequireDigit = o.Password.RequireLowercase = o.Password.RequireUppercase = false;
                // Nobody is locked out: SignInBrake slows guessing down.
                o.Lockout.MaxFailedAccessAttempts = int.MaxValue;
                o.Lockout.AllowedForNewUsers = false;
                o.SignIn.RequireConfirmedAccount = true;
                StoreSetup.UsePasskeys(o);
            })
            .AddRoles<IdentityRole<Guid>>()
            .AddEntityFrameworkStores<LfrStore>()
            .AddUserStore<OfficerStore>()
            .AddTokenProvider<OneTimeAuthenticator>(TokenOptions.DefaultAuthenticatorProvider);
        services.AddScoped<IUserConfirmation<Officer>, EnabledOfficers>();
        services.Configure<PasswordHasherOptions>(o => o.IterationCount = PasswordRounds);
        services.AddSingleton<UsedCodes>().AddSingleton<StepUp>().AddSingleton<OfficerSigning>().AddSingleton<OfficerRegister>().AddSingleton<SessionRegister>().AddSingleton<TokenRegister>().AddSingleton<SignInBrake>();
    }
}
