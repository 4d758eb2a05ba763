using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>The next step for a worker.</summary>
internal enum WorkKind
{
    /// <summary>Find faces in <see cref="Work.Frame"/>.</summary>
    Search,

    /// <summary>Follow them.</summary>
    Track,

    /// <summary>Embed and compare the shots handed out.</summary>
    Compare,

    /// <summary>Turn scores into evidence and alerts.</summary>
    Decide,
}

/// <summary>One step of one frame, or the comparison of shots of several.</summary>
/// <param name="Kind">What.</param>
/// <param name="Frame">On which frame; null for <see cref="WorkKind.Compare"/>.</param>
/// <param name="Shots">How many shots were handed out.</param>
internal readonly record struct Work(WorkKind Kind, FrameWork? Frame, int Shots = 0);

/// <summary>A shot to compare and the frame it belongs to.</summary>
internal readonly record struct PendingShot(FaceShot Shot, FrameWork Frame);

/// <summary>Assigns the work of all cameras to shared workers.</summary>
/// <remarks>
/// The rule: <b>the most advanced work first, then the oldest</b>. Decisions before comparisons before tracking before searching,
/// so a frame is finished before another is begun, latency is short, and few frames are held. Between cameras the frame that arrived first
/// goes first, so a busy camera cannot delay a quiet one, and a slow source delays no other.
///
/// Shots are compared in batches across cameras: whatever is waiting when a worker is free, up to <see cref="PipelineSettings.EmbeddingBatch"/>.
///
/// Back-pressure: recordings without drops wait in their reader. Of live cameras at most <see cref="WaitingPerCamera"/> frames wait for each camera
/// on average; with one more, the oldest frame of the camera with the most waiting frames is dropped and counted there. So the camera that sends too much loses frames.
/// None is searched that has waited longer than <see cref="LongestWaitMs"/>: it is dropped and counted too. An engine that cannot follow skips frames; it does not get late.
/// </remarks>
internal sealed class Scheduler
{
    /// <summary>Waiting frames per camera: enough for moments in which all cameras need work at once, few enough to stay recent.</summary>
    public const int WaitingPerCamera = 3;

    /// <summary>Oldest frame of a live camera that is still searched, milliseconds since its pixels arrived: half of the time that is given for erasing a face, so that frames which wait are not what is held longest.</summary>
    public const int LongestWaitMs = ErasureClock.DeadlineMs / 2;

    /// <summary>Maximum number of frames of one camera between searching and deciding.</summary>
    public static int LargestUnderWay(int workers) => SearchedAhead(workers) + workers + 2;

    // How far searching may run ahead of tracking.
    private static int SearchedAhead(int workers) => workers + WaitingPerCamera;

    private readonly object gate = new();
    private readonly CameraLane[] lanes;
    private readonly PipelineSettings settings;
    // As in LaneState: enough capacity from the start, so that no queue grows in the middle of a stream.
    private readonly Queue<PendingShot> uncompared = new(256);
    private readonly int liveRoom;
    private readonly int workers;
    private readonly TimeProvider time;
    private int liveWaiting;
    private bool abandoned;

    public Scheduler(CameraLane[] lanes, PipelineSettings settings, int workers, TimeProvider? time = null)
    {
        (this.lanes, this.settings, this.workers, this.time) = (lanes, settings, workers, time ?? TimeProvider.System);
        liveRoom = WaitingPerCamera * lanes.Count(l => l.Camera.DropsOldest);
        foreach (CameraLane lane in lanes)
            lane.State.Searched = new FrameWork?[SearchedAhead(workers)];
    }

    /// <summary>Takes a decoded frame. Waits for space if frames must not be dropped; otherwise drops one.</summary>
    /// <returns>False when the camera has failed or the run is abandoned; the frame is disposed.</returns>
    public bool Put(CameraLane lane, FrameLease frame)
    {
        FrameLease? dropped = null;
        lock (gate)
        {
            LaneState state = lane.State;
            while (!lane.Camera.DropsOldest && state.Waiting.Count >= WaitingPerCamera && !state.Failed && !abandoned)
                Monitor.Wait(gate);
            if (state.Failed || abandoned)
            {
                dropped = frame;
            }
            else
            {
                state.Waiting.Enqueue(frame);
                liveWaiting += lane.Camera.DropsOldest ? 1 : 0;
                // Here too, because workers that are all busy take nothing.
                DropOld(lane, time.GetTimestamp());
                if (liveWaiting > liveRoom)
                    dropped = DropOldestOfBusiest();
                Monitor.PulseAll(gate);
            }
        }
        dropped?.Dispose();
        return !lane.State.Failed && !abandoned;
    }

    /// <summary>Call when a camera's reader has ended.</summary>
    public void EndSource(CameraLane lane, Exception? failure)
    {
        lock (gate)
        {
            lane.State.SourceEnded = true;
            if (failure is not null)
                Fail(lane, failure);
            Settle(lane);
        }
    }

    /// <summary>Ends one camera after a failure.</summary>
    public void EndFailed(CameraLane lane, Exception failure)
    {
        lock (gate)
        {
            Fail(lane, failure);
            Settle(lane);
        }
    }

    /// <summary>Assigns no more work: a thread of the run has failed, and its work will not be returned. <see cref="Discard"/> wipes what is left.</summary>
    public void Abandon()
    {
        lock (gate)
        {
            abandoned = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Wipes what is left of a camera's work; call it only when no thread is working any more.</summary>
    public void Discard(CameraLane lane)
    {
        lock (gate)
        {
            Empty(lane);
            while (lane.State.Tracked.TryDequeue(out FrameWork? work))
                lane.Return(work);
        }
    }

    /// <summary>Waits for work.</summary>
    /// <param name="work">The work; return it with <see cref="Done"/>.</param>
    /// <param name="shots">Receives the shots of <see cref="WorkKind.Compare"/>, at most <see cref="PipelineSettings.EmbeddingBatch"/>.</param>
    /// <returns>False when all cameras have ended or the run is abandoned.</returns>
    public bool Take(out Work work, Span<PendingShot> shots)
    {
        lock (gate)
        {
            while (true)
            {
                work = default;
                if (abandoned)
                    return false;
                // Before anything is chosen: a camera whose last frames are dropped has tracklets to end.
                long now = time.GetTimestamp();
                foreach (CameraLane lane in lanes)
                    DropOld(lane, now);
                if (TakeDecision(out work) || TakeShots(shots, out work) || TakeTracking(out work) || TakeSearch(now, out work))
                    return true;
                bool over = true;
                foreach (CameraLane lane in lanes)
                    over &= lane.State.Closed;
                if (over)
                    return false;
                Monitor.Wait(gate);
            }
        }
    }

    /// <summary>Returns work from <see cref="Take"/>; the next step may then begin.</summary>
    /// <param name="work">What was done.</param>
    /// <param name="shots">The shots handed out with it.</param>
    /// <param name="failure">Why it failed; ends the camera of the frame.</param>
    public void Done(in Work work, ReadOnlySpan<PendingShot> shots, Exception? failure)
    {
        lock (gate)
        {
            if (work.Kind == WorkKind.Compare)
            {
                foreach (PendingShot pending in shots)
                {
                    pending.Frame.Uncompared--;
                    pending.Frame.Lane.State.Comparing--;
                    if (failure is not null)
                        Fail(pending.Frame.Lane, failure);
                }
                foreach (PendingShot pending in shots)
                    Settle(pending.Frame.Lane);
                return;
            }
            CameraLane lane = work.Frame!.Lane;
            LaneState state = lane.State;
            if (failure is not null)
                Fail(lane, failure);
            switch (work.Kind)
            {
                case WorkKind.Search:
                    state.Searching--;
                    state.Searched[work.Frame.Number % state.Searched.Length] = work.Frame;
                    break;
                case WorkKind.Track:
                    state.Tracking = false;
                    if (work.Frame.Number >= 0)
                        state.NextToTrack++;
                    work.Frame.Uncompared = work.Frame.Shots.Count;
                    foreach (FaceShot shot in work.Frame.Shots)
                        uncompared.Enqueue(new PendingShot(shot, work.Frame));
                    state.Tracked.Enqueue(work.Frame);
                    break;
                case WorkKind.Decide:
                    state.Deciding = false;
                    lane.Return(work.Frame);
                    break;
            }
            Settle(lane);
        }
    }

    private bool TakeDecision(out Work work)
    {
        FrameWork? oldest = null;
        foreach (CameraLane lane in lanes)
        {
            LaneState state = lane.State;
            if (!state.Failed && !state.Deciding && state.Tracked.TryPeek(out FrameWork? first) && first.Uncompared == 0 && IsOlder(first, oldest))
                oldest = first;
        }
        work = new Work(WorkKind.Decide, oldest);
        if (oldest is null)
            return false;
        oldest.Lane.State.Tracked.Dequeue();
        oldest.Lane.State.Deciding = true;
        return true;
    }

    private bool TakeShots(Span<PendingShot> shots, out Work work)
    {
        work = default;
        if (uncompared.Count == 0)
            return false;
        int count = 0;
        while (count < settings.EmbeddingBatch && uncompared.TryDequeue(out shots[count]))
            shots[count++].Frame.Lane.State.Comparing++;
        work = new Work(WorkKind.Compare, null, count);
        return true;
    }

    private bool TakeTracking(out Work work)
    {
        FrameWork? oldest = null;
        foreach (CameraLane lane in lanes)
        {
            LaneState state = lane.State;
            if (!state.Failed && !state.Tracking && state.Searched[state.NextToTrack % state.Searched.Length] is { } next && IsOlder(next, oldest))
                oldest = next;
        }
        if (oldest is null)
            return TakeFlush(out work);
        LaneState of = oldest.Lane.State;
        of.Searched[of.NextToTrack % of.Searched.Length] = null;
        of.Tracking = true;
        work = new Work(WorkKind.Track, oldest);
        return true;
    }

    // The last work of a camera: it has no frame and ends the tracklets.
    private bool TakeFlush(out Work work)
    {
        work = default;
        foreach (CameraLane lane in lanes)
        {
            LaneState state = lane.State;
            if (!state.SourceEnded || state.Failed || state.Flushed || state.Tracking || state.Waiting.Count > 0 || state.NextToTrack < state.NextToSearch)
                continue;
            state.Flushed = true;
            state.Tracking = true;
            FrameWork last = lane.TakeWork();
            last.Begin(null, -1);
            work = new Work(WorkKind.Track, last);
            return true;
        }
        return false;
    }

    private bool TakeSearch(long now, out Work work)
    {
        work = default;
        CameraLane? oldest = null;
        foreach (CameraLane lane in lanes)
        {
            LaneState state = lane.State;
            bool room = state.NextToSearch - state.NextToTrack < state.Searched.Length && state.Tracked.Count <= workers;
            if (!state.Failed && room && state.Waiting.TryPeek(out FrameLease? first)
                && (oldest is null || first.ArrivalTimestamp < oldest.State.Waiting.Peek().ArrivalTimestamp))
                oldest = lane;
        }
        if (oldest is null)
            return false;
        LaneState of = oldest.State;
        FrameWork begun = oldest.TakeWork();
        begun.Begin(of.Waiting.Dequeue(), of.NextToSearch++, now);
        if (oldest.Camera.DropsOldest)
            liveWaiting--;
        else
            Monitor.PulseAll(gate);
        of.Searching++;
        work = new Work(WorkKind.Search, begun);
        return true;
    }

    // Wiped under the gate: a worker that finds nothing else to do waits, and would leave them lying.
    private void DropOld(CameraLane lane, long now)
    {
        if (!lane.Camera.DropsOldest)
            return;
        long earliest = now - (LongestWaitMs * time.TimestampFrequency / 1000);
        while (lane.State.Waiting.TryPeek(out FrameLease? first) && first.ArrivalTimestamp < earliest)
        {
            lane.State.Waiting.Dequeue().Dispose();
            liveWaiting--;
            lane.Status.CountDropped();
        }
    }

    private FrameLease DropOldestOfBusiest()
    {
        CameraLane? busiest = null;
        foreach (CameraLane lane in lanes)
        {
            if (!lane.Camera.DropsOldest || lane.State.Waiting.Count == 0)
                continue;
            int more = lane.State.Waiting.Count - (busiest?.State.Waiting.Count ?? 0);
            if (more > 0 || (more == 0 && lane.State.Waiting.Peek().ArrivalTimestamp < busiest!.State.Waiting.Peek().ArrivalTimestamp))
                busiest = lane;
        }
        liveWaiting--;
        busiest!.Status.CountDropped();
        return busiest.State.Waiting.Dequeue();
    }

    private static void Fail(CameraLane lane, Exception failure)
    {
        if (lane.State.Failed)
            return;
        lane.State.Failed = true;
        lane.Fail(failure);
    }

    // After every change: a failed camera is emptied, a finished one is closed.
    private void Settle(CameraLane lane)
    {
        LaneState state = lane.State;
        if (state.Failed)
            Empty(lane);
        bool through = state.Failed ? state.Tracked.Count == 0 : state.Flushed && state.Tracked.Count == 0;
        if (!state.Closed && state.SourceEnded && through && !state.IsBusy)
        {
            lane.Dispose();
            state.Closed = true;
        }
        Monitor.PulseAll(gate);
    }

    private void Empty(CameraLane lane)
    {
        LaneState state = lane.State;
        while (state.Waiting.TryDequeue(out FrameLease? frame))
        {
            if (lane.Camera.DropsOldest)
                liveWaiting--;
            frame.Dispose();
        }
        for (int i = 0; i < state.Searched.Length; i++)
        {
            if (state.Searched[i] is { } work)
                lane.Return(work);
            state.Searched[i] = null;
        }
        // Shots being compared stay until that is done.
        for (int i = uncompared.Count; i > 0; i--)
        {
            PendingShot pending = uncompared.Dequeue();
            if (pending.Frame.Lane == lane)
                pending.Frame.Uncompared--;
            else
                uncompared.Enqueue(pending);
        }
        for (int i = state.Tracked.Count; i > 0; i--)
        {
            FrameWork work = state.Tracked.Dequeue();
            if (work.Uncompared == 0)
                lane.Return(work);
            else
                state.Tracked.Enqueue(work);
        }
    }

    private static bool IsOlder(FrameWork work, FrameWork? than) => than is null || work.ArrivalTimestamp < than.ArrivalTimestamp;
}
