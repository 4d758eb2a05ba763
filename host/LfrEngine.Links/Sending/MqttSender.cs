using System.Security.Cryptography;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Programs;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Links.Sending;

/// <summary>Sends messages to an MQTT 5 broker, in order, each at least once (QoS 1). Publishes the engine's state, which the broker changes to offline when the connection breaks.</summary>
internal sealed class MqttSender(MqttConfig mqtt, Installation installation, InstallationKey key, Journal journal, IDbContextFactory<LfrStore> stores, TimeProvider time, ILogger<MqttSender> log) : BackgroundService
{
    private const int PlainPort = 1883;
    private const int TlsPort = 8883;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    // Set by the client's thread.
    private volatile bool nameTaken;
    private bool told;

    private readonly string root = $"{mqtt.Topic}/{TopicPart(installation.Config.Name)}";

    /// <summary>A name as one level of a topic.</summary>
    internal static string TopicPart(string name) => string.Concat(name.Select(c => c is '/' or '+' or '#' or '\0' ? '-' : c));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        MqttClientOptions options = await OptionsAsync(stoppingToken);
        using var queue = new OutboxQueue(Outbox.Mqtt, journal, stores, installation, time);
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        client.DisconnectedAsync += _ =>
        {
            queue.Wakeup.Set();
            return Task.CompletedTask;
        };
        client.ApplicationMessageReceivedAsync += e =>
        {
            if (IsOfAnother(e.ApplicationMessage.ConvertPayloadToString()))
            {
                nameTaken = true;
                queue.Wakeup.Set();
            }
            return Task.CompletedTask;
        };
        try
        {
            await queue.RunAsync(message => SendAsync(client, options, message, stoppingToken), error => LinksLog.ReceiverFailed(log, Outbox.Mqtt, error), stoppingToken);
        }
        finally
        {
            // The will is not published after an orderly disconnect.
            if (client.IsConnected)
            {
                await PublishAsync(client, State("offline", null), retain: true, "state", CancellationToken.None);
                await client.DisconnectAsync(new MqttClientDisconnectOptions(), CancellationToken.None);
            }
        }
    }

    private async Task<string?> SendAsync(IMqttClient client, MqttClientOptions options, OutboxMessage? message, CancellationToken stopping)
    {
        try
        {
            if (nameTaken)
            {
                nameTaken = false;
                if (!told)
                    await journal.NoteAsync(Actor.Engine, "receiver.name-taken", $"channel/{Outbox.Mqtt}", new { options.ClientId }, stopping);
                told = true;
                return $"also serves another installation with the name {installation.Config.Name}, and lets in only one of them at a time. Change \"name\" in lfr.json of one of them";
            }
            bool connect = !client.IsConnected;
            if (connect && await client.ConnectAsync(options, stopping) is { ResultCode: not MqttClientConnectResultCode.Success } refused)
                return $"refused: {refused.ResultCode}";
            // The state's topic is this installation's alone: what another one says there, also the broker for it, tells of the same name.
            if (connect)
                await client.SubscribeAsync(new MqttClientSubscribeOptionsBuilder().WithTopicFilter(f => f.WithTopic($"{root}/state").WithAtLeastOnceQoS().WithNoLocal()).Build(), stopping);
            if (connect || message?.Action.StartsWith("deployment.", StringComparison.Ordinal) == true)
                await PublishAsync(client, await StateAsync(stopping), retain: true, "state", stopping);
            if (message is not null)
                await PublishAsync(client, message.Payload, retain: false, message.Action.Replace('.', '/'), stopping);
            return null;
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttProtocolViolationException or InvalidOperationException or TimeoutException || (e is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            return $"cannot be reached: {e.Message}";
        }
    }

    private async Task PublishAsync(IMqttClient client, string payload, bool retain, string topic, CancellationToken stopping)
    {
        MqttApplicationMessage message = new MqttApplicationMessageBuilder().WithTopic($"{root}/{topic}").WithPayload(payload).WithContentType("application/json")
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).WithRetainFlag(retain).Build();
        MqttClientPublishResult result = await client.PublishAsync(message, stopping);
        if (!result.IsSuccess)
            throw new MqttCommunicationException($"the broker refused {topic}: {result.ReasonCode}");
    }

    private async Task<string> StateAsync(CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        DeploymentRecord? deployment = await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.State == DeploymentState.Running || d.State == DeploymentState.Paused, stopping);
        return State(deployment?.State switch { DeploymentState.Running => "running", DeploymentState.Paused => "paused", _ => "idle" }, deployment);
    }

    private string State(string state, DeploymentRecord? deployment) =>
        JsonSerializer.Serialize(new { Installation = installation.Config.Name, Key = Own, State = state, Deployment = deployment is null ? null : $"deployment/{deployment.Id}", deployment?.Name }, AuditJson.Options);

    // By its key one installation differs from another of the same name.
    private string Own => own ??= Fingerprint();

    private string? own;

    private string Fingerprint()
    {
        using ECDsa publicKey = SignedFile.KeyFrom(key.PublicPem);
        return SignedFile.Fingerprint(publicKey);
    }

    private bool IsOfAnother(string state)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(state);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("key", out JsonElement theirs) && theirs.ValueKind == JsonValueKind.String && theirs.GetString() != Own;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private async Task<MqttClientOptions> OptionsAsync(CancellationToken stopping)
    {
        var broker = new Uri(mqtt.Broker);
        bool tls = broker.Scheme == "mqtts";
        MqttClientOptionsBuilder options = new MqttClientOptionsBuilder()
            .WithTcpServer(broker.Host, broker.Port > 0 ? broker.Port : tls ? TlsPort : PlainPort)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithClientId($"lfr-{TopicPart(installation.Config.Name)}")
            .WithTimeout(Timeout)
            .WithKeepAlivePeriod(KeepAlive)
            .WithWillTopic($"{root}/state")
            .WithWillPayload(State("offline", null))
            .WithWillContentType("application/json")
            .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithWillRetain();
        if (tls)
            options.WithTlsOptions(o => o.UseTls());
        if (mqtt.User is { } user)
            options.WithCredentials(user, mqtt.PasswordPath is { } path ? InputFile.ReadText(installation.PathOf(path)).Trim() : null);
        return options.Build();
    }
}
