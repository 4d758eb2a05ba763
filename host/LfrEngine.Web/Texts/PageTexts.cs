using System.Globalization;
using System.Resources;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Texts;

/// <summary>The language of a page: that of the request, or of the one that opened the circuit.</summary>
internal sealed class PageLanguage
{
    public CultureInfo Culture { get; } = CultureInfo.CurrentUICulture;

    /// <summary>For the attribute <c>lang</c>.</summary>
    public string Tag => Culture.Name;
}

/// <summary>Texts in the language of the page.</summary>
/// <remarks>ASP.NET's localizer takes the current culture. A circuit that shows news has the culture of whoever caused them: another officer's, or the engine's.</remarks>
internal sealed class PageTexts<T>(PageLanguage language) : IStringLocalizer<T>
{
    private static readonly ResourceManager Texts = new(typeof(T));

    public LocalizedString this[string name] => Texts.GetString(name, language.Culture) is { } text ? new(name, text) : new(name, name, resourceNotFound: true);

    public LocalizedString this[string name, params object[] arguments]
    {
        get
        {
            LocalizedString text = this[name];
            return new(name, string.Format(CultureInfo.InvariantCulture, text.Value, arguments), text.ResourceNotFound);
        }
    }

    public IEnumerable<LocalizedString> GetAllStrings(bool includeParentCultures) =>
        from System.Collections.DictionaryEntry entry in Texts.GetResourceSet(language.Culture, createIfNotExists: true, includeParentCultures)!
        select new LocalizedString((string)entry.Key, (string)entry.Value!);
}
