using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using Microsoft.AspNetCore.Components;

namespace LfrEngine.Web.Help;

/// <summary>One part of a guide, below a heading of the second level; the part before the first one has no name.</summary>
/// <param name="Name">In addresses, for example "health-check".</param>
internal sealed record GuideSection(string Name, string Title, MarkupString Text);

/// <summary>A page of <c>docs/guide</c>, built into the program: the repository and the console show the same text.</summary>
/// <param name="Name">Of the file, and in addresses, for example "engagement-officer".</param>
internal sealed partial record Guide(string Name, string Title, IReadOnlyList<GuideSection> Sections)
{
    /// <summary>All guides, that for everybody first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["everybody", "operator", "engagement-officer", "authorising-officer", "watchlist-manager", "auditor", "administrator", "inspector"];

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().UsePipeTables().Build();

    private static readonly Lazy<FrozenDictionary<string, Guide>> Read = new(() => Names.Select(Load).ToFrozenDictionary(g => g.Name));

    /// <summary>The guide with this name, or null.</summary>
    public static Guide? Find(string? name) => name is null ? null : Read.Value.GetValueOrDefault(name);

    /// <summary>The address of the section about a page of the console, without a leading slash; that for everybody where a page has none.</summary>
    /// <param name="page">The page's path, without a leading slash.</param>
    public static string For(string page) => "help/" + (page.Split('/', '?', '#') switch
    {
        ["duty", ..] => "operator/duty",
        ["operations", ..] => "operator/operations",
        ["alerts", "street", ..] => "engagement-officer/street",
        ["alerts", ..] => "operator/alerts",
        ["cameras", ..] => "operator/cameras",
        ["field-check", ..] => "operator/health-check",
        ["evidence", ..] => "authorising-officer/evidence",
        ["zones", ..] => "authorising-officer/zone-planner",
        ["deployments", "new", ..] => "authorising-officer/drafting-an-authority",
        ["deployments", _, "result", ..] => "authorising-officer/result",
        ["deployments", ..] => "authorising-officer/deployments",
        ["watchlists", ..] => "watchlist-manager/composing-a-watchlist",
        ["audit", ..] => "auditor/audit",
        ["receipts", ..] => "auditor/receipts",
        ["transparency", ..] => "auditor/figures-to-publish",
        ["retention", ..] => "auditor/retention",
        ["inspection", ..] => "inspector/export",
        ["officers", ..] => "administrator/officers",
        ["account", ..] => "everybody/your-account",
        [""] => "everybody/overview",
        _ => "everybody",
    });

    private static Guide Load(string name)
    {
        using Stream file = typeof(Guide).Assembly.GetManifestResourceStream($"guide/{name}.md") ?? throw new InvalidOperationException($"The program was built without docs/guide/{name}.md.");
        using var reader = new StreamReader(file);
        string[] parts = Heading().Split(reader.ReadToEnd().ReplaceLineEndings("\n"));
        string title = parts[0].Split('\n')[0].TrimStart('#', ' ');
        var sections = new List<GuideSection> { new("", title, Render(parts[0][parts[0].IndexOf('\n', StringComparison.Ordinal)..])) };
        foreach (string part in parts[1..])
        {
            string heading = part.Split('\n')[0].Trim();
            sections.Add(new GuideSection(NotInNames().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-'), heading, Render(part[heading.Length..])));
        }
        return new Guide(name, title, sections);
    }

    // Pictures of the console are left out in the console. Links lead to other guides; other documents are not here.
    private static MarkupString Render(string text)
    {
        MarkdownDocument document = Markdown.Parse(text, Pipeline);
        foreach (LinkInline link in document.Descendants<LinkInline>().ToArray())
        {
            if (link.IsImage)
            {
                link.Remove();
            }
            else if (link.Url is { } url && Find(url) is { } guide)
            {
                link.Url = "help/" + guide;
            }
            else
            {
                foreach (Inline word in link.ToArray())
                {
                    word.Remove();
                    link.InsertBefore(word);
                }
                link.Remove();
            }
        }
        foreach (ParagraphBlock empty in document.Descendants<ParagraphBlock>().Where(p => p.Inline?.FirstChild is null).ToArray())
            empty.Parent!.Remove(empty);
        return new MarkupString(document.ToHtml(Pipeline));

        static string? Find(string url) => Names.FirstOrDefault(n => url == n + ".md");
    }

    [GeneratedRegex(@"^## ", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("[^a-z0-9 -]")]
    private static partial Regex NotInNames();
}
