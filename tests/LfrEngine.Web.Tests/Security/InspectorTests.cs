using System.IO.Compression;
using System.Net;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Security;

/// <summary>An oversight body: sees records and takes them away, and every look is recorded.</summary>
[Trait("Speed", "slow")]
public sealed class InspectorTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Export_OnAnotherMachine_IsCheckedAndCountedAgain()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        WatchlistService lists = host.Services.GetRequiredService<WatchlistService>();
        Guid list = await lists.CreateAsync(Actor.Engine, "Spring list", Token);
        await lists.AddPersonAsync(Actor.Engine, list, LfrEngine.Watchlists.WatchlistCategory.Wanted, new PersonDetails("Zebedee Quist", "R-77", "PACE", "custody"), lists.Today, false, Token);
        await lists.DestroyAsync(Actor.Engine, list, "over", Token);
        var trail = new TransparencyTests.Trail();
        trail.Decide(trail.Alert(trail.Deployment("High Street", "2026-03-01", 7200, 12_345)), AlertState.Rejected);
        await trail.WriteAsync(host.Journal);
        using HttpClient inspector = await host.ClientAsync(await host.AddOfficerAsync("ines", Roles.Inspector));

        string folder = host.PathOf("taken");
        using (HttpResponseMessage answer = await inspector.GetAsync(new Uri("/api/v1/inspection", UriKind.Relative), Token))
        {
            Assert.Equal("application/zip", answer.EnsureSuccessStatusCode().Content.Headers.ContentType!.MediaType);
            using var zip = new ZipArchive(new MemoryStream(await answer.Content.ReadAsByteArrayAsync(Token)));
            Assert.All(["README.txt", "audit.jsonl", "installation.pem", "retention.json", "figures/deployments.csv", "figures/deployments.json", "figures/deployments.html", $"receipts/watchlist-{list:N}.json"], name => Assert.NotNull(zip.GetEntry(name)));
            await zip.ExtractToDirectoryAsync(folder, Token);
        }
        string key = Path.Combine(folder, "installation.pem");
        (await Lfr.RunAsync("audit", "verify", Path.Combine(folder, "audit.jsonl"), "--key", key)).Exits(ExitCode.Success).IsCivil();
        (await Lfr.RunAsync("receipt", "verify", Path.Combine(folder, "receipts", $"watchlist-{list:N}.json"), "--key", key)).Exits(ExitCode.Success).IsCivil();
        (await Lfr.RunAsync("export", Path.Combine(folder, "audit.jsonl"), "--format", "json", "-o", Path.Combine(folder, "again.json"))).Exits(ExitCode.Success).IsCivil();
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder, "figures", "deployments.json"), Token), await File.ReadAllBytesAsync(Path.Combine(folder, "again.json"), Token));
        Assert.All(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories), file => Assert.DoesNotContain("Quist", File.ReadAllText(file), StringComparison.Ordinal));

        await using LfrStore store = host.Store();
        AuditEntry look = await store.Audit.SingleAsync(e => e.Action == "inspector.looked", Token);
        Assert.Equal(("ines", "{\"export\":\"/api/v1/inspection\"}"), (look.ActorName, look.Details));
    }

    [Fact]
    public async Task Looks_EveryPageAndFile_AreRecordedAndNothingElseIsOpen()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer ines = await host.AddOfficerAsync("ines", Roles.Inspector);
        using HttpClient inspector = await host.ClientAsync(ines);
        string[] open = ["/", "/deployments", "/audit", "/receipts", "/transparency", "/retention", "/inspection", "/api/v1/audit", "/api/v1/retention", "/api/v1/transparency?format=json"];
        string[] shut = ["/operations", "/alerts", "/duty", "/watchlists", "/field-check", "/officers", "/cameras/setup", "/api/v1/alerts", "/api/v1/operations", "/api/v1/watchlists/", $"/pictures/alerts/{Guid.Empty}/probe", "/pictures/live/gate"];

        foreach (string path in open)
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(path));
        foreach (string path in shut)
            Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(path));

        await using LfrStore store = host.Store();
        string[] looked = [.. (await store.Audit.Where(e => e.Action == "inspector.looked").OrderBy(e => e.Sequence).ToArrayAsync(Token)).Select(e => e.Details)];
        Assert.Equal(open.Select(p => p.StartsWith("/api", StringComparison.Ordinal) ? $"{{\"export\":\"{p.Split('?')[0]}\"}}" : $"{{\"page\":\"{p}\"}}"), looked);
        // A program's looks would not be an inspector's.
        var made = await Assert.ThrowsAsync<OfficerRefusedException>(async () => await host.Services.GetRequiredService<TokenRegister>().MakeAsync(await PrincipalAsync(host, ines), "script", [Permissions.SeeAudit], 30));
        Assert.Contains("cannot give", made.Message, StringComparison.Ordinal);

        async Task<HttpStatusCode> StatusAsync(string path)
        {
            using HttpResponseMessage answer = await inspector.GetAsync(new Uri(path, UriKind.Relative), Token);
            return answer.StatusCode;
        }
    }

    private static async Task<System.Security.Claims.ClaimsPrincipal> PrincipalAsync(RunningHost host, Officer officer)
    {
        await using AsyncServiceScope scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<Microsoft.AspNetCore.Identity.SignInManager<Officer>>().CreateUserPrincipalAsync(officer);
    }
}
