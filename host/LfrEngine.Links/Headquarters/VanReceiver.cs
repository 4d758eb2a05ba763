using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.RateLimiting;
using LfrEngine.Files;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Links.Headquarters;

/// <summary>At a headquarters: receives the vans' trails, each entry once, in order, and refuses entries that do not continue the trail.</summary>
internal sealed class VanReceiver(Installation installation, Journal journal, TimeProvider time, ILogger<VanReceiver> log) : IDisposable
{
    private const int RequestsAtOnce = 30;
    private const int RequestsPerSecond = 10;

    private readonly Dictionary<string, byte[]> keys = installation.Config.Vans.ToDictionary(v => v.Key, v => Key(installation, v.Value));

    // Requests from others are cheap to refuse, and limit how long vans wait for each other.
    private readonly PartitionedRateLimiter<string> limiter = PartitionedRateLimiter.Create<string, string>(from => RateLimitPartition.GetTokenBucketLimiter(from, _ => new TokenBucketRateLimiterOptions
    {
        TokenLimit = RequestsAtOnce,
        TokensPerPeriod = RequestsPerSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
    }));

    private readonly HashSet<(string Van, string Problem)> told = [];

    public static void Map(WebApplication app) =>
        app.MapPost("/api/v1/vans/{van}/entries", (string van, HttpContext context, [FromServices] VanReceiver receiver) => receiver.AnswerAsync(van, context))
            .AllowAnonymous()
            .WithMetadata(new RequestSizeLimitAttribute(VanBatch.MostBytes))
            .WithTags("Vans")
            .Accepts<VanBatch>("application/json")
            .Produces<VanAnswer>().Produces<VanAnswer>(StatusCodes.Status409Conflict).Produces(StatusCodes.Status401Unauthorized).Produces(StatusCodes.Status429TooManyRequests)
            .WithSummary("A van's audit entries, signed with its installation key.");

    public void Dispose() => limiter.Dispose();

    /// <summary>Stores a batch after its signature was checked.</summary>
    public Task<VanAnswer> ReceiveAsync(VanBatch batch, CancellationToken stopping) => journal.ChangeAsync(Actor.Engine, async (store, entries) =>
    {
        VanEntry? known = await store.VanEntries.AsNoTracking().Where(e => e.Van == batch.Van).OrderByDescending(e => e.Sequence).FirstOrDefaultAsync(stopping);
        AuditEntry? last = known?.ToEntry();
        long next = (last?.Sequence ?? 0) + 1;
        AuditEntry[] news = [.. batch.Entries.Where(e => e.Sequence >= next)];

        // Repeated entries must equal the stored ones.
        AuditEntry[] again = [.. batch.Entries.Where(e => e.Sequence < next)];
        if (again.Length > 0)
        {
            long first = again.Min(e => e.Sequence), end = again.Max(e => e.Sequence);
            Dictionary<long, string> here = await store.VanEntries.AsNoTracking().Where(e => e.Van == batch.Van && e.Sequence >= first && e.Sequence <= end).ToDictionaryAsync(e => e.Sequence, e => e.Hash, stopping);
            if (again.FirstOrDefault(e => here.GetValueOrDefault(e.Sequence) != e.Hash) is { } other)
                return Refuse(entries, batch.Van, new VanAnswer(next, $"entry {other.Sequence} is not the one received before: the trail has been rewritten", Diverged: true));
        }
        if (news.Length == 0)
            return new VanAnswer(next);
        if (news[0].Sequence != next)
            return new VanAnswer(next, $"entry {next} is expected next");
        if (AuditChain.FirstFault(news, ref last) is { } fault)
            return Refuse(entries, batch.Van, new VanAnswer(next, fault, Diverged: true));
        DateTimeOffset now = time.GetUtcNow();
        store.VanEntries.AddRange(news.Select(e => new VanEntry
        {
            Van = batch.Van,
            Sequence = e.Sequence,
            At = e.At,
            ReceivedAt = now,
            ActorId = e.ActorId,
            ActorName = e.ActorName,
            Action = e.Action,
            Subject = e.Subject,
            Details = e.Details,
            PreviousHash = e.PreviousHash,
            Hash = e.Hash,
        }));
        entries.Note("van.received", $"van/{batch.Van}", new { First = next, Last = last!.Sequence, last.Hash });
        return new VanAnswer(last.Sequence + 1);
    }, stopping);

    // Logged once, because a refused van keeps trying.
    private VanAnswer Refuse(Entries entries, string van, VanAnswer answer)
    {
        if (told.Add((van, answer.Problem!)))
        {
            LinksLog.VanRefused(log, van, answer.Problem!);
            entries.Note("van.refused", $"van/{van}", new { answer.Problem, answer.Next });
        }
        return answer;
    }

    private async Task<IResult> AnswerAsync(string van, HttpContext context)
    {
        using RateLimitLease lease = limiter.AttemptAcquire(context.Connection.RemoteIpAddress?.ToString() ?? "");
        if (!lease.IsAcquired)
            return Results.StatusCode(StatusCodes.Status429TooManyRequests);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (!IsSigned(van, context.Request.Headers[VanBatch.SignatureHeader].ToString(), body.GetBuffer().AsSpan(0, (int)body.Length)))
            return Results.StatusCode(StatusCodes.Status401Unauthorized);
        VanBatch? batch;
        try
        {
            batch = JsonSerializer.Deserialize<VanBatch>(body.GetBuffer().AsSpan(0, (int)body.Length), AuditJson.Options);
        }
        catch (JsonException e)
        {
            return Results.Problem(JsonTrouble.Words("The batch", e), statusCode: StatusCodes.Status400BadRequest);
        }
        if (batch is null || batch.Van != van || batch.Entries.Length > VanBatch.MostEntries)
            return Results.Problem($"A batch must name its van and have at most {VanBatch.MostEntries} entries.", statusCode: StatusCodes.Status400BadRequest);
        VanAnswer answer = await ReceiveAsync(batch, context.RequestAborted);
        return Results.Json(answer, AuditJson.Options, statusCode: answer.Problem is null ? StatusCodes.Status200OK : StatusCodes.Status409Conflict);
    }

    private bool IsSigned(string van, string signature, ReadOnlySpan<byte> body)
    {
        Span<byte> bytes = stackalloc byte[128];
        if (!keys.TryGetValue(van, out byte[]? key) || !Convert.TryFromBase64String(signature, bytes, out int length))
            return false;
        using var signer = ECDsa.Create();
        signer.ImportSubjectPublicKeyInfo(key, out _);
        return signer.VerifyData(body, bytes[..length], HashAlgorithmName.SHA256);
    }

    private static byte[] Key(Installation installation, string path)
    {
        try
        {
            using ECDsa key = SignedFile.KeyFrom(InputFile.ReadText(installation.PathOf(path)));
            return key.ExportSubjectPublicKeyInfo();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"The van's public key {installation.PathOf(path)} cannot be read: {FileTrouble.Words(e)} `lfr receipt key` on the van prints it.", e);
        }
    }
}
