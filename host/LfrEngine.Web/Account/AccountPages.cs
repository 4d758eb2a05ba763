using LfrEngine.Web.Security;
using LfrEngine.Web.Texts;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Account;

/// <summary>What the pages of the account share.</summary>
internal static class AccountPages
{
    /// <summary>Where to go after signing in: an address of this console, never another site's.</summary>
    public static string Local(string? returnUrl) =>
        returnUrl is { Length: > 0 } && returnUrl[0] == '/' && !returnUrl.StartsWith("//", StringComparison.Ordinal) && !returnUrl.Contains('\\', StringComparison.Ordinal) ? returnUrl : "/";

    /// <summary>Why somebody was not let in.</summary>
    public static string Say(IStringLocalizer<AccountTexts> texts, SignInOutcome outcome) => outcome switch
    {
        SignInOutcome.LockedOut => texts["LockedOut"],
        SignInOutcome.NeedsPasskey => texts["NeedsPasskey"],
        _ => texts["Refused"],
    };
}
