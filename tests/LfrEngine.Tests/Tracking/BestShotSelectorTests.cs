using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Tests.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Tracking;

public sealed class BestShotSelectorTests
{
    /// <summary>A tracklet of something that is no face, of which the detector is sure, is never compared; the face beside it is.</summary>
    [Fact]
    public void Select_TrackletThatIsNoFace_GivesNoShot()
    {
        using EngineModels models = EngineModels.Load(TestModels.Catalog);
        using MediaFrame photo = MediaReader.ReadPicture(File.ReadAllBytes(TestModels.Catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg")));
        FrameView view = FrameLease.ViewOf(photo);
        FaceCandidate face = Largest(models, view);
        // The upper left corner of the picture.
        var background = new FaceCandidate { Box = new FaceBox(10, 10, 10 + face.Box.Width, 10 + face.Box.Height), Score = 0.9f };
        Assert.Equal(0, face.Box.Intersection(background.Box));

        var tracker = new FaceTracker(models.Tracking(new TrackerSettings()));
        using var selector = new BestShotSelector(new BestShotPolicy(), models, tracker.SlotCount);
        var shots = new List<FaceShot>();
        for (int frame = 0; frame < 10; frame++)
        {
            FaceCandidate[] detections = [face, background];
            tracker.Update(detections, frame * 120_000, view.Width, view.Height);
            selector.Select(view, 0, tracker, detections, shots);
        }

        Assert.NotEmpty(shots);
        Assert.All(shots, shot => Assert.Equal(face.Box, shot.Box));
        Assert.All(shots, shot => Assert.True(shot.Quality.Plausibility >= new BestShotPolicy().MinimumEvidence));
        int everywhere = shots.Count;
        shots.ForEach(shot => shot.Dispose());

        // Outside a zone the face is followed as before, but never looked at.
        bool isLeft = face.Box.Left + face.Box.Right < view.Width;
        Assert.True(PictureZone.TryParse("0,0 100,0 100,100 0,100", out PictureZone? whole));
        Assert.True(PictureZone.TryParse(isLeft ? "60,0 100,0 100,100 60,100" : "0,0 40,0 40,100 0,100", out PictureZone? otherHalf));
        foreach ((PictureZone zone, int expected) in new[] { (whole, everywhere), (otherHalf, 0) })
        {
            var again = new FaceTracker(models.Tracking(new TrackerSettings()));
            using var zoned = new BestShotSelector(new BestShotPolicy(), models, again.SlotCount, zone);
            shots.Clear();
            for (int frame = 0; frame < 10; frame++)
            {
                again.Update([face, background], frame * 120_000, view.Width, view.Height);
                zoned.Select(view, 0, again, [face, background], shots);
            }
            Assert.Equal((2, expected), (again.Live.Length, shots.Count));
            shots.ForEach(shot => shot.Dispose());
        }
    }

    /// <summary>A tracklet that slides from a face onto the background is not compared there on the verifier's earlier word, because the detector is unsure.</summary>
    [Fact]
    public void Select_FaceThatGivesWayToBackground_IsJudgedAgain()
    {
        using EngineModels models = EngineModels.Load(TestModels.Catalog);
        using MediaFrame photo = MediaReader.ReadPicture(File.ReadAllBytes(TestModels.Catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg")));
        FrameView view = FrameLease.ViewOf(photo);
        FaceCandidate face = Largest(models, view);
        // The upper left corner of the picture, where the face was.
        using var moved = new Picture(view.Width, view.Height);
        moved.Paint(view, new FaceBox(10 - face.Box.Left, 10 - face.Box.Top, 10 - face.Box.Left + view.Width, 10 - face.Box.Top + view.Height), 0, view.Width);

        var tracker = new FaceTracker(models.Tracking(new TrackerSettings()));
        using var selector = new BestShotSelector(new BestShotPolicy(), models, tracker.SlotCount);
        var shots = new List<FaceShot>();
        for (int frame = 0; frame < 4; frame++)
            Follow(view, face with { Score = 0.9f }, frame);
        int ofFace = shots.Count;
        int judged = 0;
        for (int frame = 4; frame < 16; frame++)
        {
            Follow(moved.View, face with { Score = 0.4f }, frame);
            judged += selector.Looks[tracker.Live[0].Slot] == LookResult.Implausible ? 1 : 0;
        }
        Assert.InRange(ofFace, 1, 4);
        Assert.Equal(ofFace, shots.Count);
        Assert.True(judged > 0, "The verifier was never asked.");
        shots.ForEach(shot => shot.Dispose());

        void Follow(in FrameView picture, FaceCandidate detection, int frame)
        {
            tracker.Update([detection], frame * 120_000, picture.Width, picture.Height);
            selector.Select(picture, 0, tracker, [detection], shots);
        }
    }

    /// <summary>A face just begun: where the detector is unsure of it, it is looked at less often, and compared all the same.</summary>
    [Fact]
    public void Select_DetectorUnsure_LooksRarelyAndComparesAllTheSame()
    {
        using EngineModels models = EngineModels.Load(TestModels.Catalog);
        using MediaFrame photo = MediaReader.ReadPicture(File.ReadAllBytes(TestModels.Catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg")));
        FrameView view = FrameLease.ViewOf(photo);
        FaceCandidate face = Largest(models, view);
        (int sureLooks, int sureShots) = Count(0.9f);
        (int unsureLooks, int unsureShots) = Count(0.5f);
        TestContext.Current.TestOutputHelper?.WriteLine($"sure: {sureLooks} looks, {sureShots} shots; unsure: {unsureLooks} looks, {unsureShots} shots");
        Assert.True(unsureShots >= 2, $"{unsureShots} shots");
        Assert.True(unsureLooks < sureLooks, $"{unsureLooks} and {sureLooks} looks");

        (int Looks, int Shots) Count(float score)
        {
            var tracker = new FaceTracker(models.Tracking(new TrackerSettings()));
            using var selector = new BestShotSelector(new BestShotPolicy(), models, tracker.SlotCount);
            var shots = new List<FaceShot>();
            int looks = 0;
            FaceCandidate[] detections = [face with { Score = score }];
            for (int frame = 0; frame < 6; frame++)
            {
                tracker.Update(detections, frame * 120_000, view.Width, view.Height);
                selector.Select(view, 0, tracker, detections, shots);
                looks += selector.Looks[tracker.Live[0].Slot] == LookResult.None ? 0 : 1;
            }
            int found = shots.Count;
            shots.ForEach(shot => shot.Dispose());
            return (looks, found);
        }
    }

    private static FaceCandidate Largest(EngineModels models, in FrameView view)
    {
        using var detector = new FaceDetector(models.Detector, new DetectorSettings());
        using var found = new CandidateList(64);
        detector.Detect(view, found);
        FaceCandidate largest = found.Items[0];
        foreach (FaceCandidate candidate in found.Items)
            largest = candidate.Box.Area > largest.Box.Area ? candidate : largest;
        return largest;
    }
}
