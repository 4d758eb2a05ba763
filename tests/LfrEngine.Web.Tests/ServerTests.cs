using System.Net;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Tests;

/// <summary>The server as a whole.</summary>
public sealed class ServerTests
{
    [Fact]
    public async Task Overview_NotSignedIn_RedirectsToSignIn()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient client = host.Client();

        using HttpResponseMessage answer = await client.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.StartsWith("/account/sign-in", answer.Headers.Location!.PathAndQuery, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Overview_SignedIn_IsShown()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));

        using HttpResponseMessage answer = await client.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("_framework/blazor.web", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Journal_EntriesAndChange_AreOneAndHangTogether()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        CancellationToken token = TestContext.Current.CancellationToken;
        await host.Journal.NoteAsync(Actor.Engine, "test.first", "test/1", new { Number = 1 }, token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Journal.ChangeAsync(Actor.Engine, (store, entries) =>
        {
            entries.Note("test.lost", "test/2", new { });
            throw new InvalidOperationException("no");
        }, token));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => host.Journal.NoteAsync(Actor.Engine, "test.many", $"test/{i}", new { Ümlaut = "größer <&>" }, token)));

        await using LfrStore store = host.Store();
        AuditEntry[] all = await store.Audit.OrderBy(e => e.Sequence).ToArrayAsync(token);
        AuditEntry? last = null;
        Assert.Null(AuditChain.FirstFault(all, ref last));
        Assert.Equal(21, all.Length);
        all[7].Details = all[7].Details.Replace("größer", "kleiner", StringComparison.Ordinal);
        last = null;
        Assert.Contains("entry 8", AuditChain.FirstFault(all, ref last), StringComparison.Ordinal);
    }
}
