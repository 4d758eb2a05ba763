using System.Collections.Concurrent;
using System.Text.Json;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace LfrEngine.Web.Tests;

/// <summary>MQTT 5 with a real broker: nothing lost while it is away.</summary>
public sealed class MqttTests
{
    [Fact]
    public async Task Messages_BrokerKilledAndBack_AllComeInOrder_AndTheStateIsTrue()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using Mosquitto broker = await Mosquitto.StartAsync();
        using var subscriber = new Subscriber();
        await subscriber.ConnectAsync(broker.Port);
        await using (RunningHost host = await RunningHost.StartAsync((c, _) => c with { Name = "Van 7/b", Mqtt = new MqttConfig { Broker = $"mqtt://127.0.0.1:{broker.Port}", Topic = "force/lfr" } }, new TestTime(faster: 50)))
        {
            await Eventually.HoldsAsync(() => Task.FromResult(subscriber.States.Contains("idle")), "the state is known");
            for (int i = 0; i < 5; i++)
                await NoteAsync(host, i, token);
            await Eventually.HoldsAsync(() => Task.FromResult(subscriber.Subjects.Distinct().Count() == 5), "the first five came");

            broker.Kill();
            for (int i = 5; i < 10; i++)
                await NoteAsync(host, i, token);
            await Eventually.HoldsAsync(() => WaitingAsync(host), "the sender saw that the broker is away");
            await broker.StartAgainAsync();
            await subscriber.ConnectAsync(broker.Port);
            await Eventually.HoldsAsync(() => Task.FromResult(subscriber.Subjects.Distinct().Count() == 10), "all ten came");
            Assert.Equal(Enumerable.Range(0, 10).Select(i => $"alert/{i}"), subscriber.Subjects.Distinct());
            Assert.Equal(10, subscriber.Ids.Distinct().Count());

            await host.Journal.ChangeAsync(Actor.Engine, (store, entries) =>
            {
                Guid id = Guid.NewGuid();
                store.Deployments.Add(new DeploymentRecord { Id = id, Name = "High Street", State = DeploymentState.Running, AuthorityText = "{}", DraftedAt = host.Time.GetUtcNow() });
                entries.Note("deployment.started", $"deployment/{id}", new { Runs = 1 });
                return Task.CompletedTask;
            }, token);
            await Eventually.HoldsAsync(() => Task.FromResult(subscriber.States.LastOrDefault() == "running"), "the state says that a deployment runs");

            // Another installation of the same name takes the place: that is told, and this one comes back.
            using IMqttClient twin = new MqttClientFactory().CreateMqttClient();
            await twin.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port).WithProtocolVersion(MqttProtocolVersion.V500).WithClientId("lfr-Van 7-b").WithCleanSession()
                .WithWillTopic("force/lfr/Van 7-b/state").WithWillPayload("""{"installation":"Van 7/b","key":"another","state":"offline"}""").WithWillRetain().Build(), token);
            await Eventually.HoldsAsync(() => host.ReadAsync(s => Task.FromResult(s.Audit.Any(e => e.Action == "receiver.name-taken" && e.Details.Contains("lfr-Van 7-b")))), "the same name was told");
            await Eventually.HoldsAsync(() => Task.FromResult(subscriber.States.LastOrDefault() == "running"), "this one came back");
        }
        await Eventually.HoldsAsync(() => Task.FromResult(subscriber.States.Last() == "offline"), "the state says that the engine has gone");
        Assert.All(subscriber.Topics, t => Assert.StartsWith("force/lfr/Van 7-b/", t, StringComparison.Ordinal));

        // Later subscribers receive the state too.
        using var late = new Subscriber();
        await late.ConnectAsync(broker.Port);
        await Eventually.HoldsAsync(() => Task.FromResult(late.States.Contains("offline")), "the state is retained");
    }

    private static Task NoteAsync(RunningHost host, int number, CancellationToken token) => host.Journal.NoteAsync(Actor.Engine, "alert.raised", $"alert/{number}", new { RolePlayer = false }, token);

    private static Task<bool> WaitingAsync(RunningHost host)
    {
        using LfrStore store = host.Store();
        return Task.FromResult(store.Outbox.Any(m => m.Attempts > 0));
    }

    private sealed class Subscriber : IDisposable
    {
        private readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();
        private readonly string id = $"test-{Guid.NewGuid():N}";
        private readonly ConcurrentQueue<(string Topic, JsonElement Body)> received = new();

        public Subscriber() => client.ApplicationMessageReceivedAsync += e =>
        {
            received.Enqueue((e.ApplicationMessage.Topic, JsonDocument.Parse(e.ApplicationMessage.ConvertPayloadToString()).RootElement));
            return Task.CompletedTask;
        };

        public IEnumerable<string> Topics => received.Select(r => r.Topic);

        public IEnumerable<string> States => received.Where(r => r.Topic.EndsWith("/state", StringComparison.Ordinal)).Select(r => r.Body.GetProperty("state").GetString()!);

        public IEnumerable<string> Subjects => Alerts.Select(r => r.GetProperty("subject").GetString()!);

        public IEnumerable<string> Ids => Alerts.Select(r => r.GetProperty("messageId").GetString()!);

        private IEnumerable<JsonElement> Alerts => received.Where(r => r.Topic.EndsWith("/alert/raised", StringComparison.Ordinal)).Select(r => r.Body);

        // A session that the broker keeps: what comes while this one is away waits there.
        public async Task ConnectAsync(int port)
        {
            MqttClientOptions options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithProtocolVersion(MqttProtocolVersion.V500).WithClientId(id).WithCleanStart(false).WithSessionExpiryInterval(3600).Build();
            await Eventually.HoldsAsync(() => Task.FromResult(!client.IsConnected), "the old connection is gone");
            await client.ConnectAsync(options, TestContext.Current.CancellationToken);
            await client.SubscribeAsync("force/lfr/#", MqttQualityOfServiceLevel.AtLeastOnce, TestContext.Current.CancellationToken);
        }

        public void Dispose() => client.Dispose();
    }
}
