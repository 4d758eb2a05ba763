using System.Globalization;
using System.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Localization;
using Microsoft.Extensions.Primitives;

namespace LfrEngine.Web.Texts;

/// <summary>The languages of the console: an officer's choice, otherwise the browser's.</summary>
/// <remarks>
/// Only pages have languages. What is signed, recorded, exported or answered to programs has one wording, in English; numbers and times look the same everywhere,
/// as the culture stays the invariant one.
/// </remarks>
internal static class Languages
{
    private const string Cookie = "__Host-lfr-language";

    private static readonly ResourceManager Shell = new(typeof(ShellTexts));

    /// <summary>The language in which everything has a text.</summary>
    public static readonly CultureInfo English = CultureInfo.GetCultureInfo("en");

    /// <summary>Each has its texts in <c>*.TAG.resx</c>.</summary>
    public static readonly IReadOnlyList<CultureInfo> All = [English, CultureInfo.GetCultureInfo("cy")];

    /// <summary>A language's name for itself.</summary>
    public static string NameOf(CultureInfo language) => Say("Language", language);

    /// <summary>A text of the frame, in a given language.</summary>
    public static string Say(string key, CultureInfo language) => Shell.GetString(key, language)!;

    public static void UseLanguages(this WebApplication app)
    {
        var options = new RequestLocalizationOptions
        {
            DefaultRequestCulture = new RequestCulture(CultureInfo.InvariantCulture, English),
            SupportedCultures = [CultureInfo.InvariantCulture],
            SupportedUICultures = [.. All],
            ApplyCurrentCultureToResponseHeaders = true,
            // The cookie before the browser's wish.
            RequestCultureProviders = [new CookieRequestCultureProvider { CookieName = Cookie }, new CustomRequestCultureProvider(WishAsync)],
        };
        app.UseWhen(c => !c.Request.Path.StartsWithSegments("/api"), pages => pages.UseRequestLocalization(options));
    }

    public static void MapLanguages(this WebApplication app) => app.MapPost("/account/language", async (HttpContext context) =>
    {
        IFormCollection form = await context.Request.ReadFormAsync();
        if (All.FirstOrDefault(l => l.Name == form["to"]) is { } chosen)
            context.Response.Cookies.Append(Cookie, CookieRequestCultureProvider.MakeCookieValue(new RequestCulture(CultureInfo.InvariantCulture, chosen)), Kept);
        // Back to the page on which it was chosen.
        string from = Uri.TryCreate(context.Request.Headers.Referer, UriKind.Absolute, out Uri? page) ? page.PathAndQuery : "/";
        return TypedResults.LocalRedirect(Account.AccountPages.Local(from));
    }).AllowAnonymous().ExcludeFromDescription();

    // Without ICU a culture has no parent, so that "cy-GB" would not find "cy".
    private static async Task<ProviderCultureResult?> WishAsync(HttpContext context) =>
        await new AcceptLanguageHeaderRequestCultureProvider().DetermineProviderCultureResult(context) is { } wish
            ? new ProviderCultureResult([.. wish.UICultures.Select(c => new StringSegment(c.Value!.Split('-')[0]))]) : null;

    // Lax, because a link from another site must lead to a page in the language that its circuit will have.
    private static CookieOptions Kept => new() { Secure = true, HttpOnly = true, IsEssential = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = TimeSpan.FromDays(365) };
}
