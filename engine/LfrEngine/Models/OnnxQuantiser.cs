using System.Runtime.Intrinsics.X86;
using LfrEngine.Models.Onnx;
using static LfrEngine.Models.OnnxParts;

namespace LfrEngine.Models;

/// <summary>Lets convolutions, sums and concatenations run on 8-bit integers where a manifest knows the ranges of their tensors.</summary>
/// <remarks>
/// Activations are unsigned with one scale and zero point per tensor, weights signed with a scale per filter, sums 32 bits wide. A Relu after an
/// operator costs nothing: its zero is the smallest number there is. Everything without a range stays in float32; the borders are converted.
/// Unlike <see cref="OnnxRewrites"/> this is not exact. A manifest may ask for it only with measured evidence that nothing is lost.
/// </remarks>
internal static class OnnxQuantiser
{
    // Operators that version 10 of the operator set, the first with quantised operators, did not change from version 9.
    private static readonly HashSet<string> UnchangedSinceNine =
        ["Add", "Concat", "Constant", "Conv", "Gather", "Mul", "Relu", "Reshape", "Shape", "Sigmoid", "Softmax", "Transpose", "Unsqueeze"];

    /// <summary>Whether 8-bit convolutions are faster than float32 on this processor: measured with AVX-512 VNNI; without it they are slower or less exact.</summary>
    public static bool PaysHere { get; } = X86Base.IsSupported && Avx512BW.IsSupported && ((X86Base.CpuId(7, 0).Ecx >> 11) & 1) != 0;

    /// <summary>Converts every operator whose inputs and result have a range.</summary>
    /// <param name="model">Changed in place.</param>
    /// <param name="ranges">Smallest and largest value of a tensor, by its name.</param>
    /// <exception cref="InvalidDataException">The graph's operator set is too old.</exception>
    public static void Apply(ModelProto model, IReadOnlyDictionary<string, float[]> ranges)
    {
        GraphProto graph = model.Graph;
        OperatorSetIdProto? set = model.OpsetImport.FirstOrDefault(o => o.Domain.Length == 0);
        if (set is null || set.Version < 9 || (set.Version == 9 && graph.Node.Any(n => !UnchangedSinceNine.Contains(n.OpType))))
            throw new InvalidDataException($"its operator set (version {set?.Version ?? 0}) has no 8-bit operators; remove \"int8\" from the manifest");
        set.Version = Math.Max(set.Version, 10);
        if (!model.OpsetImport.Any(o => o.Domain == "com.microsoft"))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });

        DropMultiplicationsByOne(graph);
        var converted = new HashSet<string>();
        foreach (NodeProto node in graph.Node.ToList())
        {
            if (node.OpType is not ("Conv" or "Add" or "Concat") || (node.OpType == "Concat" && Number(node, "axis", 0) != 1))
                continue;
            string[] inputs = node.OpType == "Conv" ? [node.Input[0]] : [.. node.Input];
            if (!inputs.All(ranges.ContainsKey) || (node.OpType == "Conv" && !node.Input.Skip(1).All(w => TryWeights(graph, w, out _))))
                continue;
            NodeProto? relu = !IsOutput(graph, node.Output[0]) && Readers(graph, node.Output[0]).ToList() is [{ OpType: "Relu" } only] ? only : null;
            string result = (relu ?? node).Output[0];
            if (!ranges.ContainsKey(result))
                continue;
            List<NodeProto> made = [];
            foreach (string input in inputs.Where(converted.Add))
            {
                AddParameters(graph, input, ranges[input]);
                made.Add(new NodeProto { OpType = "QuantizeLinear", Name = input + "_quantised", Input = { Parts(input)[1..] }, Output = { Parts(input)[0] } });
                made[^1].Input.Insert(0, input);
            }
            AddParameters(graph, result, ranges[result]);
            converted.Add(result);
            made.Add(node.OpType switch
            {
                "Conv" => Convolution(graph, node, result, Scale(ranges[node.Input[0]])),
                "Add" => new NodeProto { OpType = "QLinearAdd", Domain = "com.microsoft", Input = { Parts(inputs[0]), Parts(inputs[1]), Parts(result)[1..] } },
                _ => new NodeProto { OpType = "QLinearConcat", Domain = "com.microsoft", Input = { Parts(result)[1..], inputs.SelectMany(Parts) }, Attribute = { node.Attribute } },
            });
            made[^1].Name = result + "_int8";
            made[^1].Output.Add(Parts(result)[0]);
            Replace(graph, node, [.. made]);
            if (relu is not null)
                graph.Node.Remove(relu);
        }
        // Nodes that still read a converted tensor in float32 get a conversion back, because nothing computes it in float32 any more.
        foreach (string tensor in converted.Where(t => Maker(graph, t) is null && (IsOutput(graph, t) || Readers(graph, t).Any())))
        {
            NodeProto maker = Maker(graph, Parts(tensor)[0])!;
            Replace(graph, maker, [maker, new NodeProto { OpType = "DequantizeLinear", Name = tensor + "_float", Input = { Parts(tensor) }, Output = { tensor } }]);
        }
    }

    private static NodeProto Convolution(GraphProto graph, NodeProto node, string result, float inputScale)
    {
        TensorProto weights = Weights(graph, node.Input[1])!;
        float[] values = Floats(weights);
        int filters = (int)weights.Dims[0], each = values.Length / filters;
        float[] bias = node.Input.Count > 2 ? Floats(Weights(graph, node.Input[2])!) : new float[filters];
        var scales = new float[filters];
        var small = new sbyte[values.Length];
        var sums = new int[filters];
        for (int i = 0; i < filters; i++)
        {
            ReadOnlySpan<float> filter = values.AsSpan(i * each, each);
            float largest = 0;
            foreach (float value in filter)
                largest = Math.Max(largest, Math.Abs(value));
            scales[i] = largest > 0 ? largest / 127 : 1;
            for (int k = 0; k < each; k++)
                small[(i * each) + k] = (sbyte)Math.Round(filter[k] / scales[i]);
            sums[i] = (int)Math.Clamp(Math.Round(bias[i] / ((double)inputScale * scales[i])), int.MinValue, int.MaxValue);
        }
        string stem = result + "_weights";
        graph.Initializer.Add(new TensorProto { Name = stem, DataType = TypeInt8, Dims = { weights.Dims }, RawData = Bytes(small) });
        Add(graph, stem + "_scale", [filters], scales);
        graph.Initializer.Add(new TensorProto { Name = stem + "_zero", DataType = TypeInt8, Dims = { filters }, RawData = Bytes(new sbyte[filters]) });
        graph.Initializer.Add(new TensorProto { Name = stem + "_bias", DataType = TypeInt32, Dims = { filters }, RawData = Bytes(sums) });
        return new NodeProto
        {
            OpType = "QLinearConv",
            Input = { Parts(node.Input[0]), stem, stem + "_scale", stem + "_zero", Parts(result)[1..], stem + "_bias" },
            Attribute = { node.Attribute },
        };
    }

    // A scalar 1 that exporters leave behind would break the chain of 8-bit operators.
    private static void DropMultiplicationsByOne(GraphProto graph)
    {
        foreach (NodeProto node in graph.Node.Where(n => n.OpType == "Mul").ToList())
        {
            if (IsOutput(graph, node.Output[0]) || Constant(graph, node.Input[1]) is not { DataType: TypeFloat, Dims.Count: 0 } factor || Floats(factor)[0] != 1)
                continue;
            foreach (NodeProto reader in Readers(graph, node.Output[0]).ToList())
            {
                for (int i = 0; i < reader.Input.Count; i++)
                {
                    if (reader.Input[i] == node.Output[0])
                        reader.Input[i] = node.Input[0];
                }
            }
            graph.Node.Remove(node);
        }
    }

    // A tensor in 8 bits: its numbers, scale and zero point.
    private static string[] Parts(string tensor) => [tensor + "_u8", tensor + "_scale", tensor + "_zero"];

    // Zero must be represented exactly, or padding would not be zero.
    private static float Scale(float[] range)
    {
        float width = Math.Max(range[1], 0) - Math.Min(range[0], 0);
        return width > 0 ? width / 255 : 1;
    }

    private static void AddParameters(GraphProto graph, string tensor, float[] range)
    {
        float scale = Scale(range);
        Add(graph, Parts(tensor)[1], [], [scale]);
        graph.Initializer.Add(new TensorProto { Name = Parts(tensor)[2], DataType = TypeUInt8, RawData = Bytes(new[] { (byte)Math.Round(-Math.Min(range[0], 0) / scale) }) });
    }
}
