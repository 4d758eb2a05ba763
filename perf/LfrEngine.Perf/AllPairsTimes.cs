using System.Diagnostics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Evaluation.Torch;
using LfrEngine.Evaluation.Verification;

namespace LfrEngine.Perf;

/// <summary>How fast does the laboratory compare all images with all, on our kernels and on torch, and does it take more memory for more comparisons?</summary>
/// <remarks>
/// Usage: <c>… -- all-pairs [IMAGES …]</c>. Made-up templates, 512 elements, two images per person; scoring and exact counting, all processors, in turns
/// on the same templates. Where both engines' counts differ by more than their rounding explains, it says so and fails.
/// </remarks>
internal static class AllPairsTimes
{
    private const int Length = 512;
    private const int Turns = 3;

    // Beyond this many comparisons once is long enough.
    private const long Many = 500_000_000;

    /// <summary>Measures and prints.</summary>
    /// <returns>Exit code.</returns>
    public static int Run(string[] arguments)
    {
        int[] sizes = [.. arguments.Select(a => int.TryParse(a, out int n) && n is >= 2 and <= 1_000_000 ? n : 0)];
        if (sizes.Contains(0))
        {
            Console.Error.WriteLine("all-pairs takes numbers of images, 2 to 1000000.");
            return 2;
        }
        bool same = true;
        Console.WriteLine($"{"images",8} {"comparisons",14} {"simd s",9} {"per s",14} {"torch s",9} {"per s",14} {"ratio",6}  {"templates MiB",13} {"peak MiB",9}");
        foreach (int images in sizes.Length > 0 ? sizes : [5_000, 20_000, 100_000])
        {
            using TemplateSet templates = Make(images);
            int[] subjects = [.. Enumerable.Range(0, images).Select(i => i / 2)];
            AllPairs? simd = null, torch = null;
            var ratios = new List<double>();
            long comparisons = (long)images * (images - 1) / 2;
            double simdSeconds = double.MaxValue, torchSeconds = double.MaxValue;
            for (int turn = 0; turn < (comparisons > Many ? 1 : Turns); turn++)
            {
                simd = Count(templates, subjects, new SimdPairScorer());
                torch = Count(templates, subjects, new TorchPairScorer());
                ratios.Add(torch.Elapsed / simd.Elapsed);
                simdSeconds = Math.Min(simdSeconds, simd.Elapsed.TotalSeconds);
                torchSeconds = Math.Min(torchSeconds, torch.Elapsed.TotalSeconds);
            }
            // Rounding moves a score across the edge of a bin, never two.
            bool agree = simd!.Comparisons == torch!.Comparisons
                && Enumerable.Range(-9, 19).All(t => Math.Abs(simd.All.NonMated.AtLeast(t / 10.0).Count - torch.All.NonMated.AtLeast(t / 10.0).Count) <= 1 + (1e-5 * comparisons));
            same &= agree;
            Console.WriteLine($"{images,8} {comparisons,14:n0} {simdSeconds,9:0.00} {comparisons / simdSeconds,14:n0} {torchSeconds,9:0.00} {comparisons / torchSeconds,14:n0} {ratios.Order().ElementAt(ratios.Count / 2),6:0.00}  {(long)images * templates.Stride * sizeof(float) >> 20,13} {Process.GetCurrentProcess().PeakWorkingSet64 >> 20,9}{(agree ? "" : "  THE COUNTS DIFFER")}");
        }
        return same ? 0 : 1;
    }

    private static AllPairs Count(TemplateSet templates, int[] subjects, IPairScorer scorer)
    {
        using (scorer)
            return AllPairs.Count(templates, subjects, [], scorer, (_, _) => { }, CancellationToken.None);
    }

    private static TemplateSet Make(int images)
    {
        var templates = new TemplateSet(images, Length);
        var random = new Random(1);
        for (int i = 0; i < images; i++)
        {
            UnitVectors.Fill(random, templates[i]);
            templates.Outcomes[i] = new TemplateOutcome(Acquisition.Acquired, "", default, default);
        }
        return templates;
    }
}
