using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Transparency;

/// <summary>Figures to publish, counted from checked audit trails.</summary>
internal static class PublishedFigures
{
    /// <summary>The report of this installation and, at a headquarters, of all its vans; every trail is checked first.</summary>
    /// <exception cref="CommandFailure">A trail has been altered, so figures from it would be worthless.</exception>
    public static TransparencyReport Report(LfrStore store, Installation installation, DateOnly? from, DateOnly? to)
    {
        var ledger = new TransparencyLedger();
        Add(ledger, installation.Config.Name, AuditFile.Lines(store).Where(l => l.Entry is not null));
        foreach (string van in store.VanEntries.Select(e => e.Van).Distinct().OrderBy(v => v).ToArray())
            Add(ledger, van, AuditFile.Lines(store, van));
        return ledger.Report(from, to);
    }

    /// <summary>Checks a trail and adds it to a ledger.</summary>
    /// <exception cref="CommandFailure">It has been altered.</exception>
    public static void Add(TransparencyLedger ledger, string installation, IEnumerable<AuditLine> lines)
    {
        var check = new AuditCheck();
        ledger.Add(installation, check.Pass(lines, signer: null));
        if (check.Fault is { } fault)
            throw new CommandFailure(ExitCode.Input, $"The audit trail of {installation} cannot be counted: {fault}. Run `lfr audit verify` for details.");
    }
}
