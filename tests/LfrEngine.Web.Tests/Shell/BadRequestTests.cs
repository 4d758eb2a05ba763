using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Tests.Shell;

/// <summary>Requests that cannot be read are answered with a sentence.</summary>
[Trait("Speed", "slow")]
public sealed class BadRequestTests
{
    [Fact]
    public async Task Request_ThatCannotBeRead_IsAnsweredWithWhatIsWrong()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient manager = await host.ClientAsync(await host.AddOfficerAsync("mona", Roles.WatchlistManager)), auditor = await host.ClientAsync(await host.AddOfficerAsync("anna", Roles.Auditor));

        await RefusedAsync(manager, Post("/api/v1/watchlists/", "{\"name\": oops}"), "The body, line 1, column 10: a value cannot begin with \"o\": put text in quotation marks.");
        await RefusedAsync(manager, Post("/api/v1/watchlists/", "{\"name\": 5}"), "The body, line 1, column 11: name: the value is of the wrong kind.");
        await RefusedAsync(manager, Post($"/api/v1/watchlists/people/{Guid.NewGuid()}/photos?takenOn=tomorrow", "", "image/jpeg"), "\"takenOn\" cannot be read: \"tomorrow\" was given.");
        await RefusedAsync(manager, Post("/api/v1/watchlists/", "name", "text/plain"), "JSON", HttpStatusCode.UnsupportedMediaType);
        await RefusedAsync(manager, new HttpRequestMessage(HttpMethod.Patch, "/api/v1/watchlists/"), "method", HttpStatusCode.MethodNotAllowed);
        await RefusedAsync(manager, new HttpRequestMessage(HttpMethod.Get, "/api/v1/alerts"), "Your roles", HttpStatusCode.Forbidden);
        await RefusedAsync(manager, Post("/api/v1/watchlists/", "{\"name\": \"Spring \\u202E list\"}"), "characters that can be seen", HttpStatusCode.Conflict);
        await RefusedAsync(auditor, new HttpRequestMessage(HttpMethod.Get, "/api/v1/transparency?format=csv&from=2026-02-01&to=2026-01-31"), "is after \"to\" 2026-01-31.");
        await RefusedAsync(auditor, new HttpRequestMessage(HttpMethod.Get, "/api/v1/audit?from=2026-02-01T00:00:00Z&to=2026-01-31T00:00:00Z"), "is after \"to\" 2026-01-31 00:00:00Z.");
    }

    private static HttpRequestMessage Post(string path, string body, string type = "application/json") => new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, type) };

    private static async Task RefusedAsync(HttpClient client, HttpRequestMessage request, string expected, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        using (request)
        {
            using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Equal((status, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            Assert.Contains(expected, (string?)JsonNode.Parse(text)!["detail"] ?? "", StringComparison.Ordinal);
            Assert.DoesNotContain("System.", text, StringComparison.Ordinal);
        }
    }
}
