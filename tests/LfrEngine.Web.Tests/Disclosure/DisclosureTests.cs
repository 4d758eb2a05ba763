using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Disclosure;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Web.Tests.Browser;
using LfrEngine.Web.Tests.Policies;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Disclosure;

/// <summary>A bundle is what an inspector needs: it holds, anything altered is named, and what is not about the alert is not in it.</summary>
[Trait("Speed", "slow")]
public sealed partial class DisclosureTests(DisclosureStage stage, BrowserFixture browser) : IClassFixture<DisclosureStage>
{
    private static CancellationToken Stopping => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bundle_OfAnAlert_HoldsAndIsRecordedAndNamesNobodyElse()
    {
        DisclosureCheck check = stage.Check(trail: await TrailAsync());

        Assert.Empty(check.Faults);
        Assert.Contains(check.Said, s => s.StartsWith("figures.json: counted again from audit.jsonl, and the same: 2 alerts, 1 positive, 1 incorrect, 40 faces seen", StringComparison.Ordinal));
        Assert.Contains(check.Said, s => s.StartsWith("audit.jsonl: agrees with the whole trail", StringComparison.Ordinal));
        Dictionary<string, byte[]> files = DisclosureStage.Unpack(stage.Bundle);
        Assert.Equal(["alert.json", "audit.jsonl", "authority-second.json", "authority.json", "evidence.json", "figures.json", "index.html", "manifest.json", "policy.json", "probe.jpg", $"receipts/{stage.Deployment:N}-run1.json", "reference.jpg"], files.Keys.Order(StringComparer.Ordinal));
        Assert.All(["probe.jpg", "reference.jpg"], name => Assert.Equal([0xFF, 0xD8, 0xFF], files[name][..3]));
        JsonNode alert = JsonNode.Parse(files["alert.json"])!;
        Assert.Equal(("Ada Example", "viable", 0.62, 1), ((string?)alert["person"]!["name"], (string?)alert["state"], Math.Round((double)alert["score"]!, 4), alert["sightings"]!.AsArray().Count));
        foreach (string text in files.Where(f => !f.Key.EndsWith(".jpg", StringComparison.Ordinal)).Select(f => Encoding.UTF8.GetString(f.Value)))
            Assert.DoesNotMatch("Tom Twin|Eve Other|of another deployment", text);
        AuditEntry made = (await EntriesAsync("disclosure.made")).First(e => e.Details.Contains(check.Sha256, StringComparison.Ordinal));
        Assert.Equal(($"alert/{stage.Alert}", "sam", "Case T2026/17"), (made.Subject, made.ActorName, (string?)JsonNode.Parse(made.Details)!["reason"]));
        Assert.Equal(check.Sha256, Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(stage.Bundle, Stopping))));
    }

    [Fact]
    public async Task Command_MakesAndVerifies()
    {
        string config = stage.Host.PathOf("lfr.json"), trail = stage.Host.PathOf("trail.jsonl"), made = stage.Host.PathOf("made.zip");
        await File.WriteAllTextAsync(config, """{"name": "Test van", "listen": ["https://127.0.0.1:0"]}""", Stopping);
        await stage.Host.StopAsync();
        try
        {
            (await Lfr.RunAsync("disclosure", "make", "--alert", $"{stage.Alert}", "--out", made, "--reason", "Case T2026/18", "--config", config)).Exits(ExitCode.Success).Says("SHA-256").IsCivil();
            (await Lfr.RunAsync("disclosure", "make", "--alert", $"{stage.Sighting}", "--out", made, "--reason", "Case T2026/18", "--config", config)).Exits(ExitCode.Input).Says($"joined the alert {stage.Alert}").IsCivil();
            (await Lfr.RunAsync("audit", "export", trail, "--config", config)).Exits(ExitCode.Success);
        }
        finally
        {
            await stage.Host.StartAgainAsync();
        }
        (await Lfr.RunAsync(["disclosure", "verify", made, .. stage.KeyOptions, "--trail", trail])).Exits(ExitCode.Success).Says("Case T2026/18", "as the audit trail recorded it", "figures.json: counted again", "agrees with the whole trail").IsCivil();
        string altered = stage.Pack(DisclosureStage.Unpack(made).Select(f => f.Key == "figures.json" ? new(f.Key, [.. f.Value, 32]) : f));
        (await Lfr.RunAsync(["disclosure", "verify", altered, .. stage.KeyOptions])).Exits(ExitCode.Input).Says("wrong", "figures.json has been altered", "does not hold: 1 fault.").IsCivil();
        (await Lfr.RunAsync("disclosure", "verify", made, "--key", stage.Host.PathOf("laboratory.pem"))).Exits(ExitCode.Input).Says("manifest.json is signed by the installation").IsCivil();
    }

    [Fact]
    public void Verify_EachPartAlteredByOneByte_IsRefusedByName()
    {
        Dictionary<string, byte[]> files = DisclosureStage.Unpack(stage.Bundle);
        Assert.True(files.Count >= 12);
        foreach (string name in files.Keys)
        {
            var altered = files.ToDictionary(f => f.Key, f => (byte[])f.Value.Clone());
            altered[name][files[name].Length / 2] ^= 1;
            string path = stage.Pack(altered), without = stage.Pack(files.Where(f => f.Key != name));
            if (name == DisclosureFormat.Manifest)
            {
                Assert.StartsWith("manifest.json ", Assert.Throws<CommandFailure>(() => stage.Check(path)).Message, StringComparison.Ordinal);
                Assert.Contains("it has no manifest.json", Assert.Throws<CommandFailure>(() => stage.Check(without)).Message, StringComparison.Ordinal);
                continue;
            }
            Assert.Contains(stage.Check(path).Faults, f => f.StartsWith($"{name} has been altered: its SHA-256 is", StringComparison.Ordinal));
            Assert.Contains($"{name} is in the signed list, but not in the file.", stage.Check(without).Faults);
        }
        Assert.Contains($"receipts/x.json is in the file, but not in the signed list.", stage.Check(stage.Pack([.. files, new("receipts/x.json", [1])])).Faults);
    }

    /// <summary>Even who can sign the list of parts cannot make the parts disagree with each other unnoticed.</summary>
    [Fact]
    public async Task Verify_PartsThatDisagree_AreRefusedByName()
    {
        string receipt = $"receipts/{stage.Deployment:N}-run1.json";
        (Action<Dictionary<string, byte[]>> Change, string Says)[] forged =
        [
            (f => Replace(f, "alert.json", "\"score\": 0.62", "\"score\": 0.42"), "alert.json: the score 0.42 does not reach the threshold of the authority, 0.48."),
            (f => Replace(f, "alert.json", "\"score\": 0.62", "\"score\": 0.63"), "alert.json: \"score\" is not what the audit trail recorded"),
            (f => Replace(f, "alert.json", "\"threshold\": 0.48", "\"threshold\": 0.47"), "alert.json: the threshold 0.47 is not that of the authority, 0.48."),
            (f => Replace(f, "alert.json", "\"camera\": \"gate\"", "\"camera\": \"yard\""), "alert.json: the authority does not name the camera yard."),
            (f => Replace(f, "alert.json", "\"to\": \"viable\"", "\"to\": \"rejected\""), "alert.json: the decisions are not those of the audit trail."),
            (f => Replace(f, "alert.json", "\"exist\": true", "\"exist\": false"), "alert.json says that the pictures were erased, and the bundle says otherwise."),
            (f => Replace(f, "figures.json", "\"facesSeen\": 40", "\"facesSeen\": 400"), "figures.json: the figures are not those that audit.jsonl gives."),
            (f => f["evidence.json"] = stage.OtherEvidence(), "evidence.json is not the evidence that the authority names"),
            (f => f["policy.json"] = Packs.Sign(Packs.Whole with { Version = "2" }).File.ToArray(), "policy.json is not the policy pack that the authority names"),
            (f => f["policy.json"] = Packs.Sign(Packs.Whole with { Version = "2" }).File.ToArray(), "policy.json is signed by the key"),
            (f => f["authority.json"] = f["authority-second.json"], "authority.json: The signature is not the one in the audit trail"),
            (f => f["authority-second.json"] = f["authority.json"], "authority.json: The signature is not the one in the audit trail"),
            (f => Replace(f, "authority.json", "Market Square, north side", "Market Square, south side"), "authority.json has been altered: its signature does not match its text."),
            (f => f[receipt] = File.ReadAllBytes(stage.Host.Installation.DataPath("receipts", stage.WriteReceipt(stage.Deployment, Guid.NewGuid(), "run2"))), $"{receipt} is the receipt of another run or watchlist."),
            (f => f.Remove(receipt), $"{receipt} is not in the bundle"),
            (f => f.Remove("evidence.json"), "evidence.json is not in the bundle"),
            (f => Lines(f, l => [.. l.Where(line => !line.Contains("alert.viewed", StringComparison.Ordinal) && !line.Contains("\"alert.decided\"", StringComparison.Ordinal))]), "audit.jsonl is not intact: the hashes from entry "),
            (f => Lines(f, l => l[..^1]), "audit.jsonl is not intact: no seal covers its last entry"),
            (f => Lines(f, l => [.. l.Select(line => line.StartsWith("{\"seal\"", StringComparison.Ordinal) ? line.Replace("\"signature\":\"", "\"signature\":\"AA", StringComparison.Ordinal) : line)]), "audit.jsonl is not intact: the seal of entry"),
            (f => Lines(f, l => [.. l.Select(line => line.Replace("facesSeen\\\":40", "facesSeen\\\":41", StringComparison.Ordinal))]), "has been altered"),
            (f => Lines(f, l => [l[0].Replace("Test van", "Other van", StringComparison.Ordinal), .. l[1..]]), "audit.jsonl is the trail of \"Other van\""),
        ];
        foreach ((Action<Dictionary<string, byte[]>> change, string says) in forged)
        {
            IReadOnlyList<string> faults = stage.Check(stage.Forge(change)).Faults;
            Assert.True(faults.Any(f => f.Contains(says, StringComparison.Ordinal)), $"{says}\nwas not said, but\n{string.Join('\n', faults)}");
        }

        // A hash that stands for an entry between others is only refuted by the trail; so is an entry that is kept back.
        AuditEntry[] trail = await TrailAsync();
        string gone = stage.Forge(f => Lines(f, l => [.. l.Select(line => line.Contains("\"action\":\"deployment.drafted\"", StringComparison.Ordinal) ? LeftOut(line) : line)]));
        Assert.Empty(stage.Check(gone).Faults);
        Assert.Equal([$"audit.jsonl does not agree with the whole trail: 1 entry of the deployment is left out, the first with number {trail.First(e => e.Action == "deployment.drafted" && e.Subject == $"deployment/{stage.Deployment}").Sequence}."], stage.Check(gone, trail).Faults);
        string other = stage.Forge(f => Lines(f, l =>
        {
            int gap = Array.FindIndex(l, line => HashPattern().Count(line) >= 2 && line.StartsWith("{\"leftOut\"", StringComparison.Ordinal));
            l[gap] = HashPattern().Replace(l[gap], new string('0', 64), 1);
            return l;
        }));
        Assert.Empty(stage.Check(other).Faults);
        Assert.Contains("is not the one of the bundle", Assert.Single(stage.Check(other, trail).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bundle_ErasedPictures_SaysWhenAndWhy()
    {
        string path = stage.Host.PathOf("rejected.zip");
        await stage.MakeAsync(stage.Rejected, path);

        DisclosureCheck check = stage.Check(path);
        Assert.Empty(check.Faults);
        Assert.Contains(check.Said, s => s.StartsWith("pictures: erased at 2026-05-14 09:30:00Z. An officer judged that the alert was wrong", StringComparison.Ordinal));
        Dictionary<string, byte[]> files = DisclosureStage.Unpack(path);
        Assert.DoesNotContain(files.Keys, k => k.EndsWith(".jpg", StringComparison.Ordinal));
        Assert.Null(JsonNode.Parse(files["alert.json"])!["person"]);
        string page = Encoding.UTF8.GetString(files["index.html"]);
        Assert.Contains("were erased at 2026-05-14 09:30:00 UTC. An officer judged that the alert was wrong", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_OtherInstallationOrFilesThatAreNoBundle_AreRefused()
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string own = stranger.ExportSubjectPublicKeyInfoPem();
        Assert.StartsWith("manifest.json is signed by the installation ", Assert.Throws<CommandFailure>(() => DisclosureCheck.Of(stage.Bundle, stage.Keys with { Installation = own })).Message, StringComparison.Ordinal);
        foreach ((DisclosureKeys keys, string says) in new[]
        {
            (stage.Keys with { Officers = [own] }, "authority.json is signed by the key"), (stage.Keys with { Laboratories = [own] }, "evidence.json is signed by the key"), (stage.Keys with { Policies = [own] }, "policy.json is signed by the key"),
        })
            Assert.Contains(DisclosureCheck.Of(stage.Bundle, keys).Faults, f => f.StartsWith(says, StringComparison.Ordinal));

        byte[] whole = File.ReadAllBytes(stage.Bundle);
        Dictionary<string, byte[]> files = DisclosureStage.Unpack(stage.Bundle);
        foreach ((string path, string says) in new[]
        {
            (Written(whole[..(whole.Length / 2)]), "is not a disclosure bundle, or is damaged or cut off."),
            (Written(whole[..^1]), "is not a disclosure bundle, or is damaged or cut off."),
            (Written([]), "is not a disclosure bundle, or is damaged or cut off."),
            (Written(Encoding.UTF8.GetBytes("{}")), "is not a disclosure bundle, or is damaged or cut off."),
            (stage.Pack([.. files, new("../x", [1])]), "\"../x\" is not the name of a part."),
            (stage.Pack([.. files, new("/etc/x", [1])]), "\"/etc/x\" is not the name of a part."),
            (stage.Pack([.. files, new("receipts/../../x.json", [1])]), "\"receipts/../../x.json\" is not the name of a part."),
            (stage.Pack([.. files, new("receipts\\x.json", [1])]), "is not the name of a part."),
            (stage.Pack([.. files, new("alert.json", [1])]), "it has alert.json twice."),
            (stage.Pack([.. files, .. Enumerable.Range(0, 1000).Select(i => KeyValuePair.Create($"receipts/{i}.json", (byte[])[1]))]), "it would unpack to more than 512 MiB or 1000 files."),
            (Bomb(files, 600 << 20), "it would unpack to more than 512 MiB or 1000 files."),
        })
            Assert.Contains(says, Assert.Throws<CommandFailure>(() => stage.Check(path)).Message, StringComparison.Ordinal);

        // A bomb that states a small size is read no further than the signed list says.
        Assert.Contains(stage.Check(Bomb(files, 5)).Faults, f => f.StartsWith("alert.json ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Endpoint_WithReason_GivesTheFileAndRecordsIt()
    {
        using HttpClient auditor = await stage.Host.ClientAsync(await stage.Host.AddOfficerAsync($"anna-{Guid.NewGuid():N}", Roles.Auditor));
        async Task<HttpResponseMessage> AskAsync(Guid alert, string reason)
        {
            using var form = new FormUrlEncodedContent([KeyValuePair.Create("reason", reason)]);
            return await auditor.PostAsync(new Uri($"/api/v1/alerts/{alert}/disclosure", UriKind.Relative), form, Stopping);
        }

        using HttpResponseMessage answer = await AskAsync(stage.Alert, "Case T2026/19"), none = await AskAsync(stage.Alert, " "), unknown = await AskAsync(Guid.NewGuid(), "Case"), joined = await AskAsync(stage.Sighting, "Case");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.NotFound, HttpStatusCode.Conflict), (answer.StatusCode, none.StatusCode, unknown.StatusCode, joined.StatusCode));
        string path = Written(await answer.Content.ReadAsByteArrayAsync(Stopping));
        DisclosureCheck check = stage.Check(path);
        Assert.Empty(check.Faults);
        Assert.Single(await EntriesAsync("disclosure.made"), e => e.Details.Contains(check.Sha256, StringComparison.Ordinal) && e.Details.Contains("Case T2026/19", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Form_OfAnAlert_GivesTheFileToThoseWhoMayExport()
    {
        Officer both = await stage.Host.AddOfficerAsync("beth", Roles.Operator, Roles.Auditor), judge = await stage.Host.AddOfficerAsync("jude", Roles.Operator);
        await browser.WithPageAsync(stage.Host, both, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync($"/alerts?alert={stage.Alert}");
            await p.Locator(".disclosure summary").FocusAsync();
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.Locator("#disclosure-reason")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await p.Locator("#disclosure-reason").FillAsync("Case T2026/20");
            IDownload download = await p.RunAndWaitForDownloadAsync(() => p.Keyboard.PressAsync("Enter"));
            Assert.Equal($"disclosure-{stage.Alert:N}.zip", download.SuggestedFilename);
            DisclosureCheck check = stage.Check(await download.PathAsync());
            Assert.Equal(("Case T2026/20", "beth"), (check.Manifest.Reason, check.Manifest.MadeBy));
            Assert.Empty(check.Faults);

            // Who does not see alerts reaches it from what is recorded about one.
            await page.GoAsync($"/audit?subject=alert/{stage.Alert}");
            await Expect(p.Locator("tbody tr").Filter(new() { HasText = "beth made a disclosure bundle of alert" }).First).ToContainTextAsync("for: Case T2026/20");
            await Expect(p.Locator(".disclosure")).ToHaveCountAsync(1);
            await page.GoAsync("/audit");
            await Expect(p.Locator("tbody tr").First).ToBeVisibleAsync();
            await Expect(p.Locator(".disclosure")).ToHaveCountAsync(0);
        });
        await browser.WithPageAsync(stage.Host, judge, async page =>
        {
            await page.GoAsync($"/alerts?alert={stage.Alert}");
            await Expect(page.Page.Locator($"[data-open='{stage.Alert}'] .alert-facts")).ToBeVisibleAsync();
            await Expect(page.Page.Locator(".disclosure")).ToHaveCountAsync(0);
        });
    }

    /// <summary>Readable without our program: what the page tells to type works.</summary>
    [Fact]
    public async Task Page_CommandsToCheckByHand_VerifyTheSignature()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("The commands are those of Linux.");
        string folder = stage.Host.PathOf("unpacked");
        ZipFile.ExtractToDirectory(stage.Bundle, folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "INSTALLATION.pem"), stage.Keys.Installation, Stopping);
        string commands = WebUtility.HtmlDecode(ByHand().Match(await File.ReadAllTextAsync(Path.Combine(folder, "index.html"), Stopping)).Groups[1].Value);

        (int code, string said) = await BashAsync(folder, commands);
        Assert.True(code == 0, said);
        Assert.Contains("Verified OK", said, StringComparison.Ordinal);
        foreach (DisclosedPart part in stage.Check().Manifest.Parts)
            Assert.Contains(part.Sha256, said, StringComparison.Ordinal);

        string list = Path.Combine(folder, "manifest.json");
        await File.WriteAllTextAsync(list, (await File.ReadAllTextAsync(list, Stopping)).Replace("T2026/17", "T2026/71", StringComparison.Ordinal), Stopping);
        Assert.DoesNotContain("Verified OK", (await BashAsync(folder, commands)).Said, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Said)> BashAsync(string folder, string commands)
    {
        using Process bash = Process.Start(new ProcessStartInfo("bash", ["-c", commands]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = bash.StandardError.ReadToEndAsync(Stopping);
        string said = await bash.StandardOutput.ReadToEndAsync(Stopping) + await errors;
        await bash.WaitForExitAsync(Stopping);
        return (bash.ExitCode, said);
    }

    private async Task<AuditEntry[]> TrailAsync() => await stage.Host.ReadAsync(s => s.Audit.AsNoTracking().OrderBy(e => e.Sequence).ToArrayAsync(Stopping));

    private async Task<AuditEntry[]> EntriesAsync(string action) => await stage.Host.ReadAsync(s => s.Audit.AsNoTracking().Where(e => e.Action == action).ToArrayAsync(Stopping));

    private string Written(byte[] content)
    {
        string path = stage.Host.PathOf($"{Guid.NewGuid():N}.zip");
        File.WriteAllBytes(path, content);
        return path;
    }

    // alert.json as a MiB and more of nothing, with another size in the zip's own lists.
    private string Bomb(Dictionary<string, byte[]> files, int stated)
    {
        const int Bytes = 1_234_567;
        byte[] zip = File.ReadAllBytes(stage.Pack([.. files.Where(f => f.Key != "alert.json"), new("alert.json", new byte[Bytes])])), size = BitConverter.GetBytes(Bytes);
        int at = zip.AsSpan().IndexOf(size);
        Assert.True(at > 0);
        for (; at >= 0; at = zip.AsSpan().IndexOf(size))
            BitConverter.GetBytes(stated).CopyTo(zip, at);
        return Written(zip);
    }

    private static void Replace(Dictionary<string, byte[]> files, string name, string from, string to)
    {
        string text = Encoding.UTF8.GetString(files[name]);
        Assert.Contains(from, text, StringComparison.Ordinal);
        files[name] = Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal));
    }

    private static void Lines(Dictionary<string, byte[]> files, Func<string[], string[]> change) =>
        files["audit.jsonl"] = Encoding.UTF8.GetBytes(string.Join('\n', change(Encoding.UTF8.GetString(files["audit.jsonl"]).Split('\n', StringSplitOptions.RemoveEmptyEntries))) + "\n");

    private static string LeftOut(string line)
    {
        JsonNode entry = JsonNode.Parse(line)!;
        return $"{{\"leftOut\":{{\"first\":{entry["sequence"]},\"hashes\":[\"{entry["hash"]}\"]}}}}";
    }

    [GeneratedRegex("[0-9a-f]{64}")]
    private static partial Regex HashPattern();

    [GeneratedRegex("<pre id=\"by-hand\">(.*?)</pre>", RegexOptions.Singleline)]
    private static partial Regex ByHand();
}
