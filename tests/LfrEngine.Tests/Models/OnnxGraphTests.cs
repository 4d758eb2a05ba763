using System.Text;
using Google.Protobuf;
using LfrEngine.Detection.Heads;
using LfrEngine.Models;
using LfrEngine.Models.Onnx;
using LfrEngine.Tests.Detection;
using Microsoft.ML.OnnxRuntime;
using Xunit;

namespace LfrEngine.Tests.Models;

public sealed class OnnxGraphTests
{
    private const int Float = 1;

    public static TheoryData<string> DefaultModels { get; } = ["ultraface-rfb-320", "landmarks-68", "mobilefacenet-512"];

    [Theory]
    [MemberData(nameof(DefaultModels))]
    public void MakeDynamic_DefaultModel_ComputesAsTheOriginal(string id)
    {
        RequireModels();
        double difference = OnnxModel.CompareWithOriginal(TestModels.Catalog, TestModels.Catalog.Manifests().Single(m => m.Id == id));
        Assert.True(difference <= 1e-5, $"{difference:e2}");
    }

    [Theory]
    [MemberData(nameof(DefaultModels))]
    public void MakeDynamic_BatchOfThree_IsThreeTimesOne(string id)
    {
        (OnnxModel model, int height, int width) = id switch
        {
            "ultraface-rfb-320" => (TestModels.Detector, 96, 128),
            "landmarks-68" => (TestModels.Landmarks, 64, 64),
            _ => (TestModels.Embedder, 112, 112),
        };
        using InferencePlan one = model.CreatePlan(1, height, width);
        using InferencePlan three = model.CreatePlan(3, height, width);
        var random = new Random(9);
        foreach (ref float value in three.Input.Span)
            value = (random.NextSingle() * 2) - 1;
        three.Run();
        int image = one.Input.Length;
        for (int i = 0; i < 3; i++)
        {
            three.Input.Span.Slice(i * image, image).CopyTo(one.Input.Span);
            one.Run();
            for (int o = 0; o < one.Outputs.Count; o++)
            {
                int length = one.Outputs[o].Length;
                Assert.Equal(3 * length, three.Outputs[o].Length);
                for (int k = 0; k < length; k++)
                    Assert.Equal(one.Outputs[o].Span[k], three.Outputs[o].Span[(i * length) + k], 1e-5f * (1 + Math.Abs(one.Outputs[o].Span[k])));
            }
        }
    }

    [Theory]
    [InlineData(96, 64)]
    [InlineData(640, 480)]
    [InlineData(1280, 736)]
    public void MakeDynamic_DetectorAtAnotherSize_GivesItsPriors(int width, int height)
    {
        using InferencePlan plan = TestModels.Detector.CreatePlan(1, height, width);
        plan.Run();
        var head = new UltraFaceHead();
        Assert.Equal(head.OutputLength(0, width, height), plan.Outputs[0].Length);
        Assert.Equal(head.OutputLength(1, width, height), plan.Outputs[1].Length);
        Assert.All(plan.Outputs[0].Span.ToArray(), score => Assert.InRange(score, 0f, 1f));
    }

    [Fact]
    public void MakeDynamic_Embedder_ReplacesEveryPRelu()
    {
        byte[] file = File.ReadAllBytes(RepoRoot.RestoredModel("fr_feature.onnx"));
        ModelProto before = ModelProto.Parser.ParseFrom(file), after = ModelProto.Parser.ParseFrom(OnnxGraph.MakeDynamic(file, ["output"], freeSize: false));
        int replaced = Count(before, "PRelu");
        Assert.Equal(33, replaced);
        Assert.Equal(0, Count(after, "PRelu"));
        Assert.Equal(Count(before, "Conv") + (2 * replaced), Count(after, "Conv"));
        Assert.Equal(Count(before, "Relu") + replaced, Count(after, "Relu"));
        Assert.Equal(Count(before, "Add") + replaced, Count(after, "Add"));
    }

    [Fact]
    public void MakeDynamic_Detector_DropsItsOwnDecoding()
    {
        byte[] file = File.ReadAllBytes(RepoRoot.RestoredModel("fr_detect.onnx"));
        ModelProto after = ModelProto.Parser.ParseFrom(OnnxGraph.MakeDynamic(file, ["scores", "462"], freeSize: true));
        Assert.Equal(0, Count(after, "Exp"));
        Assert.Equal(["scores", "462"], after.Graph.Output.Select(o => o.Name));
        Assert.Equal(["batch", "", "height", "width"], after.Graph.Input.Single(i => i.Name == "input").Type.TensorType.Shape.Dim.Select(d => d.DimParam));
    }

    /// <summary>PRelu per channel (with slopes below and above 1), with one shared slope, and per element: all compute as before, at batch 1 and 2.</summary>
    [Theory]
    [InlineData(3, 1, 1, 0.1f, 0)]
    [InlineData(3, 1, 1, 0.7f, 0)]
    [InlineData(1, 1, 1, 0.1f, 1)]
    [InlineData(3, 4, 4, 0.1f, 1)]
    public void MakeDynamic_PReluOfAnyShape_ComputesAsBefore(int channels, int height, int width, float smallest, int preluLeft)
    {
        byte[] file = PReluModel([channels, height, width], smallest);
        byte[] edited = OnnxGraph.MakeDynamic(file, ["y"], freeSize: false);
        var input = new float[3 * 4 * 4];
        var random = new Random(5);
        for (int i = 0; i < input.Length; i++)
            input[i] = (random.NextSingle() * 4) - 2;
        float[] expected = Run(file, [1, 3, 4, 4], input);
        float[] actual = Run(edited, [1, 3, 4, 4], input);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-6f);
        float[] twice = Run(edited, [2, 3, 4, 4], [.. input, .. input]);
        Assert.Equal(actual, twice[..input.Length]);
        Assert.Equal(actual, twice[input.Length..]);
        Assert.Equal(preluLeft, Count(ModelProto.Parser.ParseFrom(edited), "PRelu"));
    }

    [Theory]
    [InlineData("fr_detect.onnx")]
    [InlineData("fr_landmark.onnx")]
    [InlineData("fr_feature.onnx")]
    public void Parse_ThenSerialise_KeepsEveryField(string name)
    {
        byte[] file = File.ReadAllBytes(RepoRoot.RestoredModel(name));
        byte[] copy = ModelProto.Parser.ParseFrom(file).ToByteArray();
        Assert.Equal(file.Length, copy.Length);
        // Known fields come first, unknown ones after: the order within a message may change, its fields may not.
        AssertSameFields(file, copy, depth: 3);
        Assert.True(file.AsSpan().IndexOf("pytorch"u8) >= 0);
        Assert.True(copy.AsSpan().IndexOf("pytorch"u8) >= 0);
    }

    [Fact]
    public void MakeDynamic_FieldsItDoesNotKnow_TravelThrough()
    {
        byte[] file = PReluModel([3, 1, 1]);
        // Model: producer_name (2), doc_string (6), metadata_props (14). Graph (7): doc_string (10). Protobuf merges what is appended.
        byte[] more = [
            .. Field(2, "the producer"u8), .. Field(6, "the model's text"u8), .. Field(14, [.. Field(1, "key"u8), .. Field(2, "the value"u8)]),
            .. Field(7, Field(10, "the graph's text"u8)), .. Field(7, Field(1, [.. Field(1, "x"u8), .. Field(2, "z"u8), .. Field(4, "Relu"u8), .. Field(6, "the node's text"u8)])),
        ];
        byte[] edited = OnnxGraph.MakeDynamic([.. file, .. more], ["y", "z"], freeSize: false);
        foreach (string text in new[] { "the producer", "the model's text", "the value", "the graph's text", "the node's text" })
            Assert.True(edited.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0, text);
    }

    [Fact]
    public void MakeDynamic_NotOnnx_SaysSo()
    {
        byte[] text = Encoding.UTF8.GetBytes("<html><body>404 Not Found</body></html>");
        Assert.Contains("neither an ONNX nor a TensorFlow Lite file", Assert.Throws<InvalidDataException>(() => OnnxGraph.MakeDynamic(text, ["y"], false)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => OnnxGraph.MakeDynamic([], ["y"], false));
        byte[] model = PReluModel([3, 1, 1]);
        Assert.Throws<InvalidDataException>(() => OnnxGraph.MakeDynamic(model.AsSpan(0, model.Length / 2), ["y"], false));
        Assert.Contains("\"nothing\"", Assert.Throws<InvalidDataException>(() => OnnxGraph.MakeDynamic(model, ["nothing"], false)).Message, StringComparison.Ordinal);
    }

    private static void RequireModels()
    {
        foreach (string file in new[] { "fr_detect.onnx", "fr_landmark.onnx", "fr_feature.onnx" })
            RepoRoot.RestoredModel(file);
    }

    private static int Count(ModelProto model, string operation) => model.Graph.Node.Count(n => n.OpType == operation);

    // y = PRelu(x), x [1, 3, 4, 4].
    private static byte[] PReluModel(int[] slopeShape, float smallest = 0.1f)
    {
        static ValueInfoProto Tensor(string name)
        {
            var shape = new TensorShapeProto();
            foreach (int size in new[] { 1, 3, 4, 4 })
                shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
            return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.TensorTypeProto { ElemType = Float, Shape = shape } } };
        }

        int elements = slopeShape.Aggregate(1, (a, b) => a * b);
        var slope = new TensorProto { Name = "slope", DataType = Float };
        slope.Dims.AddRange(slopeShape.Select(d => (long)d));
        slope.FloatData.AddRange(Enumerable.Range(0, elements).Select(i => smallest + (0.2f * i)));
        return new ModelProto
        {
            IrVersion = 6,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 11 } },
            Graph = new GraphProto
            {
                Name = "g",
                Node = { new NodeProto { OpType = "PRelu", Name = "p", Input = { "x", "slope" }, Output = { "y" } } },
                Initializer = { slope },
                Input = { Tensor("x") },
                Output = { Tensor("y") },
            },
        }.ToByteArray();
    }

    private static float[] Run(byte[] model, long[] shape, float[] input)
    {
        using var session = new InferenceSession(model);
        using OrtValue tensor = OrtValue.CreateTensorValueFromMemory(input, shape);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, ["x"], [tensor], ["y"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static byte[] Field(int number, ReadOnlySpan<byte> content)
    {
        Assert.True(content.Length < 128);
        return [(byte)((number << 3) | 2), (byte)content.Length, .. content];
    }

    // Compares two messages field by field, whatever their order; graph (7 of the model) and nodes (1 of the graph) are entered.
    private static void AssertSameFields(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, int depth)
    {
        List<(int Number, byte[] Content)> left = Fields(expected), right = Fields(actual);
        Assert.Equal(left.Select(f => (f.Number, f.Content.Length)).Order(), right.Select(f => (f.Number, f.Content.Length)).Order());
        foreach (int number in left.Select(f => f.Number).Distinct())
        {
            List<byte[]> a = [.. left.Where(f => f.Number == number).Select(f => f.Content)], b = [.. right.Where(f => f.Number == number).Select(f => f.Content)];
            for (int i = 0; i < a.Count; i++)
            {
                if (depth > 1 && ((depth == 3 && number == 7) || (depth == 2 && number == 1)))
                    AssertSameFields(a[i], b[i], depth - 1);
                else if (depth == 3)
                    Assert.True(a[i].AsSpan().SequenceEqual(b[i]));
                else
                    Assert.Equal(a[i].Length, b[i].Length);
            }
        }
    }

    private static List<(int Number, byte[] Content)> Fields(ReadOnlySpan<byte> message)
    {
        var fields = new List<(int, byte[])>();
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint(message, ref at);
            int start = at, length;
            switch (key & 7)
            {
                case 0:
                    Varint(message, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 2:
                    length = (int)Varint(message, ref at);
                    start = at;
                    at += length;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    Assert.Fail($"Wire type {key & 7}.");
                    break;
            }
            fields.Add(((int)(key >> 3), message[start..at].ToArray()));
        }
        return fields;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 127) << shift;
            if (next < 128)
                return value;
        }
    }
}
