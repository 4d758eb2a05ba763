using System.Diagnostics;
using LfrEngine.Cover;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Quality;
using LfrEngine.Detection;
using LfrEngine.Tracking;

namespace LfrEngine.Alerts;

/// <summary>Collects the matches of each tracklet's shots on one camera, and raises an alert when several agree.</summary>
/// <remarks>
/// Every identity at or above its threshold counts, not only the best one: a lookalike on the list must not hide the person sought.
/// Pictures are kept only of shots that reached a threshold, and wiped when the tracklet ends without an alert. Used by one thread.
/// </remarks>
internal sealed class EvidenceLedger(string run, string camera, AlertPolicy policy, Gallery gallery, CategoryThresholds thresholds) : IDisposable
{
    private readonly Dictionary<long, TrackletEvidence> tracklets = [];
    private Gallery gallery = gallery;

    // Reused, so that passers-by cause no allocation; grows when more people are in view at once.
    private const int PassersAtOnce = 32;

    // What is around the face of an alert is pixelated this coarsely: another face beside it is narrower than the picture, and gets four cells at most.
    private const int CellsAround = 8;
    private readonly Queue<TrackletEvidence> spares = new(Enumerable.Range(0, PassersAtOnce).Select(_ => new TrackletEvidence()));

    /// <summary>Tracklets with at least one compared shot: the faces seen.</summary>
    public long FacesSeen { get; private set; }

    /// <summary>Adds one compared shot. The caller keeps the shot; its picture may be copied.</summary>
    /// <param name="shot">Borrowed.</param>
    /// <param name="candidates">Identities at or above their threshold, best first.</param>
    /// <param name="alerts">Receives alerts that this shot completed; the caller owns them.</param>
    public void Add(FaceShot shot, ReadOnlySpan<Candidate> candidates, List<Alert> alerts)
    {
        if (!tracklets.TryGetValue(shot.TrackletId, out TrackletEvidence? evidence))
        {
            if (!spares.TryDequeue(out evidence))
                evidence = new TrackletEvidence();
            tracklets.Add(shot.TrackletId, evidence);
            FacesSeen++;
        }
        evidence.ComparedShots++;
        foreach (Candidate candidate in candidates)
        {
            IdentityEvidence identity = evidence.For(candidate.IdentityIndex);
            identity.Shots++;
            if (identity.Alerted)
                continue;
            if (candidate.ComparisonScore > identity.Score)
                identity.TakeBest(shot, candidate);
            if (identity.Shots >= policy.AgreeingShots)
                alerts.Add(Raise(shot, evidence, identity));
        }
    }

    /// <summary>Collects against another gallery from now on: what was collected against the former is wiped.</summary>
    public void Follow(Gallery next)
    {
        if (gallery == next)
            return;
        gallery = next;
        foreach (TrackletEvidence evidence in tracklets.Values)
            evidence.Forget();
    }

    /// <summary>Ends a tracklet and wipes what is left of it.</summary>
    public void End(long trackletId)
    {
        if (!tracklets.Remove(trackletId, out TrackletEvidence? evidence))
            return;
        evidence.Dispose();
        spares.Enqueue(evidence);
    }

    public void Dispose()
    {
        foreach (TrackletEvidence evidence in tracklets.Values)
            evidence.Dispose();
        tracklets.Clear();
    }

    private Alert Raise(FaceShot shot, TrackletEvidence evidence, IdentityEvidence identity)
    {
        identity.Alerted = true;
        Watchlists.WatchlistIdentity person = gallery.Identities[identity.IdentityIndex];
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return new Alert
        {
            Id = $"{run}/{camera}/{shot.TrackletId}/{person.Id}",
            Run = run,
            Camera = camera,
            TrackletId = shot.TrackletId,
            Identity = person,
            TemplateIndex = identity.TemplateIndex,
            Score = identity.Score,
            Threshold = thresholds[person.Category],
            AgreeingShots = identity.Shots,
            ComparedShots = evidence.ComparedShots,
            Box = identity.Box,
            Quality = identity.Quality,
            Cover = identity.Cover,
            ByCoveredTemplates = gallery.CoveredFor(identity.Cover.Parts) is not null,
            FirstSeenUs = shot.FirstSeenUs,
            BestShotUs = identity.BestShotUs,
            CompletedUs = shot.TimestampUs,
            CapturedAt = now - Stopwatch.GetElapsedTime(shot.ArrivalTimestamp),
            RaisedAt = now,
            Probe = identity.ReleasePicture(),
        };
    }

    private sealed class TrackletEvidence : IDisposable
    {
        private readonly List<IdentityEvidence> identities = [];

        public int ComparedShots { get; set; }

        public IdentityEvidence For(int identityIndex)
        {
            foreach (IdentityEvidence known in identities)
            {
                if (known.IdentityIndex == identityIndex)
                    return known;
            }
            var added = new IdentityEvidence(identityIndex);
            identities.Add(added);
            return added;
        }

        public void Forget()
        {
            foreach (IdentityEvidence identity in identities)
                identity.Dispose();
            identities.Clear();
        }

        public void Dispose()
        {
            Forget();
            ComparedShots = 0;
        }
    }

    private sealed class IdentityEvidence(int identityIndex) : IDisposable
    {
        private Picture? picture;

        public int IdentityIndex { get; } = identityIndex;

        public int Shots { get; set; }

        public bool Alerted { get; set; }

        public float Score { get; private set; } = float.NegativeInfinity;

        public int TemplateIndex { get; private set; }

        public FaceBox Box { get; private set; }

        public FaceQuality Quality { get; private set; }

        public CoverJudgement Cover { get; private set; }

        public long BestShotUs { get; private set; }

        public void TakeBest(FaceShot shot, in Candidate candidate)
        {
            picture?.Dispose();
            picture = shot.Picture.Copy();
            Score = candidate.ComparisonScore;
            TemplateIndex = candidate.TemplateIndex;
            Box = shot.Box;
            Quality = shot.Quality;
            Cover = shot.Cover;
            BestShotUs = shot.TimestampUs;
        }

        public Picture ReleasePicture()
        {
            Picture released = picture!;
            picture = null;
            // Whoever else is in it is nobody's business, whether or not a detector has seen them.
            released.PixelateAround(BestShotSelector.HeadIn(released.Width, released.Height), Math.Max(1, released.Width / CellsAround));
            return released;
        }

        public void Dispose() => picture?.Dispose();
    }
}
