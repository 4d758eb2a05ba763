using System.Data.Common;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Links.Sending;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Links.Headquarters;

/// <summary>Sends the audit trail to the headquarters, in order, starting at the entry that the headquarters expects. Unsent entries stay in the trail.</summary>
internal sealed class HeadquartersSender(
    HeadquartersConfig headquarters, Installation installation, InstallationKey key, Journal journal, IDbContextFactory<LfrStore> stores, TimeProvider time, ILogger<HeadquartersSender> log) : BackgroundService
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Wakeup wakeup = new();

    /// <summary>Number of the last entry that the headquarters has; null until it has answered.</summary>
    public long? Acknowledged { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using HttpClient client = Client();
        var backOff = new BackOff(time);
        string? told = null;
        void OnWritten(IReadOnlyList<AuditEntry> _) => wakeup.Set();
        journal.Written += OnWritten;
        try
        {
            while (true)
            {
                string? failure = null;
                try
                {
                    AuditEntry[] entries = Acknowledged is { } known ? await AfterAsync(known, stoppingToken) : [];
                    if (Acknowledged is not null && entries.Length == 0)
                    {
                        await wakeup.WaitAsync(stoppingToken);
                        continue;
                    }
                    VanAnswer answer = await SendAsync(client, entries, stoppingToken);
                    string? problem = answer.Diverged ? answer.Problem : await AheadAsync(answer, stoppingToken);
                    if (problem is not null && problem != told)
                    {
                        told = problem;
                        LinksLog.HeadquartersRefuses(log, problem);
                        await journal.NoteAsync(Actor.Engine, "headquarters.refused", "headquarters", new { Problem = problem, answer.Next }, stoppingToken);
                    }
                    if (problem is null)
                    {
                        Acknowledged = answer.Next - 1;
                        backOff.Reset();
                        continue;
                    }
                }
                catch (Exception e) when (e is HttpRequestException or JsonException or DbException || (e is TaskCanceledException && !stoppingToken.IsCancellationRequested))
                {
                    failure = e switch
                    {
                        HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } unreached => unreached.HttpRequestError.ToString(),
                        JsonException unreadable => JsonTrouble.Words("its answer", unreadable),
                        _ => e.Message,
                    };
                }
                if (failure is not null)
                    LinksLog.ReceiverFailed(log, "The headquarters", failure);
                await backOff.WaitAsync(stoppingToken);
            }
        }
        finally
        {
            journal.Written -= OnWritten;
        }
    }

    private async Task<VanAnswer> SendAsync(HttpClient client, AuditEntry[] entries, CancellationToken stopping)
    {
        string van = installation.Config.Name;
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new VanBatch(van, entries), AuditJson.Options);
        using var request = new HttpRequestMessage(HttpMethod.Post, VanBatch.Path(van)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add(VanBatch.SignatureHeader, Convert.ToBase64String(key.Sign(body)));
        using HttpResponseMessage answer = await client.SendAsync(request, stopping);
        if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Conflict))
            throw new HttpRequestException(answer.StatusCode == HttpStatusCode.Unauthorized ? $"it does not know a van \"{van}\" with this key" : $"answered {(int)answer.StatusCode}");
        return JsonSerializer.Deserialize<VanAnswer>(await answer.Content.ReadAsStringAsync(stopping), AuditJson.Options) ?? throw new JsonException("it answered null");
    }

    private async Task<AuditEntry[]> AfterAsync(long sequence, CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        return await store.Audit.AsNoTracking().Where(e => e.Sequence > sequence).OrderBy(e => e.Sequence).Take(VanBatch.MostEntries).ToArrayAsync(stopping);
    }

    // A trail that is shorter than what the headquarters already has was cut, or restored from an old copy.
    private async Task<string?> AheadAsync(VanAnswer answer, CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        long last = await store.Audit.MaxAsync(e => (long?)e.Sequence, stopping) ?? 0;
        return answer.Next - 1 > last ? $"it has {new Counted(answer.Next - 1):entry|entries} of this trail, which ends with {last}: the last entries were removed, or an old copy was restored" : null;
    }

    private HttpClient Client()
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (headquarters.CertificatePath is { } path)
        {
            X509Certificate2 pinned = X509Certificate2.CreateFromPem(InputFile.ReadText(installation.PathOf(path)));
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, errors) =>
                errors == SslPolicyErrors.None || (shown is not null && shown.GetRawCertData().AsSpan().SequenceEqual(pinned.RawDataMemory.Span));
        }
        return new HttpClient(handler) { BaseAddress = new Uri(headquarters.Url), Timeout = Timeout };
    }
}
