using System.Diagnostics;
using LfrEngine.Alerts;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>One of the threads that work for all cameras. Owns what searching and comparing need, and nothing that belongs to a camera.</summary>
internal sealed class Worker : IDisposable
{
    private readonly PipelineSettings settings;
    private readonly RunTotals totals;
    private readonly CurrentGallery list;
    private readonly Scheduler scheduler;
    private readonly Action<CameraLane, Alert> hand;
    private readonly FaceDetector detector;
    private readonly Embedder embedder;
    private readonly Probes probes;
    private readonly AlignedFace[] faces;
    private readonly PendingShot[] taken;
    private readonly PendingShot[] sound;
    private readonly Candidate[] candidates;
    private readonly int[] counts;
    private readonly FaceCover[] covers;

    public Worker(EngineModels models, CurrentGallery list, PipelineSettings settings, RunTotals totals, Scheduler scheduler, Action<CameraLane, Alert> hand)
    {
        (this.settings, this.totals, this.list, this.scheduler, this.hand) = (settings, totals, list, scheduler, hand);
        int batch = settings.EmbeddingBatch;
        detector = new FaceDetector(models.Detector, settings.Detector with { MinimumScore = new TrackerSettings().ContinueScore });
        embedder = new Embedder(models.Embedder);
        probes = new Probes(batch, embedder.Length);
        faces = new AlignedFace[batch];
        taken = new PendingShot[batch];
        sound = new PendingShot[batch];
        candidates = new Candidate[batch * PipelineSettings.MaximumCandidates];
        counts = new int[batch];
        covers = new FaceCover[batch];
    }

    /// <summary>Runs the networks and kernels once on a blank picture, so that compilation and allocation do not delay the first real frame.</summary>
    public void WarmUp(BestShotSelector closeLook)
    {
        const int Width = 1920, Height = 1080;
        using HostBuffer<byte> blank = BufferPool.Rent<byte>(Width * Height * 3 / 2);
        using var found = new CandidateList(1);
        FrameView view = Blank(blank, Width, Height);
        detector.Detect(view, found);
        closeLook.WarmUp(view);
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        for (int i = 1; i <= faces.Length; i++)
        {
            Array.Fill(faces, In(crop), 0, i);
            embedder.Embed(faces.AsSpan(0, i), probes);
        }
        using (GalleryLease gallery = list.Lease())
            settings.Search.SearchBatch(gallery.Gallery, probes, settings.Thresholds, PipelineSettings.MaximumCandidates, candidates, counts.AsSpan(0, faces.Length), covers.AsSpan(0, faces.Length));
        ForgetBatch();
    }

    /// <summary>Works until all cameras have ended.</summary>
    public void Run()
    {
        while (scheduler.Take(out Work work, taken))
        {
            Exception? failure = null;
            try
            {
                switch (work.Kind)
                {
                    case WorkKind.Search:
                        Search(work.Frame!);
                        break;
                    case WorkKind.Track when work.Frame!.Frame is null:
                        work.Frame.Lane.EndTracklets(work.Frame);
                        break;
                    case WorkKind.Track:
                        work.Frame!.Lane.Track(work.Frame);
                        break;
                    case WorkKind.Compare:
                        Compare(taken.AsSpan(0, work.Shots));
                        break;
                    case WorkKind.Decide:
                        work.Frame!.Lane.Decide(work.Frame, hand);
                        break;
                }
            }
#pragma warning disable CA1031 // Any exception from a stage ends only its camera; the operator sees the message.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = e;
            }
            scheduler.Done(work, taken.AsSpan(0, work.Shots), failure);
            taken.AsSpan(0, work.Shots).Clear();
        }
    }

    public void Dispose()
    {
        detector.Dispose();
        embedder.Dispose();
        probes.Dispose();
    }

    private void Search(FrameWork work)
    {
        totals.BeforeSearch.Add(Stopwatch.GetElapsedTime(work.ArrivalTimestamp, work.SearchTimestamp));
        settings.AtStage?.Invoke("detect", work.Lane.Camera.Name);
        detector.Detect(work.Frame!.View, work.Faces);
        work.Lane.Status.CountSearched(work.Faces.Count);
    }

    private void Compare(ReadOnlySpan<PendingShot> shots)
    {
        int count = 0;
        foreach (PendingShot pending in shots)
        {
            if (IsSound(pending, "embed"))
                sound[count++] = pending;
        }
        try
        {
            for (int i = 0; i < count; i++)
                (faces[i], covers[i]) = (sound[i].Shot.Face, sound[i].Shot.Cover.Parts);
            embedder.Embed(faces.AsSpan(0, count), probes);
            for (int i = 0; i < count && settings.OnEmbedded is not null; i++)
                settings.OnEmbedded(sound[i].Frame.Lane.Camera.Name, sound[i].Shot, probes.Rows.Slice(i * embedder.Length, embedder.Length), probes.Norms[i]);
            const int most = PipelineSettings.MaximumCandidates;
            using GalleryLease gallery = list.Lease();
            if (count > 0)
            {
                using (StageClock.Time(PipelineStage.Match))
                    settings.Search.SearchBatch(gallery.Gallery, probes, settings.Thresholds, most, candidates, counts.AsSpan(0, count), covers.AsSpan(0, count));
            }
            for (int i = 0; i < count; i++)
            {
                FaceShot shot = sound[i].Shot;
                if (!IsSound(sound[i], "match"))
                    continue;
                shot.Expect(most);
                candidates.AsSpan(i * most, counts[i]).CopyTo(shot.Candidates);
                (shot.CandidateCount, shot.EmbeddingNorm, shot.Searched) = (counts[i], probes.Norms[i], gallery.Gallery);
            }
        }
        finally
        {
            ForgetBatch();
        }
        for (int i = 0; i < count; i++)
            totals.CountEmbeddingErased(sound[i].Frame.ArrivalTimestamp);
        sound.AsSpan(0, count).Clear();
    }

    // A failing shot ends only its own camera, not those of the other shots in the batch.
    private bool IsSound(in PendingShot pending, string stage)
    {
        try
        {
            settings.AtStage?.Invoke(stage, pending.Frame.Lane.Camera.Name);
            return true;
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            scheduler.EndFailed(pending.Frame.Lane, e);
            return false;
        }
    }

    private void ForgetBatch()
    {
        probes.Wipe();
        candidates.AsSpan().Clear();
        covers.AsSpan().Clear();
        Array.Clear(faces);
    }

    private static unsafe AlignedFace In(HostBuffer<float> crop) => new(crop.Pointer);

    private static unsafe FrameView Blank(HostBuffer<byte> planes, int width, int height)
    {
        // Grey, because some kernels take short cuts for black.
        planes.Span.Fill(128);
        nint y = (nint)planes.Pointer, u = y + (width * height), v = u + (width * height / 4);
        return new FrameView(PixelFormat.I420, width, height, [y, u, v], [width, width / 2, width / 2], ColourMatrix.Bt709, ColourRange.Limited, ChromaLocation.Left);
    }
}
