using System.IO.Compression;
using System.Text;
using System.Text.Json;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Retention;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Inspection;

/// <summary>What an oversight body takes away, in one ZIP file: audit, authorities with signatures, receipts, figures, the retention policy. No pictures, no names of people on a list.</summary>
/// <remarks>Everything in it is checked with <c>lfr</c> on another machine, and the figures are computed again from the trail; its README says how.</remarks>
internal sealed class InspectionFile(Installation installation, InstallationKey key, IDbContextFactory<LfrStore> stores, RetentionPolicy retention, ReceiptShelf receipts, PolicyShelf policies)
{
    /// <summary>Makes it in a temporary file, which is gone when the stream is closed.</summary>
    /// <returns>At its beginning; the caller disposes it.</returns>
    public async Task<Stream> MakeAsync(CancellationToken stopping)
    {
        // Not straight to the browser: a ZIP entry is closed synchronously, which the web server does not allow.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), options);
        try
        {
            await WriteAsync(file, stopping);
            file.Position = 0;
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    private async Task WriteAsync(Stream to, CancellationToken stopping)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        await using ZipArchive zip = await ZipArchive.CreateAsync(to, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, stopping);
        await AddAsync(zip, "README.txt", Encoding.UTF8.GetBytes(ReadMe), stopping);
        await AddAsync(zip, "installation.pem", Encoding.UTF8.GetBytes(key.PublicPem), stopping);
        await AddTrailAsync(zip, "audit.jsonl", installation.Config.Name, AuditFile.Lines(store), stopping);
        foreach (string van in await store.VanEntries.Select(e => e.Van).Distinct().OrderBy(v => v).ToArrayAsync(stopping))
            await AddTrailAsync(zip, $"vans/{Uri.EscapeDataString(van)}.jsonl", van, AuditFile.Lines(store, van), stopping);
        foreach (DeploymentRecord deployment in await store.Deployments.AsNoTracking().Where(d => d.Signature != null && d.SignerPublicKey != null).OrderBy(d => d.DraftedAt).ToListAsync(stopping))
        {
            await AddAsync(zip, $"authorities/authority-{deployment.Id:N}.json", AuthoritySetup.FileOf(deployment)!, stopping);
            if (AuthoritySetup.FileOf(deployment, second: true) is { } second)
                await AddAsync(zip, $"authorities/second-signature-{deployment.Id:N}.json", second, stopping);
        }
        foreach (string pack in policies.Files())
            await AddAsync(zip, $"policies/{Path.GetFileName(pack)}", await File.ReadAllBytesAsync(pack, stopping), stopping);
        foreach (AuditEntry enrolled in await store.Audit.AsNoTracking().Where(e => e.Action == OfficerRegister.Enrolled).OrderBy(e => e.Sequence).ToListAsync(stopping))
        {
            using JsonDocument details = JsonDocument.Parse(enrolled.Details);
            if (details.RootElement.TryGetProperty("signingPublicKey", out JsonElement pem) && pem.GetString() is { } text)
                await AddAsync(zip, $"officers/{enrolled.Subject.Split('/')[^1]}.pem", Encoding.UTF8.GetBytes(text), stopping);
        }
        foreach (ReceiptName name in await receipts.NamesAsync())
        {
            if (receipts.PathOf(name.FileName) is { } path)
                await AddAsync(zip, $"receipts/{name.FileName}", await File.ReadAllBytesAsync(path, stopping), stopping);
        }
        await AddAsync(zip, "retention.json", JsonSerializer.SerializeToUtf8Bytes(retention.Text(), AuditJson.Options), stopping);
        try
        {
            TransparencyReport report = PublishedFigures.Report(store, installation, null, null);
            foreach (TransparencyForm form in Enum.GetValues<TransparencyForm>())
                await AddAsync(zip, $"figures/deployments.{form.ToString().ToLowerInvariant()}", TransparencyText.Write(report, form), stopping);
        }
        catch (CommandFailure e)
        {
            await AddAsync(zip, "figures/not-counted.txt", Encoding.UTF8.GetBytes(e.Message + "\n"), stopping);
        }
    }

    private static async Task AddAsync(ZipArchive zip, string name, byte[] content, CancellationToken stopping)
    {
        await using Stream entry = await zip.CreateEntry(name).OpenAsync(stopping);
        await entry.WriteAsync(content, stopping);
    }

    private static async Task AddTrailAsync(ZipArchive zip, string name, string of, IEnumerable<AuditLine> lines, CancellationToken stopping)
    {
        await using Stream entry = await zip.CreateEntry(name).OpenAsync(stopping);
        await AuditFile.WriteAsync(entry, of, lines, stopping);
    }

    private const string ReadMe = """
        What an inspector takes away from an installation of LfrEngine. There are no pictures in it, and no names of people on a watchlist.

        audit.jsonl     the whole audit trail; vans/ has those of vans, at a headquarters
        authorities/    every signed authority, with its signature, and with the second one where a threshold became lower
        policies/       the policy packs under which they were drafted
        officers/       public keys with which officers sign, as the trail recorded them at enrolment
        receipts/       erasure and destruction receipts
        figures/        the published figures
        retention.json  the retention policy, as enforced
        installation.pem  the public key of this installation. Compare it with one that was given to you on another way.

        Check everything on a machine of your own:

        lfr audit verify audit.jsonl --key installation.pem
        lfr authority verify authorities/FILE --key officers/ID.pem     (authorisingOfficer in the file has the id)
        lfr receipt verify receipts/FILE --key installation.pem
        lfr export audit.jsonl --format json -o figures-again.json

        The last one counts the figures again from the trail. The result is figures/deployments.json, byte for byte; at a headquarters give the files of vans/ too, in order.

        """;
}
