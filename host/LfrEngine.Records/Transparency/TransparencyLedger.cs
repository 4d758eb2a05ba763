using System.Globalization;
using System.Text.Json;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Transparency;

/// <summary>Counts the published figures only from audit entries, so that anybody with the trail gets the same figures.</summary>
/// <remarks>
/// Which entries count, and how: docs/audit.md. An undone decision does not count; the entry that undoes it gives the state that is valid
/// again. Unknown entries and details are ignored.
/// </remarks>
internal sealed class TransparencyLedger
{
    private readonly Dictionary<(string Installation, string Subject), Deployment> deployments = [];
    private readonly Dictionary<(string Installation, string Subject), AlertPath> alerts = [];

    // In the given order, as named in the report.
    private readonly List<string> installations = [];

    /// <summary>Adds a trail.</summary>
    /// <param name="installation">Whose it is.</param>
    /// <param name="entries">In order.</param>
    public void Add(string installation, IEnumerable<AuditEntry> entries)
    {
        installations.Add(installation);
        foreach (AuditEntry entry in entries)
        {
            if (entry.Action.StartsWith("deployment.", StringComparison.Ordinal))
                AddDeployment(installation, entry);
            else if (entry.Action is "alert.raised" or "alert.decided")
                AddAlert(installation, entry);
            else if (entry.Action is LateFigures.FieldCheckResult or LateFigures.FalseAlerts && deployments.TryGetValue((installation, entry.Subject), out Deployment? late))
                AddLate(late, entry);
        }
    }

    /// <summary>Figures of the deployments of a period.</summary>
    /// <param name="from">First day; null for all.</param>
    /// <param name="to">Last day; null for all.</param>
    public TransparencyReport Report(DateOnly? from, DateOnly? to)
    {
        ILookup<(string, string), AlertPath> byDeployment = alerts.Values.ToLookup(a => (a.Installation, a.Deployment));
        DeploymentFigures[] rows =
        [
            .. deployments.Where(d => d.Value.FirstStart is not null && In(d.Value.Date, from, to))
                .OrderBy(d => d.Value.Date, StringComparer.Ordinal).ThenBy(d => d.Value.FirstStart).ThenBy(d => d.Key.Installation, StringComparer.Ordinal).ThenBy(d => d.Key.Subject, StringComparer.Ordinal)
                .Select(d => Row(d.Key.Installation, d.Key.Subject, d.Value, byDeployment[d.Key])),
        ];
        DeploymentFigures[] ended = [.. rows.Where(r => r.Ended)];
        long seen = ended.Sum(r => r.FacesSeen ?? 0);
        int incorrect = ended.Sum(r => r.IncorrectAlerts);
        var total = new TransparencyTotal(ended.Length, ended.Sum(r => r.TotalAlerts), ended.Sum(r => r.PositiveAlerts), ended.Sum(r => r.PositiveInterventions), incorrect,
            ended.Sum(r => r.IncorrectInterventions), ended.Sum(r => r.ArrestsOrDisposals), seen, PublishedRate.From(incorrect, seen));
        return new TransparencyReport(TransparencyReport.CurrentFormat, from, to, installations, rows, total);
    }

    /// <summary>Alerts of a deployment by the state in which they were left, and how many of role-players there were besides.</summary>
    /// <param name="installation">Whose trail.</param>
    /// <param name="deployment">Subject of its entries.</param>
    public (IReadOnlyDictionary<AlertState, int> Left, int RolePlayers) Outcomes(string installation, string deployment)
    {
        AlertPath[] raised = [.. alerts.Values.Where(a => a.Installation == installation && a.Deployment == deployment)];
        return (raised.Where(a => !a.RolePlayer).CountBy(a => a.Now).ToDictionary(), raised.Count(a => a.RolePlayer));
    }

    private static bool In(string date, DateOnly? from, DateOnly? to) =>
        DateOnly.ParseExact(date, "yyyy-MM-dd", CultureInfo.InvariantCulture) is var day && (from is null || day >= from) && (to is null || day <= to);

    private static DeploymentFigures Row(string installation, string subject, Deployment d, IEnumerable<AlertPath> raised)
    {
        AlertPath[] real = [.. raised.Where(a => !a.RolePlayer)];
        AlertPath[] incorrect = [.. real.Where(a => a.IsIncorrect)];
        AlertPath[] positive = [.. real.Where(a => !a.IsIncorrect && a.Has(AlertState.Viable))];
        int arrests = real.Count(a => a.Now == AlertState.Arrest), confirmed = positive.Count(a => a.Has(AlertState.Confirmed));
        return new DeploymentFigures(installation, subject["deployment/".Length..], d.Name, d.Date, d.Type, d.Ended, d.Ended ? d.RunningSeconds : null, d.Cameras, d.WatchlistPeople, d.Thresholds,
            real.Length, positive.Length, confirmed, incorrect.Length, incorrect.Count(a => a.Has(AlertState.Engaged)),
            arrests + real.Count(a => a.Now == AlertState.OtherDisposal), arrests, real.Count(a => a.Now == AlertState.Safeguarded),
            positive.Length - confirmed, real.Length - positive.Length - incorrect.Length, d.Ended ? d.FacesSeen : null)
        {
            TrueRecognitionRate = PublishedRate.From(d.Found, d.Passages),
            TrueRecognitionByGroup = d.PassagesByGroup,
            LoweredThresholds = d.Lowered,
            FalseAlertGroups = [.. d.FalseAlertGroups.Select(g => new FalseAlertGroup(g.Category, g.Column, g.Group, g.Count, d.Ended && d.FacesSeen is { } seen ? PublishedRate.From(g.Count, seen) : null, PublishedRate.From(g.Count, real.Length)))],
        };
    }

    // The latest entry of each kind holds everything.
    private static void AddLate(Deployment d, AuditEntry entry)
    {
        using JsonDocument document = JsonDocument.Parse(entry.Details);
        JsonElement details = document.RootElement;
        JsonElement[] groups = Property(details, "groups") is { ValueKind: JsonValueKind.Array } array ? [.. array.EnumerateArray()] : [];
        if (entry.Action == LateFigures.FalseAlerts)
        {
            d.FalseAlertGroups = [.. groups.Select(g => (Text(g, "category") ?? "", Text(g, "column") ?? "", Text(g, "group") ?? "", (int)Count(g, "count")))];
            return;
        }
        (d.Passages, d.Found) = (Count(details, "passages"), Count(details, "found"));
        d.PassagesByGroup = [.. groups.Select(g => PublishedRate.From(Count(g, "found"), Count(g, "passages")) is { } rate ? new GroupRecognition(Text(g, "column") ?? "", Text(g, "group") ?? "", rate) : null).OfType<GroupRecognition>()];
    }

    private static long Count(JsonElement details, string name) => Property(details, name) is { } count ? Number(count) : 0;

    private void AddDeployment(string installation, AuditEntry entry)
    {
        if (!entry.Subject.StartsWith("deployment/", StringComparison.Ordinal))
            return;
        if (!deployments.TryGetValue((installation, entry.Subject), out Deployment? d))
            deployments.Add((installation, entry.Subject), d = new Deployment());
        using JsonDocument document = JsonDocument.Parse(entry.Details);
        JsonElement details = document.RootElement;
        switch (entry.Action)
        {
            case "deployment.drafted" or "deployment.signed":
                d.Name = Text(details, "name") ?? d.Name;
                d.Type = Text(details, "type") ?? d.Type;
                if (Text(details, "date") is { Length: >= 10 } date && DateOnly.TryParseExact(date.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
                    d.AuthorityDate = date[..10];
                d.Cameras = Property(details, "cameras") is { } cameras ? cameras.ValueKind == JsonValueKind.Array ? cameras.GetArrayLength() : (int)Number(cameras) : d.Cameras;
                d.WatchlistPeople = Property(details, "watchlistPeople") is { } people ? (int)Number(people) : d.WatchlistPeople;
                d.Thresholds = Property(details, "thresholds") is { } thresholds ? ThresholdsOf(thresholds) : d.Thresholds;
                break;
            case AuthorityService.ThresholdLowered:
                d.Lowered = Property(details, "categories") is { ValueKind: JsonValueKind.Array } lowered
                    ? [.. lowered.EnumerateArray().Select(l => new LoweredFigure(Text(l, "category") ?? "", Property(l, "from")?.GetDouble() ?? 0, Property(l, "to")?.GetDouble() ?? 0, Text(details, "reason") ?? ""))]
                    : d.Lowered;
                break;
            case "deployment.started":
                d.FirstStart ??= entry.At;
                d.Ended = false;
                break;
            case "deployment.ended":
                d.Ended = true;
                d.FacesSeen = Property(details, "facesSeen") is { } seen ? Number(seen) : null;
                d.RunningSeconds = Property(details, "runningSeconds") is { ValueKind: JsonValueKind.Number } running ? running.GetDouble() : null;
                break;
        }
    }

    private void AddAlert(string installation, AuditEntry entry)
    {
        using JsonDocument document = JsonDocument.Parse(entry.Details);
        JsonElement details = document.RootElement;
        if (entry.Action == "alert.raised")
            alerts.TryAdd((installation, entry.Subject), new AlertPath(installation, $"deployment/{Text(details, "deploymentId")}", Property(details, "rolePlayer") is { ValueKind: JsonValueKind.True }));
        else if (alerts.TryGetValue((installation, entry.Subject), out AlertPath? path) && Enum.TryParse(Text(details, "to"), ignoreCase: true, out AlertState to))
            path.Decide(to, takesBack: Property(details, "undoes") is { ValueKind: not JsonValueKind.Null });
    }

    // {"wanted": 0.48}, or [{"category": "wanted", "threshold": 0.48}].
    private static CategoryThreshold[] ThresholdsOf(JsonElement thresholds) => thresholds.ValueKind switch
    {
        JsonValueKind.Object => [.. thresholds.EnumerateObject().Select(p => new CategoryThreshold(p.Name, p.Value.GetDouble()))],
        JsonValueKind.Array => [.. thresholds.EnumerateArray().Select(p => new CategoryThreshold(Text(p, "category") ?? "", Property(p, "threshold")?.GetDouble() ?? 0))],
        _ => [],
    };

    private static JsonElement? Property(JsonElement details, string name) => details.ValueKind == JsonValueKind.Object && details.TryGetProperty(name, out JsonElement value) ? value : null;

    private static string? Text(JsonElement details, string name) => Property(details, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static long Number(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : 0;

    private sealed class Deployment
    {
        public string Name { get; set; } = "";

        public string Type { get; set; } = "";

        public string? AuthorityDate { get; set; }

        public DateTimeOffset? FirstStart { get; set; }

        public bool Ended { get; set; }

        public long? FacesSeen { get; set; }

        public double? RunningSeconds { get; set; }

        public int Cameras { get; set; }

        public int WatchlistPeople { get; set; }

        public CategoryThreshold[] Thresholds { get; set; } = [];

        public LoweredFigure[] Lowered { get; set; } = [];

        public long Passages { get; set; }

        public long Found { get; set; }

        public GroupRecognition[] PassagesByGroup { get; set; } = [];

        public (string Category, string Column, string Group, int Count)[] FalseAlertGroups { get; set; } = [];

        public string Date => AuthorityDate ?? FirstStart!.Value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    /// <summary>The valid decisions about an alert, oldest first.</summary>
    private sealed class AlertPath(string installation, string deployment, bool rolePlayer)
    {
        private readonly List<AlertState> states = [AlertState.Raised];

        public string Installation => installation;

        public string Deployment => deployment;

        public bool RolePlayer => rolePlayer;

        public AlertState Now => states[^1];

        public bool IsIncorrect => Has(AlertState.Rejected) || Has(AlertState.Incorrect);

        public bool Has(AlertState state) => states.Contains(state);

        public void Decide(AlertState to, bool takesBack)
        {
            if (!takesBack)
            {
                states.Add(to);
                return;
            }
            // Decisions after the restored state are undone with it.
            while (states.Count > 1 && Now != to)
                states.RemoveAt(states.Count - 1);
        }
    }
}
