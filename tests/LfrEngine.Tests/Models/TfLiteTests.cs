using LfrEngine.Models;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Shared;
using LfrEngine.Tests.Watchlists;
using Microsoft.ML.OnnxRuntime;
using OpenCvSharp;
using OpenCvSharp.Dnn;
using Xunit;

namespace LfrEngine.Tests.Models;

/// <summary>Networks in TensorFlow Lite files compute what other programs compute with them, and what is no such file is refused in words.</summary>
[Trait("Speed", "slow")]
public sealed class TfLiteTests : IDisposable
{
    private const int Add = 0, Conv = 3, Depthwise = 4, Dequantise = 6, FullyConnected = 9, MaxPool = 17, Prelu = 54;

    private readonly TemporaryDirectory folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>OpenCV's own reader of these files, on real faces. Without them on a drawn picture, which says less but not nothing.</summary>
    [Theory]
    [InlineData("mesh-468", 192)]
    [InlineData("blazeface-full-range", 192)]
    public void Load_ServedModel_ComputesAsOpenCv(string id, int size)
    {
        ModelManifest manifest = TestModels.Manifest(id);
        using Net network = CvDnn.ReadNet(TestModels.RestoredFile(id), "", "tflite")!;
        using var ours = new InferenceSession(OnnxModel.ReadEdited(TestModels.Catalog, manifest));
        double worst = 0;
        foreach (Mat picture in Pictures())
        {
            using (picture)
            {
                float scale = manifest.Input.Scale[0], mean = manifest.Input.Mean[0];
                using Mat blob = CvDnn.BlobFromImage(picture, scale, new Size(size, size), Scalar.All(mean), swapRB: true, crop: false);
                var values = new float[blob.Total()];
                System.Runtime.InteropServices.Marshal.Copy(blob.Data, values, 0, values.Length);
                network.SetInput(blob);
                using var given = OrtValue.CreateTensorValueFromMemory(values, [1, 3, size, size]);
                using var options = new RunOptions();
                using var actual = ours.Run(options, [manifest.Input.Name], [given], manifest.Outputs);
                for (int i = 0; i < manifest.Outputs.Length; i++)
                {
                    using Mat expected = network.Forward(manifest.Outputs[i]);
                    ReadOnlySpan<float> a = actual[i].GetTensorDataAsSpan<float>();
                    Assert.Equal(expected.Total(), a.Length);
                    float[] e = new float[a.Length];
                    System.Runtime.InteropServices.Marshal.Copy(expected.Data, e, 0, e.Length);
                    double largest = e.Max(Math.Abs), difference = 0;
                    for (int k = 0; k < e.Length; k++)
                        difference = Math.Max(difference, Math.Abs(e[k] - a[k]));
                    worst = Math.Max(worst, difference / largest);
                }
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{id}: largest difference {worst:e1} of the largest value");
        Assert.InRange(worst, 0, 1e-5);
    }

    /// <summary>OpenCV does not read this file; the reference is the network as its paper draws it, in plain loops.</summary>
    [Fact]
    public void Load_Onet_ComputesAsPlainLoops()
    {
        ModelManifest manifest = TestModels.Manifest("onet");
        var reference = new PlainOnet(File.ReadAllBytes(TestModels.RestoredFile("onet")));
        using var ours = new InferenceSession(OnnxModel.ReadEdited(TestModels.Catalog, manifest));
        double worst = 0;
        foreach (Mat picture in Pictures())
        {
            using (picture)
            {
                using Mat blob = CvDnn.BlobFromImage(picture, manifest.Input.Scale[0], new Size(48, 48), Scalar.All(manifest.Input.Mean[0]), swapRB: true, crop: false);
                var values = new float[blob.Total()];
                System.Runtime.InteropServices.Marshal.Copy(blob.Data, values, 0, values.Length);
                using var given = OrtValue.CreateTensorValueFromMemory(values, [1, 3, 48, 48]);
                using var options = new RunOptions();
                using var actual = ours.Run(options, [manifest.Input.Name], [given], manifest.Outputs);
                (double[] probability, double[] box) = reference.Run(values);
                for (int i = 0; i < 2; i++)
                    worst = Math.Max(worst, Math.Abs(probability[i] - actual[0].GetTensorDataAsSpan<float>()[i]));
                for (int i = 0; i < 4; i++)
                    worst = Math.Max(worst, Math.Abs(box[i] - actual[1].GetTensorDataAsSpan<float>()[i]));
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"onet: largest difference {worst:e1}");
        Assert.InRange(worst, 0, 1e-5);
    }

    [Theory]
    [InlineData("mesh-468")]
    [InlineData("blazeface-full-range")]
    [InlineData("onet")]
    public void CompareWithOriginal_ServedModel_IsRounding(string id)
    {
        TestModels.RestoredFile(id);
        Assert.InRange(OnnxModel.CompareWithOriginal(TestModels.Catalog, TestModels.Manifest(id)), 0, 1e-5);
    }

    /// <summary>Weights of 16 bits, a depthwise convolution, a pool, a PRELU and a constant, with the answer worked out by hand.</summary>
    [Fact]
    public void Translate_SmallGraph_ComputesTheAnswer()
    {
        float[] picture = [.. Enumerable.Range(0, 3 * 4 * 4).Select(i => (float)((i * 7) % 48) - 24)];
        float[] factor = [2, -1, 1], slope = [0.5f, 3, 0.25f], plus = [10, 20, 30];
        float[] result = Run(Small(), [1, 3, 4, 4], picture, "sum");
        for (int i = 0; i < result.Length; i++)
        {
            (int channel, int y, int x) = (i / 4, i / 2 % 2, i % 2);
            float largest = Enumerable.Range(0, 4).Max(k => factor[channel] * picture[(16 * channel) + (((2 * y) + (k / 2)) * 4) + (2 * x) + (k % 2)]);
            Assert.Equal((largest < 0 ? largest * slope[channel] : largest) + plus[channel], result[i], 4);
        }
    }

    /// <summary>SAME padding of an even size with stride 2 begins with nothing and ends with one row: the other way round the answer moves.</summary>
    [Fact]
    public void Translate_SamePaddingWithStride_PadsTheEnd()
    {
        var file = new TfLiteWriter();
        int x = file.Tensor("x", 1, 4, 4, 1), y = file.Tensor("y", 1, 2, 2, 1);
        file.Operator(Conv, [x, file.Constant("w", [1, 3, 3, 1], 1f, 0, 0, 0, 0, 0, 0, 0, 0)], y, (byte)0, 2, 2, (byte)0);
        float[] picture = [.. Enumerable.Range(0, 16).Select(i => (float)i)];
        Assert.Equal([0, 2, 8, 10], Run(file.Write(x, y), [1, 1, 4, 4], picture, "y"));
    }

    /// <summary>Rows of a fully connected layer follow the layout that pictures have here.</summary>
    [Fact]
    public void Translate_FullyConnectedAfterAPicture_TakesRowsInOurLayout()
    {
        var file = new TfLiteWriter();
        int x = file.Tensor("x", 1, 1, 2, 2), y = file.Tensor("y", 1, 2);
        // In the file's order: pixel 0 channel 0, pixel 0 channel 1, pixel 1 channel 0, pixel 1 channel 1.
        file.Operator(FullyConnected, [x, file.Constant("w", [2, 4], 1f, 10, 100, 1000, 0, 0, 0, 1), file.Constant("b", [2], 0.5f, 0)], y, (byte)0);
        // Channel 0: 1, 2; channel 1: 3, 4.
        Assert.Equal([1 + 30 + 200 + 4000 + 0.5f, 4], Run(file.Write(x, y), [1, 2, 1, 2], [1, 2, 3, 4], "y"));
    }

    [Fact]
    public void Load_BatchOfTwo_GivesEachItsOwn()
    {
        using OnnxModel model = Load(Small(), "sum");
        using InferencePlan one = model.CreatePlan(1, 4, 4), two = model.CreatePlan(2, 4, 4);
        var random = new Random(5);
        foreach (ref float v in two.Input.Span)
            v = random.NextSingle() - 0.5f;
        two.Run();
        for (int i = 0; i < 2; i++)
        {
            two.Input.Span.Slice(48 * i, 48).CopyTo(one.Input.Span);
            one.Run();
            Assert.Equal(one.Outputs[0].Span, two.Outputs[0].Span.Slice(12 * i, 12));
        }
    }

    [Fact]
    public void Load_UnknownOperator_NamesIt()
    {
        var file = new TfLiteWriter();
        int x = file.Tensor("x", 1, 4, 4, 2), y = file.Tensor("y", 1, 4, 4, 2);
        file.Operator(114, [x], y);
        AssertRefused(file.Write(x, y), "y", "operator 114", "CONV_2D");
    }

    [Fact]
    public void Load_WeightsOfAnotherShape_SaysWhich()
    {
        var file = new TfLiteWriter();
        int x = file.Tensor("x", 1, 4, 4, 2), y = file.Tensor("y", 1, 4, 4, 1);
        file.Operator(Conv, [x, file.Constant("w", [1, 1, 1, 3], 1f, 1, 1)], y, (byte)0, 1, 1, (byte)0);
        AssertRefused(file.Write(x, y), "y", "CONV_2D", "[1, 1, 1, 3]");
    }

    [Fact]
    public void Load_WeightsCutShort_SaysWhich()
    {
        var file = new TfLiteWriter();
        int x = file.Tensor("x", 1, 4, 4, 2), y = file.Tensor("y", 1, 4, 4, 1);
        file.Operator(Conv, [x, file.Constant("w", [1, 1, 1, 2], 1f)], y, (byte)0, 1, 1, (byte)0);
        AssertRefused(file.Write(x, y), "y", "\"w\"", "2 elements");
    }

    [Fact]
    public void Load_ActivationThatIsUnknown_NamesIt()
    {
        var file = new TfLiteWriter();
        int x = file.Tensor("x", 1, 4, 4, 2), y = file.Tensor("y", 1, 4, 4, 2);
        file.Operator(Add, [x, file.Constant("c", [2], 1f, 1)], y, (byte)4);
        AssertRefused(file.Write(x, y), "y", "ADD", "activation 4");
    }

    /// <summary>Every shorter file of a served model, and every one of the small graph, ends in the one exception.</summary>
    [Fact]
    public void Load_CutOff_SaysSo()
    {
        byte[] small = Small();
        for (int length = 8; length < small.Length; length++)
            AssertRefused(small[..length], "sum");
        byte[] served = File.ReadAllBytes(TestModels.RestoredFile("onet"));
        for (int i = 1; i < 40; i++)
            AssertRefused(served[..(int)((long)served.Length * i / 40)], "onet/prob1");
    }

    [Fact]
    public void Load_AnyBytes_RunsOrIsASentence() => AnyBytes.AreAnAnswerOrASentence(
        bytes =>
        {
            using OnnxModel model = Load(bytes, "sum");
            model.CreatePlan(1, 4, 4).Dispose();
        },
        e => e is ModelLoadException && e.Message.Contains("\"mine\"", StringComparison.Ordinal),
        Small());

    private static IEnumerable<Mat> Pictures()
    {
        if (Directory.Exists(Path.Combine(RepoRoot.Path, "../shared/data/lfw")))
        {
            foreach (string path in LfwFaces.Portraits(8))
            {
                using Mat image = Cv2.ImRead(path);
                yield return new Mat(image, new Rect(50, 45, 150, 150)).Clone();
            }
        }
        var drawn = new Mat(200, 200, MatType.CV_8UC3, new Scalar(90, 140, 60));
        Cv2.Ellipse(drawn, new RotatedRect(new Point2f(100, 100), new Size2f(110, 150), 0), new Scalar(150, 180, 220), -1);
        Cv2.Circle(drawn, 78, 80, 9, new Scalar(30, 30, 40), -1);
        Cv2.Circle(drawn, 122, 80, 9, new Scalar(30, 30, 40), -1);
        Cv2.Ellipse(drawn, new RotatedRect(new Point2f(100, 142), new Size2f(46, 12), 0), new Scalar(60, 60, 150), -1);
        yield return drawn;
    }

    private static byte[] Small()
    {
        var file = new TfLiteWriter();
        int x = file.Tensor("x", 1, 4, 4, 3), wide = file.Tensor("wide", 1, 1, 1, 3), depth = file.Tensor("depth", 1, 4, 4, 3), pool = file.Tensor("pool", 1, 2, 2, 3);
        int prelu = file.Tensor("prelu", 1, 2, 2, 3), sum = file.Tensor("sum", 1, 2, 2, 3);
        file.Operator(Dequantise, [file.Constant("half", [1, 1, 1, 3], (Half)2, (Half)(-1), (Half)1)], wide);
        file.Operator(Depthwise, [x, wide], depth, (byte)0, 1, 1, 1, (byte)0);
        file.Operator(MaxPool, [depth], pool, (byte)1, 2, 2, 2, 2, (byte)0);
        file.Operator(Prelu, [pool, file.Constant("slope", [1, 1, 3], 0.5f, 3, 0.25f)], prelu);
        file.Operator(Add, [prelu, file.Constant("plus", [3], 10f, 20, 30)], sum, (byte)0);
        return file.Write(x, sum);
    }

    private static float[] Run(byte[] file, long[] shape, float[] values, string output)
    {
        using var session = new InferenceSession(OnnxGraph.MakeDynamic(file, [output], freeSize: false));
        using var options = new RunOptions();
        using var given = OrtValue.CreateTensorValueFromMemory(values, shape);
        using var result = session.Run(options, ["x"], [given], [output]);
        return result[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private void AssertRefused(byte[] file, string output, params string[] parts)
    {
        var e = Assert.Throws<ModelLoadException>(() => Load(file, output).Dispose());
        Assert.All([.. parts, "\"mine\""], part => Assert.Contains(part, e.Message, StringComparison.Ordinal));
    }

    private OnnxModel Load(byte[] file, string output)
    {
        File.WriteAllBytes(folder["mine.tflite"], file);
        string path = ManifestWriter.Write(folder, "mine", "embed", "embedder", folder["mine.tflite"], "rgb", [0, 0, 0], 1, [output], embeddingLength: 8, input: "x");
        return OnnxModel.Load(TestModels.Catalog, ModelManifest.Read(path));
    }
}
