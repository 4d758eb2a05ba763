using System.Text.RegularExpressions;
using System.Xml.Linq;
using LfrEngine.Web.Texts;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Tests.Texts;

/// <summary>Texts of the console lie in resources, and none is missing: a missing one would show its key.</summary>
public sealed partial class TextsTests
{
    private static readonly string Host = Path.Combine(RepoRoot.Folder, "host");

    [Fact]
    public void Texts_EveryKeyOfAPage_HasAText()
    {
        var missing = new List<string>();
        int asked = 0;
        foreach (string page in Directory.EnumerateFiles(Path.Combine(Host, "LfrEngine.Web"), "*.razor", SearchOption.AllDirectories))
        {
            string source = File.ReadAllText(page);
            foreach (Match injected in Injection().Matches(source))
            {
                HashSet<string> known = KeysOf(injected.Groups[1].Value);
                foreach (Match use in Regex.Matches(source, $@"\b{injected.Groups[2].Value}\[""(\w+)"""))
                {
                    asked++;
                    if (!known.Contains(use.Groups[1].Value))
                        missing.Add($"{Path.GetFileName(page)}: {injected.Groups[1].Value} has no \"{use.Groups[1].Value}\"");
                }
            }
        }

        Assert.True(asked > 0);
        Assert.Empty(missing);
    }

    [Fact]
    public void Texts_Shell_IsFoundAtRunTime()
    {
        var texts = new System.Resources.ResourceManager(typeof(ShellTexts));

        Assert.Equal("Sign out", texts.GetString("SignOut", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Translations_EveryLanguage_HaveTheKeysAndPlacesOfEnglish()
    {
        var faults = new List<string>();
        foreach (string english in Directory.EnumerateFiles(Host, "*Texts.resx", SearchOption.AllDirectories))
        {
            Dictionary<string, string> texts = TextsOf(english);
            foreach (string language in Languages.All.Except([Languages.English]).Select(l => l.Name))
            {
                string translated = Path.ChangeExtension(english, $".{language}.resx");
                // What is signed has one wording.
                if (Path.GetFileName(english) == $"{nameof(AuthorityTexts)}.resx")
                {
                    Assert.False(File.Exists(translated));
                    continue;
                }
                Dictionary<string, string> there = TextsOf(translated);
                faults.AddRange(texts.Keys.Except(there.Keys).Select(k => $"{Path.GetFileName(translated)}: {k} is missing"));
                faults.AddRange(there.Keys.Except(texts.Keys).Select(k => $"{Path.GetFileName(translated)}: {k} is not in English"));
                faults.AddRange(there.Where(t => texts.TryGetValue(t.Key, out string? text) && (t.Value.Length == 0 || !PlacesOf(text).SequenceEqual(PlacesOf(t.Value)))).Select(t => $"{Path.GetFileName(translated)}: {t.Key} has other places: {t.Value}"));
            }
        }
        Assert.Empty(faults);
    }

    [Fact]
    public void Texts_Services_HaveNone()
    {
        // What a service stores, signs or sends would be in the language of whoever happened to ask. Pages and the words made for them are exempt.
        string[] taking = [.. typeof(ShellTexts).Assembly.GetTypes().Where(t => t.GetConstructors().SelectMany(c => c.GetParameters()).Any(p => typeof(IStringLocalizer).IsAssignableFrom(p.ParameterType))).Select(t => t.Name).Order(StringComparer.Ordinal)];

        Assert.Equal(["AlertNames", "RefusalWords"], taking);
    }

    [Fact]
    public async Task Page_BrowserOrOfficerWantsWelsh_IsInWelsh()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient client = host.Client();

        foreach ((string wanted, string? chosen, string language, string heading) in new[]
        {
            ("cy-GB, en;q=0.5", null, "cy", "Mewngofnodi"), ("de, en-GB;q=0.5, cy;q=0.1", null, "en", "Sign in"), ("*", null, "en", "Sign in"), ("cy", "en", "en", "Sign in"), ("en", "cy", "cy", "Mewngofnodi"),
        })
        {
            using HttpResponseMessage answer = await AskAsync("/account/sign-in", wanted, chosen);
            string page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains($"<html lang=\"{language}\"", page, StringComparison.Ordinal);
            Assert.Contains($"<h1>{heading}</h1>", page, StringComparison.Ordinal);
            Assert.Equal([language], answer.Content.Headers.ContentLanguage);
            Assert.Equal(language == "cy", page.Contains("adolygu. <span lang=\"en\">Draft translation for review.</span>", StringComparison.Ordinal));
        }

        Task<HttpResponseMessage> AskAsync(string path, string wanted, string? chosen)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative)) { Headers = { { "Accept-Language", wanted } } };
            if (chosen is not null)
                request.Headers.Add("Cookie", $"__Host-lfr-language={Uri.EscapeDataString($"c=|uic={chosen}")}");
            return client.SendAsync(request, TestContext.Current.CancellationToken);
        }
    }

    private static Dictionary<string, string> TextsOf(string file) => XDocument.Load(file).Root!.Elements("data").ToDictionary(d => d.Attribute("name")!.Value, d => d.Element("value")!.Value);

    // The words within a place are the language's; that there are two of them, and whether digits are grouped, are not.
    private static IEnumerable<string> PlacesOf(string text) =>
        Places().Matches(text).Select(p => p.Value.Split('|') is { Length: > 1 } forms ? $"{p.Value.Split(':')[0]}, {forms.Length} forms{(p.Value.Contains(":#,0 ", StringComparison.Ordinal) ? ", grouped" : "")}" : p.Value).Order(StringComparer.Ordinal);

    private static HashSet<string> KeysOf(string texts) =>
        [.. XDocument.Load(Directory.EnumerateFiles(Host, texts + ".resx", SearchOption.AllDirectories).Single()).Root!.Elements("data").Select(d => d.Attribute("name")!.Value)];

    [GeneratedRegex(@"\{\w+(:[^}]*)?\}|\[|\]")]
    private static partial Regex Places();

    [GeneratedRegex(@"@inject IStringLocalizer<(\w+)> (\w+)")]
    private static partial Regex Injection();
}
