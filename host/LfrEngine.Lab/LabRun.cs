using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Lab.Output;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using Spectre.Console;

namespace LfrEngine.Lab;

/// <summary>The options that all protocols share, and their use.</summary>
internal sealed class LabOptions
{
    private const string NoCache = "none";

    private readonly Option<string[]> exclude = new("--exclude") { Description = "People to leave out: label errors. @FILE reads names from a file.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
    private readonly Option<ulong> seed = new("--seed") { Description = "Seed of all random choices.", DefaultValueFactory = _ => 1 };
    private readonly Option<DirectoryInfo?> output = new("--out") { Description = "Folder for report.html, report.json, CSVs and PNGs." };
    private readonly Option<string?> cache = new("--cache") { Description = $"Folder of the encrypted template cache; default: lab/ in the engine's cache folder; \"{NoCache}\" keeps nothing." };
    private readonly Option<FileInfo?> cacheKey = new("--cache-key") { Description = "Key file of the cache; default: templates.key next to it." };
    private readonly Option<bool> json = new("--json") { Description = "Print the report as JSON (docs/lab-json.md)." };

    public static string DefaultCache => Path.Combine(PackageCache.Default.Root, "lab");

    private readonly LockOption locking = new();

    public ModelOptions Models { get; } = new();

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="images">Whether the command makes templates of images.</param>
    public void AddTo(Command command, bool images = true)
    {
        foreach (Option option in images ? (Option[])[exclude, cache, cacheKey, seed, output, json] : [seed, output, json])
            command.Add(option);
        Models.AddTo(command);
        locking.AddTo(command);
    }

    /// <summary>Begins a protocol, once it is clear that its results can be written.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="protocol">Short name.</param>
    /// <param name="title">Of the report.</param>
    /// <param name="product">A further file that the protocol writes, and the option that names it.</param>
    public LabRun Start(ParseResult parsed, string protocol, string title, (FileInfo? File, string Option)? product = null)
    {
        if (product is { } further)
            OutputPlace.RequireFile(further.File?.FullName, further.Option);
        OutputPlace.RequireFolder(parsed.GetValue(output)?.FullName, "--out");
        locking.Require(parsed);
        return new LabRun(parsed, protocol, title, Models.Load(parsed), parsed.GetValue(seed), parsed.GetValue(output)?.FullName, parsed.GetValue(json));
    }

    /// <summary>The given threshold, or that of the embedder, rounded to the grid of <see cref="ScoreHistogram"/>.</summary>
    public static double Threshold(double? given, LabRun run)
    {
        double at = Math.Round(given ?? EmbedderThreshold.Default(run.Models.Embedder.Manifest), 4);
        return at is > -1 and <= 1 ? at : throw new CommandFailure(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture, $"--threshold must be above -1 and at most 1, not {at}."));
    }

    public IReadOnlyCollection<string> Excluded(ParseResult parsed) => parsed.GetValue(exclude)!;

    /// <summary>Covers and degrades images and makes their templates, using the cache. Row number: image · number of strata + stratum.</summary>
    /// <remarks><paramref name="isCoverKnown"/>: see <see cref="StratumExtractor"/>.</remarks>
    public TemplateSet ExtractStrata(ParseResult parsed, LabRun run, IReadOnlyList<Sample> images, IReadOnlyList<Stratum> strata, bool isCoverKnown, CancellationToken stopping)
    {
        using TemplateCache? known = OpenCache(parsed, run);
        var extractor = new StratumExtractor(run.Models, known, run.Seed, isCoverKnown);
        return ProgressBar.While("Covering", images.Count, report => extractor.Extract(images, strata, report, stopping));
    }

    /// <summary>Makes the templates of a data set, using the cache.</summary>
    public TemplateSet Extract(ParseResult parsed, LabRun run, FaceDataSet data, string kind, CancellationToken stopping)
    {
        using TemplateCache? known = OpenCache(parsed, run);
        var extractor = new TemplateExtractor(run.Models, known);
        TemplateSet templates = ProgressBar.While("Embedding", data.Samples.Count, report => extractor.Extract(data, report, stopping));
        run.Took(data, templates, kind);
        if (extractor.FromCache > 0)
            Console.Error.WriteLine($"{extractor.FromCache} of {new Counted(data.Samples.Count):template|templates} came from the cache {parsed.GetValue(cache) ?? DefaultCache}.");
        return templates;
    }

    /// <summary>Makes the templates of the same images with which a camera would search (<see cref="TemplateExtractor.ExtractProbes"/>).</summary>
    public TemplateSet ExtractProbes(ParseResult parsed, LabRun run, FaceDataSet data, TemplateSet listed, CancellationToken stopping)
    {
        using TemplateCache? known = OpenCache(parsed, run);
        var extractor = new TemplateExtractor(run.Models, known);
        return ProgressBar.While("Blanking", data.Samples.Count, report => extractor.ExtractProbes(data, listed, report, stopping));
    }

    private TemplateCache? OpenCache(ParseResult parsed, LabRun run)
    {
        string place = parsed.GetValue(cache) ?? DefaultCache;
        return place == NoCache ? null : TemplateCache.Open(Path.GetFullPath(place), parsed.GetValue(cacheKey)?.FullName, run.Models);
    }
}

/// <summary>One run of a protocol, which collects its report.</summary>
internal sealed class LabRun(ParseResult parsed, string protocol, string title, EngineModels models, ulong seed, string? output, bool json) : IDisposable
{
    private readonly DateTimeOffset startedAt = DateTimeOffset.UtcNow;
    private readonly long started = Stopwatch.GetTimestamp();
    private string dataSha256 = "";
    private int images, subjects;

    public EngineModels Models { get; } = models;

    public ulong Seed { get; } = seed;

    public List<ReportFigure> Figures { get; } = [];

    public List<ReportTable> Tables { get; } = [];

    public List<ReportCurve> Curves { get; } = [];

    public List<ReportFailure> Failures { get; } = [];

    public string DataSha256 => dataSha256;

    public Dictionary<string, string> ModelHashes => Models.All.ToDictionary(m => m.Manifest.Id, m => m.Manifest.Sha256);

    /// <summary>Records the data and the images without a template.</summary>
    public void Took(FaceDataSet data, TemplateSet templates, string kind)
    {
        TookData(templates.DataSha256, data.Samples.Count, data.Subjects.Count);
        foreach ((int i, TemplateOutcome outcome) in templates.Outcomes.Index())
        {
            if (outcome.State != Acquisition.Acquired)
                Failures.Add(new ReportFailure(data.Samples[i].Name, kind, outcome.Reason));
        }
    }

    /// <summary>Records the data.</summary>
    public void TookData(string sha256, int files, int people) => (dataSha256, images, subjects) = (sha256, files, people);

    /// <summary>Prints the report, and writes it to the folder given with --out.</summary>
    public int Finish()
    {
        var report = new LabReport(LabReport.CurrentFormat, protocol, title,
            new ReportOrigin([.. parsed.Tokens.Select(t => t.Value)], Seed, dataSha256, images, subjects, ModelHashes, BuildHashes.Read(), Machine(), startedAt, Stopwatch.GetElapsedTime(started).TotalSeconds),
            Figures, Tables, [.. Curves.Select(c => c with { Series = [.. c.Series.Select(s => s.WithoutGaps()).Where(s => s.X.Count > 0)] }).Where(c => c.Series.Count > 0)], Failures);
        // With --out the report is in files, so a lost screen is not a failure.
        if (output is not null)
            StandardScreen.HasProduct();
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, LabJson.Readable.LabReport));
        else
            Print(report);
        if (output is not null)
        {
            ReportWriter.Write(output, report);
            if (!json)
                AnsiConsole.WriteLine($"Report: {Path.Combine(output, "report.html")}");
        }
        return ExitCode.Success;
    }

    public void Dispose() => Models.Dispose();

    private void Print(LabReport report)
    {
        AnsiConsole.WriteLine($"{report.Title}: {new Counted(report.Origin.Images):file|files} of {new Counted(report.Origin.Subjects):person|people}, {new Counted(report.Failures.Count):failure|failures}, embedder hash {Models.Embedder.Manifest.Sha256[..12]}");
        foreach (ReportFigure f in report.Figures)
        {
            string value = f.Value is { } v ? NumberText.Of(v) : "-", interval = f.Low is { } low ? $"[{NumberText.Of(low)}, {NumberText.Of(f.High!.Value)}]" : "";
            string counted = f.Total is { } total ? string.Create(CultureInfo.InvariantCulture, $"({f.Count:#,0} of {total:#,0})") : "";
            AnsiConsole.WriteLine($"  {f.Label,-52} {value,12} {interval,-26} {counted}{(f.Note is null ? "" : "  " + f.Note)}");
        }
        foreach (ReportTable table in report.Tables.Where(t => t.Rows.Count <= 40))
        {
            var shown = new Table().Border(TableBorder.Simple).Title(Markup.Escape(table.Title)).AddColumns([.. table.Columns.Select(c => new TableColumn(Markup.Escape(c)))]);
            foreach (IReadOnlyList<ReportCell> row in table.Rows)
                shown.AddRow([.. row.Select(c => Markup.Escape(c.Number is { } n ? NumberText.Of(n) : c.Text ?? ""))]);
            AnsiConsole.Write(shown);
        }
        foreach (IGrouping<string, ReportFailure> same in report.Failures.GroupBy(f => f.Reason))
            AnsiConsole.WriteLine($"  {same.Count()} × {same.First().Kind}: {same.Key} (first: {same.First().Name})");
    }

    private static string Machine()
    {
        const string Processors = "/proc/cpuinfo";
        string? name = File.Exists(Processors) ? File.ReadLines(Processors).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() : null;
        return $"{name ?? RuntimeInformation.ProcessArchitecture.ToString()}, {new Counted(Environment.ProcessorCount):processor|processors}, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}";
    }
}
