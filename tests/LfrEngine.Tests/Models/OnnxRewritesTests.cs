using Google.Protobuf;
using LfrEngine.Models;
using LfrEngine.Models.Onnx;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Detection;
using Microsoft.ML.OnnxRuntime;
using OpenCvSharp;
using Xunit;

namespace LfrEngine.Tests.Models;

public sealed class OnnxRewritesTests
{
    private const int Float = 1, AttributeInt = 2, AttributeInts = 7;

    private static readonly string[] YuNetOutputs =
        ["cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"];

    private static readonly string[] ScrfdOutputs = ["score_8", "score_16", "score_32", "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"];

    /// <summary>Every family on real faces: outputs differ from the file's own by less than 10⁻⁵ of their largest value, which is the rounding of float32.</summary>
    [Theory]
    [InlineData("fr_detect.onnx")]
    [InlineData("fr_landmark.onnx")]
    [InlineData("fr_feature.onnx")]
    [InlineData("yunet_n_dynamic.onnx")]
    [InlineData("yunet_s_640_640.onnx")]
    [InlineData("scrfd_500m_bnkps.onnx")]
    [InlineData("retinaface_mbnet0.25.onnx")]
    [InlineData("mobilefacenet_128.onnx")]
    public void Apply_RealFaces_ComputesAsTheOriginal(string name)
    {
        (string input, int width, int height, double mean, double scale, string[] outputs) = name[..4] switch
        {
            "fr_d" => ("input", 320, 240, 127, 1 / 128.0, ["scores", "462"]),
            "fr_l" => ("input", 64, 64, 0, 1 / 256.0, ["output"]),
            "fr_f" or "mobi" => ("input", 112, 112, 127.5, 1 / 128.0, ["output"]),
            "yune" => ("input", 640, 640, 0, 1, YuNetOutputs),
            "scrf" => ("input.1", 640, 480, 127.5, 1 / 128.0, ScrfdOutputs),
            _ => ("input", 640, 480, 117.0, 1.0, new[] { "loc", "conf", "iou" }),
        };
        byte[] file = File.ReadAllBytes(name.StartsWith("fr_", StringComparison.Ordinal) ? RepoRoot.RestoredModel(name) : RepoRoot.SharedData("models/" + name));
        bool detector = width > 112;
        using var original = new InferenceSession(OnnxGraph.ExposeOnly(file, outputs));
        using var rewritten = new InferenceSession(OnnxGraph.MakeDynamic(file, outputs, freeSize: detector));
        string[] pictures = detector
            ? [.. Directory.EnumerateFiles(RepoRoot.SharedData("masks/images")).Order(StringComparer.Ordinal).Take(4)]
            : LfwFaces.Portraits(8);
        foreach (string picture in pictures)
        {
            using Mat image = Cv2.ImRead(picture, width == 64 ? ImreadModes.Grayscale : ImreadModes.Color);
            // The face of a portrait, of 250×250, with some of its surroundings.
            using Mat face = detector ? image.Clone() : new Mat(image, new Rect(65, 55, 120, 130));
            using Mat blob = OpenCvSharp.Dnn.CvDnn.BlobFromImage(face, scale, new Size(width, height), Scalar.All(mean), swapRB: width != 64, crop: false);
            var values = new float[blob.Total()];
            System.Runtime.InteropServices.Marshal.Copy(blob.Data, values, 0, values.Length);
            long[] shape = [1, width == 64 ? 1 : 3, height, width];
            List<float[]> expected = Run(original, input, shape, values, outputs), actual = Run(rewritten, input, shape, values, outputs);
            for (int i = 0; i < outputs.Length; i++)
                AssertEqual(expected[i], actual[i], outputs[i]);
        }
    }

    [Theory]
    [InlineData("fr_detect.onnx", "Softmax", 0)]
    [InlineData("fr_detect.onnx", "Sigmoid", 1)]
    [InlineData("fr_feature.onnx", "PRelu", 0)]
    public void Apply_DefaultModel_FindsItsPatterns(string name, string operation, int count)
    {
        string[] outputs = name == "fr_detect.onnx" ? ["scores", "462"] : ["output"];
        ModelProto model = ModelProto.Parser.ParseFrom(OnnxGraph.MakeDynamic(File.ReadAllBytes(RepoRoot.RestoredModel(name)), outputs, freeSize: false));
        Assert.Equal(count, model.Graph.Node.Count(n => n.OpType == operation));
    }

    /// <summary>Three heads with 2, 8 and 20 channels on one tensor, as SCRFD has them: one convolution, whose parts are the same as before.</summary>
    [Theory]
    [InlineData(11, false)]
    [InlineData(13, false)]
    [InlineData(11, true)]
    [InlineData(13, true)]
    public void Apply_HeadsOnOneTensor_BecomeOneConvolution(int version, bool depthwiseBehind)
    {
        int[] channels = [2, 8, 20];
        byte[] file = Heads(version, channels, depthwiseBehind, tail: "Transpose");
        byte[] edited = OnnxGraph.MakeDynamic(file, ["y0", "y1", "y2"], freeSize: false);
        Assert.Equal(depthwiseBehind ? 6 : 3, Count(file, "Conv"));
        Assert.Equal(depthwiseBehind ? 2 : 1, Count(edited, "Conv"));
        AssertSame(file, edited, [1, 32, 9, 11], ["y0", "y1", "y2"]);
    }

    /// <summary>What would have to leave the blocks for the merge, or fills as many blocks afterwards, stays as it is.</summary>
    [Theory]
    [InlineData("Relu", 2, 8, 20)]
    [InlineData("Transpose", 16, 32, 16)]
    public void Apply_HeadsThatGainNothing_Stay(string tail, int first, int second, int third)
    {
        byte[] file = Heads(11, [first, second, third], depthwiseBehind: false, tail);
        byte[] edited = OnnxGraph.MakeDynamic(file, ["y0", "y1", "y2"], freeSize: false);
        Assert.Equal(3, Count(edited, "Conv"));
        Assert.Equal(0, Count(edited, "Split"));
        AssertSame(file, edited, [1, 32, 9, 11], ["y0", "y1", "y2"]);
    }

    /// <summary>Softmax over pairs becomes a sigmoid; over triples, or where the logits are given out too, it stays.</summary>
    [Theory]
    [InlineData(2, false, true)]
    [InlineData(3, false, false)]
    [InlineData(2, true, false)]
    public void Apply_SoftmaxOverClasses_BecomesSigmoidForTwo(int classes, bool logitsGivenOut, bool replaced)
    {
        byte[] file = Classes(classes);
        string[] outputs = logitsGivenOut ? ["y", "logits"] : ["y"];
        byte[] edited = OnnxGraph.MakeDynamic(file, outputs, freeSize: false);
        Assert.Equal(replaced ? 0 : 1, Count(edited, "Softmax"));
        Assert.Equal(replaced ? 1 : 0, Count(edited, "Sigmoid"));
        AssertSame(OnnxGraph.ExposeOnly(file, outputs), edited, [1, 32, 9, 11], outputs);
    }

    /// <summary>
    /// The landmark and embedding files hold thousands of subnormal weights. The edited graph holds none, and without them every bit of every output is
    /// as before, on noise and on faces: beside any other term they were lost already.
    /// </summary>
    [Theory]
    [InlineData("fr_detect.onnx", 320, 240, 0)]
    [InlineData("fr_landmark.onnx", 64, 64, 20_000)]
    [InlineData("fr_feature.onnx", 112, 112, 8_000)]
    public void Apply_SubnormalWeights_AreClearedAndChangeNoBit(string name, int width, int height, int atLeast)
    {
        string[] outputs = name == "fr_detect.onnx" ? ["scores", "462"] : ["output"];
        byte[] file = File.ReadAllBytes(RepoRoot.RestoredModel(name));
        Assert.True(Subnormals(file) >= atLeast, $"{Subnormals(file)}");
        Assert.Equal(0, Subnormals(OnnxGraph.MakeDynamic(file, outputs, freeSize: false)));

        int channels = name == "fr_landmark.onnx" ? 1 : 3;
        using var whole = new InferenceSession(OnnxGraph.MakeDynamic(file, outputs, freeSize: false, rewrite: false));
        using var cleared = new InferenceSession(WithoutSubnormals(OnnxGraph.MakeDynamic(file, outputs, freeSize: false, rewrite: false)));
        var random = new Random(17);
        float[][] noise = [.. Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, channels * width * height).Select(_ => (random.NextSingle() * 2) - 1).ToArray())];
        // Noise first: it needs no data.
        foreach (float[] values in noise.Concat(LazyFaces()))
        {
            List<float[]> expected = Run(whole, "input", [1, channels, height, width], values, outputs), actual = Run(cleared, "input", [1, channels, height, width], values, outputs);
            for (int i = 0; i < outputs.Length; i++)
                Assert.True(expected[i].AsSpan().SequenceEqual(actual[i]), outputs[i]);
        }

        IEnumerable<float[]> LazyFaces()
        {
            foreach (string portrait in LfwFaces.Portraits(8))
                yield return FaceOf(portrait, channels, width, height);
        }
    }

    // The face of a portrait, of 250×250, with some of its surroundings.
    private static float[] FaceOf(string portrait, int channels, int width, int height)
    {
        using Mat image = Cv2.ImRead(portrait, channels == 1 ? ImreadModes.Grayscale : ImreadModes.Color);
        using Mat face = new(image, new Rect(65, 55, 120, 130));
        using Mat blob = OpenCvSharp.Dnn.CvDnn.BlobFromImage(face, 1 / 128.0, new Size(width, height), Scalar.All(channels == 1 ? 0 : 127.5), swapRB: false, crop: false);
        var values = new float[blob.Total()];
        System.Runtime.InteropServices.Marshal.Copy(blob.Data, values, 0, values.Length);
        return values;
    }

    /// <summary>However a file stores its weights; all that is not subnormal stays as it is, minus zero and the smallest normal number too.</summary>
    [Theory]
    [InlineData("raw")]
    [InlineData("floats")]
    [InlineData("node")]
    public void Apply_SubnormalsInAnyStorage_BecomeZero(string storage)
    {
        float[] weights = [float.Epsilon, -1e-40f, 1.17549435e-38f, -0f, 0.5f, 1.1754942e-38f];
        var tensor = new TensorProto { Name = "w", DataType = Float, Dims = { 1, 6, 1, 1 } };
        if (storage == "floats")
            tensor.FloatData.AddRange(weights);
        else
            tensor.RawData = OnnxParts.Bytes(weights);
        var graph = new GraphProto { Node = { new NodeProto { OpType = "Mul", Input = { "x", "w" }, Output = { "y" } } } };
        if (storage == "node")
            graph.Node.Insert(0, new NodeProto { OpType = "Constant", Output = { "w" }, Attribute = { new AttributeProto { Name = "value", T = tensor, Type = 4 } } });
        else
            graph.Initializer.Add(tensor);
        GraphProto edited = ModelProto.Parser.ParseFrom(OnnxGraph.MakeDynamic(new ModelProto { Graph = graph }.ToByteArray(), ["y"], freeSize: false)).Graph;
        Assert.Equal([0, 0, 1.17549435e-38f, -0f, 0.5f, 0], OnnxParts.Floats(OnnxParts.Constant(edited, "w")!));
    }

    private static IEnumerable<TensorProto> FloatTensors(ModelProto model) =>
        model.Graph.Initializer.Concat(model.Graph.Node.SelectMany(n => n.Attribute).Select(a => a.T).OfType<TensorProto>()).Where(t => t.DataType == Float);

    private static int Subnormals(byte[] file) => FloatTensors(ModelProto.Parser.ParseFrom(file)).Sum(t => OnnxParts.Floats(t).Count(float.IsSubnormal));

    private static byte[] WithoutSubnormals(byte[] file)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(file);
        foreach (TensorProto tensor in FloatTensors(model))
        {
            float[] values = OnnxParts.Floats(tensor);
            tensor.FloatData.Clear();
            tensor.RawData = OnnxParts.Bytes(values.Select(v => Math.Abs(v) < 1.17549435e-38f ? 0 : v).ToArray());
        }
        return model.ToByteArray();
    }

    private static void AssertSame(byte[] file, byte[] edited, long[] shape, string[] outputs)
    {
        using var original = new InferenceSession(file);
        using var rewritten = new InferenceSession(edited);
        var random = new Random(11);
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
            values[i] = (random.NextSingle() * 2) - 1;
        List<float[]> expected = Run(original, "x", shape, values, outputs), actual = Run(rewritten, "x", shape, values, outputs);
        for (int i = 0; i < outputs.Length; i++)
            AssertEqual(expected[i], actual[i], outputs[i]);
    }

    private static void AssertEqual(float[] expected, float[] actual, string name)
    {
        Assert.Equal(expected.Length, actual.Length);
        float largest = expected.Max(MathF.Abs), difference = 0;
        Assert.True(largest > 0, name);
        for (int i = 0; i < expected.Length; i++)
            difference = Math.Max(difference, Math.Abs(expected[i] - actual[i]));
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {difference / largest:e2} of {largest:g3}");
        Assert.True(difference <= 1e-5f * largest, $"{name}: {difference:e2} of {largest:g3}.");
    }

    private static List<float[]> Run(InferenceSession session, string input, long[] shape, float[] values, string[] outputs)
    {
        using OrtValue tensor = OrtValue.CreateTensorValueFromMemory(values, shape);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, [input], [tensor], outputs);
        return [.. results.Select(r => r.GetTensorDataAsSpan<float>().ToArray())];
    }

    private static int Count(byte[] model, string operation) => ModelProto.Parser.ParseFrom(model).Graph.Node.Count(n => n.OpType == operation);

    // x [1, 32, 9, 11] → per head a 3×3 convolution, perhaps a depthwise one, and an operator behind.
    private static byte[] Heads(int version, int[] channels, bool depthwiseBehind, string tail)
    {
        var graph = new GraphProto { Name = "g", Input = { Tensor("x", 1, 32, 9, 11) } };
        var random = new Random(3);
        for (int i = 0; i < channels.Length; i++)
        {
            Convolution(graph, random, "x", $"c{i}", channels[i], 32, 1);
            if (depthwiseBehind)
                Convolution(graph, random, $"c{i}", $"d{i}", channels[i], 1, channels[i]);
            var end = new NodeProto { OpType = tail, Name = $"t{i}", Input = { depthwiseBehind ? $"d{i}" : $"c{i}" }, Output = { $"y{i}" } };
            if (tail == "Transpose")
                end.Attribute.Add(new AttributeProto { Name = "perm", Ints = { 0, 2, 3, 1 }, Type = AttributeInts });
            graph.Node.Add(end);
            graph.Output.Add(Tensor($"y{i}"));
        }
        return Model(graph, version);
    }

    // x → convolution → rows of classes → Softmax.
    private static byte[] Classes(int classes)
    {
        var graph = new GraphProto { Name = "g", Input = { Tensor("x", 1, 32, 9, 11) }, Output = { Tensor("y") } };
        Convolution(graph, new Random(3), "x", "c", 2 * classes, 32, 1);
        graph.Initializer.Add(new TensorProto { Name = "shape", DataType = 7, Dims = { 3 }, Int64Data = { 1, -1, classes } });
        graph.Node.Add(new NodeProto { OpType = "Transpose", Name = "t", Input = { "c" }, Output = { "last" }, Attribute = { new AttributeProto { Name = "perm", Ints = { 0, 2, 3, 1 }, Type = AttributeInts } } });
        graph.Node.Add(new NodeProto { OpType = "Reshape", Name = "r", Input = { "last", "shape" }, Output = { "logits" } });
        graph.Node.Add(new NodeProto { OpType = "Softmax", Name = "s", Input = { "logits" }, Output = { "y" }, Attribute = { new AttributeProto { Name = "axis", I = 2, Type = AttributeInt } } });
        return Model(graph, 11);
    }

    private static void Convolution(GraphProto graph, Random random, string input, string output, int channels, int inputs, int group)
    {
        TensorProto weights = new() { Name = output + "_w", DataType = Float, Dims = { channels, inputs, 3, 3 } }, bias = new() { Name = output + "_b", DataType = Float, Dims = { channels } };
        weights.FloatData.AddRange(Enumerable.Range(0, channels * inputs * 9).Select(_ => (random.NextSingle() - 0.5f) / 4));
        bias.FloatData.AddRange(Enumerable.Range(0, channels).Select(_ => random.NextSingle() - 0.5f));
        graph.Initializer.Add(weights);
        graph.Initializer.Add(bias);
        graph.Node.Add(new NodeProto
        {
            OpType = "Conv",
            Name = output,
            Input = { input, weights.Name, bias.Name },
            Output = { output },
            Attribute =
            {
                new AttributeProto { Name = "group", I = group, Type = AttributeInt },
                new AttributeProto { Name = "pads", Ints = { 1, 1, 1, 1 }, Type = AttributeInts },
            },
        });
    }

    private static byte[] Model(GraphProto graph, int version) =>
        new ModelProto { IrVersion = 7, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = version } }, Graph = graph }.ToByteArray();

    private static ValueInfoProto Tensor(string name, params int[] sizes)
    {
        var tensor = new TypeProto.Types.TensorTypeProto { ElemType = Float };
        if (sizes.Length > 0)
        {
            tensor.Shape = new TensorShapeProto();
            tensor.Shape.Dim.AddRange(sizes.Select(s => new TensorShapeProto.Types.Dimension { DimValue = s }));
        }
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }
}
