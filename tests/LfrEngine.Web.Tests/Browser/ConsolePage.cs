using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace LfrEngine.Web.Tests.Browser;

/// <summary>A page of the console in a real browser, watched.</summary>
internal sealed class ConsolePage
{
    private static readonly string[] Wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

    private readonly List<string> faults = [];
    private readonly string origin;

    public ConsolePage(string origin, IBrowserContext context, IPage page)
    {
        this.origin = origin;
        Context = context;
        Page = page;
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(origin, StringComparison.Ordinal) && (AlsoAllowed is null || !request.Url.StartsWith(AlsoAllowed, StringComparison.Ordinal)) && !request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal))
                Add($"request to another site: {request.Url}");
        };
        page.PageError += (_, error) => Add($"script failed: {error}");
        page.Console += (_, said) =>
        {
            if (said.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase))
                Add($"{said.Text} ({said.Location})");
        };
    }

    public IBrowserContext Context { get; }

    /// <summary>Another site to which the console leads.</summary>
    public string? AlsoAllowed { get; set; }

    public IPage Page { get; }

    /// <summary>By name, as passkeys belong to a name and not to an address.</summary>
    public static string OriginOf(RunningHost host) => $"https://localhost:{host.Address.Port}";

    /// <summary>Goes to a page and waits for its heading.</summary>
    public async Task GoAsync(string path)
    {
        await Page.GotoAsync(origin + path);
        await Page.Locator("h1").First.WaitForAsync();
    }

    /// <summary>A security key of software, as browsers offer it to tests: it keeps passkeys and says that its owner was there.</summary>
    public async Task AddAuthenticatorAsync()
    {
        ICDPSession devtools = await Context.NewCDPSessionAsync(Page);
        await devtools.SendAsync("WebAuthn.enable");
        await devtools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object> { ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true },
        });
    }

    /// <summary>Asserts WCAG 2.2 AA as far as axe can tell, once colours have stopped changing.</summary>
    public async Task AssertAccessibleAsync()
    {
        await Page.WaitForFunctionAsync("() => document.getAnimations().every(a => !(a instanceof CSSTransition) || a.playState === 'finished')");
        AxeResult result = await Page.RunAxe(new AxeRunOptions { RunOnly = new RunOnlyOptions { Type = "tag", Values = [.. Wcag] } });
        Assert.True(result.Passes.Length > 5, "axe found hardly anything to check");
        Assert.True(result.Violations.Length == 0, string.Join("\n", result.Violations.Select(v => $"{v.Id} ({v.Help}): {string.Join(" | ", v.Nodes.Take(4).Select(n => n.Html + " " + n.Any.FirstOrDefault()?.Message))}")));
    }

    /// <summary>Writes docs/screenshots/NAME.png when LFR_SCREENSHOTS is set; else a test run would change the tree.</summary>
    /// <remarks>Pictures of people are covered: nobody's face enters the repository, also not that of a sample photo.</remarks>
    public async Task ShootAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("LFR_SCREENSHOTS") is not { Length: > 0 })
            return;
        // Nobody's face. Hidden in the picture's own place, so that what lies over it stays over it; a style element would break the console's policy.
        await Page.EvaluateAsync("""
            () => {
                const hidden = new CSSStyleSheet();
                hidden.replaceSync("img[src^='/pictures'], img.live { object-fit: none; object-position: -99999px 0; background: #8a9199; }");
                document.adoptedStyleSheets = [...document.adoptedStyleSheets, hidden];
            }
            """);
        await Page.ScreenshotAsync(new PageScreenshotOptions
        {
            Path = Path.Combine(Directory.CreateDirectory(Path.Combine(RepoRoot.Folder, "docs", "screenshots")).FullName, name + ".png"),
            Animations = ScreenshotAnimations.Disabled,
        });
        await Page.EvaluateAsync("() => document.adoptedStyleSheets = document.adoptedStyleSheets.slice(0, -1)");
    }

    /// <summary>Asserts that nothing was seen that must not be.</summary>
    public void AssertClean()
    {
        lock (faults)
            Assert.True(faults.Count == 0, string.Join("\n", faults.Distinct()));
    }

    private void Add(string fault)
    {
        lock (faults)
            faults.Add(fault);
    }
}
