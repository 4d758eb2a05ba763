namespace LfrEngine.Matching;

/// <summary>Searches a gallery for probes. Every implementation returns the same identities, in the same order, with the same scores to the last bit.</summary>
public interface IGallerySearch
{
    /// <summary>Finds, for each probe, the identities scoring at or above their category's threshold, best first.</summary>
    /// <param name="gallery">Kept alive for the call.</param>
    /// <param name="probes">float32 [P, D], rows of unit length. Borrowed.</param>
    /// <param name="thresholds">Inclusive.</param>
    /// <param name="maximumCandidates">k, at least 1.</param>
    /// <param name="candidates">Receives [P, k]; each identity at most once per probe. At equal scores the lower identity index comes first.</param>
    /// <param name="candidateCounts">Receives the number of candidates of each probe; its length is P.</param>
    /// <param name="covers">Covered parts of each probe's face; empty if no probe is covered.</param>
    /// <exception cref="ObjectDisposedException">The gallery has been wiped.</exception>
    void Search(
        Gallery gallery,
        ReadOnlySpan<float> probes,
        in CategoryThresholds thresholds,
        int maximumCandidates,
        Span<Candidate> candidates,
        Span<int> candidateCounts,
        ReadOnlySpan<FaceCover> covers = default);

    /// <summary>The same for the probes of a batch; a search on the device where they lie need not bring them to host memory.</summary>
    internal void SearchBatch(Gallery gallery, Probes probes, in CategoryThresholds thresholds, int maximumCandidates, Span<Candidate> candidates, Span<int> candidateCounts, ReadOnlySpan<FaceCover> covers) =>
        Search(gallery, probes.Rows, thresholds, maximumCandidates, candidates, candidateCounts, covers);

    /// <summary>Throws if an argument of <see cref="Search"/> is invalid.</summary>
    static void CheckArguments(
        Gallery gallery,
        ReadOnlySpan<float> probes,
        in CategoryThresholds thresholds,
        int maximumCandidates,
        ReadOnlySpan<Candidate> candidates,
        ReadOnlySpan<int> candidateCounts,
        ReadOnlySpan<FaceCover> covers)
    {
        ArgumentNullException.ThrowIfNull(gallery);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumCandidates, 1);
        int probeCount = candidateCounts.Length;
        if (probes.Length != (long)probeCount * gallery.EmbeddingLength)
            throw new ArgumentException($"{probes.Length} elements are not {probeCount} probes of length {gallery.EmbeddingLength}.", nameof(probes));
        if (candidates.Length < (long)probeCount * maximumCandidates)
            throw new ArgumentException($"Room for {candidates.Length} candidates; {probeCount} probes of {maximumCandidates} need more.", nameof(candidates));
        if (!covers.IsEmpty && covers.Length != probeCount)
            throw new ArgumentException($"{covers.Length} covers for {probeCount} probes.", nameof(covers));
        if (float.IsNaN(thresholds.Lowest))
            throw new ArgumentException("A threshold is not a number.", nameof(thresholds));
    }
}
