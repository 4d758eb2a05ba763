using System.Numerics;
using System.Runtime.ExceptionServices;
using LfrEngine.Memory;
using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

/// <summary>Exact search on the processor: the same result as comparing every row in float32, with the maximum per identity. No managed allocation once warm.</summary>
/// <remarks>
/// <para>
/// A first pass over 8-bit codes, a quarter of the bytes, gives each row an upper bound of its comparison score
/// (proof: <see cref="RowCodes"/>). Rows whose bound is below their category's threshold, or below the worst of the k candidates
/// so far, are skipped; the others are scored in float32. If too many rows are left, as with a threshold of −1 and a large k, the whole block is
/// scored in float32. Both ways give the same result to the last bit.
/// </para>
/// <para>
/// Thread-safe. A comparison score depends only on the two embeddings, not on the batch, the place in the gallery, the
/// instruction set or the threads (<see cref="ScoreKernel"/>). A row whose score is NaN never matches.
/// </para>
/// <para>
/// A large search is split into pieces, which idle threads may take. The caller works too and waits only for threads that took a piece: on a busy
/// machine it does everything itself. A search of a van's list (20,000 templates, one probe) is too short to be split.
/// </para>
/// </remarks>
public sealed unsafe partial class CosineSearch : IGallerySearch
{
    // 64 rows of 512: 32 KiB of codes, 128 KiB of floats; they stay in the caches while they are compared with all probes.
    private const int BlockRows = 64;

    private const int QuarterGroups = 4;

    // Rows that one thread takes at a time: enough to make the overhead negligible, few enough to wait only briefly for the last piece.
    private const int PieceRows = 8 * BlockRows;

    // Code products that are worth waking a thread for: about 0.2 ms of work.
    private const long ProductsPerThread = 1L << 23;

    // Enough for seven probes of 512.
    private const int StackBytes = 8192;

    // Most candidates of all helping threads together; a search that needs more runs on one thread.
    private const long MostHelperCandidates = 1 << 20;

    // If more than 1/4 of a block is left, scoring the whole block is cheaper than scoring its rows one at a time.
    private const int DenseShare = 4;

    private readonly ScoreKernel.InstructionSet instructions;
    private readonly bool firstPass;
    private readonly int threads;

    // Reused; as many as there have been searches at the same time.
    private readonly Stack<Job> spare = new();

    /// <summary>Creates a search with the widest instruction set of this machine.</summary>
    /// <param name="threads">Maximum number of threads of one search, including the caller's; null for the number of processors.</param>
    public CosineSearch(int? threads = null)
        : this(ScoreKernel.Widest, firstPass: true, threads ?? Environment.ProcessorCount)
    {
    }

    /// <summary>Creates a search with a given kernel. Without the first pass every row is scored in float32, which defines the correct result.</summary>
    internal CosineSearch(ScoreKernel.InstructionSet instructions, bool firstPass, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        this.instructions = instructions;
        this.firstPass = firstPass;
        this.threads = threads;
    }

    /// <inheritdoc/>
    public void Search(
        Gallery gallery,
        ReadOnlySpan<float> probes,
        in CategoryThresholds thresholds,
        int maximumCandidates,
        Span<Candidate> candidates,
        Span<int> candidateCounts,
        ReadOnlySpan<FaceCover> covers = default)
    {
        IGallerySearch.CheckArguments(gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts, covers);
        int probeCount = candidateCounts.Length;
        if (CoveredSearch.IsNeeded(gallery, covers))
        {
            CoveredSearch.Search(this, gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts, covers);
            return;
        }
        candidateCounts.Clear();
        using GalleryLease lease = gallery.Lease();
        if (probeCount == 0)
            return;
        // Codes, scales and norms of the probes are biometric and wiped when the search ends. A few fit on the stack, so that
        // searches of a running stream never allocate a new block because the pool is empty.
        nuint bytes = (nuint)probeCount * (nuint)((RowCodes.StrideOf(gallery.EmbeddingLength) * sizeof(short)) + (2 * sizeof(float)));
        if (bytes <= StackBytes)
        {
            byte* scratch = stackalloc byte[StackBytes];
            try
            {
                SearchWith(scratch, gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts);
            }
            finally
            {
                Native.Memory.LockedMemory.Wipe(scratch, bytes);
            }
            return;
        }
        BufferPool.Block block = BufferPool.Take(bytes);
        try
        {
            SearchWith((byte*)block.Address, gallery, probes, thresholds, maximumCandidates, candidates, candidateCounts);
        }
        finally
        {
            BufferPool.Return(block, bytes);
        }
    }

    private void SearchWith(
        byte* scratch,
        Gallery gallery,
        ReadOnlySpan<float> probes,
        in CategoryThresholds thresholds,
        int maximumCandidates,
        Span<Candidate> candidates,
        Span<int> counts)
    {
        int length = gallery.EmbeddingLength, codeStride = RowCodes.StrideOf(length), probeCount = counts.Length;
        fixed (float* firstProbe = probes)
        {
            float* limits = stackalloc float[WatchlistCategories.Count];
            for (int i = 0; i < WatchlistCategories.Count; i++)
                limits[i] = thresholds[(WatchlistCategory)i];
            var codes = (short*)scratch;
            var scales = (float*)(codes + ((long)probeCount * codeStride));
            float* norms = scales + probeCount;
            for (int p = 0; p < probeCount && firstPass; p++)
                RowCodes.QuantiseProbe(firstProbe + ((long)p * length), length, codes + ((long)p * codeStride), out scales[p], out norms[p]);

            var query = new Query(gallery, firstProbe, codes, scales, norms, probeCount, limits, thresholds.Lowest, maximumCandidates);
            long products = (long)gallery.RowCount * length * probeCount;
            int helpers = (int)Math.Min(threads, products / ProductsPerThread) - 1;
            if (helpers > 0 && helpers * (long)probeCount * maximumCandidates <= MostHelperCandidates)
                SearchTogether(query, helpers, candidates, counts);
            else
                SearchRows(query, 0, gallery.RowCount, candidates, counts);
        }
    }

    private void SearchTogether(in Query query, int helpers, Span<Candidate> candidates, Span<int> counts)
    {
        Job? job;
        lock (spare)
            spare.TryPop(out job);
        job ??= new Job(this);
        job.Open(query, helpers);
        try
        {
            job.Work(query, candidates, counts);
        }
        finally
        {
            job.Close();
        }
        job.Merge(query, candidates, counts);
        lock (spare)
            spare.Push(job);
    }

    private void SearchRows(in Query query, int first, int end, Span<Candidate> candidates, Span<int> counts)
    {
        float* scores = stackalloc float[ScoreKernel.ProbeStep * BlockRows];
        int* sums = stackalloc int[ScoreKernel.ProbeStep * BlockRows];
        byte* left = stackalloc byte[ScoreKernel.ProbeStep * BlockRows];
        int* leftCounts = stackalloc int[ScoreKernel.ProbeStep];
        var scratch = new Scratch(scores, sums, left, leftCounts);
        for (int row = first; row < end; row += BlockRows)
            SearchBlock(query, row, Math.Min(BlockRows, end - row), scratch, candidates, counts);
    }

    private void SearchBlock(in Query query, int row, int blockRows, in Scratch scratch, Span<Candidate> candidates, Span<int> counts)
    {
        for (int probe = 0; probe < query.ProbeCount; probe += ScoreKernel.ProbeStep)
        {
            int group = Math.Min(ScoreKernel.ProbeStep, query.ProbeCount - probe);
            int left = firstPass ? FirstPass(query, probe, group, row, blockRows, scratch, candidates, counts) : int.MaxValue;
            if (left == 0)
                continue;
            bool dense = left > group * blockRows / DenseShare;
            if (dense)
                ScoreRows(query, probe, group, row, blockRows, scratch.Scores);
            for (int p = 0; p < group; p++)
            {
                Span<Candidate> kept = candidates.Slice((probe + p) * query.MaximumCandidates, query.MaximumCandidates);
                ref int count = ref counts[probe + p];
                float* scores = scratch.Scores + (p * BlockRows);
                if (dense)
                {
                    for (int i = NextAtLeast(scores, 0, blockRows, Floor(query, kept, count)); i < blockRows; i = NextAtLeast(scores, i + 1, blockRows, Floor(query, kept, count)))
                        OfferRow(query, row + i, scores[i], kept, ref count);
                    continue;
                }
                for (int i = 0; i < scratch.LeftCounts[p]; i++)
                {
                    int at = scratch.Left[(p * BlockRows) + i];
                    // The worst candidate may have improved since the first pass.
                    if (!(Ceiling(query, probe + p, row + at, scratch.Sums[(p * BlockRows) + at]) >= Floor(query, kept, count)))
                        continue;
                    ScoreRows(query, probe + p, 1, row + at, 1, scores);
                    OfferRow(query, row + at, scores[0], kept, ref count);
                }
            }
        }
    }

    /// <summary>Lists, for each probe of a group, the rows of a block whose upper bound reaches their category's threshold and the worst candidate so far.</summary>
    /// <returns>Number of rows listed for all probes together.</returns>
    private int FirstPass(in Query query, int probe, int group, int row, int blockRows, in Scratch scratch, Span<Candidate> candidates, Span<int> counts)
    {
        CodeKernel.Multiply(
            instructions,
            query.ProbeCodes + ((long)probe * query.CodeStride),
            group,
            query.RowCodes + ((long)row * query.CodeStride),
            query.CodeStride,
            blockRows,
            scratch.Sums,
            BlockRows,
            fromMemory: probe == 0);
        float* scales = query.RowScales + row;
        float* slacks = query.RowSlacks + row;
        int all = 0;
        for (int p = 0; p < group; p++)
        {
            float floor = Floor(query, candidates.Slice((probe + p) * query.MaximumCandidates, query.MaximumCandidates), counts[probe + p]);
            int* sums = scratch.Sums + (p * BlockRows);
            byte* left = scratch.Left + (p * BlockRows);
            int found = 0;
            var scale = new Vector<float>(query.ProbeScales[probe + p]);
            var norm = new Vector<float>(query.ProbeNorms[probe + p]);
            var limit = new Vector<float>(floor);
            for (int i = 0; i < blockRows; i += Vector<float>.Count)
            {
                // The same operations as RowCodes.Ceiling. Values after the last row are read, but ignored below.
                Vector<float> ceiling = (Vector.Load(slacks + i) * norm) + (Vector.Load(scales + i) * (scale * Vector.ConvertToSingle(Vector.Load(sums + i))));
                if (!Vector.GreaterThanOrEqualAny(ceiling, limit))
                    continue;
                int end = Math.Min(i + Vector<float>.Count, blockRows);
                for (int r = i; r < end; r++)
                {
                    float at = Ceiling(query, probe + p, row + r, sums[r]);
                    if (at >= floor && at >= query.Limits[(int)query.Gallery.IdentityCategories[query.Gallery.RowIdentities[row + r]]])
                        left[found++] = (byte)r;
                }
            }
            scratch.LeftCounts[p] = found;
            all += found;
        }
        return all;
    }

    /// <summary>A row with a lower score cannot change the result.</summary>
    private static float Floor(in Query query, ReadOnlySpan<Candidate> kept, int count) =>
        count == kept.Length ? MathF.Max(query.Lowest, kept[^1].ComparisonScore) : query.Lowest;

    private static float Ceiling(in Query query, int probe, int row, int sum) =>
        Matching.RowCodes.Ceiling(sum, query.ProbeScales[probe], query.ProbeNorms[probe], query.RowScales[row], query.RowSlacks[row]);

    private void ScoreRows(in Query query, int probe, int probes, int row, int rows, float* scores)
    {
        Gallery gallery = query.Gallery;
        float* first = gallery.RowPointer + ((long)row * gallery.RowStride);
        // With many probes the first groups prefetch the next block, a quarter each, so that no group waits for memory.
        float* next = null;
        if (query.ProbeCount >= QuarterGroups * ScoreKernel.ProbeStep)
        {
            int group = probe / ScoreKernel.ProbeStep;
            next = group < QuarterGroups ? first + ((BlockRows + (group * (BlockRows / QuarterGroups))) * (long)gallery.RowStride) : first;
        }
        ScoreKernel.Score(
            instructions,
            query.Probes + ((long)probe * gallery.EmbeddingLength),
            probes,
            gallery.EmbeddingLength,
            first,
            gallery.RowStride,
            rows,
            scores,
            BlockRows,
            next);
    }

    private static void OfferRow(in Query query, int row, float score, Span<Candidate> kept, ref int count)
    {
        int identity = query.Gallery.RowIdentities[row];
        if (score >= query.Limits[(int)query.Gallery.IdentityCategories[identity]])
            Offer(kept, ref count, new Candidate(identity, query.Gallery.RowTemplates[row], score));
    }

    /// <summary>First index from <paramref name="start"/> on whose score reaches the threshold; otherwise <paramref name="count"/>.</summary>
    private static int NextAtLeast(float* scores, int start, int count, float threshold)
    {
        int i = start;
        for (var limit = new Vector<float>(threshold); i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            if (Vector.GreaterThanOrEqualAny(*(Vector<float>*)(scores + i), limit))
                break;
        }
        while (i < count && !(scores[i] >= threshold))
            i++;
        return i;
    }

    /// <summary>
    /// Keeps the best k identities, sorted, each with its best template (the lowest number among equals). The result does not depend on the order of
    /// the offers, so candidate lists of parts of a gallery can be merged.
    /// </summary>
    private static void Offer(Span<Candidate> kept, ref int count, in Candidate offered)
    {
        if (count == kept.Length && !Precedes(offered, kept[^1]) && offered.IdentityIndex != kept[^1].IdentityIndex)
            return;
        int place = count;
        for (int i = 0; i < count; i++)
        {
            if (kept[i].IdentityIndex == offered.IdentityIndex)
            {
                if (!Improves(offered, kept[i]))
                    return;
                place = i;
                break;
            }
        }
        if (place == count)
        {
            if (count == kept.Length)
                place--;
            else
                count++;
        }
        while (place > 0 && Precedes(offered, kept[place - 1]))
        {
            kept[place] = kept[place - 1];
            place--;
        }
        kept[place] = offered;
    }

    private static bool Precedes(in Candidate a, in Candidate b) =>
        a.ComparisonScore > b.ComparisonScore || (a.ComparisonScore == b.ComparisonScore && a.IdentityIndex < b.IdentityIndex);

    private static bool Improves(in Candidate offered, in Candidate known) =>
        offered.ComparisonScore > known.ComparisonScore
        || (offered.ComparisonScore == known.ComparisonScore && offered.TemplateIndex < known.TemplateIndex);

    /// <summary>The input of a search. The pointers belong to the caller, who waits for every thread that uses them.</summary>
    private readonly struct Query(
        Gallery gallery,
        float* probes,
        short* probeCodes,
        float* probeScales,
        float* probeNorms,
        int probeCount,
        float* limits,
        float lowest,
        int maximumCandidates)
    {
        public readonly Gallery Gallery = gallery;
        public readonly float* Probes = probes;
        public readonly short* ProbeCodes = probeCodes;
        public readonly float* ProbeScales = probeScales;
        public readonly float* ProbeNorms = probeNorms;
        public readonly sbyte* RowCodes = gallery.Codes.Codes;
        public readonly float* RowScales = gallery.Codes.Scales;
        public readonly float* RowSlacks = gallery.Codes.Slacks;
        public readonly float* Limits = limits;
        public readonly int CodeStride = gallery.Codes.Stride;
        public readonly int ProbeCount = probeCount;
        public readonly float Lowest = lowest;
        public readonly int MaximumCandidates = maximumCandidates;
    }

    /// <summary>Working memory of one thread for one block.</summary>
    private readonly struct Scratch(float* scores, int* sums, byte* left, int* leftCounts)
    {
        public readonly float* Scores = scores;
        public readonly int* Sums = sums;
        public readonly byte* Left = left;
        public readonly int* LeftCounts = leftCounts;
    }

    /// <summary>One search, split into pieces that any thread may take. Reused.</summary>
    private sealed class Job(CosineSearch search) : IThreadPoolWorkItem
    {
        private const int Closed = -1;

        private Query query;
        private Candidate[] helperCandidates = [];
        private int[] helperCounts = [];
        private int places;
        private int placesTaken;
        private int nextPiece;

        // Number of helpers at work, or Closed. A helper that starts late finds the job closed, or helps the search that has reused it.
        private int helpersInside = Closed;
        private volatile ExceptionDispatchInfo? failure;

        public void Open(in Query asked, int helpers)
        {
            query = asked;
            nextPiece = placesTaken = 0;
            failure = null;
            places = helpers;
            int counts = places * asked.ProbeCount;
            if (helperCounts.Length < counts)
                helperCounts = new int[counts];
            if (helperCandidates.Length < counts * asked.MaximumCandidates)
                helperCandidates = new Candidate[counts * asked.MaximumCandidates];
            helperCounts.AsSpan(0, counts).Clear();
            Volatile.Write(ref helpersInside, 0);
            for (int i = 0; i < places; i++)
#pragma warning disable RS0030 // Help throws nothing, and a Task would cost an allocation per search.
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
#pragma warning restore RS0030
        }

        public void Execute()
        {
            int inside = Volatile.Read(ref helpersInside);
            while (inside != Closed)
            {
                int before = Interlocked.CompareExchange(ref helpersInside, inside + 1, inside);
                if (before == inside)
                {
                    int place = Interlocked.Increment(ref placesTaken) - 1;
                    Help(place);
                    return;
                }
                inside = before;
            }
        }

        // An exception on a thread of the pool would end the process. Instead, Close throws it on the caller's thread.
        private void Help(int place)
        {
            try
            {
                if (place < places)
                    Work(query, CandidatesOf(query, place), CountsOf(query, place));
            }
#pragma warning disable CA1031 // Thrown again by Close.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
            finally
            {
                Interlocked.Decrement(ref helpersInside);
            }
        }

        /// <summary>Takes pieces until none is left.</summary>
        public void Work(in Query asked, Span<Candidate> candidates, Span<int> counts)
        {
            int rowCount = asked.Gallery.RowCount;
            while (true)
            {
                long first = (Interlocked.Increment(ref nextPiece) - 1L) * PieceRows;
                if (first >= rowCount)
                    return;
                search.SearchRows(asked, (int)first, (int)Math.Min(first + PieceRows, rowCount), candidates, counts);
            }
        }

        /// <summary>Waits for the helpers at work, each of which is at its last piece, and admits no more.</summary>
        public void Close()
        {
            var wait = new SpinWait();
            while (Interlocked.CompareExchange(ref helpersInside, Closed, 0) != 0)
                wait.SpinOnce(sleep1Threshold: -1);
            query = default;
            failure?.Throw();
        }

        public void Merge(in Query asked, Span<Candidate> candidates, Span<int> counts)
        {
            for (int place = 0; place < Math.Min(places, placesTaken); place++)
            {
                Span<Candidate> found = CandidatesOf(asked, place);
                Span<int> foundCounts = CountsOf(asked, place);
                for (int p = 0; p < asked.ProbeCount; p++)
                {
                    int first = p * asked.MaximumCandidates;
                    foreach (ref readonly Candidate candidate in found.Slice(first, foundCounts[p]))
                        Offer(candidates.Slice(first, asked.MaximumCandidates), ref counts[p], candidate);
                }
            }
        }

        private Span<Candidate> CandidatesOf(in Query asked, int place)
        {
            int all = asked.ProbeCount * asked.MaximumCandidates;
            return helperCandidates.AsSpan(place * all, all);
        }

        private Span<int> CountsOf(in Query asked, int place) => helperCounts.AsSpan(place * asked.ProbeCount, asked.ProbeCount);
    }
}
