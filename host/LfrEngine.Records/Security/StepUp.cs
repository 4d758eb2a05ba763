using System.Collections.Concurrent;
using LfrEngine.Records.Audit;
using Microsoft.AspNetCore.Identity;

namespace LfrEngine.Records.Security;

/// <summary>Fresh proof of an officer's presence before a signature, because a session may be an unattended laptop.</summary>
/// <remarks>A proof works once. Failures slow down as those of sign-in do.</remarks>
public sealed class StepUp(IServiceScopeFactory scopes, Journal journal, SignInBrake brake, TimeProvider time)
{
    /// <summary>Validity of a proof by passkey.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<Guid, DateTimeOffset> byPasskey = new();

    /// <summary>Checks password and one-time code.</summary>
    /// <param name="officer">The officer's id.</param>
    /// <param name="password">As typed.</param>
    /// <param name="code">Six digits of the authenticator app; blanks are ignored. Each works once.</param>
    /// <exception cref="ProofRefusedException">The proof is wrong; the message is for the officer.</exception>
    public async Task ProveAsync(Guid officer, string password, string code)
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        UserManager<Officer> officers = scope.ServiceProvider.GetRequiredService<UserManager<Officer>>();
        Officer? known = await officers.FindByIdAsync(officer.ToString());
        if (known is null || known.Disabled)
            throw new ProofRefusedException("This officer can no longer sign in.");
        if (!await brake.WaitAsync(known.UserName!))
            throw new ProofRefusedException("Too many attempts. Try again in a minute, or use a passkey.");
        if (!known.TwoFactorEnabled)
            throw new ProofRefusedException("No authenticator app is set up. Use a passkey, or set one up under \"Your account\".");
        if (await officers.CheckPasswordAsync(known, password)
            && await officers.VerifyTwoFactorTokenAsync(known, officers.Options.Tokens.AuthenticatorTokenProvider, OneTimeAuthenticator.Plain(code)))
        {
            brake.Passed(known.UserName!);
            return;
        }
        brake.Failed(known.UserName!);
        await journal.NoteAsync(new Actor(known.Id.ToString(), known.DisplayName), "officer.proof-refused", $"officer/{known.Id}", new { By = "password" });
        throw new ProofRefusedException("The password or the code is wrong. Each code works once: if you have just used it, wait for the next one.");
    }

    /// <summary>Records that the officer's passkey has just answered; the next <see cref="Take"/> uses it up.</summary>
    public void ProvedByPasskey(Guid officer) => byPasskey[officer] = time.GetUtcNow();

    /// <summary>Uses up a proof by passkey.</summary>
    /// <exception cref="ProofRefusedException">There is no proof, or it has expired.</exception>
    public void Take(Guid officer)
    {
        if (!byPasskey.TryRemove(officer, out DateTimeOffset at) || time.GetUtcNow() - at > Fresh)
            throw new ProofRefusedException("Your passkey was used more than two minutes ago. Use it again.");
    }
}

/// <summary>The proof of presence failed. The message is for the officer.</summary>
public sealed class ProofRefusedException(string message) : Exception(message);
