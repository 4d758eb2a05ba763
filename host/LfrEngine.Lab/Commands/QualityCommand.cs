using LfrEngine.Evaluation.Quality;
using LfrEngine.Quality;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab quality DATA</c>: how well each quality component predicts errors.</summary>
internal static class QualityCommand
{
    // Keeps a person with hundreds of images from dominating the curve.
    private const int PairsPerSubject = 50;

    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Folder with one sub-folder of images per person, or a CSV (file, subject, …)." };
        var threshold = new Option<double?>("--threshold") { Description = "Threshold below which a mated comparison is an error; default: the embedder's." }.Above(-1, 1);
        var options = new LabOptions();
        var command = new Command("quality", "Error-versus-discard curves per quality component (ISO/IEC 29794-5).") { data, threshold };
        options.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            using LabRun run = options.Start(parsed, "quality", "Error versus discard");
            FaceDataSet set = FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), options.Excluded(parsed));
            using TemplateSet templates = options.Extract(parsed, run, set, "failure to acquire", stopping);
            float at = (float)LabOptions.Threshold(parsed.GetValue(threshold), run);
            int[] subjects = set.SubjectNumbers();
            var random = SeededRandom.For(run.Seed, "quality pairs");
            var pairs = new List<(int A, int B)>();
            foreach (IGrouping<int, int> person in Enumerable.Range(0, subjects.Length).Where(templates.IsAcquired).GroupBy(i => subjects[i]))
            {
                int[] images = [.. person];
                (int A, int B)[] all = [.. images.SelectMany((a, i) => images.Skip(i + 1).Select(b => (a, b)))];
                random.Shuffle<(int A, int B)>(all);
                pairs.AddRange(all.Take(PairsPerSubject));
            }
            if (pairs.Count == 0)
                throw new CommandFailure(ExitCode.Input, "Nobody has two images with a template, so there is no mated comparison.");
            bool[] erred = [.. pairs.Select(p => templates.Score(p.A, p.B) < at)];
            var rows = new List<IReadOnlyList<ReportCell>>();
            var series = new List<ReportSeries>();
            foreach ((string name, Func<FaceQuality, double> fitness) in ErrorVersusDiscard.Components)
            {
                double[] worse = [.. pairs.Select(p => Math.Min(fitness(templates.Outcomes[p.A].Quality), fitness(templates.Outcomes[p.B].Quality)))];
                ErrorVersusDiscard curve = ErrorVersusDiscard.Compute(name, worse, erred);
                series.Add(new ReportSeries(name, curve.Discarded, [.. curve.Fnmr.Select(f => f.Rate)]));
                Proportion fifth = curve.Fnmr[curve.Discarded.Index().MinBy(d => Math.Abs(d.Item - 0.2)).Index];
                rows.Add([name, curve.PartialArea, curve.Fnmr[0].Rate, fifth.Rate, fifth.ClopperPearson().Low, fifth.ClopperPearson().High]);
            }
            run.Figures.Add(ReportFigure.Of("fnmr", $"FNMR at {at:0.####} with nothing discarded", MeasuredRate.BySubject(pairs.Index().GroupBy(p => subjects[p.Item.A]).OrderBy(g => g.Key)
                .Select(g => new SubjectCount(g.Count(p => erred[p.Index]), g.Count())), run.Seed), $"at most {PairsPerSubject} comparisons per person"));
            run.Tables.Add(new ReportTable("components", "Effect of discarding the worst fifth; an area below 1 is better than chance", ["component", "area to 20 %", "FNMR", "FNMR less 20 %", "low", "high"], rows));
            run.Curves.Add(new ReportCurve("edc", "Error versus discard", new ReportAxis("share of comparisons discarded"), new ReportAxis("FNMR of the rest"), series));
            return Task.FromResult(run.Finish());
        });
        return command;
    }
}
