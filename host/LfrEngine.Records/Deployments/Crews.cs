using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Deployments;

/// <summary>Crews of deployments: where one is named, nobody else sees the deployment's alerts, pictures and cameras, nor runs it. Records of what was done stay with the roles.</summary>
internal static class Crews
{
    /// <summary>Deployments that are closed to an officer, as part of a query.</summary>
    public static IQueryable<Guid> ClosedTo(LfrStore store, Guid officer) =>
        store.Crews.Where(c => !store.Crews.Any(own => own.DeploymentId == c.DeploymentId && own.OfficerId == officer)).Select(c => c.DeploymentId);

    /// <summary>Deployments that are closed to an officer.</summary>
    public static async Task<HashSet<Guid>> ClosedToAsync(IDbContextFactory<LfrStore> stores, Guid officer, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        return [.. await ClosedTo(store, officer).Distinct().ToArrayAsync(stopping)];
    }

    /// <summary>Names the crew of a deployment.</summary>
    /// <param name="journal">Of the installation.</param>
    /// <param name="actor">Who names it.</param>
    /// <param name="deployment">One that has not ended.</param>
    /// <param name="officers">The crew; nobody opens it to every officer whose role allows it.</param>
    /// <exception cref="DeploymentRefusedException">It has ended, or is closed to the actor.</exception>
    public static Task SetAsync(Journal journal, Actor actor, Guid deployment, IReadOnlyCollection<Guid> officers) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        DeploymentRecord? record = await store.Deployments.FirstOrDefaultAsync(d => d.Id == deployment);
        if (record is null || record.State is DeploymentState.Ended or DeploymentState.Withdrawn)
            throw new DeploymentRefusedException(["The deployment has ended."]);
        if (await ClosedTo(store, actor.OfficerId).ContainsAsync(deployment))
            throw new DeploymentRefusedException(["You do not belong to the crew of this deployment."]);
        CrewRecord[] before = await store.Crews.Where(c => c.DeploymentId == deployment).ToArrayAsync();
        store.Crews.RemoveRange(before.Where(c => !officers.Contains(c.OfficerId)));
        store.Crews.AddRange(officers.Except(before.Select(c => c.OfficerId)).Select(o => new CrewRecord { DeploymentId = deployment, OfficerId = o }));
        entries.Note("deployment.crew-changed", DeploymentLedger.Subject(deployment), new { Before = before.Select(c => c.OfficerId), After = officers });
    });
}
