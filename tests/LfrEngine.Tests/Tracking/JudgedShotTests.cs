using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Models;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Tracking;

[Collection(CountsRentedBuffers.Name)]
public sealed class JudgedShotTests
{
    /// <summary>A face and a piece of the background, both followed by a detector that is sure of them: only the face is ever compared.</summary>
    [Fact]
    public void Select_BackgroundThatTheDetectorBelieves_IsNotCompared()
    {
        RepoRoot.RestoredModel("fr_detect.onnx");
        TestModels.RestoredFile("onet");
        using EngineModels models = EngineModels.Load(TestModels.Catalog);
        using var faces = new LfwFaces();
        int ofFaces = 0, ofBackground = 0;
        foreach (string path in LfwFaces.Portraits(20))
        {
            using MediaFrame frame = LfwFaces.Decode(path);
            FrameView view = FrameLease.ViewOf(frame);
            if (!faces.TryDetect(view, out FaceCandidate face))
                continue;
            var tracker = new FaceTracker(new TrackerSettings());
            using var selector = new BestShotSelector(new BestShotPolicy(), models, tracker.SlotCount);
            FaceCandidate[] detections = [new FaceCandidate { Box = face.Box, Score = 0.9f }, new FaceCandidate { Box = new FaceBox(2, 198, 40, 248), Score = 0.7f }];
            var shots = new List<FaceShot>();
            for (int i = 0; i < 8; i++)
            {
                tracker.Update(detections, i * 100_000, view.Width, view.Height);
                selector.Select(view, 0, tracker, detections, shots);
            }
            ofFaces += shots.Any(s => s.Box == face.Box) ? 1 : 0;
            ofBackground += shots.Any(s => s.Box != face.Box) ? 1 : 0;
            shots.ForEach(s => s.Dispose());
        }
        Assert.True(ofFaces >= 19, $"{ofFaces} faces were compared.");
        Assert.True(ofBackground <= 1, $"{ofBackground} pieces of background were compared.");
    }
}
