using System.CommandLine;
using System.Globalization;
using System.Text;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Host;
using LfrEngine.Lab.Output;
using Spectre.Console;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab explain EVIDENCE</c>: what a threshold means today, in plain words.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("EVIDENCE") { Description = "Evidence file from `lfr-lab identify --evidence` or `passages --evidence`." };
        var threshold = new Option<double>("--threshold") { Description = "Threshold in question.", Required = true };
        var list = new Option<int>("--list") { Description = "People on the list.", Required = true };
        var passers = new Option<long>("--passers-by") { Description = "People expected to pass.", Required = true };
        var key = new Option<FileInfo?>("--key") { Description = "Public key (PEM) of the laboratory's installation; default: this installation's." };
        var command = new Command("explain", "Say in plain words what a threshold means: false alerts to expect, people found and missed.") { file, threshold, list, passers, key };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(list) < 1 || parsed.GetValue(passers) < 0)
                throw new CommandFailure(ExitCode.Usage, "--list is at least 1, --passers-by at least 0.");
            EvidenceDocument evidence = EvidenceFile.Verify(parsed.GetRequiredValue(file).FullName, SignedDocument.TrustedPem(parsed.GetValue(key)?.FullName));
            AnsiConsole.WriteLine(Explain(evidence, Math.Round(parsed.GetValue(threshold), 4), parsed.GetValue(list), parsed.GetValue(passers)));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>The words.</summary>
    /// <exception cref="CommandFailure">The evidence does not cover the question.</exception>
    public static string Explain(EvidenceDocument evidence, double threshold, int list, long passers)
    {
        if (evidence.Find(threshold, list) is not { } point)
            throw new CommandFailure(ExitCode.Input, $"The evidence measured no threshold of {threshold.ToString(CultureInfo.InvariantCulture)}; it has {string.Join(", ", evidence.Points.Select(p => p.Threshold).Distinct().Order().Select(t => t.ToString(CultureInfo.InvariantCulture)))}.");
        if (EvidenceDocument.Expect(point, list, passers) is not { } expected)
            throw new CommandFailure(ExitCode.Input, $"The evidence was measured with {point.GallerySize} people enrolled; it cannot carry a statement about a list of {list}. Measure with a gallery nearer to it.");
        string unit = evidence.Protocol == "passages" ? "a person walking past once" : "a search with one still picture";
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"With {list:#,0} people on the list and {passers:#,0} passers-by who are not on it, at a threshold of {threshold:0.####}, expect {Between(expected.Low, expected.High)} false alerts (about {ReportWriter.Number(expected.Mean)} on average).");
        text.AppendLine(CultureInfo.InvariantCulture, $"Of 100 people on the list who pass, expect {Math.Floor(100 * point.TpirLow)} to {Math.Ceiling(100 * point.TpirHigh)} to be found and the others missed.");
        text.AppendLine(CultureInfo.InvariantCulture, $"This rests on {point.NonMated:#,0} attempts of people who were not enrolled ({point.FalsePositives:#,0} false) and {point.Mated:#,0} of people who were ({point.TruePositives:#,0} found), with {point.GallerySize:#,0} people enrolled; one attempt is {unit}.");
        if (point.FalsePositives < Proportion.RuleOfThirty)
            text.AppendLine(CultureInfo.InvariantCulture, $"Only {point.FalsePositives} false alerts were seen in the measurement: their rate is known roughly.");
        if (expected.OtherGallerySize)
            text.AppendLine(CultureInfo.InvariantCulture, $"The list differs in size from the gallery measured; this takes comparisons with different people to be independent.");
        if (evidence.Protocol != "passages")
            text.AppendLine("The van compares several moments of a person and asks for agreement: measure passages before relying on this in the street.");
        foreach (IGrouping<string, GroupRates> column in point.Groups.GroupBy(g => g.Column))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"By {column.Key}:");
            foreach (GroupRates group in column)
                text.AppendLine(CultureInfo.InvariantCulture, $"  {group.Group}: found {Share(group.Tpir, group.TpirLow, group.TpirHigh)} of {group.Mated:#,0}; false {Share(group.Fpir, group.FpirLow, group.FpirHigh)} of {group.NonMated:#,0}");
        }
        text.Append("The numbers hold for people, cameras and light like those measured.");
        return text.ToString();

        static string Between(long low, long high) => low == high ? low.ToString("#,0", CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"between {low:#,0} and {high:#,0}");
        static string Share(double? rate, double low, double high) => rate is { } r ? $"{ReportWriter.Number(r)} [{ReportWriter.Number(low)}, {ReportWriter.Number(high)}]" : "no attempts";
    }
}
