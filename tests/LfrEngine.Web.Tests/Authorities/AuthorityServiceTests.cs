using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using LfrEngine.Web.Authorities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Authorities;

/// <summary>Authorities from draft to refusal: each reason is provoked by doing what it forbids.</summary>
[Trait("Speed", "slow")]
public sealed class AuthorityServiceTests
{
    [Fact]
    public async Task Authority_DraftedSignedInTime_RunsOnlyWithinItsWindow()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();

        Guid id = await stage.DraftAsync();
        Assert.Equal(
            ["The authority is a draft: sam has not signed it.", "The authority begins at 14 May 2026 09:30 +01:00; it is 14 May 2026 08:30 +01:00."],
            await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
        await stage.SignAsync(id);
        stage.Time.Now += TimeSpan.FromHours(1);
        Assert.Empty(await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
        stage.Time.Now += TimeSpan.FromHours(6) - TimeSpan.FromTicks(1);
        Assert.Empty(await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
        stage.Time.Now += TimeSpan.FromTicks(1);
        Assert.Equal(["The authority ended at 14 May 2026 15:30 +01:00; it is 14 May 2026 15:30 +01:00."], await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
        stage.Time.Now -= TimeSpan.FromDays(1);
        Assert.Contains(await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken), r => r.Contains("clock has been set back", StringComparison.Ordinal));
        Assert.Equal(["There is no such deployment."], await stage.Authorities.RefusalsAsync(Guid.NewGuid(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Authority_Signed_SaysWhatWasDraftedAndBearsTheOfficersOwnSignature()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.ArmAsync();

        await using LfrStore store = stage.Host.Store();
        DeploymentRecord record = await store.Deployments.SingleAsync(TestContext.Current.CancellationToken);
        Authority authority = AuthorityService.Of(record);
        using var key = ECDsa.Create();
        key.ImportFromPem(stage.Signer.SigningPublicKey);
        Assert.True(key.VerifyData(Encoding.UTF8.GetBytes(record.AuthorityText), Convert.FromBase64String(record.Signature!), HashAlgorithmName.SHA256));
        Assert.Equal(record.AuthorityText, authority.ToText());
        Assert.DoesNotContain("secret", record.AuthorityText, StringComparison.Ordinal);
        Assert.Equal(Authority.HashOf("north.mp4"), authority.Cameras[1].SourceSha256);
        Assert.Equal(new LeastSearched(LeastSearched.Usual, LeastSearched.UsualSeconds), authority.Cameras[1].Least);
        // What was signed before there was a least stays as it was signed, byte for byte.
        Authority earlier = authority with { FormatVersion = 2, Cameras = [.. authority.Cameras.Select(c => c with { Least = null })] };
        Assert.DoesNotContain("least", earlier.ToText(), StringComparison.Ordinal);
        Assert.Equal(earlier.ToText(), Authority.Parse(earlier.ToText()).ToText());
        Assert.Equal(((float)AuthorityStage.Threshold, 2f), (authority.Thresholds[WatchlistCategory.Wanted], authority.Thresholds[WatchlistCategory.MissingOrVulnerable]));
        // 20,000 passers-by at 5e-5 to 2e-4: SciPy's poisson.ppf(0.025, 1) and poisson.ppf(0.975, 4).
        Assert.Equal((0, 8, 2.0), (authority.Worst.FewestFalseAlerts, authority.Worst.MostFalseAlerts, Math.Round(authority.Worst.FalseAlertsOnAverage, 6)));
        AuditEntry[] trail = await store.Audit.Where(e => e.Subject == $"deployment/{id}").OrderBy(e => e.Sequence).ToArrayAsync(TestContext.Current.CancellationToken);
        Assert.Equal([("deployment.drafted", "dora"), ("deployment.signed", "sam")], trail.Select(e => (e.Action, e.ActorName)));
        using JsonDocument signed = JsonDocument.Parse(trail[1].Details);
        Assert.Equal(("Market Square", "intelligence-led", "2026-05-14", 6, AuthorityStage.Threshold), (
            signed.RootElement.GetProperty("name").GetString(), signed.RootElement.GetProperty("type").GetString(), signed.RootElement.GetProperty("date").GetString(),
            signed.RootElement.GetProperty("watchlistPeople").GetInt32(), signed.RootElement.GetProperty("thresholds").GetProperty("wanted").GetDouble()));
        Assert.Equal(2, signed.RootElement.GetProperty("cameras").GetArrayLength());
    }

    /// <summary>An administrator can invite themself under two names: then the authority and the trail say so, until somebody else vouches.</summary>
    [Fact]
    public async Task Authority_OneAdministratorInvitedBoth_SaysThatOnePersonMayHoldBoth()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        OfficerRegister register = stage.Host.Services.GetRequiredService<OfficerRegister>();
        Officer ada = await stage.Host.AddOfficerAsync("ada", Roles.Administrator), bob = await stage.Host.AddOfficerAsync("bob", Roles.Administrator);
        Officer drafter = await EnrolAsync(Roles.Operator, "Dan"), signer = await EnrolAsync(Roles.AuthorisingOfficer, "Sid");
        string plain = "One person may hold both identities: ada invited both Dan, who drafted, and Sid, who signs. No other officer has confirmed that they are two people.";

        Guid id = await stage.Authorities.DraftAsync(AuthorityStage.Of(drafter), stage.Draft() with { AuthorisingOfficer = signer.Id }, stopping: TestContext.Current.CancellationToken);
        await stage.SignAsync(id, signer);
        DeploymentRecord signed = await stage.Host.ReadAsync(s => s.Deployments.SingleAsync(d => d.Id == id));
        Assert.Equal(plain, AuthorityService.Of(signed).Identities);
        foreach (string details in await stage.Host.ReadAsync(s => s.Audit.Where(e => e.Subject == $"deployment/{id}").Select(e => e.Details).ToArrayAsync()))
            Assert.Equal(plain, (string?)JsonNode.Parse(details)!["identities"]);

        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.ConfirmAsync(AuthorityStage.Of(ada), signer.Id));
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.ConfirmAsync(AuthorityStage.Of(signer), signer.Id));
        await register.ConfirmAsync(AuthorityStage.Of(bob), signer.Id);
        Guid vouched = await stage.Authorities.DraftAsync(AuthorityStage.Of(drafter), stage.Draft() with { AuthorisingOfficer = signer.Id }, stopping: TestContext.Current.CancellationToken);
        Assert.Null(AuthorityService.Of(await stage.Host.ReadAsync(s => s.Deployments.SingleAsync(d => d.Id == vouched))).Identities);

        async Task<Officer> EnrolAsync(string role, string name) =>
            await register.EnrolAsync(await register.InviteAsync(AuthorityStage.Of(ada), [role]), Guid.NewGuid(), name, name, RunningHost.Password, null);
    }

    [Theory]
    [InlineData("rtsp://admin:p@ss#1/2@10.0.0.5:554/live", "rtsp://10.0.0.5:554/live")]
    [InlineData("rtsp://admin:other@10.0.0.5:554/live", "rtsp://10.0.0.5:554/live")]
    [InlineData("rtsp://10.0.0.5:554/live", "rtsp://10.0.0.5:554/live")]
    [InlineData("north.mp4", "north.mp4")]
    public void SourceHash_AnyPassword_IsThatOfTheAddressAlone(string source, string hashed) =>
        Assert.Equal(Authority.HashOf(hashed), Authority.SourceHash(new CameraConfig { Name = "gate", Source = source }));

    [Fact]
    public async Task Draft_EverythingWrong_NamesEveryReason()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        stage.WriteEvidence(stage.Host.Installation.DataPath("evidence", "other.json"), stage.Evidence(AuthorityStage.People, new string('a', 64)));
        stage.WriteEvidence(stage.Host.Installation.DataPath("evidence", "stranger.json"), stage.Evidence(AuthorityStage.People), stranger: true);
        AuthorityDraft good = stage.Draft();
        CategoryDraft wanted = good.Categories[0];
        string Sha(string name) => PackageCache.HashOf(stage.Host.Installation.DataPath("evidence", name));
        async Task Refused(AuthorityDraft draft, string reason)
        {
            AuthorityException refused = await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(draft));
            Assert.Contains(refused.Reasons, r => r.Contains(reason, StringComparison.Ordinal));
            Assert.Single(refused.Reasons);
        }

        await Refused(good with { Name = " " }, "Name: 1 to 100");
        await Refused(good with { Purpose = "" }, "Purpose");
        await Refused(good with { Assessments = good.Assessments with { Equality = "" } }, "Equality impact assessment");
        await Refused(good with { End = good.Start }, "The end must be after the start.");
        await Refused(good with { End = good.Start.AddHours(25) }, "at most 24 hours");
        await Refused(good with { Start = stage.Time.Now.AddHours(-3), End = stage.Time.Now.AddHours(-1) }, "has passed");
        await Refused(good with { PassersBy = 0 }, "People expected to pass");
        await Refused(good with { Cameras = [] }, "at least one");
        await Refused(good with { Least = good.Least with { PerSecond = 0 } }, "Fewest searched frames per second");
        await Refused(good with { Least = good.Least with { PerSecond = double.NaN } }, "Fewest searched frames per second");
        await Refused(good with { Least = good.Least with { ForSeconds = 0 } }, "between 1 and 300 seconds");
        await Refused(good with { Cameras = ["south"] }, "The camera south is not configured.");
        await Refused(good with { WatchlistId = Guid.NewGuid() }, "does not exist");
        await Refused(good with { Categories = [wanted with { Category = WatchlistCategory.Suspect }] }, "contains people of the category wanted");
        await Refused(good with { Categories = [wanted with { Threshold = 0.5 }] }, "has no measurement at threshold 0.5; it has 0.44, 0.48, 0.52");
        await Refused(good with { Categories = [wanted with { Threshold = double.NaN }] }, "between 0 and 1");
        await Refused(good with { Categories = [wanted with { Response = "" }] }, "response");
        await Refused(good with { Categories = [wanted with { EvidenceSha256 = Sha("other.json") }] }, "not with the one used here");
        await Refused(good with { Categories = [wanted with { EvidenceSha256 = Sha("stranger.json") }] }, "signed by the installation");
        await Refused(good with { Categories = [wanted with { EvidenceSha256 = "" }] }, "choose an evidence file");
        await Refused(good with { AuthorisingOfficer = stage.Drafter.Id }, "Choose an authorising officer.");
        AuthorityException own = await Assert.ThrowsAsync<AuthorityException>(() => stage.Authorities.DraftAsync(AuthorityStage.Of(stage.Signer), good, stopping: TestContext.Current.CancellationToken));
        Assert.Equal(["The drafter of an authority cannot sign it. Choose another authorising officer."], own.Reasons);
        AuthorityException all = await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(new AuthorityDraft()));
        Assert.True(all.Reasons.Count >= 10);
        await using LfrStore store = stage.Host.Store();
        Assert.Empty(await store.Deployments.ToArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Draft_ChangedBeforeItIsSigned_OnlyTheLatestTextCanBeSigned()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        CancellationToken token = TestContext.Current.CancellationToken;
        Guid id = await stage.DraftAsync();
        string before = (await stage.Host.ReadAsync(s => s.Deployments.SingleAsync(token))).AuthorityText;
        var form = new AuthorityForm("South", "", "", "", "", "", [], 2, Guid.Empty, 1, [], new ImpactAssessments("", "", ""), Guid.Empty);
        await stage.Authorities.SaveFormAsync(AuthorityStage.Of(stage.Drafter), id, form, token);
        await Assert.ThrowsAsync<AuthorityException>(() => stage.Authorities.SaveFormAsync(AuthorityStage.Of(stage.Signer), id, form, token));
        await Assert.ThrowsAsync<AuthorityException>(() => stage.Authorities.FormAsync(AuthorityStage.Of(stage.Signer), id, token));
        await Assert.ThrowsAsync<AuthorityException>(() => stage.Authorities.DraftAsync(AuthorityStage.Of(stage.Signer), stage.Draft(), id, token));
        Assert.Equal("South", (await stage.Authorities.FormAsync(AuthorityStage.Of(stage.Drafter), id, token))!.Name);

        await stage.Authorities.DraftAsync(AuthorityStage.Of(stage.Drafter), stage.Draft() with { Name = "South" }, id, token);
        Assert.Null(await stage.Authorities.FormAsync(AuthorityStage.Of(stage.Drafter), id, token));
        string after = (await stage.Host.ReadAsync(s => s.Deployments.SingleAsync(token))).AuthorityText;
        await stage.TamperAsync($"UPDATE \"Deployments\" SET \"AuthorityText\" = {before}");
        Assert.Contains("not the one in the audit trail", (await Assert.ThrowsAsync<AuthorityException>(() => stage.SignAsync(id))).Message, StringComparison.Ordinal);
        await stage.TamperAsync($"UPDATE \"Deployments\" SET \"AuthorityText\" = {after}");
        await stage.SignAsync(id);
        await Assert.ThrowsAsync<AuthorityException>(() => stage.Authorities.DraftAsync(AuthorityStage.Of(stage.Drafter), stage.Draft(), id, token));
        await Assert.ThrowsAsync<AuthorityException>(() => stage.Authorities.SaveFormAsync(AuthorityStage.Of(stage.Drafter), id, form, token));
    }

    [Fact]
    public async Task Sign_ByTheWrongPersonOrWithoutProof_LeavesADraft()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Officer both = await stage.Host.AddOfficerAsync("bo", Roles.Operator, Roles.AuthorisingOfficer), plain = await stage.Host.AddOfficerAsync("pat", Roles.Operator);
        async Task Refused(Guid deployment, Officer officer, string reason) =>
            Assert.Contains(reason, (await Assert.ThrowsAsync<AuthorityException>(() => stage.SignAsync(deployment, officer))).Message, StringComparison.Ordinal);

        Guid id = await stage.DraftAsync(), own = await stage.Authorities.DraftAsync(AuthorityStage.Of(both), stage.Draft(), stopping: TestContext.Current.CancellationToken);
        await Refused(id, both, "Only sam, whom the authority names, can sign it.");
        await Refused(id, plain, "pat is not an authorising officer.");
        await Refused(own, both, "The drafter of an authority cannot sign it");
        await Assert.ThrowsAsync<ProofRefusedException>(() => stage.Authorities.SignByPasskeyAsync(id, stage.Signer.Id, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ProofRefusedException>(() => stage.Authorities.SignAsync(id, stage.Signer.Id, "wrong", "000000", TestContext.Current.CancellationToken));
        await stage.TamperAsync($"""UPDATE "Deployments" SET "AuthorityText" = REPLACE("AuthorityText", '0.48', '0.44') WHERE "Id" = {id}""");
        await Refused(id, stage.Signer, "its text has been altered");
        Assert.Contains("The authority is a draft: sam has not signed it.", await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));

        await stage.SignAsync(own);
        await Refused(own, stage.Signer, "Only a draft can be signed; this deployment is signed.");
        Guid second = await stage.DraftAsync();
        await Refused(second, stage.Signer, "belongs to the deployment Market Square");
        stage.Time.Now += TimeSpan.FromHours(8);
        await Refused(second, stage.Signer, "The authority ended at");
    }

    [Fact]
    public async Task Refusals_RowAlteredWithoutTheJournal_AreReported()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.ArmAsync();
        DeploymentRecord good;
        await using (LfrStore store = stage.Host.Store())
            good = await store.Deployments.AsNoTracking().SingleAsync(TestContext.Current.CancellationToken);
        Guid otherList = await stage.AddWatchlistAsync("Another list");
        string strangerPem, strangerSignature;
        using (var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            strangerPem = stranger.ExportSubjectPublicKeyInfoPem();
            strangerSignature = Convert.ToBase64String(stranger.SignData(Encoding.UTF8.GetBytes(good.AuthorityText), HashAlgorithmName.SHA256));
        }
        async Task Told(Action<DeploymentRecord> alter, params string[] reasons)
        {
            // Around the journal, and back again.
            await using (LfrStore store = stage.Host.Store())
            {
                alter(await store.Deployments.SingleAsync(d => d.Id == id, TestContext.Current.CancellationToken));
                await store.SaveChangesAsync(TestContext.Current.CancellationToken);
            }
            IReadOnlyList<string> told = await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken);
            foreach (string reason in reasons)
                Assert.Contains(told, t => t.Contains(reason, StringComparison.Ordinal));
            await using (LfrStore store = stage.Host.Store())
            {
                store.Deployments.Update(good);
                await store.SaveChangesAsync(TestContext.Current.CancellationToken);
            }
            Assert.Empty(await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
        }

        const string Fits = "the signature does not match its text", Trail = "The signature is not the one in the audit trail";
        await Told(r => r.AuthorityText = r.AuthorityText.Replace("\"threshold\": 0.48", "\"threshold\": 0.44", StringComparison.Ordinal), Fits, Trail);
        await Told(r => r.AuthorityText = r.AuthorityText.Replace("2026-05-14T14:30", "2026-05-14T20:30", StringComparison.Ordinal), Fits, Trail);
        await Told(r => r.AuthorityText += " ", Fits);
        await Told(r => r.AuthorityText = "{}", "cannot be read");
        await Told(r => r.AuthorityText = r.AuthorityText.Replace("\"name\":", "\"nick\":", StringComparison.Ordinal), "cannot be read");
        await Told(r => r.Signature = strangerSignature, Fits, Trail);
        await Told(r => r.Signature = "?", "cannot be read", Trail);
        await Told(r => r.SignerPublicKey = strangerPem, Fits, Trail);
        // A signature that fits its own key, but is not the officer's.
        await Told(r => (r.Signature, r.SignerPublicKey) = (strangerSignature, strangerPem), Trail);
        await Told(r => r.SignedAt = r.SignedAt!.Value.AddMinutes(-5), Trail);
        await Told(r => r.SignedBy = stage.Drafter.Id, "drafted and signed by the same person, dora", "signed by somebody other than sam", Trail);
        await Told(r => r.Signature = null, "has no signature");
        await Told(r => r.WatchlistId = otherList, "watchlist is not the one in its authority");
        await Told(r => r.Name = "Elsewhere", "the record has been altered");
        await Told(r => r.DraftedBy = stage.Signer.Id, "the record has been altered");
        await Told(r => r.DraftedAt = r.DraftedAt.AddDays(-1), "the record has been altered");
        await Told(r => r.State = DeploymentState.Ended, "has ended");
    }

    [Fact]
    public async Task Refusals_TextOfAnotherDeployment_IsNotAccepted()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid first = await stage.ArmAsync();
        Guid second = await stage.DraftAsync(stage.Draft() with { Name = "Another" });

        await stage.TamperAsync($"""UPDATE "Deployments" SET "AuthorityText" = (SELECT "AuthorityText" FROM "Deployments" WHERE "Id" = {first}), "Signature" = (SELECT "Signature" FROM "Deployments" WHERE "Id" = {first}), "SignerPublicKey" = (SELECT "SignerPublicKey" FROM "Deployments" WHERE "Id" = {first}), "SignedBy" = (SELECT "SignedBy" FROM "Deployments" WHERE "Id" = {first}), "SignedAt" = (SELECT "SignedAt" FROM "Deployments" WHERE "Id" = {first}), "State" = 'Signed' WHERE "Id" = {second}""");

        IReadOnlyList<string> told = await stage.Authorities.RefusalsAsync(second, TestContext.Current.CancellationToken);
        Assert.Contains("The authority was made for another deployment.", told);
        Assert.Contains("The audit trail has no signature.", told);
    }

    [Fact]
    public async Task Refusals_TrailAltered_AreReported()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.ArmAsync();

        await stage.TamperAsync($"""UPDATE "Audit" SET "ActorName" = 'somebody' WHERE "Action" = 'deployment.signed'""");

        Assert.Contains(await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken), r => r.StartsWith("The entry of the signature in the audit trail", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refusals_FilesAlteredOrMissing_AreReportedUntilTheyAreBack()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.ArmAsync();
        async Task Told(string path, Action<byte[]> alter, string altered, string gone)
        {
            byte[] good = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken), bad = [.. good];
            DateTime time = File.GetLastWriteTimeUtc(path);
            alter(bad);
            await File.WriteAllBytesAsync(path, bad, TestContext.Current.CancellationToken);
            // Length and time as before: found out within a minute all the same.
            File.SetLastWriteTimeUtc(path, time);
            stage.Time.Now += TimeSpan.FromSeconds(FileHashes.KeptSeconds);
            Assert.Equal([altered], await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
            File.Delete(path);
            Assert.Equal([gone], await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
            await File.WriteAllBytesAsync(path, good, TestContext.Current.CancellationToken);
            Assert.Empty(await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
        }

        await Told(stage.EvidencePath, b => b[b.Length / 2] ^= 1, "The evidence spring.json for wanted is missing or has been altered.", "The evidence spring.json for wanted is missing or has been altered.");
        // Another list, built properly: not the one that was signed.
        byte[] other = await File.ReadAllBytesAsync(stage.Host.Installation.DataPath("watchlists", $"{await stage.AddWatchlistAsync("Other"):N}.lfr"), TestContext.Current.CancellationToken);
        await Told(stage.WatchlistPath, b => other.CopyTo(b, 0), "The file of the watchlist Spring list is not the one that was built: it has been altered or replaced.", "The file of the watchlist Spring list is missing.");
        await stage.TamperAsync($"""UPDATE "Watchlists" SET "FileSha256" = {new string('0', 64)} WHERE "Id" = {stage.WatchlistId}""");
        Assert.Contains("altered or replaced", Assert.Single(await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken)), StringComparison.Ordinal);
        await stage.TamperAsync($"""UPDATE "Watchlists" SET "State" = 'Destroyed' WHERE "Id" = {stage.WatchlistId}""");
        Assert.Equal(["The watchlist Spring list is destroyed."], await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Refusals_ExchangedListWithMatchingRecord_IsReported()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.ArmAsync(), other = await stage.AddWatchlistAsync("Other");

        File.Copy(stage.Host.Installation.DataPath("watchlists", $"{other:N}.lfr"), stage.WatchlistPath, overwrite: true);
        await stage.TamperAsync($"""UPDATE "Watchlists" SET "FileSha256" = {PackageCache.HashOf(stage.WatchlistPath)} WHERE "Id" = {stage.WatchlistId}""");

        Assert.Equal(["The watchlist Spring list is not the authorised one: its record has been altered."], await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Cameras_OfTheConsole_AreKeptSecretAndNotChangedBehindASignature()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        CancellationToken token = TestContext.Current.CancellationToken;
        CameraRegister cameras = stage.Host.Services.GetRequiredService<CameraRegister>();
        Actor actor = AuthorityStage.Of(stage.Drafter);
        var south = new CameraConfig { Name = "south", Source = "rtsp://van:secret@10.0.0.6/one?key=hidden" };
        async Task Refused(string reason, Func<Task> change) => Assert.Contains(reason, (await Assert.ThrowsAsync<CameraRefusedException>(change)).Message, StringComparison.Ordinal);
        await Refused("corners in percent", () => cameras.AddAsync(actor, south with { Zone = "10,10 90,90" }));
        await Refused("The mounting: the tilt must be -30 to 90 degrees.", () => cameras.AddAsync(actor, south with { Mounting = new CameraMounting { TiltDegrees = 91 } }));
        await Refused("already", () => cameras.AddAsync(actor, south with { Name = "gate" }));
        await Refused("is in lfr.json", () => cameras.RemoveAsync(actor, "gate", knowingly: true));
        await cameras.AddAsync(actor, south);
        Assert.Equal("rtsp://10.0.0.6/one", CameraRegister.AddressOf(cameras.Find("south")!));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(stage.Host.Installation.DataPath("cameras.json")));

        Guid id = await stage.DraftAsync(stage.Draft() with { Cameras = ["south"] });
        await stage.SignAsync(id);
        stage.Time.Now += TimeSpan.FromHours(2);
        Assert.Empty(await stage.Authorities.RefusalsAsync(id, token));
        CameraConfig zoned = south with { Zone = "5,30 95,30 95,100 5,100" };
        await cameras.ChangeAsync(actor, south with { Transport = CameraTransport.Tcp }, knowingly: false);
        await Refused("Confirm that you know this", () => cameras.ChangeAsync(actor, zoned, knowingly: false));
        await Refused("Confirm that you know this", () => cameras.RemoveAsync(actor, "south", knowingly: false));
        await stage.TamperAsync($"UPDATE \"Deployments\" SET \"State\" = 'Running'");
        await Refused("is using this camera", () => cameras.ChangeAsync(actor, zoned, knowingly: true));
        await stage.TamperAsync($"UPDATE \"Deployments\" SET \"State\" = 'Signed'");
        await cameras.ChangeAsync(actor, zoned, knowingly: true);
        Assert.Equal(["The camera south compares faces in a zone other than the authorised one."], await stage.Authorities.RefusalsAsync(id, token));
        // Signed anew, with its zone in the text.
        Guid again = await stage.DraftAsync(stage.Draft() with { Cameras = ["south"] });
        Assert.Equal(zoned.Zone, (await AuthorityAsync(stage, again)).Cameras.Single().Zone);

        await stage.Host.RestartAsync();
        cameras = stage.Host.Services.GetRequiredService<CameraRegister>();
        Assert.Equal((south.Source, zoned.Zone), (cameras.Find("south")!.Source, cameras.Find("south")!.Zone));
        await cameras.RemoveAsync(actor, "south", knowingly: true);
        Assert.Contains("The camera south is not configured.", await stage.Authorities.RefusalsAsync(id, token));
        string[] trail = await stage.Host.ReadAsync(s => s.Audit.Where(e => e.Subject == "camera/south").Select(e => e.Action + e.Details).ToArrayAsync(token));
        Assert.Equal(4, trail.Length);
        Assert.All(trail, e => Assert.DoesNotContain("secret", e, StringComparison.Ordinal));
        Assert.All(trail, e => Assert.DoesNotContain("10.0.0.6", e, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refusals_StartedWithOtherCamerasOrLaboratories_AreTold()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.ArmAsync();
        async Task<string> Told(AuthorityService service) => Assert.Single(await service.RefusalsAsync(id, TestContext.Current.CancellationToken));
        CameraConfig[] cameras = stage.Host.Installation.Config.Cameras;

        Assert.Empty(await stage.Restarted().RefusalsAsync(id, TestContext.Current.CancellationToken));
        Assert.Equal("The camera gate is configured with a source other than the authorised one.", await Told(stage.Restarted(c => c with { Cameras = [cameras[0] with { Source = "rtsp://van:secret@10.0.0.6/one" }, cameras[1]] })));
        Assert.Equal("The camera north is not configured.", await Told(stage.Restarted(c => c with { Cameras = [cameras[0]] })));
        // A password that has changed leaves the camera what it is.
        Assert.Empty(await stage.Restarted(c => c with { Cameras = [cameras[0] with { Source = "rtsp://van:fresh@10.0.0.5/one" }, cameras[1]] }).RefusalsAsync(id, TestContext.Current.CancellationToken));
        Assert.Contains("No trusted laboratory is configured", await Told(stage.Restarted(c => c with { Laboratories = [] })), StringComparison.Ordinal);
    }

    // Each of those that decide, the second opinions and the mesh too.
    [Theory]
    [InlineData("detector", EngineModels.DefaultDetector)]
    [InlineData("landmarks", EngineModels.DefaultLandmarks)]
    [InlineData("mesh", EngineModels.DefaultMesh)]
    [InlineData("first verifier", EngineModels.DefaultSecond)]
    [InlineData("second verifier", EngineModels.DefaultThird)]
    public async Task Refusals_StartedWithAnotherModel_AreTold(string task, string id)
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid armed = await stage.ArmAsync();
        async Task<string> Told(ModelCatalog catalog) => Assert.Single(await stage.Restarted(catalog: catalog).RefusalsAsync(armed, TestContext.Current.CancellationToken));
        ModelCatalog altered = CopyOf(ModelCatalog.Default, stage.Host.PathOf("models"));
        ModelManifest original = EngineModels.Find(altered).Single(m => m.Id == id);
        string file = altered.FileOf(original);

        byte[] bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        Assert.StartsWith($"The file of the {task} {id} has been altered", await Told(altered), StringComparison.Ordinal);
        // The same with a manifest to match: another model, properly installed.
        string manifest = Directory.EnumerateFiles(altered.Folder, "*.json").Single(f => File.ReadAllText(f).Contains($"\"id\": \"{id}\"", StringComparison.Ordinal));
        await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken)).Replace(original.Sha256, PackageCache.HashOf(file), StringComparison.Ordinal), TestContext.Current.CancellationToken);
        string told = await Told(altered);
        Assert.StartsWith($"The {task} that runs here ({id}, ", told, StringComparison.Ordinal);
        Assert.EndsWith("is not the authorised one.", told, StringComparison.Ordinal);
        File.Delete(file);
        Assert.StartsWith($"The {task} {id} is missing", await Told(altered), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_StartedWithAnotherEmbedder_AreToldAndADraftNamesIt()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid armed = await stage.ArmAsync();
        ModelManifest known = ModelCatalog.Default.Find(EngineModels.DefaultEmbedder, ModelTask.Embed);
        // The same network under another hash and name, by the path of its manifest.
        string weights = stage.Host.PathOf("own.onnx"), manifest = stage.Host.PathOf("own.json");
        await File.WriteAllBytesAsync(weights, [.. await File.ReadAllBytesAsync(ModelCatalog.Default.FileOf(known), TestContext.Current.CancellationToken), 0], TestContext.Current.CancellationToken);
        JsonNode text = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(known.Folder, "mobilefacenet-512.json"), TestContext.Current.CancellationToken))!;
        (text["id"], text["sha256"], text["source"]) = ("own", PackageCache.HashOf(weights), new JsonObject { ["file"] = "own.onnx" });
        await File.WriteAllTextAsync(manifest, text.ToJsonString(), TestContext.Current.CancellationToken);

        AuthorityService other = stage.Restarted(c => c with { Engine = c.Engine with { Embedder = manifest } });
        IReadOnlyList<string> told = await other.RefusalsAsync(armed, TestContext.Current.CancellationToken);

        Assert.Contains("The watchlist Spring list was built with an embedder other than the one that runs here.", told);
        Assert.Contains(told, t => t.StartsWith("The embedder that runs here (own, ", StringComparison.Ordinal));
        Assert.Equal(3, told.Count);
    }

    [Fact]
    public async Task Refusals_AuthorityOfAnEarlierVersion_SayWhatItDoesNotName()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.DraftAsync();
        // As it was drafted when an authority named three models.
        Authority six = await AuthorityAsync(stage, id);
        await stage.TamperAsync($"""UPDATE "Deployments" SET "AuthorityText" = {(six with { Models = [.. six.Models.Take(3)] }).ToText()} WHERE "Id" = {id}""");

        string told = Assert.Single(await stage.Restarted().RefusalsAsync(id, TestContext.Current.CancellationToken), r => !r.Contains("has not signed", StringComparison.Ordinal) && !r.Contains("begins at", StringComparison.Ordinal));

        Assert.Equal("The authority does not name every model used here: the mesh (mesh-468), the first verifier (blazeface-full-range), the second verifier (onet). It may have been drafted by an earlier version of this program. Draft it again and have it signed.", told);
        Assert.Equal(["detector", "landmarks", "embedder"], (await AuthorityAsync(stage, id)).Models.Select(m => m.Task));
    }

    [Fact]
    public async Task Draft_Models_AreAllThatAreLoaded()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();

        Authority authority = await AuthorityAsync(stage, await stage.DraftAsync());

        using EngineModels loaded = EngineModels.Load(ModelCatalog.Default);
        Assert.Equal(loaded.All.Select(m => (m.Manifest.Id, m.Manifest.Sha256)), authority.Models.Select(m => (m.Id, m.Sha256)));
        Assert.Equal(6, authority.Models.DistinctBy(m => m.Task).Count());
    }

    [Fact]
    public async Task Withdraw_ByWhoMay_IsForGoodWhateverTheStoreSays()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Officer other = await stage.Host.AddOfficerAsync("otto", Roles.Operator);
        Guid id = await stage.ArmAsync();

        await Assert.ThrowsAsync<AuthorityException>(() => stage.Authorities.WithdrawAsync(AuthorityStage.Of(other), id, "no", TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<AuthorityException>(() => stage.Authorities.WithdrawAsync(AuthorityStage.Of(stage.Signer), id, " ", TestContext.Current.CancellationToken));
        await stage.Authorities.WithdrawAsync(AuthorityStage.Of(stage.Signer), id, "The square is closed.", TestContext.Current.CancellationToken);

        Assert.Equal(["The authority has been withdrawn."], await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
        await stage.TamperAsync($"""UPDATE "Deployments" SET "State" = 'Signed' WHERE "Id" = {id}""");
        Assert.Equal(["The authority has been withdrawn."], await stage.Authorities.RefusalsAsync(id, TestContext.Current.CancellationToken));
        // Drafted again, with the same list: the first deployment no longer has it.
        await stage.TamperAsync($"""UPDATE "Deployments" SET "State" = 'Withdrawn' WHERE "Id" = {id}""");
        Guid anew = await stage.DraftAsync();
        await stage.SignAsync(anew);
        Assert.NotEqual(id, anew);
        stage.Time.Now += TimeSpan.FromHours(1);
        Assert.Empty(await stage.Authorities.RefusalsAsync(anew, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Api_Deployment_ReturnsRefusalsAndTheSignedAuthority()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.DraftAsync();
        using HttpClient client = await stage.Host.ClientAsync(stage.Drafter), nobody = stage.Host.Client();
        var at = new Uri($"/api/v1/deployments/{id}", UriKind.Relative);
        var document = new Uri($"/api/v1/deployments/{id}/authority", UriKind.Relative);

        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(at, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await client.GetAsync(document, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri($"/api/v1/deployments/{Guid.NewGuid()}", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Contains("sam has not signed it", await client.GetStringAsync(at, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await stage.SignAsync(id);
        Assert.Contains("\"state\":\"signed\"", await client.GetStringAsync(new Uri("/api/v1/deployments", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        string file = stage.Host.PathOf("authority.json");
        await File.WriteAllBytesAsync(file, await client.GetByteArrayAsync(document, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        Assert.Equal("Market Square", SignedDocument.Read(file, AuthoritySetup.Kind, stage.Signer.SigningPublicKey, Authority.Json).Name);
        Assert.Throws<CommandFailure>(() => SignedDocument.Read(file, AuthoritySetup.Kind, stage.Drafter.SigningPublicKey, Authority.Json));
    }

    [Fact]
    public async Task Evidence_Added_CountsOnlyWhenALaboratorySignedIt()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        string genuine = stage.Host.PathOf("new.json"), stranger = stage.Host.PathOf("stranger.json");
        stage.WriteEvidence(genuine, stage.Evidence(50));
        stage.WriteEvidence(stranger, stage.Evidence(50), stranger: true);
        async Task<EvidenceEntry> Add(byte[] bytes, string name) => await stage.Shelf.AddAsync(AuthorityStage.Of(stage.Drafter), name, new MemoryStream(bytes), TestContext.Current.CancellationToken);
        byte[] good = await File.ReadAllBytesAsync(genuine, TestContext.Current.CancellationToken), bad = [.. good];
        bad[200] ^= 1;

        Assert.Equal("a-b.json", (await Add(good, "../../a-b.txt")).FileName);
        Assert.Equal("a-b.json", (await Add(good, "again.json")).FileName);
        await Assert.ThrowsAsync<AuthorityException>(() => Add(bad, "bad.json"));
        await Assert.ThrowsAsync<AuthorityException>(() => Add("not json"u8.ToArray(), "text.json"));
        byte[] strange = await File.ReadAllBytesAsync(stranger, TestContext.Current.CancellationToken);
        Assert.Contains("signed by the installation", (await Assert.ThrowsAsync<AuthorityException>(() => Add(strange, "s.json"))).Message, StringComparison.Ordinal);
        Assert.Equal(["a-b.json", "spring.json"], Directory.EnumerateFiles(Path.GetDirectoryName(stage.EvidencePath)!).Select(Path.GetFileName).Order());
    }

    private static async Task<Authority> AuthorityAsync(AuthorityStage stage, Guid deployment)
    {
        await using LfrStore store = stage.Host.Store();
        return AuthorityService.Of(await store.Deployments.AsNoTracking().SingleAsync(d => d.Id == deployment, TestContext.Current.CancellationToken));
    }

    private static ModelCatalog CopyOf(ModelCatalog source, string folder)
    {
        var copy = new ModelCatalog(Path.Combine(folder, "manifests"), new PackageCache(Path.Combine(folder, "cache")));
        Directory.CreateDirectory(copy.Folder);
        foreach (string manifest in Directory.EnumerateFiles(source.Folder, "*.json"))
            File.Copy(manifest, Path.Combine(copy.Folder, Path.GetFileName(manifest)));
        foreach ((ModelManifest own, ModelManifest original) in EngineModels.Find(copy).Zip(EngineModels.Find(source)))
        {
            string to = copy.FileOf(own);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(source.FileOf(original), to);
        }
        return copy;
    }
}
