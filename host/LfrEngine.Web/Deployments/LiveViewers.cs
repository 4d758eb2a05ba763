using System.Collections.Concurrent;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Deployments;

/// <summary>Records who watches which camera, once per viewing, not once per picture.</summary>
internal sealed class LiveViewers(Journal journal, TimeProvider time)
{
    // A request within this time continues the same viewing.
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(string Officer, Guid Deployment, string Camera), long> seen = new();

    /// <summary>Call for every request of a live picture.</summary>
    public async Task NoteAsync(Actor officer, Guid deployment, string camera, CancellationToken stopping)
    {
        long now = time.GetTimestamp();
        bool goesOn = seen.TryGetValue((officer.Id, deployment, camera), out long last) && time.GetElapsedTime(last, now) < Pause;
        seen[(officer.Id, deployment, camera)] = now;
        if (!goesOn)
            await journal.NoteAsync(officer, "live.watched", $"deployment/{deployment}", new { camera }, stopping);
    }
}
