using System.Text.Json;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Receipts;

/// <summary>The receipts in the data folder, and those that the audit trail says must be there.</summary>
internal sealed class ReceiptShelf(Installation installation, InstallationKey key, IDbContextFactory<LfrStore> stores)
{
    private static readonly string[] Naming = ["deployment.paused", "deployment.ended", "watchlist.destroyed"];

    private string Folder => Path.GetDirectoryName(installation.DataPath("receipts", "_"))!;

    /// <summary>All, the latest first. A receipt that the trail names and nobody finds is among them.</summary>
    public async Task<IReadOnlyList<ReceiptName>> NamesAsync()
    {
        await using LfrStore store = await stores.CreateDbContextAsync();
        var names = new List<ReceiptName>();
        foreach (AuditEntry entry in await store.Audit.AsNoTracking().Where(e => Naming.Contains(e.Action)).ToArrayAsync())
        {
            if (NamedIn(entry) is { } file)
                names.Add(new ReceiptName(file, entry.At, entry.Subject));
        }
        HashSet<string> known = [.. names.Select(n => n.FileName)];
        names.AddRange(Files().Where(f => !known.Contains(f)).Select(f => new ReceiptName(f, File.GetLastWriteTimeUtc(Path.Combine(Folder, f)), null)));
        return [.. names.OrderByDescending(n => n.At)];
    }

    /// <summary>File name of the receipt that an entry names; null if it names none.</summary>
    public static string? NamedIn(AuditEntry entry)
    {
        using JsonDocument details = JsonDocument.Parse(entry.Details);
        return details.RootElement.TryGetProperty("receipt", out JsonElement file) && file.ValueKind == JsonValueKind.String ? file.GetString() : null;
    }

    /// <summary>Path of a receipt; null if there is none of this name.</summary>
    public string? PathOf(string fileName) => Files().Contains(fileName) ? Path.Combine(Folder, fileName) : null;

    /// <summary>Reads a receipt and checks it: signed by this installation, not altered, and about what its name says.</summary>
    public KeptReceipt Check(ReceiptName name)
    {
        if (PathOf(name.FileName) is not { } path)
            return new KeptReceipt(name, ReceiptVerdict.Missing, null);
        try
        {
            if (DestructionReceipt.IsOne(path))
                return Judge(name, $"watchlist-{DestructionReceipt.Verify(path, key.PublicPem).WatchlistId:N}.json", null);
            var receipt = ErasureReceipt.Verify(path, key.PublicPem);
            // The receipt names its run and not its deployment: without this check one could stand in for another.
            string about = name.Subject is ['d', ..] && Guid.TryParse(name.Subject.Split('/')[1], out Guid deployment) ? $"{deployment:N}-{receipt.Run}.json" : name.FileName;
            return Judge(name, about, receipt);
        }
        catch (CommandFailure)
        {
            return new KeptReceipt(name, ReceiptVerdict.Refused, null);
        }
    }

    private static KeptReceipt Judge(ReceiptName name, string about, ErasureReceipt? receipt) =>
        name.FileName == about ? new KeptReceipt(name, ReceiptVerdict.Genuine, receipt) : new KeptReceipt(name, ReceiptVerdict.Refused, null);

    private string[] Files() => [.. Directory.EnumerateFiles(Folder, "*.json").Select(f => Path.GetFileName(f))];
}

/// <summary>A receipt by name.</summary>
/// <param name="FileName">In the folder of receipts.</param>
/// <param name="At">When the trail recorded it; for one that the trail does not name, the time of the file.</param>
/// <param name="Subject"><c>deployment/ID</c> or <c>watchlist/ID</c>; null if the trail does not name it.</param>
internal sealed record ReceiptName(string FileName, DateTimeOffset At, string? Subject);

/// <summary>A receipt that was looked for and checked.</summary>
/// <param name="Name">Which.</param>
/// <param name="Verdict">What was found.</param>
/// <param name="Erasure">What a run erased; null unless the receipt is a genuine one of a run.</param>
internal sealed record KeptReceipt(ReceiptName Name, ReceiptVerdict Verdict, ErasureReceipt? Erasure);

/// <summary>Whether a receipt can be relied on.</summary>
public enum ReceiptVerdict
{
    /// <summary>Signed by this installation, not altered.</summary>
    Genuine,

    /// <summary>Damaged, altered, of another run than its name says, or signed by another key.</summary>
    Refused,

    /// <summary>The audit trail names it, and the file is not there.</summary>
    Missing,
}
