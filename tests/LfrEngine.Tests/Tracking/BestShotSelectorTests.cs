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
        using var detector = new FaceDetector(models.Detector, new DetectorSettings());
        using var found = new CandidateList(64);
        detector.Detect(view, found);
        FaceCandidate face = found.Items[0];
        foreach (FaceCandidate candidate in found.Items)
            face = candidate.Box.Area > face.Box.Area ? candidate : face;
        // The upper left corner of the picture.
        var background = new FaceCandidate { Box = new FaceBox(10, 10, 10 + face.Box.Width, 10 + face.Box.Height), Score = 0.9f };
        foreach (FaceCandidate candidate in found.Items)
            Assert.Equal(0, candidate.Box.Intersection(background.Box));

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
        shots.ForEach(shot => shot.Dispose());
    }
}
