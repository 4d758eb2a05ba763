using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests;

/// <summary>The trail: sealed, checked, shown.</summary>
[Trait("Speed", "slow")]
public sealed partial class AuditTests
{
    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Sealer_NewEntries_SealsThemOnce_AndAtTheEnd(StoreKind kind)
    {
        await using RunningHost host = await RunningHost.StartAsync(kind: kind);
        CancellationToken token = TestContext.Current.CancellationToken;
        AuditSealer sealer = host.Services.GetRequiredService<AuditSealer>();
        await FillAsync(host, 3);
        await sealer.SealAsync(token);
        await sealer.SealAsync(token);
        await using (LfrStore store = host.Store())
            Assert.Equal(3, Assert.Single(await store.AuditSeals.ToArrayAsync(token)).Sequence);
        await FillAsync(host, 2);
        await host.RestartAsync();

        await using LfrStore after = host.Store();
        long[] covered = await after.AuditSeals.OrderBy(s => s.Sequence).Select(s => s.Sequence).ToArrayAsync(token);
        Assert.Equal([3L, 5L], covered);
        using ECDsa signer = Signer();
        var check = new AuditCheck();
        Assert.Equal(5, check.Pass(AuditFile.Lines(after), signer).Count());
        Assert.Null(check.Fault);
        Assert.Equal((2, 0L), (check.Seals, check.Unsealed));
    }

    [Fact]
    public async Task Sealer_EveryMinute_SealsByItself()
    {
        await using RunningHost host = await RunningHost.StartAsync(time: new TestTime(faster: 1000));
        await FillAsync(host, 1);

        await Eventually.HoldsAsync(async () =>
        {
            await using LfrStore store = host.Store();
            return await store.AuditSeals.AnyAsync();
        }, "the entry was sealed");
    }

    [Fact]
    public async Task ClockWatch_ClockPutBack_IsNoted()
    {
        var time = new TestTime(faster: 1000);
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        await FillAsync(host, 1);
        time.Offset = TimeSpan.FromHours(-1);
        double bySeconds = await ClockEntryAsync(host, 1);
        Assert.InRange(bySeconds, -3601, -3598);

        // Also one that was put back while the program was not running.
        time.Offset = TimeSpan.FromHours(-3);
        await host.RestartAsync();
        Assert.InRange(await ClockEntryAsync(host, 2), -7205, -7190);
    }

    [Fact, Trait("Store", "sqlite")]
    public async Task Verify_IntactAndAlteredTrails_AreDistinguished()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        // The minute after which the sealer seals by itself never passes.
        await using RunningHost host = await RunningHost.StartAsync(time: new TestTime(faster: 0.001));
        await FillAsync(host, 4);
        await host.Services.GetRequiredService<AuditSealer>().SealAsync(token);
        await FillAsync(host, 2);
        string config = host.PathOf("lfr.json"), trail = host.PathOf("audit.jsonl"), key = host.PathOf("key.pem");
        await File.WriteAllTextAsync(config, """{"name": "Test van", "listen": ["https://127.0.0.1:0"]}""", token);
        await File.WriteAllTextAsync(key, SignedDocument.TrustedPem(null), token);

        (await Lfr.RunAsync("audit", "verify", "--config", config)).Exits(ExitCode.Success).Says("intact: 6 entries", "1 seal of installation", "sealed up to entry 4", "2 entries after the last seal").IsCivil();
        (await Lfr.RunAsync("audit", "export", trail, "--config", config)).Exits(ExitCode.Success).IsCivil();
        Outcome whole = (await Lfr.RunAsync("audit", "verify", trail, "--key", key)).Exits(ExitCode.Success).Says("intact: 6 entries").IsCivil();
        string kept = KeptEntry().Match(whole.Text).Value;
        string[] lines = await File.ReadAllLinesAsync(trail, token);

        // The same trail with something done to it, and what must be said.
        (string[] Lines, string Says)[] tampered =
        [
            ([.. lines.Select(l => l.Replace("\\\"number\\\":2", "\\\"number\\\":7", StringComparison.Ordinal))], "entry 3 (test.filled"),
            ([.. lines.Where((_, i) => i != 2)], "entry 2 is missing"),
            ([.. lines.Take(4)], $"it ends with entry 3, but entry 6 was kept elsewhere"),
            ([.. lines.Take(3), .. lines.Skip(5).Take(1)], "it ends with entry 2, but a seal covers entry 4"),
            ([.. lines.Select(l => l.StartsWith("{\"seal\"", StringComparison.Ordinal) ? Resealed(l) : l)], "was not made with this key"),
            (Forged(lines), "the seal of entry 4 belongs to another entry"),
            ([.. lines.Take(3), "{}", .. lines.Skip(3)], "line 4 is neither an entry nor a seal"),
            (["{}"], "is not an audit trail"),
        ];
        foreach ((string[] content, string says) in tampered)
        {
            string file = host.PathOf("tampered.jsonl");
            await File.WriteAllLinesAsync(file, content, token);
            Assert.Contains(says, FaultOf(file, kept), StringComparison.Ordinal);
        }
        await File.WriteAllLinesAsync(trail, tampered[0].Lines, token);
        (await Lfr.RunAsync("audit", "verify", trail, "--key", key, "--kept", kept)).Exits(ExitCode.Input).Says("is not intact", tampered[0].Says).IsCivil();
        (await Lfr.RunAsync("audit", "verify", host.PathOf("none.jsonl"), "--key", key)).Exits(ExitCode.Input).Says("cannot be read").IsCivil();
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Find_Filters_AndLookingIsAnEntry(StoreKind kind)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost host = await RunningHost.StartAsync(kind: kind);
        await FillAsync(host, 3);
        await host.Journal.NoteAsync(new Actor(Guid.NewGuid().ToString(), "olga"), "alert.viewed", "alert/1", new { }, token);
        await host.Journal.NoteAsync(new Actor(Guid.NewGuid().ToString(), "otto"), "alert.decided", "alert/1", new { To = AlertState.Viable }, token);
        using HttpClient auditor = await host.ClientAsync(await host.AddOfficerAsync("anna", Roles.Auditor));
        using HttpClient officer = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));

        Assert.Equal(["alert.decided", "alert.viewed"], await ActionsAsync(auditor, "action=alert.*"));
        Assert.Equal(["alert.viewed"], await ActionsAsync(auditor, "officer=olga"));
        Assert.Equal(["alert.decided", "alert.viewed"], await ActionsAsync(auditor, "subject=alert/1"));
        Assert.Equal(["test.filled", "test.filled"], await ActionsAsync(auditor, "before=3"));
        Assert.Empty(await ActionsAsync(auditor, "action=test.filled&to=2020-01-01T00:00:00Z"));
        Assert.Equal(["audit.viewed", "audit.viewed", "audit.viewed", "audit.viewed", "audit.viewed", "alert.viewed"], await ActionsAsync(auditor, "action=*.viewed"));
        Assert.Contains("\"to\":\"viable\"", (await auditor.GetFromJsonAsync<AuditEntry[]>("/api/v1/audit?action=alert.decided", AuditJson.Options, token))![0].Details, StringComparison.Ordinal);
        using HttpResponseMessage refused = await officer.GetAsync(new Uri("/api/v1/audit", UriKind.Relative), token);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        string file = host.PathOf("downloaded.jsonl");
        await File.WriteAllBytesAsync(file, await auditor.GetByteArrayAsync(new Uri("/api/v1/audit/export", UriKind.Relative), token), token);
        var check = new AuditCheck();
        AuditEntry[] entries = [.. check.Pass(AuditFile.Read(file, out AuditHeader header).Where(l => l.Entry is not null), null)];
        Assert.Null(check.Fault);
        Assert.Equal(("Test van", "audit.exported", "anna"), (header.Installation, entries[^1].Action, entries[^1].ActorName));
    }

    [Fact]
    public void Docs_ListEveryAction()
    {
        string root = RepoRoot.Folder;
        HashSet<string> documented = [.. DocumentedAction().Matches(File.ReadAllText(Path.Combine(root, "docs", "audit.md"))).Select(m => m.Groups[1].Value)];
        HashSet<string> nouns = [.. documented.Select(a => a.Split('.')[0])];
        HashSet<string> used = [];
        foreach (string file in Directory.EnumerateFiles(Path.Combine(root, "host"), "*.*", SearchOption.AllDirectories).Where(f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".razor", StringComparison.Ordinal)))
        {
            if (file.Contains("/obj/", StringComparison.Ordinal) || file.Contains("/bin/", StringComparison.Ordinal))
                continue;
            string text = File.ReadAllText(file);
            used.UnionWith(NotedLiteral().Matches(text).Select(m => m.Groups[1].Value));
            used.UnionWith(ActionLike().Matches(text).Select(m => m.Groups[1].Value).Where(a => nouns.Contains(a.Split('.')[0]) && !IsFileName(a)));
        }

        Assert.Empty(used.Except(documented).Order());
        Assert.Empty(documented.Except(used).Order());
    }

    [Fact]
    public void Docs_EveryAction_HasASentenceThatNamesOnlyDetailsOfIt()
    {
        string root = RepoRoot.Folder;
        Dictionary<string, string> texts = XDocument.Load(Path.Combine(root, "host", "LfrEngine.Web", "Texts", "AuditTexts.resx")).Root!.Elements("data").ToDictionary(d => d.Attribute("name")!.Value, d => d.Value);
        Dictionary<string, string> rows = DocumentedRow().Matches(File.ReadAllText(Path.Combine(root, "docs", "audit.md"))).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        string[] sentences = [.. texts.Keys.Where(k => k.StartsWith("Say.", StringComparison.Ordinal))];

        Assert.True(rows.Count > 50);
        Assert.DoesNotContain(rows.Keys, a => !texts.ContainsKey($"Say.{a}"));
        foreach (string sentence in sentences)
        {
            string action = string.Join('.', sentence.Split('.')[1..3]);
            Assert.True(rows.TryGetValue(action, out string? details), $"{sentence} is about no action of docs/audit.md.");
            foreach (string name in Regex.Matches(texts[sentence], @"\{(\w+)\}").Select(m => m.Groups[1].Value).Except(["actor", "subject"]))
                Assert.True(details.Contains($"`{name}`", StringComparison.Ordinal), $"{sentence} names {name}, which is not among its details.");
        }
    }

    internal static async Task FillAsync(RunningHost host, int count)
    {
        for (int i = 0; i < count; i++)
            await host.Journal.NoteAsync(Actor.Engine, "test.filled", $"test/{i}", new { Number = i }, TestContext.Current.CancellationToken);
    }

    // What `lfr audit verify` would say.
    private static string FaultOf(string file, string kept)
    {
        using ECDsa signer = Signer();
        var check = new AuditCheck();
        string[] parts = kept.Split(':');
        try
        {
            _ = check.Pass(AuditFile.Read(file, out _), signer, (long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), parts[1])).Count();
        }
        catch (CommandFailure e)
        {
            return e.Message;
        }
        return check.Fault ?? "whole";
    }

    private static ECDsa Signer()
    {
        var signer = ECDsa.Create();
        signer.ImportFromPem(SignedDocument.TrustedPem(null));
        return signer;
    }

    private static async Task<double> ClockEntryAsync(RunningHost host, int number)
    {
        AuditEntry[] found = [];
        await Eventually.HoldsAsync(async () =>
        {
            await using LfrStore store = host.Store();
            found = await store.Audit.Where(e => e.Action == "clock.changed").OrderBy(e => e.Sequence).ToArrayAsync();
            return found.Length >= number;
        }, $"clock change {number} was noted");
        return JsonDocument.Parse(found[number - 1].Details).RootElement.GetProperty("bySeconds").GetDouble();
    }

    private static async Task<string[]> ActionsAsync(HttpClient client, string query) =>
        [.. (await client.GetFromJsonAsync<AuditEntry[]>($"/api/v1/audit?{query}", AuditJson.Options, TestContext.Current.CancellationToken))!.Select(e => e.Action)];

    private static string Resealed(string line)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        JsonElement seal = JsonDocument.Parse(line).RootElement.GetProperty("seal");
        byte[] text = AuditChain.SealedText(seal.GetProperty("sequence").GetInt64(), seal.GetProperty("hash").GetString()!);
        return line.Replace(seal.GetProperty("signature").GetString()!, Convert.ToBase64String(other.SignData(text, HashAlgorithmName.SHA256)), StringComparison.Ordinal);
    }

    // A consistent trail, rewritten by somebody without the key.
    private static string[] Forged(string[] lines)
    {
        var made = new List<string>();
        string previous = AuditChain.Beginning;
        foreach (string line in lines)
        {
            if (line.StartsWith("{\"sequence\"", StringComparison.Ordinal))
            {
                AuditEntry entry = JsonSerializer.Deserialize<AuditEntry>(line, AuditJson.Options)!;
                entry.Details = "{}";
                entry.PreviousHash = previous;
                entry.Hash = previous = AuditChain.HashOf(entry);
                made.Add(JsonSerializer.Serialize(entry, AuditJson.Options));
            }
            else
            {
                made.Add(line);
            }
        }
        return [.. made];
    }

    private static bool IsFileName(string text) => text.Split('.')[1] is "json" or "jsonl" or "key" or "pem" or "css" or "svg" or "db" or "js" or "lfr" or "csv" or "url";

    [GeneratedRegex(@"\d+:[0-9a-f]{64}")]
    private static partial Regex KeptEntry();

    [GeneratedRegex(@"^\| `([a-z-]+\.[a-z-]+)`", RegexOptions.Multiline)]
    private static partial Regex DocumentedAction();

    [GeneratedRegex(@"^\| `([a-z-]+\.[a-z-]+)` \|.*\| (.*)\|$", RegexOptions.Multiline)]
    private static partial Regex DocumentedRow();

    [GeneratedRegex(@"Note(?:Async)?\([^""\n]*""([a-z-]+\.[a-z-]+)""")]
    private static partial Regex NotedLiteral();

    [GeneratedRegex(@"""([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)""")]
    private static partial Regex ActionLike();
}
