using LfrEngine.Detection;
using LfrEngine.Detection.Heads;
using Microsoft.ML.OnnxRuntime;
using OpenCvSharp;
using Xunit;

namespace LfrEngine.Tests.Detection;

/// <summary>Whole networks: each head against the network it was written for.</summary>
public sealed class DetectorModelTests
{
    private const int Grid = 640;

    [Fact]
    public void YuNet_SharedImages_EqualsOpenCv()
    {
        string model = RepoRoot.SharedData("models/yunet_s_640_640.onnx");
        const float Score = 0.6f, Overlap = 0.3f;
        using var session = new InferenceSession(model);
        using var reference = FaceDetectorYN.Create(model, "", new Size(Grid, Grid), Score, Overlap, 5000);
        var head = new YuNetHead();
        int compared = 0;
        foreach (string path in Images("masks/images", 12))
        {
            using Mat image = Square(path);
            using CandidateList faces = Run(session, head, image, default, 1, rgb: false, Score);
            NonMaximumSuppression.Greedy(faces, Overlap);
            using var found = new Mat();
            reference.Detect(image, found);

            int rows = found.Rows;
            Assert.Equal(rows, faces.Count);
            for (int row = 0; row < rows; row++)
            {
                // OpenCV's row: x, y, width, height, ten landmark coordinates, score. Two inference engines: a tenth of a pixel.
                FaceCandidate face = faces.Items[row];
                Assert.Equal(found.At<float>(row, 14), face.Score, 1e-3f);
                Assert.Equal(found.At<float>(row, 0), face.Box.Left, 0.1f);
                Assert.Equal(found.At<float>(row, 1), face.Box.Top, 0.1f);
                Assert.Equal(found.At<float>(row, 2), face.Box.Width, 0.1f);
                Assert.Equal(found.At<float>(row, 3), face.Box.Height, 0.1f);
                Span<float> landmarks = DetectorGolden.Coordinates(ref face);
                for (int i = 0; i < landmarks.Length; i++)
                    Assert.Equal(found.At<float>(row, 4 + i), landmarks[i], 0.1f);
                compared++;
            }
        }
        Assert.True(compared >= 12, $"Only {compared} faces were compared.");
    }

    /// <summary>Portraits, each with a face in the middle: found with plausible landmarks in at least 19 of 20.</summary>
    [Theory]
    [InlineData("yunet_s_640_640.onnx")]
    [InlineData("yunet_n_dynamic.onnx")]
    [InlineData("scrfd_500m_bnkps.onnx")]
    [InlineData("retinaface_mbnet0.25.onnx")]
    public void SharedModel_Portraits_FindsTheFace(string file)
    {
        using var session = new InferenceSession(RepoRoot.SharedData("models/" + file));
        IDetectorHead head;
        Scalar mean = default;
        double scale = 1;
        bool rgb = false;
        if (file.StartsWith("yunet", StringComparison.Ordinal))
        {
            head = new YuNetHead();
        }
        else if (file.StartsWith("scrfd", StringComparison.Ordinal))
        {
            (head, mean, scale, rgb) = (new ScrfdHead(), Scalar.All(127.5), 1 / 128.0, true);
        }
        else
        {
            head = new RetinaFaceHead("loc", "conf", "iou");
            mean = new Scalar(104, 117, 123);
        }
        int found = 0;
        string[] portraits = Images("lfw/images", 20);
        foreach (string path in portraits)
        {
            using Mat image = Square(path);
            using CandidateList faces = Run(session, head, image, mean, scale, rgb, 0.5f);
            NonMaximumSuppression.Greedy(faces, 0.4f);
            foreach (ref readonly FaceCandidate face in faces.Items)
            {
                if (IsCentralFace(face))
                {
                    found++;
                    break;
                }
            }
        }
        Assert.Equal(20, portraits.Length);
        Assert.True(found >= 19, $"{found} of {portraits.Length}.");
    }

    [Fact]
    public void UltraFace_OriginalGraph_DecodesAlike()
    {
        // The published graph ends in its own decoding; appending a graph output to the file (protobuf merges repeated messages)
        // shows the raw locations as well: field 7 graph { field 12 output { field 1 name } }.
        byte[] model = File.ReadAllBytes(RepoRoot.RestoredModel("fr_detect.onnx"));
        using var session = new InferenceSession([.. model, 0x3A, 7, 0x62, 5, 0x0A, 3, .. "462"u8]);
        const int Width = 320, Height = 240;
        var random = new Random(5);
        var input = new float[3 * Width * Height];
        for (int i = 0; i < input.Length; i++)
            input[i] = (random.NextSingle() * 2) - 1;
        using OrtValue tensor = OrtValue.CreateTensorValueFromMemory(input, [1, 3, Height, Width]);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(
            options, session.InputNames, [tensor], ["scores", "462", "boxes"]);
        using var raw = new RawOutputs(new UltraFaceHead(), Width, Height);
        results[0].GetTensorDataAsSpan<float>().CopyTo(raw[0]);
        results[1].GetTensorDataAsSpan<float>().CopyTo(raw[1]);
        using var faces = new CandidateList(8192);

        raw.Decode(0, faces);

        ReadOnlySpan<float> expected = results[2].GetTensorDataAsSpan<float>();
        Assert.Equal(4420, faces.Count);
        for (int i = 0; i < faces.Count; i++)
        {
            FaceBox box = faces.Items[i].Box;
            Assert.Equal(expected[4 * i], box.Left / Width, 1e-4f);
            Assert.Equal(expected[(4 * i) + 1], box.Top / Height, 1e-4f);
            Assert.Equal(expected[(4 * i) + 2], box.Right / Width, 1e-4f);
            Assert.Equal(expected[(4 * i) + 3], box.Bottom / Height, 1e-4f);
        }
    }

    private static string[] Images(string folder, int count) =>
        [.. Directory.EnumerateFiles(RepoRoot.SharedData(folder), "*.*", SearchOption.AllDirectories)
            .Where(path => path.EndsWith(".jpg", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal)
            .Take(count)];

    private static Mat Square(string path)
    {
        using Mat file = Cv2.ImRead(path);
        var image = new Mat();
        Cv2.Resize(file, image, new Size(Grid, Grid));
        return image;
    }

    // LFW's portraits are cropped around the face, which fills about half of the side.
    private static bool IsCentralFace(in FaceCandidate face)
    {
        FaceBox box = face.Box;
        Alignment.Landmarks5 points = face.Landmarks;
        return box.IoU(new FaceBox(0.32f * Grid, 0.26f * Grid, 0.68f * Grid, 0.74f * Grid)) >= 0.5f
            && points.LeftEye.X < points.RightEye.X
            && points.LeftMouth.X < points.RightMouth.X
            && points.LeftEye.Y < points.Nose.Y
            && points.Nose.Y < points.LeftMouth.Y
            && points.InterEyePixels > 0.25f * box.Width
            && points.LeftEye.X > box.Left && points.RightEye.X < box.Right;
    }

    private static CandidateList Run(
        InferenceSession session, IDetectorHead head, Mat image, Scalar mean, double scale, bool rgb, float minimumScore)
    {
        using Mat blob = OpenCvSharp.Dnn.CvDnn.BlobFromImage(image, scale, new Size(Grid, Grid), mean, swapRB: rgb, crop: false);
        var input = new float[3 * Grid * Grid];
        System.Runtime.InteropServices.Marshal.Copy(blob.Data, input, 0, input.Length);
        using OrtValue tensor = OrtValue.CreateTensorValueFromMemory(input, [1, 3, Grid, Grid]);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, session.InputNames, [tensor], head.OutputNames);
        using var raw = new RawOutputs(head, Grid, Grid);
        for (int i = 0; i < raw.Count; i++)
            results[i].GetTensorDataAsSpan<float>().CopyTo(raw[i]);
        var faces = new CandidateList(2048);
        raw.Decode(minimumScore, faces);
        Assert.Equal(0, faces.Dropped);
        return faces;
    }
}
