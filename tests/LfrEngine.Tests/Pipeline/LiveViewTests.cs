using System.Diagnostics;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Quality;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Pipeline;

/// <summary>The live view on real faces: nobody in it can be recognised who has raised no alert.</summary>
[Trait("Speed", "slow")]
public sealed unsafe class LiveViewTests : IDisposable
{
    // The threshold at which the engine would raise an alert.
    private const float Threshold = 0.48f;

    private readonly ITestOutputHelper output = TestContext.Current.TestOutputHelper!;
    private readonly string folder = Directory.CreateTempSubdirectory("lfr-live-").FullName;
    private readonly ModelCatalog catalog = new(Path.Combine(RepoRoot.Path, "models"), PackageCache.Default);
    private readonly FaceTracker tracker = new(new TrackerSettings());
    private readonly EngineModels models;
    private readonly FaceDetector secondLook;
    private readonly CandidateList seenAgain = new(64);

    public LiveViewTests()
    {
        RepoRoot.RestoredModel("fr_detect.onnx");
        models = EngineModels.Load(catalog);
        secondLook = new FaceDetector(models.Detector, new DetectorSettings { GridLongSide = 320 });
    }

    public void Dispose()
    {
        secondLook.Dispose();
        seenAgain.Dispose();
        models.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Every face that the detector finds in the full-resolution frame at the normal score: is it still the same person in the live picture, for the engine's own embedder with the true landmarks of that very frame?</summary>
    [Theory]
    [InlineData("drift")]
    [InlineData("demo")]
    [InlineData("street")]
    public void Picture_FacesOfTheFullFrame_AreNotRecognised(string material)
    {
        int faces = 0, knownPlain = 0, knownLive = 0, pictures = 0;
        float bestLive = -1;
        using var embedder = new Embedder(models.Embedder);
        using var landmarks = new LandmarkFinder(models.Landmarks);
        using var found = new CandidateList(512);
        FaceDetector? closely = null;
        Walk(Clip(material), (view, live) =>
        {
            closely ??= new FaceDetector(models.Detector, new DetectorSettings { GridLongSide = Math.Max(view.Width, view.Height) });
            closely.Detect(view, found);
            using Picture plain = Plain(view);
            pictures++;
            foreach (FaceCandidate face in found.Items)
            {
                FaceLandmarks look = landmarks.Find(view, face.Box);
                if (!IsSeenAgain(view, face.Box) || !IsComparable(embedder, view, look, face.Score))
                    continue;
                Landmarks5 points = look.Points;
                using HostBuffer<float>? own = Embed(embedder, view, points, 1);
                float scale = (float)live.Width / view.Width;
                using HostBuffer<float>? asLive = Embed(embedder, live, points, scale), asPlain = Embed(embedder, plain.View, points, scale);
                float scoreLive = Dot(own!, asLive!), scorePlain = Dot(own!, asPlain!);
                faces++;
                knownLive += scoreLive >= Threshold ? 1 : 0;
                knownPlain += scorePlain >= Threshold ? 1 : 0;
                bestLive = Math.Max(bestLive, scoreLive);
                if (scoreLive >= Threshold)
                    output.WriteLine($"picture {pictures}: {face.Box} at {face.Score:0.00} scores {scoreLive:0.000}");
            }
        });
        closely?.Dispose();

        output.WriteLine($"{material}: {pictures} pictures, {faces} faces; recognisable unpixelated {knownPlain}, in the live view {knownLive}; highest score there {bestLive:0.000}");
        Assert.True(pictures > 3 && faces > 10, $"{pictures} pictures, {faces} faces");
        Assert.True(knownPlain > faces / 3, $"Only {knownPlain} of {faces} would be recognisable at all.");
        Assert.Equal(0, knownLive);
    }

    [Fact]
    public void Picture_TrackletRaisedAnAlert_IsClearAndOthersArePixelated()
    {
        const long Shown = 1;
        int clear = 0, others = 0;
        using var embedder = new Embedder(models.Embedder);
        using var landmarks = new LandmarkFinder(models.Landmarks);
        Walk(Clip("drift"), (view, live) =>
        {
            foreach (Tracklet tracklet in tracker.Live)
            {
                if (!tracklet.DetectedNow)
                    continue;
                Landmarks5 points = landmarks.Find(view, tracklet.DetectedBox).Points;
                using HostBuffer<float>? own = Embed(embedder, view, points, 1), asLive = Embed(embedder, live, points, (float)live.Width / view.Width);
                float score = Dot(own!, asLive!);
                if (tracklet.Id != Shown)
                    Assert.True(score < Threshold, $"Tracklet {tracklet.Id} scores {score}");
                clear += tracklet.Id == Shown && score >= Threshold ? 1 : 0;
                others += tracklet.Id != Shown ? 1 : 0;
            }
        }, live => live.Show(Shown));

        output.WriteLine($"clear in {clear} pictures, {others} faces of others");
        Assert.True(clear > 3 && others > 3, $"clear in {clear} pictures, {others} faces of others");
    }

    [Fact]
    public void Pixelate_Region_IsMeansOfCellsAndNothingBeyond()
    {
        using var picture = new Picture(16, 8);
        FrameView view = picture.View;
        for (int i = 0; i < 16 * 8; i++)
            view.Y[i] = (byte)i;

        picture.Pixelate(new FaceBox(-3, 1.5f, 4.2f, 100), 4);

        // Rows 1 to 4, columns 0 to 3: from 16 to 67.
        Assert.Equal(41, view.Y[16]);
        Assert.Equal(41, view.Y[67]);
        Assert.Equal((0, 15), (view.Y[0], view.Y[15]));
        Assert.Equal(16 + 5, view.Y[16 + 5]);
        Assert.NotEqual(view.Y[67], view.Y[68]);
    }

    private string Clip(string material)
    {
        switch (material)
        {
            case "street":
                return RepoRoot.SharedData("video/street-1080p25.mp4");
            case "demo":
                string demo = Path.Combine(PackageCache.Default.Root, "demo");
                string? made = Directory.Exists(demo) ? Directory.GetFiles(demo, "street-*.mp4").FirstOrDefault() : null;
                if (made is null)
                    Assert.Skip("The demonstration's clip has not been made; `lfr demo` makes it.");
                return made!;
            default:
                string clip = Path.Combine(folder, "drift.mp4");
                Ffmpeg("-loop", "1", "-framerate", "25", "-i", catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg"), "-t", "3", "-vf", "scale=1120:-2,crop=960:544:x='40+10*t':y=60", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", clip);
                return clip;
        }
    }

    // On a fine grid the detector takes sleeves, legs and shadows for faces as well: they are not found again at a face's own scale.
    private bool IsSeenAgain(in FrameView view, in FaceBox box)
    {
        const int Side = 320;
        float half = Math.Max(box.Width, box.Height) * 1.5f, x = (box.Left + box.Right) / 2, y = (box.Top + box.Bottom) / 2, scale = Side / (2 * half);
        using var closeUp = new Picture(Side, Side);
        closeUp.Paint(view, new FaceBox(x - half, y - half, x + half, y + half), 0, Side);
        secondLook.Detect(closeUp.View, seenAgain);
        var expected = new FaceBox((box.Left - x + half) * scale, (box.Top - y + half) * scale, (box.Right - x + half) * scale, (box.Bottom - y + half) * scale);
        foreach (FaceCandidate face in seenAgain.Items)
        {
            if (face.Box.IoU(expected) >= 0.4f)
                return true;
        }
        return false;
    }

    // Faces that the engine would compare: of the others there is nothing to recognise, and most are none.
    private static bool IsComparable(Embedder embedder, in FrameView view, in FaceLandmarks look, float score)
    {
        if (!AlignmentTransform.TryEstimate(look.Points, out AlignmentTransform alignment))
            return false;
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        FaceAligner.Align(view, alignment, embedder.Input, crop.Pointer);
        return new BestShotPolicy().IsComparable(QualityAssessor.Assess(look, alignment, crop.Pointer, embedder.Input, score));
    }

    // As a camera's lane does it, with a clock that goes with the stream; every picture is taken, decoded and looked at beside its frame.
    private void Walk(string clip, Action<FrameView, FrameView> look, Action<LiveView>? begin = null)
    {
        var time = new StreamTime();
        using var live = new LiveView(time);
        begin?.Invoke(live);
        using var detector = new FaceDetector(models.Detector, new DetectorSettings { MinimumScore = new TrackerSettings().ContinueScore });
        using var faces = new CandidateList(512);
        using MediaReader reader = MediaReader.Open(clip);
        string file = Path.Combine(folder, "live.jpg");
        live.TakeJpeg(out _)?.Dispose();
        for (int number = 0; reader.Read(out MediaFrame? frame) == DecodeResult.Frame; number++)
        {
            using (frame)
            {
                if (number % 3 != 0)
                    continue;
                FrameView view = FrameLease.ViewOf(frame!);
                time.Us = frame!.Info.PtsUs;
                detector.Detect(view, faces);
                tracker.Update(faces.Items, time.Us, view.Width, view.Height);
                long before = live.Pictures;
                live.Offer(view, time.Us, faces.Items, tracker);
                using HostBuffer<byte>? jpeg = live.TakeJpeg(out int size);
                if (live.Pictures == before)
                    continue;
                File.WriteAllBytes(file, jpeg!.Span[..size].ToArray());
                using MediaReader still = MediaReader.Open(file);
                Assert.Equal(DecodeResult.Frame, still.Read(out MediaFrame? picture));
                using (picture)
                    look(view, FrameLease.ViewOf(picture!));
            }
        }
    }

    private static Picture Plain(in FrameView view)
    {
        var plain = new Picture(LiveView.LargestWidth, view.Height * LiveView.LargestWidth / view.Width);
        plain.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, plain.Width);
        return plain;
    }

    private static HostBuffer<float>? Embed(Embedder embedder, in FrameView view, in Landmarks5 points, float scale)
    {
        PointF At(PointF p) => new(p.X * scale, p.Y * scale);
        var scaled = new Landmarks5(At(points.LeftEye), At(points.RightEye), At(points.Nose), At(points.LeftMouth), At(points.RightMouth));
        if (!AlignmentTransform.TryEstimate(scaled, out AlignmentTransform alignment))
            return null;
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        FaceAligner.Align(view, alignment, embedder.Input, crop.Pointer);
        HostBuffer<float> embedding = BufferPool.Rent<float>(embedder.Length);
        Span<float> norm = stackalloc float[1];
        embedder.Embed([crop], embedding.Span, norm);
        return embedding;
    }

    private static float Dot(HostBuffer<float> a, HostBuffer<float> b) => System.Numerics.Tensors.TensorPrimitives.Dot<float>(a.Span, b.Span);

    private static void Ffmpeg(params string[] arguments)
    {
        using Process ffmpeg = Process.Start(new ProcessStartInfo("ffmpeg", ["-loglevel", "error", "-nostdin", "-y", .. arguments]) { RedirectStandardError = true })!;
        string errors = ffmpeg.StandardError.ReadToEnd();
        ffmpeg.WaitForExit();
        Assert.True(ffmpeg.ExitCode == 0, errors);
    }
}

/// <summary>What the live view rents.</summary>
[Collection(CountsRentedBuffers.Name)]
public sealed class LiveViewMemoryTests
{
    [Fact]
    public void Picture_NobodyWatchesAnyMore_IsWipedAndItsMemoryReleased()
    {
        var time = new StreamTime();
        var tracker = new FaceTracker(new TrackerSettings());
        using var live = new LiveView(time);
        using var frame = new Picture(1280, 720);
        // The empty scene is learnt and kept also while nobody watches.
        live.Offer(frame.View, 0, [], tracker);
        long before = BufferPool.OutstandingBlocks;
        live.TakeJpeg(out _)?.Dispose();
        for (time.Us = 0; time.Us <= 600_000; time.Us += 120_000)
            live.Offer(frame.View, time.Us, [], tracker);
        Assert.Equal(1, live.Pictures);
        Assert.True(BufferPool.OutstandingBlocks > before);

        time.Us += 2_000_000;
        live.Tidy();

        Assert.Equal(before, BufferPool.OutstandingBlocks);
        live.Offer(frame.View, time.Us, [], tracker);
        Assert.Equal(1, live.Pictures);
        Assert.Null(live.TakeJpeg(out _));
    }
}

/// <summary>A clock that goes with the stream.</summary>
internal sealed class StreamTime : TimeProvider
{
    public long Us { get; set; }

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => Us + 1;
}
