using System.IO.Compression;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Disclosure;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using LfrEngine.Web.Tests.Alerts;
using LfrEngine.Web.Tests.Authorities;
using LfrEngine.Web.Tests.Policies;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Disclosure;

/// <summary>A deployment that is over, with a policy pack, a lowered threshold, two signatures, alerts and a receipt; and the bundle of one of its alerts.</summary>
public sealed class DisclosureStage : IAsyncLifetime
{
    private AuthorityStage stage = null!;

    internal RunningHost Host => stage.Host;

    internal DisclosureMaker Maker => Host.Services.GetRequiredService<DisclosureMaker>();

    public Guid Deployment { get; private set; }

    /// <summary>Judged viable; its pictures exist.</summary>
    public Guid Alert { get; private set; }

    /// <summary>Rejected; its pictures are erased.</summary>
    public Guid Rejected { get; private set; }

    /// <summary>A passage that joined <see cref="Alert"/>.</summary>
    public Guid Sighting { get; private set; }

    /// <summary>Path of the bundle.</summary>
    public string Bundle => Host.PathOf("bundle.zip");

    internal DisclosureKeys Keys { get; private set; } = null!;

    /// <summary>Files of the keys.</summary>
    public string[] KeyOptions => ["--key", Host.PathOf("key.pem"), "--officer-key", Host.PathOf("sam.pem"), "--officer-key", Host.PathOf("olga.pem"), "--laboratory-key", Host.PathOf("laboratory.pem"), "--policy-key", Host.PathOf("policy.pem")];

    private static CancellationToken Stopping => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        SignedPolicy policy = Packs.Sign(Packs.Whole with { Where = null, Signing = null, Presence = null, TrainingDays = new Dictionary<string, int>() });
        stage = await AuthorityStage.StartAsync(policy);
        Officer second = await Host.AddOfficerAsync("olga", Roles.AuthorisingOfficer);
        await stage.SignAsync(await stage.DraftAsync(stage.Draft() with { Categories = [stage.Draft().Categories[0] with { Threshold = 0.52 }] }));
        Guid list = await stage.AddWatchlistAsync("Next list");
        Deployment = await stage.DraftAsync(stage.Draft() with { WatchlistId = list, LoweringReason = "New evidence of May.", SecondOfficer = second.Id });
        await stage.SignAsync(Deployment, second);
        await stage.SignAsync(Deployment);
        stage.Time.Now += TimeSpan.FromHours(2);
        DeploymentLedger ledger = Host.Services.GetRequiredService<DeploymentLedger>();
        await ledger.BeginAsync(AuthorityStage.Of(stage.Drafter), Deployment, Stopping);

        var material = AlertMaterial.Of(Host, list, Deployment);
        ClaimsPrincipal otto = await material.OfficerAsync("otto", Roles.Operator);
        Guid person = await material.AddPersonAsync(response: "Keep away from Eve Other.", lookalike: "Tom Twin"), stranger = await material.AddPersonAsync();
        Alert = await material.RaiseAsync(person);
        Sighting = await material.RaiseAsync(person, score: 0.58f);
        await SealAsync();
        await AuditEntriesOfOthersAsync(3);
        Rejected = await material.RaiseAsync(stranger, score: 0.51f);
        await AuditEntriesOfOthersAsync(2);
        Assert.Null((await material.Alerts.DecideAsync(otto, Alert, AlertState.Viable, "Not his brother Tom Twin.")).Refusal);
        await AuditEntriesOfOthersAsync(2);
        Assert.Null((await material.Alerts.DecideAsync(otto, Rejected, AlertState.Rejected, "")).Refusal);
        await SealAsync();
        await AuditEntriesOfOthersAsync(1);
        string receipt = WriteReceipt(Deployment, list, "run1");
        await Host.Journal.ChangeAsync(AuthorityStage.Of(stage.Drafter), async (store, entries) =>
        {
            DeploymentRecord record = await store.Deployments.FirstAsync(d => d.Id == Deployment);
            (record.FacesSeen, record.RunningSeconds) = (40, 3600);
            await ledger.CloseAsync(store, entries, record, DeploymentState.Ended, "The shift is over.", receipt);
        });

        DeploymentRecord signed = await Host.ReadAsync(s => s.Deployments.SingleAsync(d => d.Id == Deployment));
        Keys = new DisclosureKeys(SignedDocument.TrustedPem(null), [signed.SignerPublicKey!, signed.SecondSignerPublicKey!], [await File.ReadAllTextAsync(Host.PathOf("laboratory.pem"), Stopping)],
            [SignedDocument.SignerPem(policy.File, "policy", SignedPolicy.Kind)]);
        foreach ((string name, string pem) in new[] { ("key", Keys.Installation), ("sam", Keys.Officers[0]), ("olga", Keys.Officers[1]), ("policy", Keys.Policies[0]) })
            await File.WriteAllTextAsync(Host.PathOf($"{name}.pem"), pem, Stopping);
        await MakeAsync(Alert, Bundle);
    }

    /// <summary>Makes a bundle as the signer and writes it.</summary>
    public async Task MakeAsync(Guid alert, string path)
    {
        using DisclosureBundle bundle = (await Maker.MakeAsync(AuthorityStage.Of(stage.Signer), alert, "Case T2026/17", Stopping))!;
        File.WriteAllBytes(path, bundle.Content);
    }

    internal DisclosureCheck Check(string? path = null, IReadOnlyList<AuditEntry>? trail = null) => DisclosureCheck.Of(path ?? Bundle, Keys, trail);

    /// <summary>The files of a bundle.</summary>
    public static Dictionary<string, byte[]> Unpack(string path)
    {
        using ZipArchive zip = ZipFile.OpenRead(path);
        return zip.Entries.ToDictionary(e => e.FullName, e =>
        {
            using Stream from = e.Open();
            using var all = new MemoryStream();
            from.CopyTo(all);
            return all.ToArray();
        });
    }

    /// <summary>Writes files as a bundle, under a name that no other test uses.</summary>
    public string Pack(IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        string path = Host.PathOf($"{Guid.NewGuid():N}.zip");
        using ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach ((string name, byte[] content) in files)
        {
            using Stream to = zip.CreateEntry(name).Open();
            to.Write(content);
        }
        return path;
    }

    /// <summary>The bundle with files changed, and a list of parts that the installation has signed: what nobody but who has its key can make.</summary>
    internal string Forge(Action<Dictionary<string, byte[]>> change)
    {
        Dictionary<string, byte[]> files = Unpack(Bundle);
        change(files);
        using InstallationKey key = InstallationKey.Open();
        DisclosureManifest manifest = Check().Manifest;
        manifest = manifest with { Parts = [.. manifest.Parts.Where(p => files.ContainsKey(p.Name)).Select(p => p with { Bytes = files[p.Name].Length, Sha256 = Convert.ToHexStringLower(SHA256.HashData(files[p.Name])) })] };
        files[DisclosureFormat.Manifest] = Encoding.UTF8.GetBytes(SignedDocument.Sign(DisclosureFormat.Kind, DisclosureFormat.Text(manifest), key));
        return Pack(files);
    }

    /// <summary>Evidence as the trusted laboratory would sign it, but not what the authority names.</summary>
    public byte[] OtherEvidence()
    {
        stage.WriteEvidence(Host.PathOf("other.json"), stage.Evidence(AuthorityStage.People + 1));
        return File.ReadAllBytes(Host.PathOf("other.json"));
    }

    internal string WriteReceipt(Guid deployment, Guid list, string run)
    {
        var lived = new LatencyReport(1, 1, 1, 1);
        var receipt = new ErasureReceipt(ErasureReceipt.CurrentFormat, run, stage.Time.Now.AddHours(-1), stage.Time.Now, list, ["gate"], 100, 0, 40, 40, 2, new LifetimeReport(lived, lived, lived, lived, lived, lived, 1000, 0), new ErasureReport(1, 1, 1, 0, 0), [], []);
        string name = $"{deployment:N}-{run}.json";
        using InstallationKey key = InstallationKey.Open();
        File.WriteAllText(Host.Installation.DataPath("receipts", name), receipt.Sign(key));
        return name;
    }

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    private Task SealAsync() => Host.Services.GetRequiredService<AuditSealer>().SealAsync(Stopping);

    private async Task AuditEntriesOfOthersAsync(int count)
    {
        for (int i = 0; i < count; i++)
            await Host.Journal.NoteAsync(Actor.Engine, "test.filled", $"test/{i}", new { Secret = "of another deployment" }, Stopping);
    }
}
