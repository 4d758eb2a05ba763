using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Reports;

/// <summary>What a protocol found, with all that it takes to find it again. Names no face and holds no template.</summary>
/// <param name="FormatVersion">Of this document; docs/lab-json.md.</param>
/// <param name="Protocol">verify, identify, passages, detect, quality, cover, cover-judge, cover-scale, compare.</param>
/// <param name="Title">For people.</param>
/// <param name="Origin">Data, models, build, machine.</param>
/// <param name="Figures">The key figures.</param>
/// <param name="Tables">Everything else in rows.</param>
/// <param name="Curves">What is drawn.</param>
/// <param name="Failures">Images or videos that gave nothing, with the reason: none is dropped silently.</param>
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
    /// <summary>Of the documents written now.</summary>
    public const int CurrentFormat = 1;
}

/// <summary>Where a report comes from.</summary>
/// <param name="Arguments">The command line.</param>
/// <param name="Seed">Of every random choice.</param>
/// <param name="DataSha256">Over names, labels and contents of all images or videos.</param>
/// <param name="Images">Images, or videos.</param>
/// <param name="Subjects">People.</param>
/// <param name="ModelSha256">Model id to hash.</param>
/// <param name="BuildSha256">Program file to hash.</param>
/// <param name="Machine">Processor, cores, memory, system, runtime.</param>
/// <param name="StartedAt">Wall clock.</param>
/// <param name="ElapsedSeconds">Of the protocol.</param>
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
/// <param name="Id">For programs; never renamed within a format version.</param>
/// <param name="Label">For people.</param>
/// <param name="Value">Null where the data cannot tell; then <paramref name="Note"/> says why.</param>
/// <param name="Low">Lower bound of the 95 % interval.</param>
/// <param name="High">Upper bound.</param>
/// <param name="Count">Errors or successes counted.</param>
/// <param name="Total">Attempts.</param>
/// <param name="Note">What must be said with it.</param>
internal sealed record ReportFigure(string Id, string Label, double? Value, double? Low = null, double? High = null, long? Count = null, long? Total = null, string? Note = null)
{
    /// <summary>What is no number becomes nothing.</summary>
    public double? Value { get; init; } = Value is { } v && double.IsFinite(v) ? v : null;

    /// <summary>A rate with its interval.</summary>
    public static ReportFigure Of(string id, string label, Proportion rate, Interval interval, string? note = null) =>
        rate.Total == 0 ? new(id, label, null, Note: "no attempts") : new(id, label, rate.Rate, interval.Low, interval.High, rate.Count, rate.Total, note);
}

/// <summary>A table.</summary>
/// <param name="Id">File name of its CSV.</param>
/// <param name="Title">For people.</param>
/// <param name="Columns">Names.</param>
/// <param name="Rows">Each a string, a number or null per column.</param>
internal sealed record ReportTable(string Id, string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<ReportCell>> Rows);

/// <summary>Text, or a number, or nothing.</summary>
/// <param name="Text">Null for a number.</param>
/// <param name="Number">Null for text.</param>
internal readonly record struct ReportCell(string? Text, double? Number)
{
    /// <summary>Text.</summary>
    public static implicit operator ReportCell(string? text) => new(text, null);

    /// <summary>A number; what is no number becomes nothing.</summary>
    public static implicit operator ReportCell(double? number) => new(null, number is { } n && double.IsFinite(n) ? n : null);

    /// <summary>A count.</summary>
    public static implicit operator ReportCell(long number) => new(null, number);
}

/// <summary>A diagram.</summary>
/// <param name="Id">File name of its CSV, SVG and PNG.</param>
/// <param name="Title">For people.</param>
/// <param name="X">Axis.</param>
/// <param name="Y">Axis.</param>
/// <param name="Series">Lines.</param>
internal sealed record ReportCurve(string Id, string Title, ReportAxis X, ReportAxis Y, IReadOnlyList<ReportSeries> Series);

/// <summary>An axis.</summary>
/// <param name="Label">With unit.</param>
/// <param name="Logarithmic">Powers of ten; values of 0 are then not drawn.</param>
internal sealed record ReportAxis(string Label, bool Logarithmic = false);

/// <summary>A line, with a band where it has one.</summary>
/// <param name="Name">In the legend.</param>
/// <param name="X">Values.</param>
/// <param name="Y">Values.</param>
/// <param name="Low">Lower bounds; null without a band.</param>
/// <param name="High">Upper bounds.</param>
internal sealed record ReportSeries(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y, IReadOnlyList<double>? Low = null, IReadOnlyList<double>? High = null)
{
    /// <summary>The line without the places where the data give no number; empty where they give none at all.</summary>
    public ReportSeries WithoutGaps()
    {
        int[] known = [.. Enumerable.Range(0, X.Count).Where(i => double.IsFinite(X[i]) && double.IsFinite(Y[i]))];
        return known.Length == X.Count ? this
            : new ReportSeries(Name, [.. known.Select(i => X[i])], [.. known.Select(i => Y[i])], Low is null ? null : [.. known.Select(i => Low[i])], High is null ? null : [.. known.Select(i => High[i])]);
    }
}

/// <summary>An input that gave nothing.</summary>
/// <param name="Name">As the data set names it.</param>
/// <param name="Kind">Failure to acquire or to enrol.</param>
/// <param name="Reason">Why.</param>
internal sealed record ReportFailure(string Name, string Kind, string Reason);
