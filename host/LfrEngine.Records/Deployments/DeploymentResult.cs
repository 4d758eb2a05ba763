using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Deployments;

/// <summary>What came of a deployment: its published figures, the outcomes of its alerts, and the receipts of its runs.</summary>
/// <param name="Figures">Counted from the audit trail.</param>
/// <param name="Outcomes">Alerts by the state in which they were left; none of role-players.</param>
/// <param name="RolePlayerAlerts">Alerts of role-players.</param>
/// <param name="Runs">In order.</param>
internal sealed record DeploymentResult(DeploymentFigures Figures, IReadOnlyDictionary<AlertState, int> Outcomes, int RolePlayerAlerts, IReadOnlyList<FinishedRun> Runs)
{
    /// <summary>The result; null if the deployment has never run.</summary>
    /// <exception cref="CommandFailure">The audit trail has been altered, so figures from it would be worthless.</exception>
    public static DeploymentResult? Of(LfrStore store, Installation installation, ReceiptShelf shelf, Guid deployment)
    {
        var ledger = new TransparencyLedger();
        PublishedFigures.Add(ledger, installation.Config.Name, AuditFile.Lines(store).Where(l => l.Entry is not null));
        if (ledger.Report(null, null).Deployments.FirstOrDefault(d => d.Id == deployment.ToString()) is not { } figures)
            return null;
        (IReadOnlyDictionary<AlertState, int> outcomes, int rolePlayers) = ledger.Outcomes(installation.Config.Name, DeploymentLedger.Subject(deployment));
        return new DeploymentResult(figures, outcomes, rolePlayers, [.. RunsOf(store, shelf, DeploymentLedger.Subject(deployment))]);
    }

    private static IEnumerable<FinishedRun> RunsOf(LfrStore store, ReceiptShelf shelf, string subject)
    {
        DateTimeOffset? started = null;
        foreach (AuditEntry entry in store.Audit.AsNoTracking().Where(e => e.Subject == subject).OrderBy(e => e.Sequence).ToArray())
        {
            if (entry.Action == "deployment.started")
            {
                started = entry.At;
            }
            else if (entry.Action is "deployment.paused" or "deployment.ended" && started is { } at)
            {
                // A paused deployment that ends does not end a run.
                started = null;
                yield return new FinishedRun(at, entry.At, ReceiptShelf.NamedIn(entry) is { } file ? shelf.Check(new ReceiptName(file, entry.At, subject)) : null);
            }
        }
    }
}

/// <summary>One run of a deployment, from a start to the next pause or the end.</summary>
/// <param name="StartedAt">From the audit trail.</param>
/// <param name="EndedAt">Likewise.</param>
/// <param name="Receipt">Null if none was written: the program ended unexpectedly, or the disk refused it.</param>
internal sealed record FinishedRun(DateTimeOffset StartedAt, DateTimeOffset EndedAt, KeptReceipt? Receipt);
