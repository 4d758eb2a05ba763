using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Reports;

/// <summary>The results of a protocol, with everything needed to reproduce them. Contains no faces or templates.</summary>
/// <param name="FormatVersion">Format of this document; docs/lab-json.md.</param>
/// <param name="Protocol">verify, identify, passages, detect, quality, cover, cover-judge, cover-scale, compare.</param>
/// <param name="Title">For people.</param>
/// <param name="Origin">Data, models, build, machine.</param>
/// <param name="Figures">Key figures.</param>
/// <param name="Tables">All other results.</param>
/// <param name="Curves">Diagrams.</param>
/// <param name="Failures">Images or videos that could not be used, with the reason.</param>
internal sealed record LabReport(
    int FormatVersion,
    string Protocol,
    string Title,
    ReportOrigin Origin,
    IReadOnlyList<ReportFigure> Figures,
    IReadOnlyList<ReportTable> Tables,
    IReadOnlyList<ReportCurve> Curves,
    IReadOnlyList<ReportFailure> Failures)
{
    public const int CurrentFormat = 1;
}

/// <summary>How a report was made.</summary>
/// <param name="Arguments">The command line.</param>
/// <param name="Seed">Seed of all random choices.</param>
/// <param name="DataSha256">Hash of names, labels and contents of all images or videos.</param>
/// <param name="Images">Number of images or videos.</param>
/// <param name="Subjects">Number of people.</param>
/// <param name="ModelSha256">Hash by model id.</param>
/// <param name="BuildSha256">Hash by program file.</param>
/// <param name="Machine">Processor, cores, memory, system, runtime.</param>
/// <param name="StartedAt">When the run began.</param>
/// <param name="ElapsedSeconds">Duration of the run.</param>
internal sealed record ReportOrigin(
    IReadOnlyList<string> Arguments,
    ulong Seed,
    string DataSha256,
    int Images,
    int Subjects,
    IReadOnlyDictionary<string, string> ModelSha256,
    IReadOnlyDictionary<string, string> BuildSha256,
    string Machine,
    DateTimeOffset StartedAt,
    double ElapsedSeconds);

/// <summary>One key figure.</summary>
/// <param name="Id">For programs; never changed within a format version.</param>
/// <param name="Label">For people.</param>
/// <param name="Value">Null if the data give none; then <paramref name="Note"/> says why.</param>
/// <param name="Low">Lower bound of the 95 % interval.</param>
/// <param name="High">Upper bound.</param>
/// <param name="Count">Number of errors or successes.</param>
/// <param name="Total">Number of attempts.</param>
/// <param name="Note">A remark that belongs to the figure.</param>
internal sealed record ReportFigure(string Id, string Label, double? Value, double? Low = null, double? High = null, long? Count = null, long? Total = null, string? Note = null)
{
    /// <summary>NaN and infinity become null.</summary>
    public double? Value { get; init; } = Value is { } v && double.IsFinite(v) ? v : null;

    /// <summary>A rate with its interval.</summary>
    public static ReportFigure Of(string id, string label, MeasuredRate rate, string? note = null) => rate.Counts.Total == 0
        ? new(id, label, null, Note: "no attempts")
        : new(id, label, rate.Counts.Rate, rate.Interval.Low, rate.Interval.High, rate.Counts.Count, rate.Counts.Total, note);
}

/// <summary>A table.</summary>
/// <param name="Id">File name of its CSV.</param>
/// <param name="Title">For people.</param>
/// <param name="Columns">Names.</param>
/// <param name="Rows">Each a string, a number or null per column.</param>
internal sealed record ReportTable(string Id, string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<ReportCell>> Rows);

/// <summary>Text, a number or empty.</summary>
/// <param name="Text">Null for a number.</param>
/// <param name="Number">Null for text.</param>
internal readonly record struct ReportCell(string? Text, double? Number)
{
    public static implicit operator ReportCell(string? text) => new(text, null);

    /// <summary>NaN and infinity become empty.</summary>
    public static implicit operator ReportCell(double? number) => new(null, number is { } n && double.IsFinite(n) ? n : null);

    public static implicit operator ReportCell(long number) => new(null, number);
}

/// <summary>A diagram.</summary>
/// <param name="Id">File name of its CSV, SVG and PNG.</param>
/// <param name="Title">For people.</param>
/// <param name="X">Axis.</param>
/// <param name="Y">Axis.</param>
/// <param name="Series">Lines.</param>
internal sealed record ReportCurve(string Id, string Title, ReportAxis X, ReportAxis Y, IReadOnlyList<ReportSeries> Series);

/// <summary>An axis of a diagram.</summary>
/// <param name="Label">With unit.</param>
/// <param name="Logarithmic">With powers of ten; values of 0 are not drawn.</param>
internal sealed record ReportAxis(string Label, bool Logarithmic = false);

/// <summary>A line, optionally with a band.</summary>
/// <param name="Name">In the legend.</param>
/// <param name="X">Values.</param>
/// <param name="Y">Values.</param>
/// <param name="Low">Lower bounds; null without a band.</param>
/// <param name="High">Upper bounds.</param>
internal sealed record ReportSeries(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y, IReadOnlyList<double>? Low = null, IReadOnlyList<double>? High = null)
{
    /// <summary>The line without NaN and infinity; may be empty.</summary>
    public ReportSeries WithoutGaps()
    {
        int[] known = [.. Enumerable.Range(0, X.Count).Where(i => double.IsFinite(X[i]) && double.IsFinite(Y[i]))];
        return known.Length == X.Count ? this
            : new ReportSeries(Name, [.. known.Select(i => X[i])], [.. known.Select(i => Y[i])], Low is null ? null : [.. known.Select(i => Low[i])], High is null ? null : [.. known.Select(i => High[i])]);
    }
}

/// <summary>An image or video that could not be used.</summary>
/// <param name="Name">As the data set names it.</param>
/// <param name="Kind">Failure to acquire or to enrol.</param>
/// <param name="Reason">Why.</param>
internal sealed record ReportFailure(string Name, string Kind, string Reason);
