using System.Runtime.Intrinsics.X86;
using Google.Protobuf;
using LfrEngine.Models.Onnx;
using static LfrEngine.Models.OnnxParts;

namespace LfrEngine.Models;

/// <summary>Rewrites a graph to an equivalent, faster one: each rewrite computes the same, up to the rounding of float32.</summary>
/// <remarks>
/// ONNX Runtime runs convolutions in a layout of channel blocks (NCHWc). Operators cost time if they leave that layout, pass over a tensor once
/// more, or fill a block with few channels. Each rewrite finds its pattern by operators, never by the names of one model, and does not change what
/// does not match. The gain of each: perf/results/models.md.
/// </remarks>
internal static class OnnxRewrites
{
    // Channels per block: the width of a vector register.
    private static readonly int Block = Avx512F.IsSupported ? 16 : 8;

    /// <summary>Applies every rewrite, and <see cref="OnnxQuantiser"/> where ranges are given.</summary>
    public static void Apply(ModelProto model, IReadOnlyDictionary<string, float[]>? ranges)
    {
        GraphProto graph = model.Graph;
        FindPRelu(graph);
        ReplacePRelu(graph);
        ReplaceSoftmaxOfPairs(graph);
        // Before siblings are merged, because 8-bit operators have no blocks to fill.
        if (ranges is not null)
            OnnxQuantiser.Apply(model, ranges);
        MergeSiblings(graph, model.OpsetImport.FirstOrDefault(o => o.Domain.Length == 0)?.Version ?? 1);
        // Last, because the others also create weights.
        ClearSubnormals(graph);
    }

    // Weights below 1.2e-38 do not change any float32 sum, but on processors that compute with them in
    // microcode they make a whole network five times slower.
    private static void ClearSubnormals(GraphProto graph)
    {
        IEnumerable<TensorProto> constants = graph.Node.SelectMany(n => n.Attribute).Select(a => a.T).OfType<TensorProto>();
        foreach (TensorProto tensor in graph.Initializer.Concat(constants).Where(t => t.DataType == TypeFloat))
        {
            float[] values = Floats(tensor);
            if (!values.Any(float.IsSubnormal))
                continue;
            tensor.FloatData.Clear();
            tensor.RawData = Bytes<float>([.. values.Select(v => float.IsSubnormal(v) ? 0 : v)]);
        }
    }

    // relu(x) + a·−relu(−x), which exporters write if their format has no PRelu.
    private static void FindPRelu(GraphProto graph)
    {
        foreach (NodeProto sum in graph.Node.Where(n => n.OpType == "Add").ToList())
        {
            for (int side = 0; side < 2; side++)
            {
                if (Only(graph, sum.Input[side], "Relu") is not { } positive || Only(graph, sum.Input[1 - side], "Mul") is not { } product
                    || product.Input.FirstOrDefault(i => TryWeights(graph, i, out _)) is not { } slope || product.Input.FirstOrDefault(i => i != slope) is not { } below
                    || Only(graph, below, "Neg") is not { } minus || Only(graph, minus.Input[0], "Relu") is not { } negative
                    || Only(graph, negative.Input[0], "Neg") is not { } turned || turned.Input[0] != positive.Input[0])
                    continue;
                Replace(graph, sum, [new NodeProto { OpType = "PRelu", Name = sum.Name, Input = { turned.Input[0], slope }, Output = { sum.Output[0] } }]);
                foreach (NodeProto node in new[] { positive, product, minus, negative, turned })
                    graph.Node.Remove(node);
                break;
            }
        }
    }

    // The node that computes a tensor, if it is of this type and only one node reads the tensor.
    private static NodeProto? Only(GraphProto graph, string tensor, string operation) =>
        !IsOutput(graph, tensor) && Readers(graph, tensor).Take(2).Count() == 1 && Maker(graph, tensor) is { } maker && maker.OpType == operation ? maker : null;

    // Per channel, PRelu(x) = a·x + (1 − a)·relu(x); for a ≤ 1 the second term is relu((1 − a)·x). ONNX Runtime's PRelu is a scalar kernel with
    // layout changes around it. Two depthwise 1×1 convolutions stay in blocks, and the runtime fuses the Relu into one and the Add into the other.
    private static void ReplacePRelu(GraphProto graph)
    {
        foreach (NodeProto node in graph.Node.Where(n => n.OpType == "PRelu").ToList())
        {
            // Only per-channel slopes [C, 1, 1]; a shared slope or an element-wise one keeps its operator.
            if (!TryWeights(graph, node.Input[1], out TensorProto? slope) || slope.Dims.Count != 3 || slope.Dims[0] == 1 || slope.Dims[1] != 1 || slope.Dims[2] != 1)
                continue;
            float[] a = Floats(slope);
            float[] b = [.. a.Select(v => 1 - v)];
            string x = node.Input[0], y = node.Output[0], stem = y + "_prelu";
            Add(graph, stem + "_a", [a.Length, 1, 1, 1], a);
            Add(graph, stem + "_b", [a.Length, 1, 1, 1], b);
            NodeProto linear = Depthwise(x, stem + "_a", stem + "_linear", a.Length);
            NodeProto[] rest = a.All(v => v <= 1)
                ? [Depthwise(x, stem + "_b", stem + "_share", a.Length), Relu(stem + "_share", stem + "_rest")]
                : [Relu(x, stem + "_positive"), Depthwise(stem + "_positive", stem + "_b", stem + "_rest", a.Length)];
            var sum = new NodeProto { OpType = "Add", Name = stem + "_sum", Input = { stem + "_linear", stem + "_rest" }, Output = { y } };
            Replace(graph, node, [linear, .. rest, sum]);
        }
    }

    // Softmax over two classes is the sigmoid of their difference, and the convolution before it can give the difference at once. The runtime's
    // Softmax works row by row, here on thousands of rows of two; its sigmoid takes the whole tensor as one vector.
    private static void ReplaceSoftmaxOfPairs(GraphProto graph)
    {
        foreach (NodeProto node in graph.Node.Where(n => n.OpType == "Softmax").ToList())
        {
            var convolutions = new List<NodeProto>();
            if (Number(node, "axis", -1) is not (2 or -1) || !CollectPairs(graph, node.Input[0], convolutions))
                continue;
            foreach (NodeProto convolution in convolutions)
            {
                for (int i = 1; i < convolution.Input.Count; i++)
                {
                    TensorProto weights = Weights(graph, convolution.Input[i])!;
                    float[] values = Floats(weights);
                    int filter = values.Length / (int)weights.Dims[0];
                    for (int first = 0; first < values.Length; first += 2 * filter)
                    {
                        for (int k = first; k < first + filter; k++)
                        {
                            values[k] -= values[k + filter];
                            values[k + filter] = -values[k];
                        }
                    }
                    string name = $"{convolution.Output[0]}_difference{i}";
                    Add(graph, name, [.. weights.Dims], values);
                    convolution.Input[i] = name;
                }
            }
            node.OpType = "Sigmoid";
            node.Attribute.Clear();
        }
    }

    // Finds convolutions whose channels, in pairs, become the rows of a tensor [batch, n, 2] that nothing else reads.
    private static bool CollectPairs(GraphProto graph, string tensor, List<NodeProto> convolutions)
    {
        if (IsOutput(graph, tensor) || Readers(graph, tensor).Count(n => n.OpType != "Shape") != 1 || Maker(graph, tensor) is not { } node)
            return false;
        switch (node.OpType)
        {
            case "Concat":
                return Number(node, "axis", 0) == 1 && node.Input.All(input => CollectPairs(graph, input, convolutions));
            case "Reshape":
                return LastOfShape(graph, node.Input[1]) == 2 && CollectPairs(graph, node.Input[0], convolutions);
            case "Transpose":
                return Numbers(node, "perm") is [0, 2, 3, 1] && CollectPairs(graph, node.Input[0], convolutions);
            case "Conv":
                convolutions.Add(node);
                return node.Input.Skip(1).All(input => TryWeights(graph, input, out TensorProto? weights) && weights.Dims[0] % 2 == 0);
            default:
                return false;
        }
    }

    // The last element of a target shape, which may be a constant or be assembled from parts; 0 if unknown.
    private static long LastOfShape(GraphProto graph, string tensor)
    {
        if (Constant(graph, tensor) is { DataType: TypeInt64 } stated)
            return Integers(stated)[^1];
        return Maker(graph, tensor) is { OpType: "Concat" } assembled ? LastOfShape(graph, assembled.Input[^1]) : 0;
    }

    // Convolutions with the same input and geometry that have few channels and leave the blocks immediately, like a detector's heads: merged, they fill
    // fewer blocks. A Split returns the channels of each; if each is followed by a depthwise convolution, those are merged too.
    private static void MergeSiblings(GraphProto graph, long version)
    {
        var groups = graph.Node.Where(n => n.OpType == "Conv").Select(n => (Node: n, Key: SiblingKey(graph, n))).Where(n => n.Key is not null)
            .GroupBy(n => n.Key, n => n.Node).ToList();
        foreach (NodeProto[] siblings in groups.Select(g => g.ToArray()))
        {
            long[] sizes = [.. siblings.Select(n => Weights(graph, n.Input[1])!.Dims[0])];
            if (sizes.Sum(Blocks) <= Blocks(sizes.Sum()))
                continue;
            NodeProto merged = Merge(graph, siblings, siblings[0].Input[0], 1);
            List<NodeProto> made = [merged];
            NodeProto[] ends = siblings;
            if (DepthwiseBehind(graph, siblings[0]) is not null)
            {
                ends = [.. siblings.Select(n => DepthwiseBehind(graph, n)!)];
                made.Add(Merge(graph, ends, merged.Output[0], sizes.Sum()));
            }
            made.Add(Split(graph, made[^1].Output[0], ends.Select(n => n.Output[0]), sizes, version));
            // At the position of the first node, everything the merged nodes read is available, and no reader of them has come yet.
            Replace(graph, siblings[0], [.. made]);
            foreach (NodeProto node in siblings.Concat(ends))
                graph.Node.Remove(node);
        }
    }

    // Equal for convolutions that can be merged; null for those that stay in blocks, for which a Split would cost more than it saves.
    private static string? SiblingKey(GraphProto graph, NodeProto node)
    {
        if (Number(node, "group", 1) != 1 || !node.Input.Skip(1).All(input => TryWeights(graph, input, out _)))
            return null;
        NodeProto? behind = DepthwiseBehind(graph, node);
        if (behind is null && !LeavesBlocks(graph, node.Output[0]))
            return null;
        return $"{node.Input[0]} {Geometry(graph, node)} {(behind is null ? "" : Geometry(graph, behind))}";
    }

    private static NodeProto? DepthwiseBehind(GraphProto graph, NodeProto node)
    {
        if (IsOutput(graph, node.Output[0]) || Readers(graph, node.Output[0]).ToList() is not [{ OpType: "Conv" } reader])
            return null;
        bool depthwise = reader.Input.Skip(1).All(input => TryWeights(graph, input, out _)) && Weights(graph, reader.Input[1]) is { Dims: [var channels, 1, ..] }
            && channels == Number(reader, "group", 1) && channels == Weights(graph, node.Input[1])!.Dims[0];
        return depthwise && LeavesBlocks(graph, reader.Output[0]) ? reader : null;
    }

    // A dense convolution of fewer channels than a block reads the plain layout.
    private static bool LeavesBlocks(GraphProto graph, string tensor) => Readers(graph, tensor).All(n => n.OpType is "Transpose" or "Reshape" or "Shape"
        || (n.OpType == "Conv" && Number(n, "group", 1) == 1 && Weights(graph, n.Input[1]) is { } weights && weights.Dims[1] < Block));

    private static string Geometry(GraphProto graph, NodeProto node)
    {
        string attributes = string.Join(' ', node.Attribute.Where(a => a.Name != "group").OrderBy(a => a.Name, StringComparer.Ordinal).Select(a => a.ToByteString().ToBase64()));
        return $"{node.Input.Count} {string.Join('x', Weights(graph, node.Input[1])!.Dims.Skip(1))} {attributes}";
    }

    private static long Blocks(long channels) => (channels + Block - 1) / Block;

    private static NodeProto Merge(GraphProto graph, NodeProto[] nodes, string input, long group)
    {
        string output = nodes[0].Output[0] + "_merged";
        NodeProto merged = nodes[0].Clone();
        merged.Name = output;
        merged.Input[0] = input;
        merged.Output[0] = output;
        for (int i = 1; i < merged.Input.Count; i++)
        {
            TensorProto[] parts = [.. nodes.Select(n => Weights(graph, n.Input[i])!)];
            merged.Input[i] = $"{output}_{i}";
            Add(graph, merged.Input[i], [parts.Sum(p => p.Dims[0]), .. parts[0].Dims.Skip(1)], [.. parts.SelectMany(Floats)]);
        }
        if (merged.Attribute.FirstOrDefault(a => a.Name == "group") is { } stated)
            merged.Attribute.Remove(stated);
        merged.Attribute.Add(new AttributeProto { Name = "group", I = group, Type = AttributeInt });
        return merged;
    }

    private static NodeProto Split(GraphProto graph, string input, IEnumerable<string> outputs, long[] sizes, long version)
    {
        var split = new NodeProto
        {
            OpType = "Split",
            Name = input + "_split",
            Input = { input },
            Output = { outputs },
            Attribute = { new AttributeProto { Name = "axis", I = 1, Type = AttributeInt } },
        };
        if (version < 13)
        {
            split.Attribute.Add(new AttributeProto { Name = "split", Ints = { sizes }, Type = AttributeInts });
            return split;
        }
        split.Input.Add(input + "_sizes");
        graph.Initializer.Add(new TensorProto { Name = split.Input[1], DataType = TypeInt64, Dims = { sizes.Length }, RawData = Bytes<long>(sizes) });
        return split;
    }

    private static NodeProto Depthwise(string input, string weights, string output, int channels) => new()
    {
        OpType = "Conv",
        Name = output,
        Input = { input, weights },
        Output = { output },
        Attribute =
        {
            new AttributeProto { Name = "group", I = channels, Type = AttributeInt },
            new AttributeProto { Name = "kernel_shape", Ints = { 1, 1 }, Type = AttributeInts },
        },
    };

    private static NodeProto Relu(string input, string output) => new() { OpType = "Relu", Name = output, Input = { input }, Output = { output } };
}
