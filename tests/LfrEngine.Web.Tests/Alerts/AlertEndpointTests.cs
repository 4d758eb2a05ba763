using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>Alerts over HTTPS: for programs, and the pictures of pages.</summary>
[Trait("Speed", "slow")]
public sealed class AlertEndpointTests
{
    [Fact]
    public async Task Pictures_OfficerWithPermission_GetsAJpegThatIsNotCached()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));

        foreach (string kind in (string[])["probe", "reference", "moment"])
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri($"/pictures/alerts/{alert}/{kind}", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.True(answer.Headers.CacheControl!.NoStore);
            byte[] jpeg = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
            Assert.Equal([0xFF, 0xD8, 0xFF], jpeg.Take(3));
            Assert.Equal([0xFF, 0xD9], jpeg.TakeLast(2));
        }
        using HttpResponseMessage none = await client.GetAsync(new Uri($"/pictures/alerts/{alert}/key", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Theory]
    [InlineData(Roles.Auditor)]
    [InlineData(Roles.Administrator)]
    [InlineData(Roles.WatchlistManager)]
    [InlineData(Roles.AuthorisingOfficer)]
    public async Task Endpoints_OtherRoles_AreRefused(string role)
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("nobody", role));
        using HttpClient stranger = host.Client();

        foreach (string path in (string[])[$"/pictures/alerts/{alert}/probe", "/api/v1/alerts", $"/api/v1/alerts/{alert}", "/api/v1/alerts/stream"])
        {
            using HttpResponseMessage refused = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            using HttpResponseMessage unknown = await stranger.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
        }
    }

    [Fact]
    public async Task Stream_ListenerReconnects_ResumesWhereItWas()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid person = await material.AddPersonAsync(), other = await material.AddPersonAsync();
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));

        string last;
        Guid first;
        await using (IAsyncEnumerator<SseItem<string>> events = await ListenAsync(client, null))
        {
            Assert.True(await events.MoveNextAsync());
            Assert.Equal("listening", events.Current.EventType);
            first = await material.RaiseAsync(person);
            Assert.True(await events.MoveNextAsync());
            Assert.Equal("alert.raised", events.Current.EventType);
            Assert.Equal(first, (Guid?)JsonNode.Parse(events.Current.Data)!["alert"]);
            Assert.Equal(material.Deployment, (Guid?)JsonNode.Parse(events.Current.Data)!["details"]!["deploymentId"]);
            last = events.Current.EventId!;
        }
        Guid second = await material.RaiseAsync(other);
        await material.Alerts.DecideAsync(await material.OfficerAsync("otto", Roles.Operator), first, AlertState.Viable, "");

        await using IAsyncEnumerator<SseItem<string>> again = await ListenAsync(client, last);
        var told = new List<(string, Guid?)>();
        while (told.Count < 3 && await again.MoveNextAsync())
            told.Add((again.Current.EventType, (Guid?)JsonNode.Parse(again.Current.Data)!["alert"]));
        Assert.Equal([("listening", null), ("alert.raised", second), ("alert.decided", first)], told);
    }

    [Fact]
    public async Task Alerts_UnknownState_IsNamedWithThoseThatAre()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));

        using HttpResponseMessage answer = await client.GetAsync(new Uri("/api/v1/alerts?state=viable,lost", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        string said = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("lost", said, StringComparison.Ordinal);
        Assert.Contains("otherDisposal", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Decision_RefusedForAnOfficerWhoReadsWelsh_IsSaidInEnglish()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator, Roles.EngagementOfficer));
        client.DefaultRequestHeaders.Add("Accept-Language", "cy");

        using HttpResponseMessage answer = await client.PostAsJsonAsync($"/api/v1/alerts/{alert}/decisions", new { to = "arrest" }, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Contains("This decision is not possible in the alert", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retention_AnyOfficer_ReadsThePolicyThatIsKept()
    {
        await using RunningHost host = await RunningHost.StartAsync((c, _) => c with { Retention = new() { AlertHours = 0.5 } });
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("ada", Roles.Auditor));

        JsonArray rules = (await client.GetFromJsonAsync<JsonArray>("/api/v1/retention", TestContext.Current.CancellationToken))!;

        Assert.Contains(rules, r => ((string)r!["text"]!).Contains("30 minutes after the alert", StringComparison.Ordinal));
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        AlertRecord alert = await material.RecordAsync(await material.RaiseAsync(await material.AddPersonAsync()));
        Assert.InRange(alert.EraseBy - host.Time.GetUtcNow(), TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(30));
    }

    private static async Task<IAsyncEnumerator<SseItem<string>>> ListenAsync(HttpClient client, string? last)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/v1/alerts/stream", UriKind.Relative));
        if (last is not null)
            request.Headers.Add("Last-Event-ID", last);
        HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        return SseParser.Create(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken)).EnumerateAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
    }
}
