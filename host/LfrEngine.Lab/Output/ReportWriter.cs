using System.Net;
using System.Text;
using System.Text.Json;

namespace LfrEngine.Lab.Output;

/// <summary>Writes a report: report.html (self-contained), report.json, a CSV file per table and curve, a PNG file per curve. Writes all files or none.</summary>
internal static class ReportWriter
{
    private const int MostRowsShown = 200;

    private const string Style = """
        body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
        h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}
        table{border-collapse:collapse;margin:.6rem 0;font-variant-numeric:tabular-nums;font-size:.88rem}
        th,td{border-bottom:1px solid #ccc;padding:.25rem .6rem;text-align:right;vertical-align:top}th:first-child,td:first-child,td.text{text-align:left}
        th{border-bottom:2px solid #444;vertical-align:bottom}code{font-size:.82em;overflow-wrap:anywhere}figure{margin:1rem 0}svg{max-width:100%;height:auto}
        .wide{overflow-x:auto}.note{color:#555;font-size:.88rem}
        @media print{body{max-width:none;margin:0;font-size:10pt}figure,table{break-inside:avoid}.wide{overflow:visible}}
        """;

    /// <summary>Writes all files.</summary>
    /// <param name="folder">Created if it does not exist; an older report in it is replaced.</param>
    /// <param name="report">The report.</param>
    /// <exception cref="CommandFailure">The report cannot be written; no partial report is left.</exception>
    public static void Write(string folder, LabReport report) => OutputFolder.Write(folder, "The report", partial =>
    {
        File.WriteAllText(Path.Combine(partial, "report.json"), JsonSerializer.Serialize(report, LabJson.Readable.LabReport) + "\n");
        File.WriteAllText(Path.Combine(partial, "report.html"), Html(report));
        File.WriteAllText(Path.Combine(partial, "figures.csv"), Csv(["id", "value", "low", "high", "count", "total", "note"],
            report.Figures.Select(f => (IEnumerable<ReportCell>)[f.Id, f.Value, f.Low, f.High, (double?)f.Count, (double?)f.Total, f.Note])));
        foreach (ReportTable table in report.Tables)
            File.WriteAllText(Path.Combine(partial, table.Id + ".csv"), Csv(table.Columns, table.Rows));
        foreach (ReportCurve curve in report.Curves)
        {
            File.WriteAllText(Path.Combine(partial, curve.Id + ".csv"), Csv(["series", "x", "y", "low", "high"], curve.Series.SelectMany(s => s.X.Select((x, i) =>
                (IEnumerable<ReportCell>)[s.Name, x, s.Y[i], s.Low is { } low ? low[i] : (double?)null, s.High is { } high ? high[i] : (double?)null]))));
            Plots.SavePng(curve, Path.Combine(partial, curve.Id + ".png"));
        }
    });

    private static string Csv(IReadOnlyList<string> columns, IEnumerable<IEnumerable<ReportCell>> rows)
    {
        var text = new StringBuilder(string.Join(',', columns.Select(OutputFolder.Quoted))).Append('\n');
        foreach (IEnumerable<ReportCell> row in rows)
            text.AppendJoin(',', row.Select(c => c.Number is { } n ? n.ToString("r", CultureInfo.InvariantCulture) : OutputFolder.Quoted(c.Text ?? ""))).Append('\n');
        return text.ToString();
    }

    private static string Html(LabReport report)
    {
        var html = new StringBuilder();
        ReportOrigin origin = report.Origin;
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{Text(report.Title)}</title><style>{Style}</style></head><body><h1>{Text(report.Title)}</h1>");
        html.Append("<h2>Key figures</h2><p class=\"note\">Intervals are 95 %. Where one person's attempts repeat, they are by bootstrap over people.</p><div class=\"wide\"><table><tr><th>Figure</th><th>Value</th><th>95 % interval</th><th>Counted</th><th></th></tr>");
        foreach (ReportFigure f in report.Figures)
        {
            string counted = f.Total is { } total ? $"{f.Count:#,0} of {total:#,0}" : "";
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(f.Label)}</td><td>{(f.Value is { } v ? NumberText.Of(v) : "–")}</td><td>{(f.Low is { } low ? $"{NumberText.Of(low)} … {NumberText.Of(f.High!.Value)}" : "")}</td><td>{counted}</td><td class=\"text\">{Text(f.Note ?? "")}</td></tr>");
        }
        html.Append("</table></div>");
        foreach (ReportCurve curve in report.Curves)
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(curve.Title)}</h2><figure>{Plots.Svg(curve)}</figure>");
        foreach (ReportTable table in report.Tables)
        {
            if (table.Rows.Count > MostRowsShown)
            {
                html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(table.Title)}</h2><p>{table.Rows.Count:#,0} rows: see {table.Id}.csv.</p>");
                continue;
            }
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(table.Title)}</h2><div class=\"wide\"><table><tr>{string.Concat(table.Columns.Select(c => $"<th>{Text(c)}</th>"))}</tr>");
            foreach (IReadOnlyList<ReportCell> row in table.Rows)
                html.Append("<tr>").AppendJoin("", row.Select(c => c.Number is { } n ? $"<td>{NumberText.Of(n)}</td>" : $"<td class=\"text\">{Text(c.Text ?? "")}</td>")).Append("</tr>");
            html.Append("</table></div>");
        }
        html.Append(CultureInfo.InvariantCulture, $"<h2>Failures</h2><p>{report.Failures.Count} of {new Counted(origin.Images):image or video|images or videos} could not be used.</p>");
        if (report.Failures.Count > 0)
        {
            html.Append("<div class=\"wide\"><table><tr><th>Reason</th><th>Kind</th><th>Count</th><th>First</th></tr>");
            foreach (IGrouping<(string Kind, string Reason), ReportFailure> same in report.Failures.GroupBy(f => (f.Kind, f.Reason)).OrderByDescending(g => g.Count()))
                html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(same.Key.Reason)}</td><td class=\"text\">{Text(same.Key.Kind)}</td><td>{same.Count()}</td><td class=\"text\">{Text(same.First().Name)}</td></tr>");
            html.Append("</table></div>");
        }
        html.Append(CultureInfo.InvariantCulture, $"<h2>How to reproduce this</h2><table><tr><td>Command</td><td class=\"text\"><code>lfr-lab {Text(string.Join(' ', origin.Arguments))}</code></td></tr><tr><td>Seed</td><td class=\"text\">{origin.Seed}</td></tr>")
            .Append(CultureInfo.InvariantCulture, $"<tr><td>Data</td><td class=\"text\">{new Counted(origin.Images):file|files} of {new Counted(origin.Subjects):person|people}, SHA-256 <code>{origin.DataSha256}</code></td></tr>");
        foreach ((string model, string hash) in origin.ModelSha256)
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>Model {Text(model)}</td><td class=\"text\"><code>{hash}</code></td></tr>");
        foreach ((string file, string hash) in origin.BuildSha256)
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>Program {Text(file)}</td><td class=\"text\"><code>{hash}</code></td></tr>");
        html.Append(CultureInfo.InvariantCulture, $"<tr><td>Machine</td><td class=\"text\">{Text(origin.Machine)}</td></tr><tr><td>Made</td><td class=\"text\">{origin.StartedAt:u}, in {origin.ElapsedSeconds:0.0} s</td></tr></table></body></html>\n");
        return html.ToString();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
