using System.Text.Json;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Audit;

/// <summary>Writes the messages for audit entries in the same transaction, so that an unreachable receiver loses nothing.</summary>
/// <remarks>
/// There are messages for alerts, deployments, cameras, the clock, and the trail's seals, so that the trail's length is known elsewhere. The headquarters needs no
/// messages: it receives the trail itself (<see cref="HeadquartersSender"/>).
/// </remarks>
public sealed class Outbox(Installation installation, TimeProvider time)
{
    /// <summary>Channel of the MQTT broker.</summary>
    public const string Mqtt = "mqtt";

    private static readonly string[] Told = ["alert.", "deployment.", "camera.", "clock."];

    /// <summary>Every channel that the configuration names.</summary>
    public IReadOnlyList<string> Channels { get; } = [.. installation.Config.Mqtt is null ? [] : new[] { Mqtt }, .. installation.Config.Webhooks.Select(Webhook)];

    /// <summary>Channel of a webhook.</summary>
    public static string Webhook(WebhookConfig webhook) => $"webhook:{webhook.Name}";

    /// <summary>Adds a message for every channel, for each entry that is published.</summary>
    /// <param name="store">The current transaction.</param>
    /// <param name="entries">Written in it.</param>
    public void Add(LfrStore store, IReadOnlyList<AuditEntry> entries)
    {
        foreach (AuditEntry entry in entries.Where(e => Told.Any(t => e.Action.StartsWith(t, StringComparison.Ordinal))))
        {
            using JsonDocument details = JsonDocument.Parse(entry.Details);
            Add(store, entry.Action, entry.Sequence, entry.At, entry.Subject, details.RootElement);
        }
    }

    /// <summary>Adds a message of a seal for every channel.</summary>
    /// <param name="store">The current transaction.</param>
    /// <param name="seal">Written in it.</param>
    public void Add(LfrStore store, AuditSeal seal) => Add(store, "audit.sealed", seal.Sequence, seal.At, "audit", JsonSerializer.SerializeToElement(new { seal.Hash, seal.Signature }, AuditJson.Options));

    private void Add(LfrStore store, string action, long sequence, DateTimeOffset at, string subject, JsonElement details)
    {
        foreach (string channel in Channels)
        {
            var id = Guid.NewGuid();
            store.Outbox.Add(new OutboxMessage
            {
                MessageId = id,
                Channel = channel,
                Action = action,
                Payload = JsonSerializer.Serialize(new OutboxPayload(id, installation.Config.Name, sequence, at, action, subject, details), AuditJson.Options),
                CreatedAt = time.GetUtcNow(),
            });
        }
    }
}

/// <summary>A message as sent to receivers (docs/host-json.md), without the actor.</summary>
internal sealed record OutboxPayload(Guid MessageId, string Installation, long Sequence, DateTimeOffset At, string Action, string Subject, JsonElement Details);
