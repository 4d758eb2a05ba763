using System.Text;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Audit;

/// <summary>An entry of a trail, or the seal that follows it.</summary>
internal readonly record struct AuditLine(AuditEntry? Entry, AuditSeal? Seal);

/// <summary>The first line of an exported trail.</summary>
/// <param name="Format">Always <see cref="AuditFile.Format"/>.</param>
/// <param name="Installation">Whose trail it is.</param>
internal sealed record AuditHeader(string Format, string Installation);

/// <summary>A trail as a file: JSON lines, the header first, then every entry in order, each seal after the entry that it covers (docs/audit.md).</summary>
internal static class AuditFile
{
    /// <summary>Format and version.</summary>
    public const string Format = "lfr-audit-1";

    /// <summary>Entries and seals of this installation's own trail, in order.</summary>
    public static IEnumerable<AuditLine> Lines(LfrStore store) => Merge(store.Audit.AsNoTracking().OrderBy(e => e.Sequence).AsEnumerable(), [.. store.AuditSeals.AsNoTracking().OrderBy(s => s.Sequence)]);

    /// <summary>A van's entries, as received here.</summary>
    public static IEnumerable<AuditLine> Lines(LfrStore store, string van) => store.VanEntries.AsNoTracking().Where(e => e.Van == van).OrderBy(e => e.Sequence).AsEnumerable().Select(e => new AuditLine(e.ToEntry(), null));

    /// <summary>Writes a trail.</summary>
    public static async Task WriteAsync(Stream to, string installation, IEnumerable<AuditLine> lines, CancellationToken stopping)
    {
        await using var writer = new StreamWriter(to, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        await writer.WriteLineAsync(JsonSerializer.Serialize(new AuditHeader(Format, installation), AuditJson.Options));
        foreach (AuditLine line in lines)
        {
            stopping.ThrowIfCancellationRequested();
            await writer.WriteLineAsync(line.Entry is { } entry ? JsonSerializer.Serialize(entry, AuditJson.Options) : JsonSerializer.Serialize(new { line.Seal }, AuditJson.Options));
        }
    }

    /// <summary>Opens an exported trail.</summary>
    /// <param name="path">The file.</param>
    /// <param name="header">Its first line.</param>
    /// <returns>Entries and seals in the order of the file. Enumerating them throws at the first line that is neither.</returns>
    /// <exception cref="CommandFailure">The file cannot be read or is not an audit trail.</exception>
    public static IEnumerable<AuditLine> Read(string path, out AuditHeader header)
    {
        IEnumerator<string> lines = Guarded(path).GetEnumerator();
        header = lines.MoveNext() && AuditJson.Parse<AuditHeader>(lines.Current) is { Format: Format } read
            ? read
            : throw new CommandFailure(ExitCode.Input, $"{path} is not an audit trail: its first line is not {{\"format\":\"{Format}\",…}}. `lfr audit export FILE` writes one.");
        return Rest(path, lines);
    }

    private static IEnumerable<AuditLine> Rest(string path, IEnumerator<string> lines)
    {
        using (lines)
        {
            for (int number = 2; lines.MoveNext(); number++)
            {
                if (lines.Current.StartsWith("{\"seal\"", StringComparison.Ordinal) && AuditJson.Parse<SealLine>(lines.Current) is { } sealing)
                    yield return new AuditLine(null, sealing.Seal);
                else if (AuditJson.Parse<AuditEntry>(lines.Current) is { } entry)
                    yield return new AuditLine(entry, null);
                else
                    throw new CommandFailure(ExitCode.Input, $"{path}, line {number} is neither an entry nor a seal.");
            }
        }
    }

    private static IEnumerable<string> Guarded(string path)
    {
        StreamReader reader;
        try
        {
            reader = new StreamReader(InputFile.OpenStream(path), new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"The audit trail {path} cannot be read: {FileTrouble.Words(e)}", e);
        }
        using (reader)
        {
            while (true)
            {
                string? line;
                try
                {
                    line = reader.ReadLine();
                }
                catch (Exception e) when (e is IOException or DecoderFallbackException)
                {
                    throw new CommandFailure(ExitCode.Input, $"The audit trail {path} cannot be read: {FileTrouble.Words(e)}", e);
                }
                if (line is null)
                    yield break;
                yield return line;
            }
        }
    }

    private static IEnumerable<AuditLine> Merge(IEnumerable<AuditEntry> entries, AuditSeal[] seals)
    {
        int next = 0;
        foreach (AuditEntry entry in entries)
        {
            yield return new AuditLine(entry, null);
            while (next < seals.Length && seals[next].Sequence <= entry.Sequence)
                yield return new AuditLine(null, seals[next++]);
        }
        while (next < seals.Length)
            yield return new AuditLine(null, seals[next++]);
    }

    private sealed record SealLine(AuditSeal Seal);
}
