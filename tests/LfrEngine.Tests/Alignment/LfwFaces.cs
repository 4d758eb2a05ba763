using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Models;

namespace LfrEngine.Tests.Aligning;

/// <summary>Portraits of the shared data, decoded by the engine, with the face in the middle found by the default models.</summary>
internal sealed unsafe class LfwFaces : IDisposable
{
    private readonly FaceDetector detector = new(TestModels.Detector, StillAnalyzer.StillSettings);
    private readonly CandidateList faces = new(256);

    public LandmarkFinder Finder { get; } = new(TestModels.Landmarks);

    /// <summary>One portrait each of <paramref name="count"/> people, evenly over the alphabet.</summary>
    public static string[] Portraits(int count)
    {
        string[] people = [.. Directory.EnumerateDirectories(RepoRoot.SharedData("lfw/images")).Order(StringComparer.Ordinal)];
        return [.. Enumerable.Range(0, count).Select(i => Directory.EnumerateFiles(people[(int)((long)i * people.Length / count)]).Order(StringComparer.Ordinal).First())];
    }

    public static MediaFrame Decode(string path) => MediaReader.ReadPicture(File.ReadAllBytes(path));

    /// <summary>The largest detection over the middle of a 250×250 portrait.</summary>
    public bool TryDetect(in FrameView frame, out FaceCandidate face)
    {
        detector.Detect(frame, faces);
        faces.Items.Sort(static (a, b) => b.Box.Area.CompareTo(a.Box.Area));
        foreach (FaceCandidate candidate in faces.Items)
        {
            if (candidate.Box.Intersection(new FaceBox(110, 110, 140, 140)) > 0)
            {
                face = candidate;
                return true;
            }
        }
        face = default;
        return false;
    }

    /// <summary>A portrait to draw on, with the face in the middle and its 68 points; null when there is none. The caller owns it.</summary>
    public Picture? Open(string path, Span<PointF> points, out FaceCandidate face)
    {
        using MediaFrame decoded = Decode(path);
        FrameView view = FrameLease.ViewOf(decoded);
        if (!TryDetect(view, out face))
            return null;
        Finder.Find(view, face.Box, points);
        var picture = new Picture(view.Width, view.Height);
        picture.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, view.Width);
        return picture;
    }

    /// <summary>The aligned crop of the face in the middle, as the default embedder takes it; null when there is none. The caller owns it.</summary>
    public HostBuffer<float>? Crop(string path, out AlignmentTransform transform, out FaceLandmarks found, out float score)
    {
        using MediaFrame frame = Decode(path);
        FrameView view = FrameLease.ViewOf(frame);
        (transform, found, score) = (default, default, 0);
        if (!TryDetect(view, out FaceCandidate face))
            return null;
        found = Finder.Find(view, face.Box);
        score = face.Score;
        if (!AlignmentTransform.TryEstimate(found.Points, out transform))
            return null;
        HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        FaceAligner.Align(view, transform, TestModels.Embedder.Manifest.Input, crop.Pointer);
        return crop;
    }

    public void Dispose()
    {
        detector.Dispose();
        faces.Dispose();
        Finder.Dispose();
    }
}
