using System.Text.RegularExpressions;
using System.Xml.Linq;
using LfrEngine.Web.Texts;

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

    private static HashSet<string> KeysOf(string texts) =>
        [.. XDocument.Load(Directory.EnumerateFiles(Host, texts + ".resx", SearchOption.AllDirectories).Single()).Root!.Elements("data").Select(d => d.Attribute("name")!.Value)];

    [GeneratedRegex(@"@inject IStringLocalizer<(\w+)> (\w+)")]
    private static partial Regex Injection();
}
