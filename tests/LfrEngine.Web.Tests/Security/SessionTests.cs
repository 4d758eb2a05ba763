using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Web.Tests.Alerts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Security;

/// <summary>Sessions are on the server: what ends or locks one cuts off everything that is open under it.</summary>
[Trait("Speed", "slow")]
public sealed class SessionTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Session_AnyEnd_CutsStreamsAndTheOldCookie()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer admin = await host.AddOfficerAsync("ada", Roles.Administrator), olga = await host.AddOfficerAsync("olga", Roles.Operator);
        var ada = new Actor(admin.Id.ToString(), "ada");
        OfficerRegister register = host.Services.GetRequiredService<OfficerRegister>();
        SessionRegister sessions = host.Services.GetRequiredService<SessionRegister>();
        // Each way to end it, with what the trail says.
        (string Says, Func<HttpClient, Task> End)[] ways =
        [
            ("officer.signed-out ", async c => (await c.PostAsync(new Uri("/account/sign-out", UriKind.Relative), null, TestContext.Current.CancellationToken)).Dispose()),
            ("officer.session-ended by-officer", async _ => await sessions.EndAsync(AlertActor(olga), (await sessions.OfAsync(olga.Id)).Single().Id, olga.Id, "by-officer")),
            ("officer.session-ended by-administrator", _ => register.EndSessionsAsync(ada, olga.Id)),
            ("officer.session-ended roles-changed", _ => register.SetRolesAsync(ada, olga.Id, [Roles.Operator, Roles.Auditor])),
            ("officer.session-ended disabled", _ => register.SetDisabledAsync(ada, olga.Id, true)),
        ];
        foreach ((string says, Func<HttpClient, Task> end) in ways)
        {
            using HttpClient client = await host.ClientAsync(olga);
            using HttpResponseMessage stream = await client.GetAsync(new Uri("/api/v1/alerts/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
            await using Stream body = await stream.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);

            await end(client);
            await AssertEndsAsync(body, says);

            using HttpResponseMessage after = await client.GetAsync(new Uri("/api/v1/alerts", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
            Assert.Equal(says, await LastAsync(host));
        }
        Assert.Empty(await host.ReadAsync(s => s.Sessions.ToArrayAsync()));
    }

    /// <summary>The store holds no secret: a copy of it opens nothing.</summary>
    [Fact]
    public async Task Session_Store_HoldsOnlyTheHash()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        SessionRegister sessions = host.Services.GetRequiredService<SessionRegister>();
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        (Guid id, string secret) = await sessions.BeginAsync(olga.Id, "Firefox on Linux", "10.0.0.7");

        OfficerSession kept = await host.ReadAsync(s => s.Sessions.SingleAsync());
        Assert.Equal((id, olga.Id, "Firefox on Linux"), (kept.Id, kept.OfficerId, kept.Device));
        Assert.DoesNotContain(secret, kept.SecretSha256, StringComparison.Ordinal);
        Assert.Null(await sessions.FindAsync(kept.SecretSha256, TestContext.Current.CancellationToken));
        Assert.Equal(id, (await sessions.FindAsync(secret, TestContext.Current.CancellationToken))!.Id);
    }

    [Fact]
    public async Task Session_Idle_LocksHearsAlertsAndUnlocksByPasswordOnly()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync((c, _) => c with { Sessions = new SessionsConfig() }, time);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        using HttpClient client = await host.ClientAsync(olga);

        // Somebody is there.
        time.Pass(TimeSpan.FromMinutes(14));
        Assert.Equal(HttpStatusCode.NoContent, (await client.PostAsync(new Uri("/session/active", UriKind.Relative), null, TestContext.Current.CancellationToken)).StatusCode);
        time.Pass(TimeSpan.FromMinutes(14));
        using HttpResponseMessage stream = await client.GetAsync(new Uri("/api/v1/alerts/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
        await using Stream body = await stream.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);

        // Asking for a stream is not being there.
        time.Pass(TimeSpan.FromMinutes(1));
        await AssertEndsAsync(body, "idle");
        Assert.Equal("officer.session-locked idle", await LastAsync(host));
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(new Uri("/api/v1/alerts", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.PostAsync(new Uri("/session/active", UriKind.Relative), null, TestContext.Current.CancellationToken)).StatusCode);
        foreach (string path in new[] { "/alerts", "/account", "/account/sessions", "/_blazor" })
        {
            using HttpResponseMessage page = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.Redirect, "/account/locked?ReturnUrl=" + Uri.EscapeDataString(path)), (page.StatusCode, page.Headers.Location!.OriginalString));
        }

        // It hears that there is an alert, and nothing else.
        using HttpResponseMessage sounds = await client.GetAsync(new Uri("/session/alerts", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(await sounds.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.Equal("event: listening", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        await material.RaiseAsync(await material.AddPersonAsync(LfrEngine.Watchlists.WatchlistCategory.AtRiskOfHarm), LfrEngine.Watchlists.WatchlistCategory.AtRiskOfHarm);
        var told = new List<string>();
        while (told.Count < 2 && await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line is not ("" or "data: " or "data:"))
                told.Add(line);
        }
        Assert.Equal(["event: sound", "data: vulnerable"], told);

        SessionRegister sessions = host.Services.GetRequiredService<SessionRegister>();
        await sessions.UnlockAsync(AlertActor(olga), (await sessions.OfAsync(olga.Id)).Single().Id, "password");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/api/v1/alerts", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        time.Pass(SessionRegister.Longest);
        await Eventually.HoldsAsync(async () => await LastAsync(host) == "officer.session-ended expired", "the session ended after its longest time");
    }

    /// <summary>A program has what its token permits, of its officer's permissions only, until it expires or is revoked; the store holds no token.</summary>
    [Fact]
    public async Task Token_Program_HasItsPermissionsUntilRevoked()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        Officer admin = await host.AddOfficerAsync("ada", Roles.Administrator), olga = await host.AddOfficerAsync("olga", Roles.Operator);
        using HttpClient session = await host.ClientAsync(olga);
        foreach ((string name, string permission, int days) in new[] { ("", "see-alerts", 1), ("x", "see-audit", 1), ("x", "judge-alerts", 1), ("x", "see-alerts", 366) })
            Assert.Equal(HttpStatusCode.BadRequest, (await MakeAsync(name, [permission], days)).Status);
        (HttpStatusCode status, JsonNode made) = await MakeAsync("map of the control room", ["see-alerts", "see-deployments"], 2);
        Assert.Equal(HttpStatusCode.OK, status);
        string secret = (string)made["secret"]!;
        Assert.StartsWith("lfr_", secret, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, await host.ReadAsync(s => s.ApiTokens.Select(t => t.SecretSha256).SingleAsync()), StringComparison.Ordinal);

        using HttpClient program = host.Client();
        program.DefaultRequestHeaders.Authorization = new("Bearer", secret);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync($"/api/v1/alerts/{alert}"));
        Assert.Equal("olga (token map of the control room)", await host.ReadAsync(s => s.Audit.Where(e => e.Action == "alert.viewed").Select(e => e.ActorName).SingleAsync()));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("/api/v1/deployments"));
        // Not of the token, not for programs, not for tokens, not a page.
        foreach (string closed in new[] { "/api/v1/watchlists/", "/pictures/live/gate", "/api/v1/tokens/" })
            Assert.Equal((closed, HttpStatusCode.Forbidden), (closed, await StatusAsync(closed)));
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync("/alerts"));
        using (HttpResponseMessage judged = await program.PostAsync(new Uri($"/api/v1/alerts/{alert}/decisions", UriKind.Relative), new StringContent("{\"to\":\"viable\"}", System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.Forbidden, judged.StatusCode);

        using HttpResponseMessage stream = await program.GetAsync(new Uri("/api/v1/alerts/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        await using Stream body = await stream.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        using (HttpResponseMessage revoked = await session.DeleteAsync(new Uri($"/api/v1/tokens/{(string)made["token"]!["id"]!}", UriKind.Relative), TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        await AssertEndsAsync(body, "the token was revoked");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("/api/v1/deployments"));

        // The others end by themselves.
        Use((await MakeAsync("short", ["see-alerts"], 1)).Made);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("/api/v1/alerts"));
        time.Pass(TimeSpan.FromDays(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("/api/v1/alerts"));
        using HttpClient later = await host.ClientAsync(olga);
        Use((await MakeAsync("long", ["see-alerts"], 300, later)).Made);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("/api/v1/alerts"));
        await host.Services.GetRequiredService<OfficerRegister>().SetRolesAsync(new Actor(admin.Id.ToString(), "ada"), olga.Id, [Roles.Operator, Roles.Auditor]);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("/api/v1/alerts"));
        Assert.Equal(["token.made", "token.revoked", "token.made", "token.made", "token.revoked", "token.revoked"],
            await host.ReadAsync(s => s.Audit.Where(e => e.Action.StartsWith("token.")).OrderBy(e => e.Sequence).Select(e => e.Action).ToArrayAsync()));

        void Use(JsonNode token) => program.DefaultRequestHeaders.Authorization = new("Bearer", (string)token["secret"]!);

        async Task<HttpStatusCode> StatusAsync(string path)
        {
            using HttpResponseMessage answer = await program.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }

        async Task<(HttpStatusCode Status, JsonNode Made)> MakeAsync(string name, string[] permissions, int days, HttpClient? by = null)
        {
            using HttpResponseMessage answer = await (by ?? session).PostAsJsonAsync("/api/v1/tokens/", new { name, permissions, days }, TestContext.Current.CancellationToken);
            return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
        }
    }

    private static Actor AlertActor(Officer officer) => new(officer.Id.ToString(), officer.DisplayName);

    // Real time: the bound that is promised.
    private static async Task AssertEndsAsync(Stream body, string why)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Bound * 5);
        byte[] buffer = new byte[4096];
        long from = TimeProvider.System.GetTimestamp();
        try
        {
            while (await body.ReadAsync(buffer, patience.Token) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            // Cut off.
        }
        Assert.True(TimeProvider.System.GetElapsedTime(from) < Bound * 4, $"The stream went on after: {why}.");
    }

    private static async Task<string> LastAsync(RunningHost host)
    {
        AuditEntry[] entries = await host.ReadAsync(s => s.Audit.Where(e => e.Action.StartsWith("officer.se") || e.Action.StartsWith("officer.signed-out")).OrderBy(e => e.Sequence).ToArrayAsync());
        return $"{entries[^1].Action} {(string?)JsonNode.Parse(entries[^1].Details)!["reason"]}";
    }
}
