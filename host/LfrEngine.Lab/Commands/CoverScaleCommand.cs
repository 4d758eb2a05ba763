using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Lab.Output;
using LfrEngine.Matching;
using LfrEngine.Watchlists;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab cover-scale DATA</c>: fits the "coverScales" of the embedder's manifest, with which one threshold gives the same rate of false alerts for covered and uncovered probes.</summary>
internal static class CoverScaleCommand
{
    private static readonly int[] s_sizes = [1, 3, 10, 100, 1000];
    private static readonly float[] s_below = [0.08f, 0.04f, 0];

    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Folder with one sub-folder of images per person, or a CSV (file, subject, …)." };
        var subjects = new Option<int>("--subjects") { Description = "Maximum number of people enrolled from each half, with one image, and searched with another.", DefaultValueFactory = _ => 400 }.From(1);
        var others = new Option<int>("--others") { Description = "Maximum number of people searched from each half who are not enrolled.", DefaultValueFactory = _ => 800 }.From(1);
        var threshold = new Option<double?>("--threshold") { Description = "Threshold; default: the embedder's." }.Above(-1, 1);
        var write = new Option<FileInfo?>("--write") { Description = "Manifest of the embedder: receives the numbers as its \"coverScales\"." };
        var options = new LabOptions();
        var command = new Command("cover-scale", "Fit the \"coverScales\" of the embedder's manifest, which make scores of covered and uncovered probes comparable, on one half of the people, and measure them on the other.")
        {
            data, subjects, others, threshold, write,
        };
        options.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            using LabRun run = options.Start(parsed, "cover-scale", "Scores of covered probes", (parsed.GetValue(write), "--write"));
            FaceDataSet all = FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), options.Excluded(parsed));
            float at = (float)LabOptions.Threshold(parsed.GetValue(threshold), run);
            string? manifest = parsed.GetValue(write)?.FullName;
            if (manifest is not null)
                CoverScaleManifest.Check(manifest, run.Models.Embedder.Manifest);
            using Half fit = Half.Make(parsed, options, run, all, 0, parsed.GetValue(subjects), parsed.GetValue(others), 0, stopping);
            using Half measured = Half.Make(parsed, options, run, all, 1, parsed.GetValue(subjects), parsed.GetValue(others), s_sizes[^1], stopping);
            run.TookData("", all.Samples.Count, all.Subjects.Count);
            IReadOnlyList<CoverScale> scales = Fit(run, fit, all);
            run.Tables.Add(new ReportTable("coverScales", "For \"coverScales\" of the manifest", ["cover", "mean", "deviation", "slope", "offset", "evidence"],
                [.. scales.Select(s => (IReadOnlyList<ReportCell>)[$"{s.Cover}", (double)s.Mean, (double)s.Deviation, (double)s.Slope, (double)s.Offset, s.Evidence])]));
            Measure(run, measured, scales, at, stopping);
            int code = run.Finish();
            // After the report, which is then kept even if the manifest cannot be written.
            if (manifest is not null)
                CoverScaleManifest.Write(manifest, scales);
            return Task.FromResult(code);
        });
        return command;
    }

    private static List<CoverScale> Fit(LabRun run, Half half, FaceDataSet all)
    {
        using Gallery gallery = Gallery.Create(half.List, CoverScaleFit.Neutral);
        var fit = new CoverScaleFit(gallery);
        var search = new CosineSearch();
        foreach ((int s, Stratum stratum) in Half.Strata.Index())
        {
            for (int i = half.Mates; i < half.Images; i++)
            {
                int row = (i * Half.Strata.Count) + s;
                if (half.Probes.IsAcquired(row))
                    fit.Add(stratum.Hides, half.Probes[row], search);
            }
        }
        string evidence = $"`lfr-lab cover-scale`: {gallery.Identities.Count} people enrolled with one image and drawn covers, {half.Images - half.Mates} others searched for under the laboratory's covers; one half of {all.Subjects.Count} people by a hash of the name.";
        return [.. Half.Strata.Select(s => s.Hides).Distinct().Where(c => c != FaceCover.None).Order().Select(c => fit.Fit(c, run.Seed, evidence)).OfType<CoverScale>()];
    }

    /// <summary>Measures the other half of the people with the engine's own search, on lists of several sizes.</summary>
    private static void Measure(LabRun run, Half half, IReadOnlyList<CoverScale> scales, float threshold, CancellationToken stopping)
    {
        var rows = new List<IReadOnlyList<ReportCell>>();
        foreach (int people in s_sizes.Append(half.Own).Append(half.List.Identities.Count).Where(n => n <= half.List.Identities.Count).Distinct().Order())
        {
            int draws = people >= half.Own ? 1 : Math.Clamp(800 / people, 1, 100);
            var found = new int[Half.Strata.Count, s_below.Length];
            var wrong = new int[Half.Strata.Count, s_below.Length];
            int[] mated = new int[Half.Strata.Count], strange = new int[Half.Strata.Count];
            Parallel.For(0, draws, new ParallelOptions { CancellationToken = stopping }, draw =>
            {
                using Gallery gallery = half.Draw(people, SeededRandom.For(run.Seed, $"cover scale {people} {draw}"), scales, out int[] places);
                var search = new CosineSearch(threads: 1);
                var candidate = new Candidate[1];
                var own = new Candidate[people];
                Span<int> count = [0];
                for (int s = 0; s < Half.Strata.Count; s++)
                {
                    TemplateSet probes = half.Probes;
                    for (int i = 0; i < half.Images; i++)
                    {
                        int row = (i * Half.Strata.Count) + s;
                        bool isMated = i < half.Mates;
                        if (isMated ? places[i] < 0 : !probes.IsAcquired(row))
                            continue;
                        Interlocked.Increment(ref (isMated ? mated : strange)[s]);
                        if (!probes.IsAcquired(row))
                            continue;
                        Candidate[] into = isMated ? own : candidate;
                        search.Search(gallery, probes[row], CategoryThresholds.Uniform(-1), into.Length, into, count, [Half.Strata[s].Hides]);
                        int place = isMated ? Array.FindIndex(into, 0, count[0], c => c.IdentityIndex == places[i]) : count[0] - 1;
                        for (int t = 0; t < s_below.Length && place >= 0; t++)
                        {
                            if (into[place].ComparisonScore >= threshold - s_below[t])
                                Interlocked.Increment(ref (isMated ? found : wrong)[s, t]);
                        }
                    }
                }
            });
            for (int s = 0; s < Half.Strata.Count; s++)
            {
                rows.Add([people, Half.Strata[s].Name,
                    .. Enumerable.Range(0, s_below.Length).Select(t => (ReportCell)new Proportion(wrong[s, t], strange[s]).Rate), strange[s],
                    .. Enumerable.Range(0, s_below.Length).Select(t => (ReportCell)new Proportion(found[s, t], mated[s]).Rate), mated[s]]);
            }
        }
        string[] at = [.. s_below.Select(b => System.FormattableString.Invariant($"{threshold - b:0.00}"))];
        run.Tables.Add(new ReportTable("measured", "Measured on the other half of the people, with known covers and one threshold for all covers",
            ["people on the list", "cover", .. at.Select(t => $"FPIR at {t}"), "of", .. at.Select(t => $"TPIR at {t}"), "of"], rows));
    }

    /// <summary>One half of the people: a watchlist, and probes under each cover. The owner disposes it.</summary>
    private sealed class Half : IDisposable
    {
        public static IReadOnlyList<Stratum> Strata { get; } = [.. Stratum.All.Where(s => s.Kind == "none" || (s.Kind == "cover" && s.Hides != FaceCover.None))];

        /// <summary>People of this half, followed by people of the other half, who only lengthen the list.</summary>
        public required Watchlist List { get; init; }

        /// <summary>Number of people of this half on the list.</summary>
        public required int Own { get; init; }

        /// <summary>Number of people whose enrolment was attempted; their probes come first.</summary>
        public required int Mates { get; init; }

        /// <summary>Index on the list of each of them; −1 for those who could not be enrolled.</summary>
        public required int[] Places { get; init; }

        /// <summary>Row number: image · number of strata + stratum.</summary>
        public required TemplateSet Probes { get; init; }

        /// <summary>Number of images searched for, each under every stratum.</summary>
        public int Images => Probes.Count / Strata.Count;

        public static Half Make(ParseResult parsed, LabOptions options, LabRun run, FaceDataSet all, int which, int most, int mostOthers, int fill, CancellationToken stopping)
        {
            var random = SeededRandom.For(run.Seed, $"cover scale half {which}");
            Sample[][] people = [.. all.Samples.Where(s => FaceDataSet.HalfOf(s.Subject) == which).GroupBy(s => s.Subject).Select(g => g.ToArray())];
            random.Shuffle<Sample[]>(people);
            Sample[][] enrolled = [.. people.Where(p => p.Length > 1).Take(most)];
            Sample[] probes = [.. enrolled.Select(p => p[1]), .. people.Except(enrolled).Take(mostOthers).Select(p => p[0])];
            if (enrolled.Length == 0 || probes.Length == enrolled.Length)
                throw new CommandFailure(ExitCode.Input, "Each half of the people needs some with two images, to enrol, and some others.");
            IEnumerable<Sample> elsewhere = all.Samples.Where(s => FaceDataSet.HalfOf(s.Subject) != which).DistinctBy(s => s.Subject).Take(Math.Max(0, fill - enrolled.Length));
            var references = new FaceDataSet([.. enrolled.Select(p => p[0]), .. elsewhere], []);
            using TemplateSet photos = options.Extract(parsed, run, references, "failure to enrol", stopping);
            int[] acquired = [.. Enumerable.Range(0, photos.Count).Where(photos.IsAcquired)];
            var places = new int[enrolled.Length];
            Array.Fill(places, -1);
            int own = acquired.Count(person => person < enrolled.Length);
            foreach ((int place, int person) in acquired.Take(own).Index())
                places[person] = place;
            return new Half
            {
                List = CoverCommand.List(run, references, photos, acquired, stopping),
                Own = own,
                Mates = enrolled.Length,
                Places = places,
                Probes = options.ExtractStrata(parsed, run, probes, Strata, isCoverKnown: true, stopping),
            };
        }

        /// <summary>Makes a gallery of some of the people; people of this half come first.</summary>
        /// <param name="people">Number of people.</param>
        /// <param name="random">Chooses them.</param>
        /// <param name="scales">From the embedder's manifest.</param>
        /// <param name="places">Index in the gallery of each person of <see cref="Places"/>, or −1.</param>
        public Gallery Draw(int people, SeededRandom random, IReadOnlyList<CoverScale> scales, out int[] places)
        {
            int[] order = [.. Enumerable.Range(0, List.Identities.Count)];
            random.Shuffle<int>(order.AsSpan(0, Own));
            order = order[..people];
            places = [.. Places.Select(p => p < 0 ? -1 : Array.IndexOf(order, p))];
            return ListDraw.Of(List, order, scales);
        }

        public void Dispose()
        {
            List.Dispose();
            Probes.Dispose();
        }
    }
}
