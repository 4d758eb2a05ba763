using System.Security.Cryptography;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Lab.Output;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab compare FIRST SECOND</c>: two models or two builds on the same comparisons, paired.</summary>
internal static class CompareCommand
{
    /// <summary>Table of <c>lfr-lab verify PAIRS</c> that this reads.</summary>
    public const string Attempts = "attempts";

    private const string ReportFile = "report.json";

    public static readonly string[] Columns = ["first", "second", "mated", "score"];

    public static Command Create()
    {
        var first = new Argument<DirectoryInfo>("FIRST") { Description = "Folder of a report by `lfr-lab verify PAIRS --out`." };
        var second = new Argument<DirectoryInfo>("SECOND") { Description = "Folder of another report over the same pairs, of another model or another build." };
        var fmr = new Option<double>("--fmr") { Description = "False-match rate at which both are judged, each at its own threshold.", DefaultValueFactory = _ => 1e-2 }.Above(0, 1);
        var options = new LabOptions();
        var command = new Command("compare", "Compare two models or two builds on the same data, attempt by attempt.") { first, second, fmr };
        options.AddTo(command, images: false);
        command.SetAction((parsed, stopping) =>
        {
            using LabRun run = options.Start(parsed, "compare", "Paired comparison");
            Run(run, parsed.GetRequiredValue(first).FullName, parsed.GetRequiredValue(second).FullName, parsed.GetValue(fmr));
            return Task.FromResult(run.Finish());
        });
        return command;
    }

    private static void Run(LabRun run, string firstFolder, string secondFolder, double fmr)
    {
        List<Attempt> first = Read(firstFolder), second = Read(secondFolder);
        var other = second.ToDictionary(a => (a.First, a.Second));
        if (first.Count != second.Count || first.Any(a => !other.TryGetValue((a.First, a.Second), out Attempt b) || b.IsMated != a.IsMated))
            throw new CommandFailure(ExitCode.Input, "The two reports are not over the same comparisons.");
        string[] subjects = [.. first.Select(a => Path.GetDirectoryName(a.First)!).Distinct()];
        var numbers = subjects.Index().ToDictionary(s => s.Item, s => s.Index);
        run.TookData(Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', first.Select(a => $"{a.First} {a.Second} {a.IsMated}"))))), first.Count, subjects.Length);
        if (!first.Exists(a => a.IsMated))
            throw new CommandFailure(ExitCode.Input, "The reports contain no mated comparison, so there is no error rate to compare.");
        (double a, double b) = (Threshold("first", first), Threshold("second", second));
        run.Tables.Add(new ReportTable("compared", "What is compared", ["report", "models"], [["first", Models(firstFolder)], ["second", Models(secondFolder)]]));
        Attempt[] mated = [.. first.Where(x => x.IsMated)];
        PairedComparison comparison = PairedComparison.Compute([.. mated.Select(x => x.Score < (float)a)], [.. mated.Select(x => other[(x.First, x.Second)].Score < (float)b)],
            [.. mated.Select(x => numbers[Path.GetDirectoryName(x.First)!])], run.Seed);
        run.Figures.Add(ReportFigure.Of("fnmr.first", $"FNMR of the first at {a.ToString("0.####", CultureInfo.InvariantCulture)}", MeasuredRate.Of(comparison.First)));
        run.Figures.Add(ReportFigure.Of("fnmr.second", $"FNMR of the second at {b.ToString("0.####", CultureInfo.InvariantCulture)}", MeasuredRate.Of(comparison.Second)));
        run.Figures.Add(new ReportFigure("difference", "Second less first, by subject", comparison.Second.Rate - comparison.First.Rate, comparison.Difference.Low, comparison.Difference.High));
        run.Figures.Add(new ReportFigure("mcnemar", "Probability if both erred equally often (McNemar, exact)", comparison.Probability,
            Note: $"only the first erred {new Counted(comparison.OnlyFirstErred):time|times}, only the second {comparison.OnlySecondErred}"));

        double Threshold(string which, List<Attempt> attempts)
        {
            var nonMated = new ScoreHistogram();
            foreach (Attempt attempt in attempts.Where(x => !x.IsMated))
                nonMated.Add(attempt.Score);
            ThresholdChoice choice = ThresholdChoice.For(nonMated, fmr);
            return choice.Threshold ?? throw new CommandFailure(ExitCode.Input, $"The {which} report: {choice.Refusal}");
        }
    }

    // Names and hashes of the models, from the report.
    private static string Models(string folder)
    {
        string path = Path.Combine(folder, ReportFile);
        try
        {
            if (JsonSerializer.Deserialize(InputFile.ReadBytes(path), LabJson.Default.LabReport) is not { Origin.ModelSha256: { } hashes })
                throw new JsonException("It contains no models.");
            return string.Join(", ", hashes.Select(m => $"{m.Key} ({m.Value[..Math.Min(12, m.Value.Length)]})"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} cannot be read, so the compared models are unknown. Give a folder written by `lfr-lab verify PAIRS --out`.", e);
        }
    }

    private static List<Attempt> Read(string folder)
    {
        string path = Path.Combine(folder, Attempts + ".csv");
        if (!File.Exists(path))
            throw new CommandFailure(ExitCode.Input, $"{path} does not exist: give a folder written by `lfr-lab verify PAIRS --out`.");
        var seen = new HashSet<(string, string)>();
        return [.. CsvTable.Read(path, Columns).Rows.Select(row =>
        {
            string first = row.Required("first"), second = row.Required("second"), mated = row.Required("mated");
            if (!seen.Add((first, second)))
                throw row.Wrong($"{first} and {second} are compared twice");
            if (mated is not ("0" or "1"))
                throw row.Wrong($"\"{mated}\" in mated is neither 0 nor 1");
            return float.TryParse(row.Required("score"), NumberStyles.Float, CultureInfo.InvariantCulture, out float score) && float.IsFinite(score)
                ? new Attempt(first, second, mated == "1", score)
                : throw row.Wrong($"\"{row["score"]}\" is not a score");
        })];
    }

    private readonly record struct Attempt(string First, string Second, bool IsMated, float Score);
}
