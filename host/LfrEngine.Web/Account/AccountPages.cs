using LfrEngine.Web.Security;
using LfrEngine.Web.Texts;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Account;

/// <summary>Helpers of the account pages.</summary>
internal static class AccountPages
{
    /// <summary>Where to go after signing in: always an address of this console.</summary>
    public static string Local(string? returnUrl) =>
        returnUrl is { Length: > 0 } && returnUrl[0] == '/' && !returnUrl.StartsWith("//", StringComparison.Ordinal) && !returnUrl.Contains('\\', StringComparison.Ordinal) ? returnUrl : "/";

    /// <summary>Why a sign-in was refused.</summary>
    public static string Say(IStringLocalizer<AccountTexts> texts, SignInOutcome outcome) => outcome switch
    {
        SignInOutcome.TooMany => texts["TooMany"],
        SignInOutcome.NeedsPasskey => texts["NeedsPasskey"],
        _ => texts["Refused"],
    };
}
