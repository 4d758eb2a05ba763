using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Web.Security;

/// <summary>Result of an attempt to sign in.</summary>
internal enum SignInOutcome
{
    /// <summary>Signed in.</summary>
    Done,

    /// <summary>The password is right; the code is asked for next.</summary>
    NeedsCode,

    /// <summary>Signed in, but only to set up a second factor.</summary>
    NeedsSecondFactor,

    /// <summary>The password is right, but this officer's second factor is a passkey.</summary>
    NeedsPasskey,

    /// <summary>Too many attempts are waiting; nothing was checked. It says nothing about the name.</summary>
    TooMany,

    /// <summary>Refused. The reason is not disclosed.</summary>
    Refused,
}

/// <summary>Ways to sign in: password and code, password and recovery code, passkey. Each attempt of a known officer is in the audit trail.</summary>
internal sealed class OfficerSignIn(SignInManager<Officer> signIn, IPasswordHasher<Officer> hasher, SignInBrake brake, Journal journal, Installation installation)
{
    private UserManager<Officer> Officers => signIn.UserManager;

    /// <summary>The first step with a password.</summary>
    public async Task<SignInOutcome> ByPasswordAsync(string userName, string password)
    {
        if (!await brake.WaitAsync(userName))
            return SignInOutcome.TooMany;
        if (await Officers.FindByNameAsync(userName) is not { } officer)
        {
            // Takes as long as for a name that exists.
            hasher.HashPassword(null!, password);
            brake.Failed(userName);
            return SignInOutcome.Refused;
        }
        if (!officer.TwoFactorEnabled && await HasStrongWayAsync(Officers, officer))
        {
            SignInResult alone = await signIn.CheckPasswordSignInAsync(officer, password, lockoutOnFailure: false);
            return alone.Succeeded ? SignInOutcome.NeedsPasskey : await RefusedAsync(officer, alone, "password");
        }
        SignInResult result = await signIn.PasswordSignInAsync(officer, password, isPersistent: false, lockoutOnFailure: false);
        if (result.RequiresTwoFactor)
            return SignInOutcome.NeedsCode;
        return result.Succeeded ? SignInOutcome.NeedsSecondFactor : await RefusedAsync(officer, result, "password");
    }

    /// <summary>The second step, with a code of the authenticator app or one of the recovery codes.</summary>
    public async Task<SignInOutcome> ByCodeAsync(string code)
    {
        if (await signIn.GetTwoFactorAuthenticationUserAsync() is not { } officer)
            return SignInOutcome.Refused;
        if (!await brake.WaitAsync(officer.UserName!))
            return SignInOutcome.TooMany;
        string plain = OneTimeAuthenticator.Plain(code);
        bool fromApp = plain.Length == 6 && plain.All(char.IsAsciiDigit);
        SignInResult result = fromApp
            ? await signIn.TwoFactorAuthenticatorSignInAsync(plain, isPersistent: false, rememberClient: false)
            : await signIn.TwoFactorRecoveryCodeSignInAsync(code.Trim());
        if (!result.Succeeded)
            return await RefusedAsync(officer, result, fromApp ? "code" : "recovery-code");
        return await DoneAsync(officer, fromApp ? "password-and-code" : "password-and-recovery-code");
    }

    /// <summary>Signs in with a passkey's answer.</summary>
    public async Task<SignInOutcome> ByPasskeyAsync(string credential)
    {
        PasskeyAssertionResult<Officer> answer = await signIn.PerformPasskeyAssertionAsync(credential);
        if (!answer.Succeeded)
            return SignInOutcome.Refused;
        // Not PasskeySignInAsync: it would accept officers who are disabled.
        if (!await signIn.CanSignInAsync(answer.User))
            return await RefusedAsync(answer.User, SignInResult.NotAllowed, "passkey");
        await Officers.AddOrUpdatePasskeyAsync(answer.User, answer.Passkey);
        await signIn.SignInAsync(answer.User, isPersistent: false);
        return await DoneAsync(answer.User, "passkey");
    }

    /// <summary>Signs in whom the identity provider has just named.</summary>
    public async Task<SignInOutcome> ByProviderAsync(Officer officer)
    {
        if (!await signIn.CanSignInAsync(officer))
            return await RefusedAsync(officer, SignInResult.NotAllowed, "single-sign-on");
        await signIn.SignInAsync(officer, isPersistent: false);
        return await DoneAsync(officer, "single-sign-on");
    }

    /// <summary>Signs in a sample officer of a demonstration, as whom anybody may sign in.</summary>
    public async Task<SignInOutcome> BySampleAsync(string userName)
    {
        if (!installation.SampleOfficers.Any(o => o.UserName == userName) || await Officers.FindByNameAsync(userName) is not { } officer || !await signIn.CanSignInAsync(officer))
            return SignInOutcome.Refused;
        await signIn.SignInAsync(officer, isPersistent: false);
        return await DoneAsync(officer, "demonstration");
    }

    /// <summary>Unlocks the session of an officer by password. The second factor was proved when the session began.</summary>
    public async Task<SignInOutcome> UnlockByPasswordAsync(Officer officer, Guid session, string password, SessionRegister sessions)
    {
        if (!await brake.WaitAsync(officer.UserName!))
            return SignInOutcome.TooMany;
        SignInResult result = await signIn.CheckPasswordSignInAsync(officer, password, lockoutOnFailure: false);
        if (!result.Succeeded)
            return await RefusedAsync(officer, result, "password");
        brake.Passed(officer.UserName!);
        await sessions.UnlockAsync(ActorOf(officer), session, "password");
        return SignInOutcome.Done;
    }

    /// <summary>Unlocks the session of an officer by passkey.</summary>
    public async Task<SignInOutcome> UnlockByPasskeyAsync(Officer officer, Guid session, string credential, SessionRegister sessions)
    {
        PasskeyAssertionResult<Officer> answer = await signIn.PerformPasskeyAssertionAsync(credential);
        if (!answer.Succeeded || answer.User.Id != officer.Id || !await signIn.CanSignInAsync(answer.User))
            return await RefusedAsync(officer, SignInResult.Failed, "passkey");
        await Officers.AddOrUpdatePasskeyAsync(answer.User, answer.Passkey);
        await sessions.UnlockAsync(ActorOf(officer), session, "passkey");
        return SignInOutcome.Done;
    }

    private async Task<SignInOutcome> DoneAsync(Officer officer, string by)
    {
        brake.Passed(officer.UserName!);
        await journal.NoteAsync(ActorOf(officer), "officer.signed-in", $"officer/{officer.Id}", new { By = by });
        return SignInOutcome.Done;
    }

    private async Task<SignInOutcome> RefusedAsync(Officer officer, SignInResult result, string by)
    {
        string why = result.IsNotAllowed ? "disabled" : "wrong";
        if (by is not ("passkey" or "single-sign-on"))
            brake.Failed(officer.UserName!);
        await journal.NoteAsync(ActorOf(officer), "officer.sign-in-refused", $"officer/{officer.Id}", new { By = by, Why = why });
        return SignInOutcome.Refused;
    }

    /// <summary>Whether the officer has a way in that is two factors by itself: then a password alone signs nobody in.</summary>
    public static async Task<bool> HasStrongWayAsync(UserManager<Officer> officers, Officer officer) =>
        (await officers.GetPasskeysAsync(officer)).Count > 0 || (await officers.GetLoginsAsync(officer)).Count > 0;

    private static Actor ActorOf(Officer officer) => new(officer.Id.ToString(), officer.DisplayName);
}
