using LfrEngine.Web.Tests.Browser;
using LfrEngine.Records.Security;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(BrowserFixture))]

namespace LfrEngine.Web.Tests.Browser;

/// <summary>The one real browser of a test run: Debian's Chromium, without a window, started when the first test needs it.</summary>
public sealed class BrowserFixture : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";

    // For machines that do much else; no test waits for it in vain.
    private const int PatienceMs = 90_000;

    private readonly SemaphoreSlim turn = new(1);
    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>Opens a page, runs a test in it, and asserts that nothing went to another site, nothing broke the content security policy, and no script failed.</summary>
    /// <param name="host">Where the page is; nothing is open yet.</param>
    /// <param name="officer">Who is signed in; null for nobody.</param>
    /// <param name="test">The test.</param>
    /// <param name="options">Size, colour scheme, touch.</param>
    internal async Task WithPageAsync(RunningHost host, Officer? officer, Func<ConsolePage, Task> test, BrowserNewContextOptions? options = null)
    {
        string origin = ConsolePage.OriginOf(host);
        Cookie? cookie = null;
        if (officer is not null)
        {
            System.Net.Cookie session = await host.SessionAsync(officer);
            cookie = new Cookie { Name = session.Name, Value = session.Value, Url = origin, Secure = true, HttpOnly = true, SameSite = SameSiteAttribute.Strict };
        }
        await WithPageAsync(origin, cookie, test, options);
    }

    /// <summary>The same for a console that another program serves.</summary>
    /// <param name="origin">Where it is, for example https://localhost:8443.</param>
    /// <param name="session">Of whoever is signed in; null for nobody.</param>
    /// <param name="test">The test.</param>
    /// <param name="options">Size, colour scheme, touch.</param>
    internal async Task WithPageAsync(string origin, Cookie? session, Func<ConsolePage, Task> test, BrowserNewContextOptions? options = null)
    {
        IBrowser opened = await BrowserAsync();
        await using IBrowserContext context = await opened.NewContextAsync(new BrowserNewContextOptions(options ?? new()) { BaseURL = origin });
        context.SetDefaultTimeout(PatienceMs);
        if (session is not null)
            await context.AddCookiesAsync([session]);
        var page = new ConsolePage(origin, context, await context.NewPageAsync());
        await test(page);
        page.AssertClean();
        // Its circuit ends before the server does.
        await page.Page.GotoAsync("about:blank");
    }

    /// <summary>A phone held upright.</summary>
    internal static BrowserNewContextOptions Phone => new() { ViewportSize = new ViewportSize { Width = 390, Height = 844 }, HasTouch = true, IsMobile = true };

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        turn.Dispose();
    }

    private async Task<IBrowser> BrowserAsync()
    {
        await turn.WaitAsync();
        try
        {
            Assertions.SetDefaultExpectTimeout(PatienceMs);
            playwright ??= await Playwright.CreateAsync();
            // Passkeys want a certificate that the browser believes. A container's root has no sandbox, and little shared memory.
            string[] always = ["--ignore-certificate-errors", "--disable-dev-shm-usage"];
            return browser ??= await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = Chromium,
                Args = Environment.UserName == "root" ? [.. always, "--no-sandbox"] : always,
            });
        }
        finally
        {
            turn.Release();
        }
    }
}
