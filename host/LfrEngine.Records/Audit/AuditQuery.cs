using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Audit;

/// <summary>A filter for entries; null or empty values match everything.</summary>
/// <param name="Action">The whole action, or its beginning with a star: <c>alert.*</c>; or its end: <c>*.viewed</c>.</param>
/// <param name="Subject">The whole subject.</param>
/// <param name="Officer">An officer's id or name.</param>
/// <param name="From">Start, inclusive.</param>
/// <param name="To">End, exclusive.</param>
/// <param name="Before">Only entries with a smaller number, for the next page.</param>
internal sealed record AuditQuery(string? Action = null, string? Subject = null, string? Officer = null, DateTimeOffset? From = null, DateTimeOffset? To = null, long? Before = null)
{
    public const int PageSize = 200;

    /// <summary>The newest matching entries, newest first.</summary>
    public async Task<AuditEntry[]> FindAsync(LfrStore store, CancellationToken stopping)
    {
        IQueryable<AuditEntry> found = store.Audit.AsNoTracking();
        if (Action is ['*', .. var end])
            found = found.Where(e => e.Action.EndsWith(end));
        else if (Action is [.. var beginning, '*'])
            found = found.Where(e => e.Action.StartsWith(beginning));
        else if (Action is { Length: > 0 } whole)
            found = found.Where(e => e.Action == whole);
        if (Subject is { Length: > 0 } subject)
            found = found.Where(e => e.Subject == subject);
        if (Officer is { Length: > 0 } officer)
            found = found.Where(e => e.ActorId == officer || e.ActorName == officer);
        if (From is { } from)
            found = found.Where(e => e.At >= from);
        if (To is { } to)
            found = found.Where(e => e.At < to);
        if (Before is { } before)
            found = found.Where(e => e.Sequence < before);
        return await found.OrderByDescending(e => e.Sequence).Take(PageSize).ToArrayAsync(stopping);
    }
}
