using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Matching;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Matching;

/// <summary>The first pass in 8 bits never changes an answer, whatever the rows and probes.</summary>
public sealed unsafe class QuantisedSearchTests
{
    private static readonly int[] Lengths = [1, 2, 15, 16, 17, 31, 32, 33, 64, 100, 512];

    public static TheoryData<string> InstructionSets => [.. Enum.GetNames<ScoreKernel.InstructionSet>()];

    [Fact]
    public void Ceiling_AnyPair_IsNeverBelowTheScore() => Prop.ForAll(
        Arb.From(
            from length in Gen.Elements(Lengths)
            from row in Vector(length)
            from probe in Gen.OneOf(Vector(length), Near(row))
            select (row, probe)),
        pair =>
        {
            (float score, float ceiling) = ScoreAndCeiling(pair.row, pair.probe);
            // Not a number matches nothing, so nothing need be said of it.
            return float.IsNaN(score) || ceiling >= score;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(4000));

    [Fact]
    public void Ceiling_RoundingAgainstUs_IsNeverBelowTheScore()
    {
        // Residuals all of one sign and as large as they get, in the probe's own direction: the bound's worst case.
        foreach (int length in Lengths)
        {
            foreach (float offset in new[] { 0.4999f, -0.4999f, 0.5f, 0.25f })
            {
                var row = new float[length];
                for (int i = 0; i < length; i++)
                    row[i] = i == 0 ? 127 : (i % 100) + offset;
                for (int i = 0; i < length; i++)
                {
                    var probe = new float[length];
                    for (int j = 0; j < length; j++)
                        probe[j] = MathF.CopySign(j == i ? 1 : 0.01f, offset);
                    (float score, float ceiling) = ScoreAndCeiling(row, probe);
                    Assert.True(ceiling >= score, $"{length} {offset} {i}: {ceiling} < {score}");
                }
                (float same, float limit) = ScoreAndCeiling(row, row);
                Assert.True(limit >= same);
            }
        }
    }

    [Fact]
    public void Ceiling_UnitVectors_IsCloseEnoughToPrune()
    {
        var random = new Random(3);
        for (int i = 0; i < 300; i++)
        {
            (float score, float ceiling) = ScoreAndCeiling(WatchlistSamples.Unit(random, 512), WatchlistSamples.Unit(random, 512));
            Assert.InRange(ceiling - score, 0, 0.02f);
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Search_AnyRowsAndProbes_EqualsFloat32BruteForce(string name)
    {
        var instructions = Enum.Parse<ScoreKernel.InstructionSet>(name);
        Assert.SkipUnless(instructions <= ScoreKernel.Widest, $"{name} is not on this machine.");
        var search = new CosineSearch(instructions, firstPass: true, threads: 1);
        var reference = new CosineSearch(instructions, firstPass: false, threads: 1);
        Prop.ForAll(Arb.From(Galleries), input =>
        {
            using Gallery gallery = input.Build();
            Candidate[] expected = input.BruteForce(out int[] expectedCounts);
            foreach (CosineSearch one in new[] { search, reference })
            {
                Candidate[] found = input.Search(one, gallery, out int[] counts);
                Assert.Equal(expectedCounts, counts);
                Assert.Equal(expected, found);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(150));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 10)]
    [InlineData(7, 3)]
    [InlineData(64, 10)]
    [InlineData(256, 2)]
    public void Search_SpreadOverThreads_EqualsOneThread(int probes, int k)
    {
        const int length = 512;
        int templates = probes == 1 ? 60_000 : 9_000;
        var random = new Random(probes);
        // Duplicates everywhere, so that ties fall across the pieces that the threads take.
        var distinct = new float[500][];
        for (int i = 0; i < distinct.Length; i++)
            distinct[i] = WatchlistSamples.Unit(random, length);
        var input = new SearchInput(
            length,
            [.. Enumerable.Range(0, templates).Select(_ => distinct[random.Next(distinct.Length)])],
            [.. Enumerable.Range(0, templates).Select(_ => random.Next(templates / 3))],
            [.. Enumerable.Range(0, probes).Select(i => i % 2 == 0 ? distinct[i] : WatchlistSamples.Unit(random, length))],
            CategoryThresholds.Uniform(-1) with { Suspect = 0.02f, Wanted = 0.9f },
            k);
        using Gallery gallery = input.Build();
        Candidate[] expected = input.Search(new CosineSearch(ScoreKernel.Widest, firstPass: false, threads: 1), gallery, out int[] expectedCounts);
        foreach (int threads in new[] { 1, 2, 5 })
        {
            var search = new CosineSearch(threads);
            for (int again = 0; again < 3; again++)
            {
                Assert.Equal(expected, input.Search(search, gallery, out int[] counts));
                Assert.Equal(expectedCounts, counts);
            }
        }
    }

    private static Gen<SearchInput> Galleries =>
        from length in Gen.Elements(Lengths)
        from templates in Gen.Choose(0, 200)
        from distinct in Gen.Choose(1, 40)
        from vectors in Gen.ArrayOf(Gen.Frequency((3, Unit(length)), (2, Vector(length))), distinct)
        from rows in Gen.ArrayOf(Gen.Choose(0, distinct - 1), templates)
        from identities in Gen.Choose(1, Math.Max(1, templates))
        from owners in Gen.ArrayOf(Gen.Choose(0, identities - 1), templates)
        from probes in Gen.Choose(1, 9)
        from batch in Gen.ArrayOf(Gen.OneOf(Vector(length), Unit(length), Gen.Elements(vectors), Gen.Elements(vectors).SelectMany(Near)), probes)
        from thresholds in Thresholds
        from k in Gen.Frequency((2, Gen.Constant(1)), (3, Gen.Choose(1, 12)), (1, Gen.Constant(identities)))
        select new SearchInput(length, [.. rows.Select(row => vectors[row])], owners, batch, thresholds, k);

    private static Gen<CategoryThresholds> Thresholds => Gen.OneOf(
        Gen.Elements(-1f, 0f, 0.1f, 1f, 2f, float.NegativeInfinity, float.PositiveInfinity, -0f).Select(CategoryThresholds.Uniform),
        from limits in Gen.ArrayOf(Gen.Elements(-1f, -0.2f, 0f, 0.05f, 0.2f, 0.7f, 1f, 3f), 5)
        select new CategoryThresholds(limits[0], limits[1], limits[2], limits[3], limits[4]));

    /// <summary>Everything a float can be.</summary>
    private static Gen<float> Element => Gen.Frequency(
        (6, Gen.Choose(-1_000_000, 1_000_000).Select(n => n * 1e-6f)),
        (3, Gen.Choose(int.MinValue, int.MaxValue).Select(BitConverter.Int32BitsToSingle)),
        (2, Gen.Elements(0f, -0f, 1f, -1f, 0.5f)),
        (1, Gen.Elements(float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, 1.1754942e-38f, 1e-20f, 1e20f)));

    private static Gen<float[]> Vector(int length) => Gen.Frequency(
        (4, Unit(length)),
        // Norms from far below to far above what codes can hold, and around their limits of 2⁻⁶⁰ and 2⁴⁰.
        (3, from unit in Unit(length) from exponent in Gen.Choose(-140, 125) select Scaled(unit, MathF.ScaleB(1, exponent))),
        (2, from unit in Unit(length) from exponent in Gen.Elements(-62, -61, -60, -59, 39, 40, 41) select Scaled(unit, MathF.ScaleB(1, exponent))),
        (1, Element.Select(value => Enumerable.Repeat(value, length).ToArray())),
        (1, Gen.Constant(new float[length])),
        (1, Gen.ArrayOf(Element, length)),
        // One element outweighs all: the others' codes are zero.
        (1, from unit in Unit(length) from at in Gen.Choose(0, length - 1) from value in Element select Replaced(unit, at, value)));

    private static Gen<float[]> Unit(int length) => Gen.Choose(0, int.MaxValue - 1).Select(seed => WatchlistSamples.Unit(new Random(seed), length));

    private static Gen<float[]> Near(float[] vector) =>
        from noise in Unit(vector.Length)
        from share in Gen.Elements(0f, 1e-6f, 1e-3f, 0.1f)
        from sign in Gen.Elements(1f, -1f)
        select vector.Zip(noise, (v, n) => sign * (v + (share * n))).ToArray();

    private static float[] Scaled(float[] vector, float factor) => [.. vector.Select(v => v * factor)];

    private static float[] Replaced(float[] vector, int at, float value)
    {
        vector[at] = value;
        return vector;
    }

    private static (float Score, float Ceiling) ScoreAndCeiling(float[] row, float[] probe)
    {
        int length = row.Length, stride = (length + ScoreKernel.Lanes - 1) / ScoreKernel.Lanes * ScoreKernel.Lanes;
        var padded = new float[stride];
        row.CopyTo(padded, 0);
        var probeCodes = new short[RowCodes.StrideOf(length)];
        fixed (float* first = padded, second = probe)
        fixed (short* codes = probeCodes)
        {
            using var rows = new RowCodes(first, 1, stride, length);
            RowCodes.QuantiseProbe(second, length, codes, out float scale, out float norm);
            int sum = CodeKernel.ScalarDot(codes, rows.Codes, rows.Stride);
            return (ScoreKernel.ScalarDot(second, first, length), RowCodes.Ceiling(sum, scale, norm, rows.Scales[0], rows.Slacks[0]));
        }
    }

    /// <summary>A gallery nobody has checked, and what is asked of it.</summary>
    private sealed record SearchInput(int Length, float[][] Rows, int[] Owners, float[][] Probes, CategoryThresholds Thresholds, int Candidates)
    {
        private int IdentityCount => Owners.Length == 0 ? 0 : Owners.Max() + 1;

        public Gallery Build() => Gallery.Create(
            new WatchlistOrigin(Guid.Empty, DateTimeOffset.UnixEpoch, "e", WatchlistSamples.Sha256, Length),
            "1",
            [.. Enumerable.Range(0, IdentityCount).Select(i => new WatchlistIdentity($"{i}", "n", Category(i)))],
            [.. Owners.Select(owner => new WatchlistTemplate { IdentityIndex = owner })],
            Rows.SelectMany(row => row).ToArray());

        public Candidate[] Search(CosineSearch search, Gallery gallery, out int[] counts)
        {
            counts = new int[Probes.Length];
            var candidates = new Candidate[Probes.Length * Candidates];
            search.Search(gallery, Probes.SelectMany(probe => probe).ToArray(), Thresholds, Candidates, candidates, counts);
            return candidates;
        }

        /// <summary>Every pair by the scalar reference, sorted.</summary>
        public Candidate[] BruteForce(out int[] counts)
        {
            counts = new int[Probes.Length];
            var candidates = new Candidate[Probes.Length * Candidates];
            for (int p = 0; p < Probes.Length; p++)
            {
                var all = new List<Candidate>();
                for (int template = 0; template < Rows.Length; template++)
                {
                    fixed (float* probe = Probes[p], row = Rows[template])
                    {
                        float score = ScoreKernel.ScalarDot(probe, row, Length);
                        if (score >= Thresholds[Category(Owners[template])])
                            all.Add(new Candidate(Owners[template], template, score));
                    }
                }
                Candidate[] best =
                [
                    .. all.GroupBy(c => c.IdentityIndex)
                        .Select(g => g.OrderByDescending(c => c.ComparisonScore).ThenBy(c => c.TemplateIndex).First())
                        .OrderByDescending(c => c.ComparisonScore).ThenBy(c => c.IdentityIndex).Take(Candidates),
                ];
                best.CopyTo(candidates, p * Candidates);
                counts[p] = best.Length;
            }
            return candidates;
        }

        private static WatchlistCategory Category(int identity) => (WatchlistCategory)(identity % WatchlistCategories.Count);
    }
}
