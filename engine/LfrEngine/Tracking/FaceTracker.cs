using LfrEngine.Detection;

namespace LfrEngine.Tracking;

/// <summary>Follows the faces of one camera from frame to frame.</summary>
/// <remarks>
/// Constant-velocity Kalman filter and optimal assignment by overlap as in SORT (Bewley et al. 2016); low scores continue what
/// high scores began, as in ByteTrack (Zhang et al. 2022). Two changes for faces: filters step by real time, so that dropped frames
/// do no harm, and a distance gate is used where small fast faces no longer overlap their prediction.
/// One thread at a time. Deterministic: the same calls give the same tracklets. No allocation once the storage has grown to the busiest frame.
/// </remarks>
internal sealed class FaceTracker
{
    // Costs of a pair: 1 − IoU where boxes overlap enough, else 1…2 by distance; plus |ln(height ratio)|, because where faces cross
    // the overlaps are similar and the size separates near from far (a quarter fewer switches in the simulated concourse). A cost for coasting,
    // to favour recently detected tracklets, was tried there: 0.1 gained nothing, 0.4 doubled the switches, because a face that reappears often belongs to a coasting tracklet.
    // The cost of an unpaired tracklet is chosen so that two poor pairs do not displace one good pair.
    private const double UnpairedCost = 2.25;

    private readonly TrackerSettings settings;
    private readonly AssignmentSolver solver;
    private readonly Tracklet[] bySlot;
    private readonly bool[] slotTaken;
    private readonly Tracklet[] live;
    private readonly Tracklet[] ended;
    private readonly Tracklet[] rows;
    private int[] high;
    private int[] low;
    private int liveCount;
    private int endedCount;
    private long lastId;
    private long lastTimestampUs;
    private long stepUs;
    private long lastStepUs;
    private int lastWidth;
    private int lastHeight;

    /// <param name="settings">Validated here.</param>
    public FaceTracker(TrackerSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        this.settings = settings;
        int capacity = settings.MaxTracklets;
        solver = new AssignmentSolver(capacity, capacity);
        live = new Tracklet[capacity];
        ended = new Tracklet[capacity];
        rows = new Tracklet[capacity];
        high = new int[capacity];
        low = new int[capacity];
        // Ended tracklets keep their slots until the next call; twice the capacity leaves space for as many new ones.
        bySlot = new Tracklet[2 * capacity];
        slotTaken = new bool[bySlot.Length];
        for (int slot = 0; slot < bySlot.Length; slot++)
            bySlot[slot] = new Tracklet(slot);
    }

    /// <summary>Tracklets that continue, tentative and confirmed, in order of <see cref="Tracklet.Id"/>. Borrowed until the next call.</summary>
    public ReadOnlySpan<Tracklet> Live => live.AsSpan(0, liveCount);

    /// <summary>Tracklets that the latest call ended, in order of <see cref="Tracklet.Id"/>, false starts included. Borrowed until the next call.</summary>
    public ReadOnlySpan<Tracklet> Ended => ended.AsSpan(0, endedCount);

    /// <summary>Length that an array indexed by <see cref="Tracklet.Slot"/> needs.</summary>
    public int SlotCount => bySlot.Length;

    /// <summary>Detections that could not start a tracklet because the tracker was full, since construction.</summary>
    public long DroppedStarts { get; private set; }

    /// <summary>Updates the tracklets with one frame's detections.</summary>
    /// <param name="detections">Frame pixels, suppressed (one per face), any order. Borrowed. Empty or non-finite boxes are ignored.</param>
    /// <param name="timestampUs">Capture time, microseconds of any clock; a step back, or one over <see cref="TrackerSettings.MaxGapMs"/>, ends all tracklets.</param>
    /// <param name="frameWidth">Pixels; a change ends all tracklets.</param>
    /// <param name="frameHeight">Pixels; a change ends all tracklets.</param>
    public void Update(ReadOnlySpan<FaceCandidate> detections, long timestampUs, int frameWidth, int frameHeight)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameWidth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameHeight);
        ReleaseEnded();
        if (!Follows(timestampUs, frameWidth, frameHeight))
            EndLive();
        (lastStepUs, stepUs) = (stepUs, Math.Clamp(unchecked(timestampUs - lastTimestampUs), 0, settings.MaxGapMs * 1000L));
        lastTimestampUs = timestampUs;
        lastWidth = frameWidth;
        lastHeight = frameHeight;

        PredictOrExpire(timestampUs);
        Split(detections, out int highCount, out int lowCount);
        highCount = Pair(TrackletState.Confirmed, detections, high, highCount);
        Pair(TrackletState.Confirmed, detections, low, lowCount);
        highCount = Pair(TrackletState.Tentative, detections, high, highCount);
        EndLost();
        for (int i = 0; i < highCount; i++)
            Start(high[i], detections[high[i]], timestampUs);
    }

    /// <summary>Ends every tracklet, at the end of a stream; a later <see cref="Update"/> may begin new ones. Ids are not reused.</summary>
    public void EndAll()
    {
        ReleaseEnded();
        EndLive();
    }

    private bool Follows(long timestampUs, int frameWidth, int frameHeight)
    {
        // As unsigned, a step backwards is a very long one, and differences of extreme timestamps cannot overflow into a short one.
        ulong stepUs = unchecked((ulong)timestampUs - (ulong)lastTimestampUs);
        return timestampUs >= lastTimestampUs && stepUs <= (ulong)settings.MaxGapMs * 1000
            && frameWidth == lastWidth && frameHeight == lastHeight;
    }

    private void PredictOrExpire(long timestampUs)
    {
        // A camera that sends one frame a second is still tracked from frame to frame; only a single long step is a gap.
        long coastUs = Math.Max(settings.MaxCoastMs * 1000L, Math.Min(stepUs, lastStepUs) * 5 / 2);
        int kept = 0;
        for (int i = 0; i < liveCount; i++)
        {
            Tracklet tracklet = live[i];
            if (timestampUs - tracklet.LastSeenUs > coastUs)
            {
                End(tracklet);
                continue;
            }
            tracklet.Predict(timestampUs, settings);
            live[kept++] = tracklet;
        }
        liveCount = kept;
    }

    // Indices of usable detections by score: those that may begin a tracklet, and those that may only continue one.
    private void Split(ReadOnlySpan<FaceCandidate> detections, out int highCount, out int lowCount)
    {
        if (high.Length < detections.Length)
        {
            high = new int[Math.Max(detections.Length, 2 * high.Length)];
            low = new int[high.Length];
        }
        highCount = 0;
        lowCount = 0;
        for (int i = 0; i < detections.Length; i++)
        {
            ref readonly FaceCandidate detection = ref detections[i];
            FaceBox box = detection.Box;
            bool usable = box.Width > 0 && box.Height > 0 && float.IsFinite(box.Left + box.Right) && float.IsFinite(box.Top + box.Bottom);
            if (!usable)
                continue;
            if (detection.Score >= settings.StartScore)
                high[highCount++] = i;
            else if (detection.Score >= settings.ContinueScore)
                low[lowCount++] = i;
        }
    }

    // Pairs the tracklets of one state that have no detection yet with the detections given; returns how many of these are left, moved to the front.
    private int Pair(TrackletState state, ReadOnlySpan<FaceCandidate> detections, int[] indices, int count)
    {
        int rowCount = 0;
        for (int i = 0; i < liveCount; i++)
        {
            if (live[i].State == state && !live[i].DetectedNow)
                rows[rowCount++] = live[i];
        }
        if (rowCount == 0 || count == 0)
            return count;

        Span<float> costs = solver.Begin(rowCount, count);
        for (int row = 0; row < rowCount; row++)
        {
            FaceBox predicted = rows[row].Box;
            for (int column = 0; column < count; column++)
                costs[(row * count) + column] = Cost(rows[row], predicted, detections[indices[column]].Box);
        }
        ReadOnlySpan<int> columns = solver.Solve(UnpairedCost);
        for (int row = 0; row < rowCount; row++)
        {
            int column = columns[row];
            if (column < 0)
                continue;
            int index = indices[column];
            rows[row].Continue(index, detections[index], settings);
            indices[column] = -1;
        }

        int left = 0;
        for (int column = 0; column < count; column++)
        {
            if (indices[column] >= 0)
                indices[left++] = indices[column];
        }
        return left;
    }

    private float Cost(Tracklet tracklet, in FaceBox predicted, in FaceBox box)
    {
        double sizeRatio = tracklet.Motion.SizeRatio(box);
        double sizeCost = Math.Log(sizeRatio);
        float overlap = predicted.IoU(box);
        if (overlap >= settings.MinIoU)
            return (float)(1 - overlap + sizeCost);
        double distance = tracklet.Motion.DistanceHeights(box);
        bool near = distance <= settings.MaxDistance
            && sizeRatio <= settings.MaxSizeRatio
            && tracklet.Motion.SquaredSigmas(box, settings) <= (double)settings.MaxSigmas * settings.MaxSigmas;
        return near ? (float)(1 + (distance / Math.Max(settings.MaxDistance, float.Epsilon)) + sizeCost) : float.PositiveInfinity;
    }

    private void EndLost()
    {
        int kept = 0;
        for (int i = 0; i < liveCount; i++)
        {
            Tracklet tracklet = live[i];
            if (!tracklet.DetectedNow && (HasLeft(tracklet) || IsFalseStart(tracklet)))
                End(tracklet);
            else
                live[kept++] = tracklet;
        }
        liveCount = kept;
    }

    private bool HasLeft(Tracklet tracklet)
    {
        double x = tracklet.Motion.X.Position;
        double y = tracklet.Motion.Y.Position;
        return x < 0 || y < 0 || x >= lastWidth || y >= lastHeight;
    }

    private bool IsFalseStart(Tracklet tracklet) =>
        tracklet.State == TrackletState.Tentative && tracklet.TimestampUs - tracklet.LastSeenUs > settings.MaxTentativeCoastMs * 1000L;

    private void Start(int index, in FaceCandidate detection, long timestampUs)
    {
        if (liveCount == live.Length)
        {
            DroppedStarts++;
            return;
        }
        int slot = Array.IndexOf(slotTaken, false);
        slotTaken[slot] = true;
        bySlot[slot].Start(++lastId, index, detection, timestampUs, settings);
        live[liveCount++] = bySlot[slot];
    }

    private void EndLive()
    {
        for (int i = 0; i < liveCount; i++)
            End(live[i]);
        liveCount = 0;
    }

    // A call ends expired ones before lost ones; insertion keeps the list in order of Id.
    private void End(Tracklet tracklet)
    {
        tracklet.End();
        int at = endedCount++;
        for (; at > 0 && ended[at - 1].Id > tracklet.Id; at--)
            ended[at] = ended[at - 1];
        ended[at] = tracklet;
    }

    private void ReleaseEnded()
    {
        for (int i = 0; i < endedCount; i++)
            slotTaken[ended[i].Slot] = false;
        endedCount = 0;
    }
}
