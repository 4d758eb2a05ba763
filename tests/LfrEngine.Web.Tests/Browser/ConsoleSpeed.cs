using System.Globalization;
using System.Security.Claims;
using LfrEngine.Alerts;
using LfrEngine.Web.Tests.Alerts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace LfrEngine.Web.Tests.Browser;

/// <summary>How long officers wait, measured in the browser; run by perf/console-speed, never with the tests. Times are reported, not judged.</summary>
public sealed class ConsoleSpeed(BrowserFixture browser)
{
    // When each alert's row and each picture was first painted, by the system's clock: a task posted from a frame's callback runs after that frame.
    private const string Watch = """
        window.painted = {};
        const note = key => {
            if (key in window.painted) return;
            window.painted[key] = 0;
            requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => window.painted[key] = Date.now(); c.port2.postMessage(0); });
        };
        new MutationObserver(() => {
            for (const row of document.querySelectorAll('[data-alert]')) note(row.dataset.alert);
            for (const image of document.querySelectorAll('.alert-pair img'))
                if (image.complete && image.naturalWidth) note(image.src); else image.addEventListener('load', () => note(image.src), { once: true });
        }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['src', 'data-alert'] });
        """;

    [Theory(Explicit = true)]
    [InlineData("/alerts")]
    [InlineData("/duty")]
    public async Task DecisionToScreen(string path)
    {
        // Duty shows 25, oldest first: somebody else judges the others.
        const int MostWaiting = 20;
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        Guid[] people = await material.AddPeopleAsync(Enumerable.Repeat(WatchlistCategory.Wanted, 200));
        ClaimsPrincipal judge = await material.OfficerAsync("judge", Roles.Operator);
        var rows = new List<double>();
        var pairs = new List<double>();
        // 200 alerts in a minute, one after the other while the desk is open.
        await browser.WithPageAsync(host, olga, async page =>
        {
            Dictionary<string, DateTime> decided = [];
            await page.Page.AddInitScriptAsync(Watch);
            await OpenAsync(page, path);
            foreach (Guid person in people)
            {
                await TakeAsync(material, person, decided);
                if (path == "/duty" && decided.Count > MostWaiting)
                {
                    string oldest = decided.Keys.ElementAt(decided.Count - MostWaiting - 1);
                    await material.Alerts.DecideAsync(judge, await host.ReadAsync(s => s.Alerts.Where(a => a.EngineId == oldest).Select(a => a.Id).SingleAsync()), AlertState.Rejected, "");
                }
                await Task.Delay(300, TestContext.Current.CancellationToken);
            }
            await page.Page.WaitForFunctionAsync("() => Object.entries(window.painted).filter(p => !p[0].includes('/') && p[1] > 0).length === 200");
            await foreach ((string id, DateTime at) in ByIdAsync(host, decided))
                rows.Add(await PaintedAsync(page, id, at));
        });
        // One alert on an empty desk: its pair opens by itself, and counts when both pictures are painted.
        for (int i = 0; i < 40; i++)
        {
            await using RunningHost empty = await RunningHost.StartAsync();
            AlertMaterial single = await AlertMaterial.CreateAsync(empty);
            Guid one = await single.AddPersonAsync();
            await browser.WithPageAsync(empty, await empty.AddOfficerAsync("olga", Roles.Operator), async page =>
            {
                Dictionary<string, DateTime> decided = [];
                await page.Page.AddInitScriptAsync(Watch);
                await OpenAsync(page, path);
                await TakeAsync(single, one, decided);
                await page.Page.WaitForFunctionAsync("() => Object.keys(window.painted).filter(k => k.includes('/pictures/') && window.painted[k] > 0).length === 2");
                double last = await page.Page.EvaluateAsync<double>("() => Math.max(...Object.values(window.painted))");
                pairs.Add(last - Milliseconds(decided.Values.Single()));
            });
        }
        Report($"{path}: decision to row on the screen, 200 alerts in a minute", rows);
        Report($"{path}: decision to both pictures on the screen, first alert", pairs);
    }

    // From the engine's alert to the sound on a page that does not show alerts, until it is handed to the sound card.
    [Fact(Explicit = true)]
    public async Task AlertToSound()
    {
        // The sound is scheduled so far ahead of its call (alerts.js).
        const double AheadMs = 20;
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        Guid[] people = await material.AddPeopleAsync(Enumerable.Repeat(WatchlistCategory.Wanted, 100));
        var sounds = new List<double>();
        await browser.WithPageAsync(host, olga, async page =>
        {
            await page.GoAsync("/operations");
            await page.Page.Locator("[data-bell]").ClickAsync();
            await page.Page.Locator("[data-bell][aria-pressed=true]").WaitForAsync();
            await page.Page.WaitForFunctionAsync("() => document.documentElement.dataset.lastSound");
            await page.Page.EvaluateAsync("() => { window.sounds = []; new MutationObserver(() => window.sounds.push(Date.now())).observe(document.documentElement, { attributeFilter: ['data-last-sound'] }); }");
            foreach (Guid person in people)
            {
                int before = await page.Page.EvaluateAsync<int>("() => window.sounds.length");
                Dictionary<string, DateTime> decided = [];
                await TakeAsync(material, person, decided);
                await page.Page.WaitForFunctionAsync("before => window.sounds.length > before", before);
                sounds.Add(await page.Page.EvaluateAsync<double>("before => window.sounds[before]", before) - Milliseconds(decided.Values.Single()) + AheadMs);
            }
        });
        Report("alert to sound on another page", sounds);
    }

    [Fact(Explicit = true)]
    public async Task FirstPaint()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        for (int i = 0; i < 30; i++)
            await material.RaiseAsync(await material.AddPersonAsync());
        Officer every = await host.AddOfficerAsync("every", Roles.All);
        await browser.WithPageAsync(host, every, async page =>
        {
            foreach (string path in new[] { "/", "/operations", "/duty", "/alerts", "/alerts/street", "/deployments", "/deployments/new", "/watchlists", $"/watchlists/{material.Watchlist}", "/evidence", "/field-check", "/zones", "/retention", "/officers", "/audit", "/receipts", "/transparency", "/account" })
            {
                var paint = new List<double>();
                var heading = new List<double>();
                for (int i = 0; i < 7; i++)
                {
                    await page.GoAsync(path);
                    heading.Add(await page.Page.EvaluateAsync<double>("() => performance.now()"));
                    paint.Add(await page.Page.EvaluateAsync<double>("() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()"));
                }
                string name = path.Replace(material.Watchlist.ToString(), "ID", StringComparison.Ordinal);
                Report($"{name,-18} first paint", paint);
                Report($"{name,-18} heading of the page", heading);
            }
        });
    }

    private static async Task OpenAsync(ConsolePage page, string path)
    {
        await page.GoAsync(path);
        await page.Page.Locator("#shortcuts[aria-pressed=true]").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });
    }

    private static async Task TakeAsync(AlertMaterial material, Guid person, Dictionary<string, DateTime> decided)
    {
        Alert alert = material.Alert(person);
        decided.Add(alert.Id, DateTime.UtcNow);
        await material.Alerts.TakeAsync(material.Deployment, alert);
    }

    private static async IAsyncEnumerable<(string Id, DateTime At)> ByIdAsync(RunningHost host, Dictionary<string, DateTime> decided)
    {
        foreach (var alert in await host.ReadAsync(s => s.Alerts.Select(a => new { a.Id, a.EngineId }).ToArrayAsync()))
            yield return (alert.Id.ToString(), decided[alert.EngineId]);
    }

    private static async Task<double> PaintedAsync(ConsolePage page, string key, DateTime since) => await page.Page.EvaluateAsync<double>("key => window.painted[key]", key) - Milliseconds(since);

    private static double Milliseconds(DateTime at) => (at - DateTime.UnixEpoch).TotalMilliseconds;

    private static void Report(string what, List<double> milliseconds)
    {
        milliseconds.Sort();
        double At(double share) => milliseconds[(int)Math.Ceiling(share * milliseconds.Count) - 1];
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: n = {milliseconds.Count}, p50 {At(0.5):0} ms, p99 {At(0.99):0} ms, max {milliseconds[^1]:0} ms"));
    }
}
