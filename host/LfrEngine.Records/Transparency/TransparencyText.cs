using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using LfrEngine.Records.Audit;

namespace LfrEngine.Records.Transparency;

/// <summary>Formats of the published report. The same report gives the same bytes.</summary>
internal enum TransparencyForm
{
    Csv,
    Json,
    Html,
}

/// <summary>Writes the report.</summary>
internal static class TransparencyText
{
    /// <summary>Names of the columns, in order.</summary>
    public static readonly string[] Columns =
    [
        "Deployment", "Date", "Deployment type", "Duration", "Number of cameras", "Watchlist number", "Threshold settings", "Total alerts", "Positive alerts",
        "Positive interventions", "Incorrect alerts", "Incorrect interventions", "Arrests or disposals", "Faces seen", "Incorrect alert rate",
    ];

    private const string Style =
        "body{font:15px/1.45 system-ui,sans-serif;margin:2rem;color:#111;background:#fff}h1{font-size:1.5rem}table{border-collapse:collapse;width:100%}th,td{border:1px solid #767676;padding:.3rem .45rem;text-align:left;vertical-align:top}"
        + "th{background:#eee}td.n{text-align:right;font-variant-numeric:tabular-nums}tfoot td{font-weight:600}.w{overflow-x:auto}@media print{@page{size:A4 landscape;margin:10mm}body{margin:0;font-size:9pt}thead{display:table-header-group}tr{break-inside:avoid}}";

    private static readonly JsonSerializerOptions Indented = new(AuditJson.Options) { WriteIndented = true, NewLine = "\n" };

    public static string ContentType(TransparencyForm form) => form switch
    {
        TransparencyForm.Csv => "text/csv; charset=utf-8",
        TransparencyForm.Json => "application/json",
        _ => "text/html; charset=utf-8",
    };

    /// <summary>The report as bytes, UTF-8.</summary>
    public static byte[] Write(TransparencyReport report, TransparencyForm form) => Encoding.UTF8.GetBytes(form switch
    {
        TransparencyForm.Csv => Csv(report),
        TransparencyForm.Json => JsonSerializer.Serialize(report, Indented) + "\n",
        _ => Html(report),
    });

    public static string[] Cells(DeploymentFigures d) =>
    [
        d.Deployment, d.Date, d.DeploymentType, d.DurationSeconds is { } seconds ? Duration(seconds) : "", Number(d.Cameras), Number(d.WatchlistNumber),
        string.Join("; ", d.Thresholds.Select(t => $"{t.Category} {t.Threshold.ToString("0.####", CultureInfo.InvariantCulture)}")),
        Number(d.TotalAlerts), Number(d.PositiveAlerts), Number(d.PositiveInterventions), Number(d.IncorrectAlerts), Number(d.IncorrectInterventions), Number(d.ArrestsOrDisposals),
        d.FacesSeen is { } seen ? Number(seen) : "", d.IncorrectAlertRate is { } rate ? Rate(rate) : "",
    ];

    /// <summary>A rate with its denominator and interval: <c>1 of 383356 = 0.00026 % (95 % interval 0.0000066 % to 0.0015 %)</c>.</summary>
    public static string Rate(PublishedRate r) => $"{Number(r.Count)} of {Number(r.Of)} = {Percent(r.Rate)} (95 % interval {Percent(r.Low)} to {Percent(r.High)})";

    private static string Csv(TransparencyReport report)
    {
        var text = new StringBuilder();
        foreach (string[] line in report.Deployments.Select(Cells).Prepend(Columns))
            text.Append(string.Join(',', line.Select(Field))).Append("\r\n");
        return text.ToString();
    }

    // RFC 4180. A spreadsheet must not interpret a name as a formula.
    private static string Field(string value)
    {
        if (value is ['=' or '+' or '-' or '@' or '\t' or '\r', ..])
            value = "'" + value;
        return value.AsSpan().IndexOfAny(",\"\r\n") < 0 ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string Html(TransparencyReport report)
    {
        static string Safe(string value) => WebUtility.HtmlEncode(value);
        static string Cell(string value, int column) => $"<td{(column is 4 or 5 or (>= 7 and <= 13) ? " class=\"n\"" : "")}>{Safe(value)}</td>";

        TransparencyTotal total = report.Total;
        var text = new StringBuilder();
        text.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Live facial recognition: deployments</title>\n<style>")
            .Append(Style).Append("</style>\n</head>\n<body>\n<h1>Live facial recognition: deployments</h1>\n<p>").Append(Safe(string.Join(", ", report.Installations)));
        text.Append(report.From is { } from ? $", from {from:yyyy-MM-dd}" : "").Append(report.To is { } to ? $", to {to:yyyy-MM-dd}" : "").Append("</p>\n<div class=\"w\" tabindex=\"0\" role=\"region\" aria-label=\"Deployments\">\n<table>\n<thead><tr>");
        foreach (string column in Columns)
            text.Append("<th scope=\"col\">").Append(column).Append("</th>");
        text.Append("</tr></thead>\n<tbody>\n");
        foreach (DeploymentFigures d in report.Deployments)
            text.Append("<tr>").AppendJoin("", Cells(d).Select(Cell)).Append("</tr>\n");
        string[] sums =
        [
            $"{Number(total.Deployments)} ended", "", "", "", "", "", "", Number(total.TotalAlerts), Number(total.PositiveAlerts), Number(total.PositiveInterventions), Number(total.IncorrectAlerts),
            Number(total.IncorrectInterventions), Number(total.ArrestsOrDisposals), Number(total.FacesSeen), total.IncorrectAlertRate is { } rate ? Rate(rate) : "",
        ];
        text.Append("</tbody>\n<tfoot><tr>").AppendJoin("", sums.Select(Cell)).Append("</tr></tfoot>\n</table>\n</div>\n");
        foreach ((string heading, string[] columns, string[][] rows) in Tables(report))
        {
            if (rows.Length == 0)
                continue;
            text.Append("<h2>").Append(heading).Append("</h2>\n<div class=\"w\" tabindex=\"0\" role=\"region\" aria-label=\"").Append(heading).Append("\">\n<table>\n<thead><tr>");
            foreach (string column in columns)
                text.Append("<th scope=\"col\">").Append(column).Append("</th>");
            text.Append("</tr></thead>\n<tbody>\n");
            foreach (string[] row in rows)
                text.Append("<tr>").AppendJoin("", row.Select(v => $"<td>{Safe(v)}</td>")).Append("</tr>\n");
            text.Append("</tbody>\n</table>\n</div>\n");
        }
        text.Append("<h2>What the figures mean</h2>\n<ul>\n");
        foreach (string note in Notes(report))
            text.Append("<li>").Append(Safe(note)).Append("</li>\n");
        return text.Append("</ul>\n</body>\n</html>\n").ToString();
    }

    /// <summary>What the fields' columns have no place for: the words that forces use, and groups.</summary>
    public static IEnumerable<(string Heading, string[] Columns, string[][] Rows)> Tables(TransparencyReport report)
    {
        yield return ("True and false alerts", ["Deployment", "True alerts", "False alerts", "Confirmed true alerts", "Confirmed false alerts", "True recognition rate"],
            [.. report.Deployments.Select(d => new[] { d.Deployment, Number(d.Words.TrueAlerts), Number(d.Words.FalseAlerts), Number(d.Words.ConfirmedTrueAlerts), Number(d.Words.ConfirmedFalseAlerts), d.TrueRecognitionRate is { } rate ? Rate(rate) : "" })]);
        yield return ("Thresholds lower than before", ["Deployment", "Category", "Before", "Now", "Reason"],
            [.. report.Deployments.SelectMany(d => d.LoweredThresholds.Select(l => new[] { d.Deployment, l.Category, l.From.ToString("0.####", CultureInfo.InvariantCulture), l.To.ToString("0.####", CultureInfo.InvariantCulture), l.Reason }))]);
        yield return ("True recognition rate by group", ["Deployment", "Group", "Passages found"],
            [.. report.Deployments.SelectMany(d => d.TrueRecognitionByGroup.Select(g => new[] { d.Deployment, $"{g.Column}: {g.Group}", Rate(g.Rate) }))]);
        yield return ("Perceived groups of people in false alerts", ["Deployment", "Category", "Group", "False alerts", "Of faces seen", "Of all alerts"],
            [.. report.Deployments.SelectMany(d => d.FalseAlertGroups.Select(g => new[] { d.Deployment, g.Category, $"{g.Column}: {g.Group}", Number(g.Count), g.OfFacesSeen is { } seen ? Rate(seen) : "", g.OfAlerts is { } alerts ? Rate(alerts) : "" }))]);
    }

    private static IEnumerable<string> Notes(TransparencyReport report)
    {
        yield return "Faces seen: passages of a face on one camera that were good enough to be compared with the watchlist. Not detections in pictures, and not different people: somebody who passes two cameras counts twice.";
        yield return "Incorrect alert rate: incorrect alerts divided by all faces seen, with the exact 95 % interval of Clopper and Pearson.";
        yield return "Positive alerts: the operator judged the alert viable, and no officer found it incorrect. Positive interventions: an officer met the person and confirmed who it was.";
        yield return "Incorrect alerts: the operator rejected the alert, or an officer found that it was somebody else. Incorrect interventions: incorrect alerts after which an officer had approached the person.";
        yield return "True alerts are positive alerts, false alerts incorrect alerts. Confirmed: an officer met the person, and it was the person sought (true) or somebody else (false).";
        yield return "True recognition rate: passages of consenting role-players on the watchlist that raised an alert, divided by all their passages that were recorded as counting.";
        yield return "Perceived groups of people in false alerts: recorded by the officers who judged the alerts, by how the person looked to them, without a link to the alert. Not everybody is recorded, so the counts may be fewer than the false alerts. Each is divided by all faces seen and by all alerts, of whatever group: nobody counts the groups of those who pass.";
        yield return "Alerts about consenting role-players who test the system, and undone decisions, are not counted.";
        foreach (DeploymentFigures d in report.Deployments)
        {
            if (!d.Ended)
                yield return $"{d.Deployment} has not ended. Its figures are not final.";
            if (d.Undecided > 0)
                yield return $"{d.Deployment}: {new Counted(d.Undecided):alert|alerts} not judged, counted neither as positive nor as incorrect.";
            if (d.NotEngaged > 0)
                yield return $"{d.Deployment}: {new Counted(d.NotEngaged):positive alert|positive alerts} without a confirmed meeting.";
            if (d.Safeguarded > 0)
                yield return $"{d.Deployment}: {new Counted(d.Safeguarded):person|people} safeguarded.";
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Hours and minutes: <c>2:05</c>.</summary>
    public static string Duration(double seconds)
    {
        long minutes = (long)Math.Round(seconds / 60, MidpointRounding.AwayFromZero);
        return string.Create(CultureInfo.InvariantCulture, $"{minutes / 60}:{minutes % 60:00}");
    }

    // Two significant digits, never an exponent.
    private static string Percent(double share)
    {
        double percent = share * 100;
        int decimals = percent is 0 or >= 10 ? 0 : Math.Min(15, 1 - (int)Math.Floor(Math.Log10(percent)));
        return percent.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + " %";
    }
}
