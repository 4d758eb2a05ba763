using System.Text.RegularExpressions;
using LfrEngine.Tests.Detection;
using Xunit;

namespace LfrEngine.Tests.Layers;

/// <summary>Every link of every Markdown file leads to a file, a folder or a heading that exists.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public void Links_InEveryMarkdownFile_LeadSomewhere()
    {
        string[] pages = Pages();
        Assert.Contains(pages, p => Path.GetFileName(p) == "README.md");
        var dead = new List<string>();
        int links = 0;
        foreach (string page in pages)
        {
            foreach (string link in Links(File.ReadAllText(page)))
            {
                links++;
                if (Fault(page, link) is { } fault)
                    dead.Add($"{Path.GetRelativePath(RepoRoot.Path, page)}: {link}: {fault}");
            }
        }
        Assert.True(links > 50, $"{links} links");
        Assert.True(dead.Count == 0, string.Join('\n', dead));
    }

    [Theory]
    [InlineData("[a](nowhere.md)", "no such file")]
    [InlineData("![a](docs/nowhere.png)", "no such file")]
    [InlineData("[a](#nowhere)", "no such heading")]
    [InlineData("[a](docs/json.md#nowhere)", "no such heading")]
    [InlineData("[a]: nowhere.md", "no such file")]
    [InlineData("[a](README.md \"title\") `[b](nowhere.md)`", null)]
    [InlineData("```\n[a](nowhere.md)\n```\n[a](https://example.org)", null)]
    [InlineData("# The 2nd `heading`, *twice*\n[a](#the-2nd-heading-twice)", null)]
    [InlineData("# A\n# A\n[a](#a-1)", null)]
    [InlineData("# A\n[a](#a-1)", "no such heading")]
    public void Links_OfAText_AreJudged(string text, string? fault)
    {
        string page = Path.Combine(RepoRoot.Path, "README.md");
        Assert.Equal(fault, Links(text).Select(l => Fault(page, l, text)).FirstOrDefault(f => f is not null));
    }

    [Fact]
    public void Readme_IsAFrontDoor() => Assert.InRange(File.ReadAllLines(Path.Combine(RepoRoot.Path, "README.md")).Length, 40, 150);

    private static string[] Pages() =>
        [.. Directory.EnumerateFiles(RepoRoot.Path, "*.md", SearchOption.AllDirectories).Where(p => !Path.GetRelativePath(RepoRoot.Path, p).Split('/', '\\').Any(part => part is "bin" or "obj" or "build" or ".cache" or ".git" or "node_modules" or "demo-output"))];

    private static IEnumerable<string> Links(string text)
    {
        string prose = InlineCode().Replace(Fences().Replace(text, ""), "");
        return InlineLink().Matches(prose).Concat(ReferenceLink().Matches(prose)).Concat(HtmlLink().Matches(prose)).Select(m => m.Groups[1].Value);
    }

    private static string? Fault(string page, string link, string? text = null)
    {
        if (Address().IsMatch(link))
            return null;
        string[] parts = link.Split('#', 2);
        string target = parts[0].Length == 0 ? page : Path.GetFullPath(Uri.UnescapeDataString(parts[0]), Path.GetDirectoryName(page)!);
        if (!File.Exists(target) && !Directory.Exists(target))
            return "no such file";
        if (parts.Length == 1)
            return null;
        string content = parts[0].Length == 0 && text is not null ? text : File.ReadAllText(target);
        return target.EndsWith(".md", StringComparison.Ordinal) && Anchors(content).Contains(parts[1]) ? null : "no such heading";
    }

    // As the usual forges make them of headings.
    private static HashSet<string> Anchors(string text)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (Match heading in Heading().Matches(Fences().Replace(text, "")))
        {
            string plain = LinkText().Replace(heading.Groups[1].Value.Trim(), "$1").ToLowerInvariant();
            string anchor = string.Concat(plain.Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');
            for (int i = 0; !anchors.Add(i == 0 ? anchor : $"{anchor}-{i}"); i++)
                continue;
        }
        return anchors;
    }

    [GeneratedRegex(@"^\s*(```|~~~).*?^\s*\1\s*$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex(@"(`+)[^`](?:.*?[^`])?\1(?!`)")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"\]\(\s*<?([^)\s>]+)>?(?:\s+""[^""]*"")?\s*\)")]
    private static partial Regex InlineLink();

    [GeneratedRegex(@"^\s{0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)", RegexOptions.Multiline)]
    private static partial Regex ReferenceLink();

    [GeneratedRegex(@"<(?:a|img)\b[^>]*?\b(?:href|src)=""([^""]+)""")]
    private static partial Regex HtmlLink();

    [GeneratedRegex(@"^[a-z][a-z0-9+.-]*:", RegexOptions.IgnoreCase)]
    private static partial Regex Address();

    [GeneratedRegex(@"^#{1,6}\s+(.*?)\s*#*\s*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex LinkText();
}
