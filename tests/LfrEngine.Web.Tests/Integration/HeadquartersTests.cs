using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Links.Headquarters;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Tests;

/// <summary>Vans and their headquarters: every entry once, in order, and nothing but entries.</summary>
[Trait("Speed", "slow")]
public sealed class HeadquartersTests
{
    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Sync_VanOfflineAndRestarted_HeadquartersHasEveryEntryOnce(StoreKind kind)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost headquarters = await StartHeadquartersAsync(kind);
        var time = new TestTime(faster: 200);
        await using RunningHost van = await RunningHost.StartAsync((c, folder) => c with { Name = "Van 7", Headquarters = Of(headquarters, folder) }, time);
        // More than one batch.
        await van.Journal.ChangeAsync(Actor.Engine, (_, entries) =>
        {
            for (int i = 0; i < VanBatch.MostEntries + 200; i++)
                entries.Note("test.filled", $"test/{i}", new { Number = i });
            return Task.CompletedTask;
        }, token);
        await ReceivedAsync(headquarters, van);

        // The headquarters is unreachable; the van continues, ends and starts again.
        Uri address = headquarters.Address;
        await headquarters.StopAsync();
        await AuditTests.FillAsync(van, 5);
        await van.RestartAsync();
        await AuditTests.FillAsync(van, 5);
        await headquarters.StartAgainAsync(address);
        await ReceivedAsync(headquarters, van);

        var check = new AuditCheck();
        await using LfrStore at = headquarters.Store(), own = van.Store();
        AuditEntry[] here = [.. check.Pass(AuditFile.Lines(at, "Van 7"), null)];
        Assert.Null(check.Fault);
        Assert.Equal(await own.Audit.OrderBy(e => e.Sequence).Select(e => e.Hash).ToArrayAsync(token), here.Select(e => e.Hash));
        Assert.Contains(await at.Audit.ToArrayAsync(token), e => e is { Action: "van.received", Subject: "van/Van 7" });
    }

    [Fact]
    public async Task Batch_SentAgainOrOutOfOrderOrAltered_ChangesNothing()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost headquarters = await StartHeadquartersAsync(StoreKind.Sqlite);
        await using RunningHost van = await RunningHost.StartAsync();
        await AuditTests.FillAsync(van, 6);
        await using LfrStore own = van.Store();
        AuditEntry[] all = await own.Audit.AsNoTracking().OrderBy(e => e.Sequence).ToArrayAsync(token);
        using HttpClient client = headquarters.Client();

        Assert.Equal((HttpStatusCode.OK, 1L), await SendAsync(client, []));
        // Twice at once, and again.
        Task<(HttpStatusCode, long)>[] twice = [SendAsync(client, all[..3]), SendAsync(client, all[..3])];
        Assert.All(await Task.WhenAll(twice), a => Assert.Equal((HttpStatusCode.OK, 4L), a));
        Assert.Equal((HttpStatusCode.OK, 4L), await SendAsync(client, all[1..3]));
        Assert.Equal((HttpStatusCode.Conflict, 4L), await SendAsync(client, all[4..]));
        Assert.Equal((HttpStatusCode.OK, 6L), await SendAsync(client, all[2..5]));

        // A trail written anew: of what is here, and of what is to come.
        AuditEntry other = JsonSerializer.Deserialize<AuditEntry>(JsonSerializer.Serialize(all[4], AuditJson.Options), AuditJson.Options)!;
        other.Details = "{\"number\":99}";
        other.Hash = AuditChain.HashOf(other);
        Assert.Equal((HttpStatusCode.Conflict, 6L), await SendAsync(client, [other]));
        all[5].Details = "{\"number\":99}";
        Assert.Equal((HttpStatusCode.Conflict, 6L), await SendAsync(client, [all[5]]));
        all[5].PreviousHash = other.Hash;
        all[5].Hash = AuditChain.HashOf(all[5]);
        Assert.Equal((HttpStatusCode.Conflict, 6L), await SendAsync(client, [all[5]]));

        await using LfrStore at = headquarters.Store();
        Assert.Equal(all[..5].Select(e => e.Hash), await at.VanEntries.OrderBy(e => e.Sequence).Select(e => e.Hash).ToArrayAsync(token));
        Assert.Equal(3, await at.Audit.CountAsync(e => e.Action == "van.refused", token));
    }

    [Fact]
    public async Task Batch_NotSignedByTheVan_IsRefused()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost headquarters = await StartHeadquartersAsync(StoreKind.Sqlite);
        using HttpClient client = headquarters.Client();
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new VanBatch("Van 7", []), AuditJson.Options);
        using InstallationKey key = InstallationKey.Open();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string good = Convert.ToBase64String(key.Sign(body));

        Assert.Equal(HttpStatusCode.OK, await PostAsync(client, "Van 7", body, good));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, "Van 7", body, Convert.ToBase64String(other.SignData(body, HashAlgorithmName.SHA256))));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, "Van 7", body, null));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, "Van 7", body, new string('A', 4000)));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, "Van 7", [.. body, (byte)' '], good));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(client, "Van 8", body, good));
        // Another van with the same key may not speak for this one.
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync(client, "Van 9", body, good));
        byte[] nonsense = "[1"u8.ToArray();
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync(client, "Van 7", nonsense, Convert.ToBase64String(key.Sign(nonsense))));
        // Asked before it is sent: who sends all the same may find the connection closed before the answer is read.
        using var asking = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(2), SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } }) { BaseAddress = headquarters.Address };
        asking.DefaultRequestHeaders.ExpectContinue = true;
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PostAsync(asking, "Van 7", new byte[VanBatch.MostBytes + 1], good));
        HttpStatusCode[] many = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => PostAsync(client, "Van 8", body, good)));
        Assert.Contains(HttpStatusCode.TooManyRequests, many);
        await using LfrStore at = headquarters.Store();
        Assert.Empty(await at.VanEntries.ToArrayAsync(token));
    }

    [Fact]
    public async Task Sync_WhatTravels_IsTheTrailAndNothingElse()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using Receiver receiver = await Receiver.StartAsync();
        await using RunningHost van = await RunningHost.StartAsync();
        byte[] secret = Encoding.UTF8.GetBytes("a face that nobody else may have");
        await van.Journal.ChangeAsync(Actor.Engine, (store, entries) =>
        {
            var id = Guid.NewGuid();
            store.Alerts.Add(new AlertRecord { Id = id, DeploymentId = id, EngineId = "gate/17", PersonId = id, Category = WatchlistCategory.Wanted, Camera = "gate", SealedProbe = secret, SealedReference = secret, SealedPerson = secret });
            store.Watchlists.Add(new WatchlistRecord { Id = Guid.NewGuid(), Name = "nobody else may read this" });
            entries.Note("alert.raised", $"alert/{id}", new { Category = WatchlistCategory.Wanted });
            return Task.CompletedTask;
        }, token);
        // The sender itself, with somebody at the other end who writes down what comes.
        using InstallationKey key = InstallationKey.Open();
        using var sender = new HeadquartersSender(new HeadquartersConfig { Url = receiver.Address.ToString() }, van.Installation, key, van.Journal, Factory(van), new TestTime(faster: 200), Microsoft.Extensions.Logging.Abstractions.NullLogger<HeadquartersSender>.Instance);
        receiver.AnswerBody = """{"next":1}""";
        receiver.Answer = HttpStatusCode.OK;
        await sender.StartAsync(token);
        await Eventually.HoldsAsync(() => Task.FromResult(receiver.Received.Any(r => r.Body.Contains("alert.raised", StringComparison.Ordinal))), "the entry travelled");
        await sender.StopAsync(token);

        string[] fields = ["sequence", "at", "actorId", "actorName", "action", "subject", "details", "previousHash", "hash"];
        foreach ((_, _, _, string body) in receiver.Received)
        {
            JsonElement root = JsonDocument.Parse(body).RootElement;
            Assert.Equal(["van", "entries"], root.EnumerateObject().Select(p => p.Name));
            foreach (JsonElement entry in root.GetProperty("entries").EnumerateArray())
                Assert.Equal(fields, entry.EnumerateObject().Select(p => p.Name));
            Assert.DoesNotContain(Convert.ToBase64String(secret), body, StringComparison.Ordinal);
            Assert.DoesNotContain("nobody else may", body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Sync_TailCutAtTheVan_IsNoticedThere()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost headquarters = await StartHeadquartersAsync(StoreKind.Sqlite);
        await using RunningHost van = await RunningHost.StartAsync((c, folder) => c with { Name = "Van 7", Headquarters = Of(headquarters, folder) }, new TestTime(faster: 200));
        await AuditTests.FillAsync(van, 8);
        await ReceivedAsync(headquarters, van);
        await van.StopAsync();
        await using (LfrStore store = StoreSetup.OpenForReading(van.Installation))
        {
            await store.Audit.Where(e => e.Sequence > 4).ExecuteDeleteAsync(token);
            await store.AuditSeals.ExecuteDeleteAsync(token);
        }
        await van.StartAgainAsync();

        AuditEntry? refused = null;
        await Eventually.HoldsAsync(async () =>
        {
            await using LfrStore store = van.Store();
            return (refused = await store.Audit.FirstOrDefaultAsync(e => e.Action == "headquarters.refused")) is not null;
        }, "the van noted it");
        Assert.Contains("last entries were removed", refused!.Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_AtHeadquarters_CountsAllVans()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost headquarters = await StartHeadquartersAsync(StoreKind.Sqlite);
        using HttpClient client = headquarters.Client();
        foreach (string name in new[] { "Van 7", "Van 9" })
        {
            await using RunningHost van = await RunningHost.StartAsync();
            var trail = new TransparencyTests.Trail();
            trail.Decide(trail.Alert(trail.Deployment($"by {name}", "2026-03-01", 3600, 1000)), AlertState.Rejected);
            await trail.WriteAsync(van.Journal);
            await using LfrStore own = van.Store();
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(client, await own.Audit.AsNoTracking().OrderBy(e => e.Sequence).ToArrayAsync(token), name)).Status);
        }
        using HttpClient auditor = await headquarters.ClientAsync(await headquarters.AddOfficerAsync("anna", Roles.Auditor));

        JsonElement report = JsonDocument.Parse(await auditor.GetStringAsync(new Uri("/api/v1/transparency?format=json", UriKind.Relative), token)).RootElement;
        Assert.Equal(["Headquarters", "Van 7", "Van 9"], report.GetProperty("installations").EnumerateArray().Select(i => i.GetString()));
        Assert.Equal(["by Van 7", "by Van 9"], report.GetProperty("deployments").EnumerateArray().Select(d => d.GetProperty("deployment").GetString()).Order());
        Assert.Equal((2000, 2), (report.GetProperty("total").GetProperty("facesSeen").GetInt32(), report.GetProperty("total").GetProperty("incorrectAlerts").GetInt32()));
    }

    private static Task<RunningHost> StartHeadquartersAsync(StoreKind kind) => RunningHost.StartAsync((c, folder) =>
    {
        File.WriteAllText(Path.Combine(folder, "van.pem"), SignedDocument.TrustedPem(null));
        return c with { Name = "Headquarters", Vans = new() { ["Van 7"] = "van.pem", ["Van 9"] = "van.pem" } };
    }, kind: kind);

    private static HeadquartersConfig Of(RunningHost headquarters, string folder)
    {
        File.Copy(headquarters.Installation.DataPath("https.pem"), Path.Combine(folder, "headquarters.pem"));
        return new HeadquartersConfig { Url = headquarters.Address.ToString(), CertificatePath = "headquarters.pem" };
    }

    private static IDbContextFactory<LfrStore> Factory(RunningHost host) => (IDbContextFactory<LfrStore>)host.Services.GetService(typeof(IDbContextFactory<LfrStore>))!;

    // All that the van has written is at the headquarters.
    private static Task ReceivedAsync(RunningHost headquarters, RunningHost van) => Eventually.HoldsAsync(async () =>
    {
        await using LfrStore at = headquarters.Store(), own = van.Store();
        return await at.VanEntries.CountAsync(e => e.Van == "Van 7") == await own.Audit.CountAsync();
    }, "the headquarters had everything");

    private static async Task<(HttpStatusCode Status, long Next)> SendAsync(HttpClient client, AuditEntry[] entries, string van = "Van 7")
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new VanBatch(van, entries), AuditJson.Options);
        using InstallationKey key = InstallationKey.Open();
        using HttpResponseMessage answer = await RequestAsync(client, van, body, Convert.ToBase64String(key.Sign(body)));
        return (answer.StatusCode, JsonSerializer.Deserialize<VanAnswer>(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), AuditJson.Options)!.Next);
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string van, byte[] body, string? signature)
    {
        using HttpResponseMessage answer = await RequestAsync(client, van, body, signature);
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> RequestAsync(HttpClient client, string van, byte[] body, string? signature)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, VanBatch.Path(van)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        if (signature is not null)
            request.Headers.Add(VanBatch.SignatureHeader, signature);
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
