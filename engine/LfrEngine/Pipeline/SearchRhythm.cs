namespace LfrEngine.Pipeline;

/// <summary>Decides which frames of a camera are searched for faces, by stream time only, so that a recording is always searched in the same frames.</summary>
/// <param name="everyMs">Shortest time between two searches, milliseconds; 0 searches every frame.</param>
/// <param name="firstMs">When the first search is due.</param>
internal sealed class SearchRhythm(int everyMs, int firstMs)
{
    // Half a frame early is accepted, because timestamps jitter.
    private const long ToleranceUs = 5_000;

    private readonly long stepUs = everyMs * 1000L;
    private long nextUs = firstMs * 1000L;

    /// <summary>Whether the frame of this time is searched.</summary>
    public bool Wants(long timestampUs)
    {
        if (timestampUs + ToleranceUs < nextUs)
            return false;
        // Keeps the rhythm, unless it has been lost.
        nextUs = nextUs + stepUs > timestampUs ? nextUs + stepUs : timestampUs + stepUs;
        return true;
    }
}
