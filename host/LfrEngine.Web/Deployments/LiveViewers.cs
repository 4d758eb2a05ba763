using System.Collections.Concurrent;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Deployments;

/// <summary>Notes who watches which camera: once when somebody begins to, not for every picture.</summary>
internal sealed class LiveViewers(Journal journal, TimeProvider time)
{
    // Who looks again within this time has not stopped.
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(string Officer, Guid Deployment, string Camera), long> seen = new();

    /// <summary>Somebody asks for a picture.</summary>
    public async Task NoteAsync(Actor officer, Guid deployment, string camera, CancellationToken stopping)
    {
        long now = time.GetTimestamp();
        bool goesOn = seen.TryGetValue((officer.Id, deployment, camera), out long last) && time.GetElapsedTime(last, now) < Pause;
        seen[(officer.Id, deployment, camera)] = now;
        if (!goesOn)
            await journal.NoteAsync(officer, "live.watched", $"deployment/{deployment}", new { camera }, stopping);
    }
}
