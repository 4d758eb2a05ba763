using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Lib.Net.Http.WebPush;
using Lib.Net.Http.WebPush.Authentication;
using LfrEngine.Files;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Web.Alerts.Pushes;

/// <summary>
/// Notifies officers' phones by Web Push (RFC 8030) that there is an alert to judge or to act on: encrypted for the browser (RFC 8291), signed by this installation (VAPID, RFC 8292),
/// and without anything about a person, a category, a camera or a place.
/// </summary>
internal sealed partial class PushSender(PushConfig push, PushKey key, AlertFeed feed, AlertService alerts, SessionRegister sessions, ILogger<PushSender> log) : BackgroundService
{
    // An officer who hears of an alert later than this is told of a person who has passed.
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    // One wording for every phone: the message is made once, whatever languages its officers read.
    private const string ToJudge = "New alert to judge", ToAct = "New alert to act on";

    private static readonly string[] Judges = Permissions.ByRole[Permissions.JudgeAlerts], Engagers = Permissions.ByRole[Permissions.EngageAlerts];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = Timeout };
        using VapidAuthentication signing = key.Authentication(push.Contact);
        var client = new PushServiceClient(http) { DefaultAuthentication = signing, DefaultAuthenticationScheme = VapidAuthenticationScheme.Vapid, AutoRetryAfter = false };
        await using IAsyncEnumerator<IReadOnlyList<AuditEntry>> news = feed.FollowAsync(Actor.Engine, await feed.LatestAsync(stoppingToken), stoppingToken).GetAsyncEnumerator(stoppingToken);
        while (await AlertFeed.MoreAsync(news))
        {
            try
            {
                await TellAsync(client, news.Current, AlertState.Raised, Judges, "duty", stoppingToken);
                await TellAsync(client, news.Current, AlertState.Viable, Engagers, "alerts/street", stoppingToken);
            }
#pragma warning disable CA1031 // Any exception: the next alert must still be told.
            catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
            {
                Failed(log, "push", e.Message);
            }
        }
    }

    // Several alerts at once make one notification; if any is about a vulnerable person, it sounds like that.
    private async Task TellAsync(PushServiceClient client, IReadOnlyList<AuditEntry> news, AlertState waiting, string[] roles, string page, CancellationToken stopping)
    {
        await Task.WhenAll((await sessions.TakingPushesAsync(roles, stopping)).GroupBy(s => s.OfficerId).Select(async own =>
        {
            // What the officer may see: a deployment with a crew is for the crew alone.
            IReadOnlyList<AlertSummary> told = await alerts.NewlyAsync(new Actor(own.Key.ToString(), ""), waiting, news, stopping);
            if (told.Count == 0)
                return;
            string content = JsonSerializer.Serialize(new { title = waiting == AlertState.Raised ? ToJudge : ToAct, page, vulnerable = told.Any(a => a.Vulnerable) });
            await Task.WhenAll(own.Select(s => SendAsync(client, s, content, stopping)));
        }));
    }

    private async Task SendAsync(PushServiceClient client, OfficerSession session, string content, CancellationToken stopping)
    {
        // The services that are allowed may have become fewer.
        if (!push.Allows(session.PushAddress))
            return;
        var to = new PushSubscription { Endpoint = session.PushAddress };
        to.SetKey(PushEncryptionKeyName.P256DH, session.PushKey);
        to.SetKey(PushEncryptionKeyName.Auth, session.PushSecret);
        string host = new Uri(session.PushAddress!).Host;
        try
        {
            await client.RequestPushMessageDeliveryAsync(to, new PushMessage(content) { Urgency = PushMessageUrgency.High, TimeToLive = (int)Life.TotalSeconds, Topic = "alert" }, stopping);
        }
        catch (PushServiceClientException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            // The browser takes no more, and says so in this way.
            await sessions.SetPushAsync(session.Id, null, null, null);
        }
        catch (PushServiceClientException e)
        {
            Failed(log, host, $"it answered {(int)e.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or CryptographicException or FormatException or ArgumentException || (e is TaskCanceledException && !stopping.IsCancellationRequested))
        {
            // Not the exception's own words: they may hold the address, which is a secret of the browser's.
            Failed(log, host, e is HttpRequestException failure ? $"it cannot be reached: {failure.HttpRequestError}" : e is TaskCanceledException ? $"it did not answer within {Timeout.TotalSeconds:0} s" : "the browser's keys cannot be used");
        }
    }

    [LoggerMessage(LogLevel.Warning, "A notification was not sent to {Host}: {Reason}")]
    private static partial void Failed(ILogger log, string host, string reason);
}

/// <summary>The key that signs notifications: ECDSA P-256, <c>push-key.pem</c> in the data folder, created at first use, readable only by its owner. Browsers take notifications only from the key they subscribed to.</summary>
internal sealed class PushKey
{
    private readonly string privateKey;

    /// <summary>Reads the key, or creates it.</summary>
    /// <exception cref="CommandFailure">It cannot be read or created.</exception>
    public PushKey(Installation installation)
    {
        string path = installation.DataPath("push-key.pem");
        try
        {
            if (!File.Exists(path))
            {
                using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                OutputFile.Write(path, made.ExportPkcs8PrivateKeyPem(), ownerOnly: true, replace: false);
            }
            using ECDsa key = ECDsa.Create();
            key.ImportFromPem(InputFile.ReadText(path));
            ECParameters parameters = key.ExportParameters(includePrivateParameters: true);
            Public = Base64Url.EncodeToString([4, .. parameters.Q.X!, .. parameters.Q.Y!]);
            privateKey = Base64Url.EncodeToString(parameters.D!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Environment, $"The key for notifications {path} cannot be read or created: {e.Message} Move it away to create a new one; officers then turn notifications on again.", e);
        }
    }

    /// <summary>The public half as browsers want it: an uncompressed point, base64url.</summary>
    public string Public { get; }

    /// <summary>Signs for a push service.</summary>
    /// <param name="contact">Whom it may ask.</param>
    public VapidAuthentication Authentication(string contact) => new(Public, privateKey) { Subject = contact };
}
