using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;

namespace LfrEngine.Web.Tests;

/// <summary>What is published: the field's columns, counted from the trail alone.</summary>
[Trait("Speed", "slow")]
public sealed class TransparencyTests
{
    private static readonly AlertState[] Decisions = [.. Enum.GetValues<AlertState>().Where(s => s != AlertState.Raised)];

    private static readonly Dictionary<AlertState, AlertState[]> Next = new()
    {
        [AlertState.Raised] = [AlertState.Viable, AlertState.Rejected],
        [AlertState.Viable] = [AlertState.Engaged],
        [AlertState.Engaged] = [AlertState.Confirmed, AlertState.Incorrect],
        [AlertState.Confirmed] = [AlertState.Arrest, AlertState.OtherDisposal, AlertState.Safeguarded, AlertState.NoAction],
    };

    [Fact]
    public void Columns_AreTheFields() => Assert.Equal(
        "Deployment | Date | Deployment type | Duration | Number of cameras | Watchlist number | Threshold settings | Total alerts | Positive alerts | Positive interventions | Incorrect alerts | Incorrect interventions | Arrests or disposals | Faces seen | Incorrect alert rate",
        string.Join(" | ", TransparencyText.Columns));

    [Fact]
    public void Report_KnownDeployment_IsCountedByHand()
    {
        var trail = new Trail();
        string d = trail.Deployment("High Street, \"east\"", "2026-03-01", seconds: 3 * 3600 + 29, faces: 10_000);
        trail.Decide(trail.Alert(d), AlertState.Viable, AlertState.Engaged, AlertState.Confirmed, AlertState.Arrest);
        trail.Decide(trail.Alert(d), AlertState.Viable, AlertState.Engaged, AlertState.Incorrect);
        trail.Decide(trail.Alert(d), AlertState.Rejected);
        trail.Decide(trail.Alert(d), AlertState.Viable);
        trail.Alert(d);
        trail.Decide(trail.Alert(d, rolePlayer: true), AlertState.Viable, AlertState.Engaged, AlertState.Confirmed, AlertState.NoAction);
        string taken = trail.Alert(d);
        trail.Decide(taken, AlertState.Rejected);
        trail.TakeBack(taken, AlertState.Raised);
        trail.Decide(taken, AlertState.Viable, AlertState.Engaged, AlertState.Confirmed, AlertState.OtherDisposal);

        DeploymentFigures row = Assert.Single(trail.Report().Deployments);
        Assert.Equal((6, 3, 2, 2, 1, 2), (row.TotalAlerts, row.PositiveAlerts, row.PositiveInterventions, row.IncorrectAlerts, row.IncorrectInterventions, row.ArrestsOrDisposals));
        Assert.Equal((1, 1, 1), (row.Arrests, row.NotEngaged, row.Undecided));
        var interval = new Proportion(2, 10_000).ClopperPearson();
        Assert.Equal(new PublishedRate(2, 10_000, 2e-4, interval.Low, interval.High), row.IncorrectAlertRate);

        // What comes late, the latest of each.
        trail.Note(LateFigures.FalseAlerts, d, new { Groups = new[] { new { Category = "wanted", Column = "sex", Group = "male", Count = 1 } } });
        trail.Note(LateFigures.FalseAlerts, d, new { Groups = new[] { new { Category = "wanted", Column = "sex", Group = "male", Count = 2 } } });
        trail.Note(LateFigures.FieldCheckResult, d, new { Passages = 20, Found = 18, People = 4, Groups = new[] { new { Column = "sex", Group = "female", Passages = 10, Found = 8 } } });
        row = Assert.Single(trail.Report().Deployments);
        Assert.Equal(new AlertWords(3, 2, 2, 1), row.Words);
        Assert.Equal(PublishedRate.From(18, 20), row.TrueRecognitionRate);
        Assert.Equal(new GroupRecognition("sex", "female", PublishedRate.From(8, 10)!), Assert.Single(row.TrueRecognitionByGroup));
        Assert.Equal(new FalseAlertGroup("wanted", "sex", "male", 2, PublishedRate.From(2, 10_000), PublishedRate.From(2, 6)), Assert.Single(row.FalseAlertGroups));
        string html = Encoding.UTF8.GetString(TransparencyText.Write(trail.Report(), TransparencyForm.Html));
        Assert.All(["Confirmed false alerts", "18 of 20 = 90 %", "sex: male", "2 of 6 = 33 %"], words => Assert.Contains(words, html, StringComparison.Ordinal));

        string[] csv = Encoding.UTF8.GetString(TransparencyText.Write(trail.Report(), TransparencyForm.Csv)).Split("\r\n");
        Assert.Equal(string.Join(',', TransparencyText.Columns), csv[0]);
        Assert.Equal("\"High Street, \"\"east\"\"\",2026-03-01,crime hotspot,3:00,2,120,wanted 0.48; missing-or-vulnerable 0.5,6,3,2,2,1,2,10000,2 of 10000 = 0.020 % (95 % interval 0.0024 % to 0.072 %)", csv[1]);
    }

    [Fact]
    public void Report_AnyDecisionsAndUndos_EqualsARecount() => Prop.ForAll(Gen.Choose(0, 999).ArrayOf().ToArbitrary(), choices =>
    {
        var trail = new Trail();
        string[] deployments = [trail.Deployment("A", "2026-01-01", 60, 5000), trail.Deployment("B", "2026-01-02", 60, 5000)];
        // By alert: its deployment, whether a role-player, and all that was ever decided, each with whether it stands.
        var alerts = new List<(string Id, int Deployment, bool RolePlayer, List<(AlertState From, AlertState To, bool Stands)> Path)>();
        foreach (int choice in choices)
        {
            int kind = choice % 10;
            if (alerts.Count == 0 || kind < 3)
            {
                alerts.Add((trail.Alert(deployments[choice / 10 % 2], choice / 20 % 5 == 0), choice / 10 % 2, choice / 20 % 5 == 0, []));
                continue;
            }
            (string id, _, _, List<(AlertState From, AlertState To, bool Stands)> path) = alerts[choice / 10 % alerts.Count];
            int last = path.FindLastIndex(p => p.Stands);
            AlertState state = last < 0 ? AlertState.Raised : path[last].To;
            if (kind < 5 && last >= 0)
            {
                trail.TakeBack(id, path[last].From);
                path[last] = path[last] with { Stands = false };
            }
            else if (Next.TryGetValue(state, out AlertState[]? next))
            {
                AlertState to = next[choice / 7 % next.Length];
                trail.Decide(id, to);
                path.Add((state, to, true));
            }
        }

        TransparencyReport report = trail.Report();
        for (int i = 0; i < 2; i++)
        {
            DeploymentFigures row = report.Deployments[i];
            var real = alerts.Where(a => a.Deployment == i && !a.RolePlayer).Select(a => a.Path.Where(p => p.Stands).Select(p => p.To).ToArray()).ToArray();
            int Ending(params AlertState[] states) => real.Count(p => p.Length > 0 && states.Contains(p[^1]));
            Assert.Equal(real.Length, row.TotalAlerts);
            Assert.Equal(Ending(AlertState.Rejected, AlertState.Incorrect), row.IncorrectAlerts);
            Assert.Equal(Ending(AlertState.Incorrect), row.IncorrectInterventions);
            Assert.Equal(Ending([.. Decisions.Except([AlertState.Rejected, AlertState.Incorrect])]), row.PositiveAlerts);
            Assert.Equal(Ending(AlertState.Confirmed, AlertState.Arrest, AlertState.OtherDisposal, AlertState.Safeguarded, AlertState.NoAction), row.PositiveInterventions);
            Assert.Equal(Ending(AlertState.Arrest, AlertState.OtherDisposal), row.ArrestsOrDisposals);
            Assert.Equal(real.Count(p => p.Length == 0), row.Undecided);
            Assert.Equal(row.TotalAlerts, row.PositiveAlerts + row.IncorrectAlerts + row.Undecided);
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Report_NotStarted_IsLeftOut_NotEnded_IsMarked_AndDaysNarrow()
    {
        var trail = new Trail();
        trail.Draft("never", "2026-01-05");
        string running = trail.Draft("running", "2026-01-06");
        trail.Note("deployment.started", running, new { Runs = 1 });
        trail.Deployment("old", "2025-12-31", 60, 0);

        TransparencyReport all = trail.Report();
        Assert.Equal(["old", "running"], all.Deployments.Select(d => d.Deployment));
        Assert.Null(all.Deployments[0].IncorrectAlertRate);
        Assert.Equal((false, null, null), (all.Deployments[1].Ended, all.Deployments[1].FacesSeen, all.Deployments[1].DurationSeconds));
        Assert.Contains("running has not ended", Encoding.UTF8.GetString(TransparencyText.Write(all, TransparencyForm.Html)), StringComparison.Ordinal);
        Assert.Equal(["running"], trail.Report(new DateOnly(2026, 1, 1), new DateOnly(2026, 1, 6)).Deployments.Select(d => d.Deployment));
        Assert.Empty(trail.Report(null, new DateOnly(2025, 12, 30)).Deployments);
    }

    [Fact]
    public void Text_NamesThatAreCode_StayText()
    {
        var trail = new Trail();
        trail.Deployment("<script>alert(1)</script>", "2026-01-01", 60, 10);
        trail.Deployment("=HYPERLINK(\"x\")", "2026-01-02", 60, 10);

        string html = Encoding.UTF8.GetString(TransparencyText.Write(trail.Report(), TransparencyForm.Html)), csv = Encoding.UTF8.GetString(TransparencyText.Write(trail.Report(), TransparencyForm.Csv));
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
        Assert.Contains("\"'=HYPERLINK(\"\"x\"\")\"", csv, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgresql)]
    public async Task Export_StoreFileAndEndpoint_AreTheSameBytes(StoreKind kind)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost host = await RunningHost.StartAsync(kind: kind);
        var trail = new Trail();
        string d = trail.Deployment("High Street", "2026-03-01", 7200, 383_356);
        trail.Decide(trail.Alert(d), AlertState.Viable, AlertState.Engaged, AlertState.Incorrect);
        await trail.WriteAsync(host.Journal);
        using HttpClient auditor = await host.ClientAsync(await host.AddOfficerAsync("anna", Roles.Auditor));
        using HttpClient officer = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));
        string config = host.PathOf("lfr.json"), file = host.PathOf("audit.jsonl");
        string store = kind == StoreKind.Sqlite ? "{}" : JsonSerializer.Serialize(new { kind = "postgresql", connection = host.Installation.Config.Store.Connection });
        await File.WriteAllTextAsync(config, $$"""{"name": "Test van", "listen": ["https://127.0.0.1:0"], "store": {{store}}}""", token);
        (await Lfr.RunAsync("audit", "export", file, "--config", config)).Exits(ExitCode.Success);

        foreach (string format in new[] { "csv", "json", "html" })
        {
            (await Lfr.RunAsync("export", file, "--format", format, "--from", "2026-03-01", "--to", "2026-03-31", "-o", host.PathOf("published"))).Exits(ExitCode.Success).IsCivil();
            using HttpResponseMessage answer = await auditor.GetAsync(new Uri($"/api/v1/transparency?format={format}&from=2026-03-01&to=2026-03-31", UriKind.Relative), token);
            byte[] served = await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(token);
            Assert.Equal(await File.ReadAllBytesAsync(host.PathOf("published"), token), served);
            Assert.Contains("383356", Encoding.UTF8.GetString(served), StringComparison.Ordinal);
            Assert.Equal("attachment", answer.Content.Headers.ContentDisposition!.DispositionType);
        }
        (await Lfr.RunAsync("export", "--config", config, "--format", "HTML", "--from", "2026-03-01", "--to", "2026-03-31", "-o", host.PathOf("of-store"))).Exits(ExitCode.Success).IsCivil();
        Assert.Equal(await File.ReadAllBytesAsync(host.PathOf("published"), token), await File.ReadAllBytesAsync(host.PathOf("of-store"), token));
        using HttpResponseMessage refused = await officer.GetAsync(new Uri("/api/v1/transparency?format=csv", UriKind.Relative), token);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        // Figures from an altered trail are worth nothing.
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file, token)).Replace("383356", "983356", StringComparison.Ordinal), token);
        (await Lfr.RunAsync("export", file)).Exits(ExitCode.Input).Says("cannot be counted", "has been altered").IsCivil();
    }

    /// <summary>A trail as the host writes it.</summary>
    internal sealed class Trail
    {
        private readonly List<(string Action, string Subject, object Details)> noted = [];

        public void Note(string action, string subject, object details) => noted.Add((action, subject, details));

        public string Draft(string name, string date)
        {
            string subject = $"deployment/{Guid.NewGuid()}";
            Note("deployment.drafted", subject, new { Name = name, Type = "crime hotspot", Date = date });
            Note("deployment.signed", subject, new { Name = name, Type = "crime hotspot", Date = date, Cameras = new[] { "gate", "north" }, WatchlistPeople = 120, Thresholds = new Dictionary<string, double> { ["wanted"] = 0.48, ["missing-or-vulnerable"] = 0.5 } });
            return subject;
        }

        public string Deployment(string name, string date, double seconds, long faces)
        {
            string subject = Draft(name, date);
            Note("deployment.started", subject, new { Runs = 1 });
            Note("deployment.ended", subject, new { FacesSeen = faces / 2, RunningSeconds = seconds / 2 });
            Note("deployment.started", subject, new { Runs = 2 });
            Note("deployment.ended", subject, new { FacesSeen = faces, RunningSeconds = seconds });
            return subject;
        }

        public string Alert(string deployment, bool rolePlayer = false)
        {
            string subject = $"alert/{Guid.NewGuid()}";
            Note("alert.raised", subject, new { DeploymentId = deployment["deployment/".Length..], Category = "wanted", Camera = "gate", Score = 0.6f, Threshold = 0.48f, RolePlayer = rolePlayer });
            Note("alert.joined", $"alert/{Guid.NewGuid()}", new { DeploymentId = deployment["deployment/".Length..], Joined = subject["alert/".Length..] });
            return subject;
        }

        public void Decide(string alert, params AlertState[] to)
        {
            foreach (AlertState state in to)
                Note("alert.decided", alert, new { To = state });
        }

        public void TakeBack(string alert, AlertState to) => Note("alert.decided", alert, new { To = to, Undoes = (long?)noted.Count });

        /// <summary>The report of the entries as they would stand in a store.</summary>
        public TransparencyReport Report(DateOnly? from = null, DateOnly? to = null)
        {
            var ledger = new TransparencyLedger();
            ledger.Add("Test van", noted.Select((n, i) => new AuditEntry
            {
                Sequence = i + 1, At = DateTimeOffset.Parse("2026-01-01T00:00:00Z", CultureInfo.InvariantCulture).AddSeconds(i), ActorId = "", ActorName = "engine", Action = n.Action, Subject = n.Subject,
                Details = JsonSerializer.Serialize(n.Details, AuditJson.Options), PreviousHash = "", Hash = "",
            }));
            return ledger.Report(from, to);
        }

        /// <summary>Writes it to a host's real journal.</summary>
        public Task WriteAsync(Journal journal) => journal.ChangeAsync(Actor.Engine, (_, entries) =>
        {
            foreach ((string action, string subject, object details) in noted)
                entries.Note(action, subject, details);
            return Task.CompletedTask;
        });
    }
}
