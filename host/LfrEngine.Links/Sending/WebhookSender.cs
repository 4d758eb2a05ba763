using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using LfrEngine.Files;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Links.Sending;

/// <summary>Sends messages to one address, in order, each until it answers with 2xx. Signed according to Standard Webhooks 1.0 (docs/host-json.md).</summary>
internal sealed class WebhookSender(WebhookConfig webhook, Installation installation, Journal journal, IDbContextFactory<LfrStore> stores, TimeProvider time, ILogger<WebhookSender> log) : BackgroundService
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary><c>v1,</c> and the base64 HMAC-SHA-256 of id, dot, timestamp, dot, body.</summary>
    internal static string Sign(byte[] secret, string id, string timestamp, string body) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")));

    /// <summary>The secret in a file: base64 after <c>whsec_</c>, otherwise the text itself.</summary>
    internal static byte[] Secret(string text) => text.Trim() is ['w', 'h', 's', 'e', 'c', '_', .. var encoded] ? Convert.FromBase64String(encoded) : Encoding.UTF8.GetBytes(text.Trim());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        byte[] secret = Secret(InputFile.ReadText(installation.PathOf(webhook.SecretPath)));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = Timeout };
        using var queue = new OutboxQueue(Outbox.Webhook(webhook), journal, stores, installation, time);
        await queue.RunAsync(message => message is null ? Task.FromResult<string?>(null) : SendAsync(client, secret, message, stoppingToken), error => LinksLog.ReceiverFailed(log, webhook.Name, error), stoppingToken);
    }

    private async Task<string?> SendAsync(HttpClient client, byte[] secret, OutboxMessage message, CancellationToken stopping)
    {
        string id = message.MessageId.ToString(), timestamp = time.GetUtcNow().ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new StringContent(message.Payload, Encoding.UTF8, new MediaTypeHeaderValue("application/json", "utf-8")) };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", Sign(secret, id, timestamp, message.Payload));
        try
        {
            using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stopping);
            return answer.IsSuccessStatusCode ? null : $"answered {(int)answer.StatusCode}";
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !stopping.IsCancellationRequested))
        {
            return e is HttpRequestException failure ? $"cannot be reached: {failure.HttpRequestError}" : $"did not answer within {Timeout.TotalSeconds:0} s";
        }
    }
}
