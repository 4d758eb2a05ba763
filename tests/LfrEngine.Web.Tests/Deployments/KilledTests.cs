using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Deployments;

/// <summary>The real program, killed in the middle of a deployment.</summary>
[Trait("Speed", "slow")]
public sealed partial class KilledTests(Street street) : IClassFixture<Street>
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    [Fact, Trait("Store", "sqlite")]
    public async Task Serve_KilledWhileRunning_RestartsPausedWithNothingUnencrypted()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost host = await Street.HostAsync(street.Clip);
        Guid deployment = await street.PrepareAsync(host);
        System.Net.Cookie session = await host.SessionAsync(await host.AddOfficerAsync("olga", Roles.Operator));
        byte[] template = await TemplateAsync(host);
        string config = await WriteConfigAsync(host, street.Clip, "gate");
        await host.StopAsync();

        long seen = 0;
        using (Process serve = Start("serve", "--config", config))
        {
            try
            {
                using HttpClient client = await RunningHost.ClientAsync(await AddressAsync(serve, token), session);
                using HttpResponseMessage started = await client.PostAsync(new Uri($"/api/v1/deployments/{deployment}/start", UriKind.Relative), null, token);
                Assert.True(started.IsSuccessStatusCode, await started.Content.ReadAsStringAsync(token));
                using var patience = new CancellationTokenSource(Bound);
                // In the middle of it all, once counts have been stored.
                while (await StoredFacesAsync(host, patience.Token) == 0)
                    patience.Token.ThrowIfCancellationRequested();
                seen = (await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/operations", UriKind.Relative), patience.Token)).EnumerateArray().SelectMany(d => d.GetProperty("cameras").EnumerateArray()).Sum(c => c.GetProperty("facesSeen").GetInt64());
            }
            finally
            {
                serve.Kill();
                await serve.WaitForExitAsync(token);
            }
        }

        AssertNothingInTheClear(host.Installation.DataFolder, template);
        await host.StartAgainAsync();
        await using LfrStore store = host.Store();
        DeploymentRecord record = await store.Deployments.SingleAsync(token);
        Assert.Equal((DeploymentState.Paused, "The program ended unexpectedly."), (record.State, record.StateReason));
        Assert.True(record.RunningSeconds > 0 && record.FacesSeen > 0 && record.FacesSeen <= seen + 2, $"{record.FacesSeen} of {seen} faces, {record.RunningSeconds} s");
        Assert.Equal(["deployment.drafted", "deployment.signed", "deployment.started", "deployment.paused"], await store.Audit.Where(e => e.Subject == $"deployment/{deployment}").OrderBy(e => e.Sequence).Select(e => e.Action).ToArrayAsync(token));
    }

    // As another program reads it, while the server runs.
    private static async Task<long> StoredFacesAsync(RunningHost host, CancellationToken token)
    {
        await using var store = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = host.Installation.DataPath("store.db"), Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
        await store.OpenAsync(token);
        await using SqliteCommand command = store.CreateCommand();
        command.CommandText = "SELECT FacesSeen FROM Deployments";
        return (long)(await command.ExecuteScalarAsync(token))!;
    }

    // No JPEG file in any file, whole or in part, and no template: so that a stolen disk reveals nobody.
    private static void AssertNothingInTheClear(string folder, byte[] template)
    {
        ReadOnlySpan<byte> jpeg = [0xFF, 0xD8, 0xFF];
        string[] files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        Assert.Contains(files, f => f.EndsWith("store.db", StringComparison.Ordinal));
        foreach (string file in files)
        {
            ReadOnlySpan<byte> bytes = File.ReadAllBytes(file);
            Assert.True(bytes.IndexOf(template.AsSpan()) < 0, $"{file} holds a template.");
            // Three bytes may come by chance in what is encrypted: a JPEG goes on with one of its segments.
            for (int at = bytes.IndexOf(jpeg); at >= 0; at = bytes[(at + 1)..].IndexOf(jpeg) is >= 0 and var next ? at + 1 + next : -1)
                Assert.False(at + 10 < bytes.Length && bytes[at + 3] is 0xE0 or 0xE1 or 0xDB or 0xFE, $"{file} holds a JPEG at {at}.");
        }
    }

    // Of the woman's template, as it lies in memory.
    private static async Task<byte[]> TemplateAsync(RunningHost host)
    {
        await using LfrStore store = host.Store();
        using Watchlist list = host.Services.GetRequiredService<WatchlistService>().Open(await store.Watchlists.SingleAsync());
        return MemoryMarshal.AsBytes(list.Embedding(0))[..32].ToArray();
    }

    /// <summary>The configuration of a host for the real program.</summary>
    /// <returns>Its path.</returns>
    internal static async Task<string> WriteConfigAsync(RunningHost host, string source, params string[] cameras)
    {
        string config = host.PathOf("lfr.json");
        await File.WriteAllTextAsync(config, new JsonObject
        {
            ["name"] = "Test van",
            ["listen"] = new JsonArray("https://127.0.0.1:0"),
            ["laboratories"] = new JsonArray([.. host.Installation.Config.Laboratories.Select(l => JsonValue.Create(l))]),
            ["engine"] = new JsonObject { ["allowUnlocked"] = true },
            ["cameras"] = new JsonArray([.. cameras.Select(name => new JsonObject { ["name"] = name, ["source"] = source, ["pace"] = "realtime" })]),
        }.ToJsonString(), TestContext.Current.CancellationToken);
        return config;
    }

    internal static Process Start(params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "lfr.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["DOTNET_EnableDiagnostics"] = "0", ["NO_COLOR"] = "1" } })!;
    }

    internal static async Task<Uri> AddressAsync(Process serve, CancellationToken token)
    {
        _ = serve.StandardError.ReadToEndAsync(token);
        while (await serve.StandardOutput.ReadLineAsync(token).AsTask().WaitAsync(Bound, token) is { } line)
        {
            if (Address().Match(line) is { Success: true } address)
            {
                _ = serve.StandardOutput.ReadToEndAsync(token);
                return new Uri(address.Value);
            }
        }
        throw new InvalidOperationException("The program ended before it served.");
    }

    [GeneratedRegex(@"https://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
