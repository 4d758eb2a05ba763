using System.Diagnostics;
using System.Net;
using System.Text.Json;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Tests;

/// <summary>Interfaces for monitoring the host: health, metrics, the REST interface, the log.</summary>
[Trait("Speed", "slow")]
public sealed class WatchingTests
{
    [Fact, Trait("Store", "sqlite")]
    public async Task Health_NotSignedIn_ReturnsOneWord()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient client = host.Client();

        Assert.Equal((HttpStatusCode.OK, "Healthy"), await GetAsync(client, "/health/live"));
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await GetAsync(client, "/health/ready"));
        // Where the store cannot be opened, nobody should send work here; the program itself is alive.
        string store = host.Installation.DataPath("store.db");
        host.CloseStore();
        File.Move(store, store + ".away");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await GetAsync(client, "/health/ready"));
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await GetAsync(client, "/health/live"));
        File.Move(store + ".away", store, overwrite: true);
    }

    [Fact]
    public async Task Metrics_LocalProgramOrOfficer_AreCounts_OthersAreRefused()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        receiver.Answer = HttpStatusCode.InternalServerError;
        await using RunningHost host = await RunningHost.StartAsync((c, folder) =>
        {
            File.WriteAllText(Path.Combine(folder, "secret"), "secret");
            return c with { Webhooks = [new WebhookConfig { Name = "one", Url = receiver.Address.ToString(), SecretPath = "secret" }] };
        });
        await host.Journal.NoteAsync(Actor.Engine, "alert.raised", "alert/17", new { }, TestContext.Current.CancellationToken);
        using HttpClient local = host.Client(), passedOn = host.Client();
        passedOn.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        using HttpClient officer = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));
        officer.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");

        (HttpStatusCode status, string text) = await GetAsync(local, "/metrics");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("\nlfr_outbox_messages{channel=\"webhook:one\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nlfr_audit_entries 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("alert/17", text, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Unauthorized, ""), await GetAsync(passedOn, "/metrics"));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(officer, "/metrics")).Status);
    }

    [Fact]
    public async Task OpenApi_Officer_DescribesEveryEndpoint_OthersAreRefused()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient nobody = host.Client(), officer = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));

        Assert.NotEqual(HttpStatusCode.OK, (await GetAsync(nobody, "/openapi/v1.json")).Status);
        (HttpStatusCode status, string text) = await GetAsync(officer, "/openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, status);
        JsonElement document = JsonDocument.Parse(text).RootElement;
        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("__Host-lfr", document.GetProperty("components").GetProperty("securitySchemes").GetProperty("session").GetProperty("name").GetString());
        Assert.True(document.GetProperty("security").GetArrayLength() > 0);
        foreach ((string path, string verb, string type) in new[] { ("/pictures/alerts/{id}/{kind}", "get", "image/jpeg"), ("/api/v1/audit/export", "get", "application/jsonl"), ("/api/v1/alerts/stream", "get", "text/event-stream") })
            Assert.True(document.GetProperty("paths").GetProperty(path).GetProperty(verb).GetProperty("responses").GetProperty("200").GetProperty("content").TryGetProperty(type, out _), path);
        JsonElement import = document.GetProperty("paths").GetProperty("/api/v1/watchlists/import").GetProperty("post");
        Assert.True(import.GetProperty("requestBody").GetProperty("content").TryGetProperty("application/zip", out _));
        Assert.True(import.GetProperty("responses").GetProperty("default").GetProperty("content").TryGetProperty("application/problem+json", out _));
        string[] paths = [.. document.GetProperty("paths").EnumerateObject().Select(p => p.Name)];
        Assert.All(paths, p => Assert.Matches("^/(api/v1|pictures)/", p));
        Assert.Superset(new HashSet<string> { "/api/v1/audit", "/api/v1/audit/export", "/api/v1/transparency", "/api/v1/vans/{van}/entries" }, paths.ToHashSet());
    }

    [Fact]
    public async Task Serve_UnderSystemd_LogsOneJsonObjectALine()
    {
        await using RunningHost unused = await RunningHost.StartAsync();
        string config = unused.PathOf("other.json");
        await File.WriteAllTextAsync(config, """{"name": "Van", "data": "other", "listen": ["https://127.0.0.1:0"], "mqtt": {"broker": "mqtt://127.0.0.1:9"}}""", TestContext.Current.CancellationToken);
        // A service knows its manager by the name of the process that started it.
        string manager = unused.PathOf("systemd");
        File.CreateSymbolicLink(manager, "/bin/sh");
        using Process shell = Process.Start(new ProcessStartInfo(manager, ["-c", "dotnet \"$0\" serve --config \"$1\" & echo $!; wait $!", Path.Combine(AppContext.BaseDirectory, "lfr.dll"), config]) { RedirectStandardOutput = true })!;
        string service = (await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!;
        var said = new List<string>();
        while (!said.Any(l => l.Contains("Press Ctrl-C to stop", StringComparison.Ordinal)) || !said.Any(l => l.Contains("cannot be reached", StringComparison.Ordinal)))
            said.Add(await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("It ended: " + string.Join('\n', said)));
        using (Process kill = Process.Start("kill", ["-TERM", service]))
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        said.AddRange((await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n'));
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, shell.ExitCode);

        Assert.Contains(said, l => l.StartsWith('{') && JsonDocument.Parse(l).RootElement is var logged && logged.GetProperty("State").TryGetProperty("Receiver", out JsonElement receiver) && receiver.GetString() == "mqtt");
        Assert.DoesNotContain(said, l => l.StartsWith("info:", StringComparison.Ordinal) || l.StartsWith("warn:", StringComparison.Ordinal));
    }

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(HttpClient client, string path)
    {
        using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
