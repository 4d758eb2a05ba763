using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Links.Sending;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Web.Tests;

/// <summary>Webhooks: signed, in order, tried again, nobody waits for another.</summary>
[Trait("Speed", "slow")]
public sealed class WebhookTests
{
    private const string Secret = "a secret of the force";

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Messages_OneReceiverRefusesAndOneHangs_ComeInOrderAndSigned(StoreKind kind)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using Receiver good = await Receiver.StartAsync(), failing = await Receiver.StartAsync(), hanging = await Receiver.StartAsync();
        failing.Answer = HttpStatusCode.ServiceUnavailable;
        hanging.Answer = null;
        await using RunningHost host = await RunningHost.StartAsync((c, folder) => c with { Webhooks = [Hook("good", good, folder), Hook("failing", failing, folder), Hook("hanging", hanging, folder)] }, new TestTime(faster: 200), kind);
        for (int i = 0; i < 5; i++)
            await host.Journal.NoteAsync(new Actor(Guid.NewGuid().ToString(), "olga"), "alert.decided", $"alert/{i}", new { To = AlertState.Viable }, token);
        await host.Journal.NoteAsync(Actor.Engine, "watchlist.built", "watchlist/1", new { }, token);

        await Eventually.HoldsAsync(() => Task.FromResult(good.Received.Count(IsAlert) == 5 && failing.Received.Count >= 3 && !hanging.Received.IsEmpty), "the good receiver had all while the others were tried");
        Assert.Equal(["alert/0", "alert/1", "alert/2", "alert/3", "alert/4"], good.Received.Where(IsAlert).Select(Subject));
        Assert.All(failing.Received, r => Assert.Equal("alert/0", Subject(r)));
        Assert.Single(failing.Received.Select(r => r.Id).Distinct());
        foreach ((string id, string timestamp, string signature, string body) in good.Received)
        {
            string expected = Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")));
            Assert.Equal($"v1,{expected}", signature);
            Assert.Equal(id, Json(body).GetProperty("messageId").GetString());
            Assert.DoesNotContain("olga", body, StringComparison.Ordinal);
            Assert.DoesNotContain("watchlist.built", body, StringComparison.Ordinal);
        }

        // The receiver is back: nothing was lost, and the order holds.
        failing.Answer = HttpStatusCode.OK;
        int before = failing.Received.Count;
        await Eventually.HoldsAsync(() => Task.FromResult(failing.Received.Skip(before - 1).Where(IsAlert).Select(Subject).Distinct().Count() == 5), "the failing receiver got all");
        Assert.Equal(["alert/0", "alert/1", "alert/2", "alert/3", "alert/4"], failing.Received.Where(IsAlert).Select(Subject).Distinct());
    }

    [Fact]
    public async Task Messages_HostEndsBeforeTheReceiverIsThere_ComeAfterTheRestart()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using Receiver receiver = await Receiver.StartAsync();
        receiver.Answer = HttpStatusCode.NotFound;
        await using RunningHost host = await RunningHost.StartAsync((c, folder) => c with { Webhooks = [Hook("one", receiver, folder)] }, new TestTime(faster: 200));
        await host.Journal.NoteAsync(Actor.Engine, "camera.lost", "camera/gate", new { }, token);
        await Eventually.HoldsAsync(() => Task.FromResult(!receiver.Received.IsEmpty), "it was tried");
        await host.RestartAsync();
        receiver.Answer = HttpStatusCode.OK;

        await Eventually.HoldsAsync(async () =>
        {
            await using LfrStore store = host.Store();
            return !await store.Outbox.AnyAsync(m => m.Action == "camera.lost");
        }, "the message was taken");
        Assert.Single(receiver.Received.Where(r => Subject(r) == "camera/gate").Select(r => r.Id).Distinct());
    }

    [Fact]
    public async Task Messages_ReceiverAwayTooLong_AreDroppedWithAnEntry()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using Receiver receiver = await Receiver.StartAsync();
        receiver.Answer = HttpStatusCode.InternalServerError;
        var time = new TestTime(faster: 200);
        await using RunningHost host = await RunningHost.StartAsync((c, folder) => c with { Webhooks = [Hook("one", receiver, folder)], Retention = new RetentionConfig { OutboxDays = 2 } }, time);
        await host.Journal.NoteAsync(Actor.Engine, "camera.lost", "camera/gate", new { }, token);
        await host.Journal.NoteAsync(Actor.Engine, "camera.lost", "camera/north", new { }, token);
        await Eventually.HoldsAsync(() => Task.FromResult(!receiver.Received.IsEmpty), "it was tried");
        time.Offset = TimeSpan.FromDays(3);
        await host.Journal.NoteAsync(Actor.Engine, "camera.lost", "camera/south", new { }, token);

        AuditEntry? dropped = null;
        await Eventually.HoldsAsync(async () =>
        {
            await using LfrStore store = host.Store();
            return (dropped = await store.Audit.FirstOrDefaultAsync(e => e.Action == "outbox.dropped")) is not null;
        }, "the drop was noted");
        Assert.Equal("channel/webhook:one", dropped!.Subject);
        Assert.True(Json(dropped.Details).GetProperty("messages").GetInt32() >= 2);
        Assert.Equal("answered 500", Json(dropped.Details).GetProperty("lastError").GetString());
        receiver.Answer = HttpStatusCode.OK;
        await Eventually.HoldsAsync(() => Task.FromResult(receiver.Received.Any(r => Subject(r) == "camera/south")), "the message of today came");
        Assert.DoesNotContain(receiver.Received, r => Subject(r) == "camera/north");
    }

    [Fact]
    public void Sign_ExampleOfTheStandard_IsTheSame() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebhookSender.Sign(WebhookSender.Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}"));

    [Fact]
    public void BackOff_FailuresInARow_WaitLonger_AndNeverTheSame()
    {
        var backOff = new BackOff(TimeProvider.System);
        double[] waits = [.. Enumerable.Range(0, 40).Select(_ => backOff.NextDelay().TotalSeconds)];
        Assert.InRange(waits[0], 0.5, 1);
        for (int i = 0; i < waits.Length; i++)
            Assert.InRange(waits[i], Math.Min(300, Math.Pow(2, i)) / 2, Math.Min(300, Math.Pow(2, i)));
        Assert.Equal(40, waits.Distinct().Count());
        backOff.Reset();
        Assert.InRange(backOff.NextDelay().TotalSeconds, 0.5, 1);
    }

    private static WebhookConfig Hook(string name, Receiver receiver, string folder)
    {
        File.WriteAllText(Path.Combine(folder, "secret"), Secret + "\n");
        return new WebhookConfig { Name = name, Url = receiver.Address.ToString(), SecretPath = "secret" };
    }

    private static bool IsAlert((string Id, string Timestamp, string Signature, string Body) received) => Subject(received).StartsWith("alert/", StringComparison.Ordinal);

    private static string Subject((string Id, string Timestamp, string Signature, string Body) received) => Json(received.Body).GetProperty("subject").GetString()!;

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
