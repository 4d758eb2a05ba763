using System.Runtime.InteropServices;
using Google.Protobuf;
using LfrEngine.Models.Onnx;
using static LfrEngine.Models.OnnxParts;

namespace LfrEngine.Models;

/// <summary>Edits a network in memory before ONNX Runtime sees it: free dimensions and chosen outputs; then <see cref="OnnxRewrites"/>.</summary>
/// <remarks>
/// Reads ONNX, with only the fields that it needs (onnx_subset.proto; all others are passed through as unknown fields), and
/// TensorFlow Lite, which <see cref="TfLiteGraph"/> translates. Files are not trusted: <see cref="OnnxCheck"/> runs before any edit.
/// </remarks>
internal static class OnnxGraph
{
    /// <summary>Makes a file dynamic.</summary>
    /// <param name="file">An ONNX or a TensorFlow Lite file.</param>
    /// <param name="outputs">Output tensors; those inside the graph are exposed, and nodes that feed none of them are removed.</param>
    /// <param name="freeSize">Whether height and width become free too, not only the batch.</param>
    /// <param name="rewrite">Whether to apply <see cref="OnnxRewrites"/>; benchmarks compare with and without.</param>
    /// <param name="ranges">For <see cref="OnnxQuantiser"/>; null leaves everything in float32.</param>
    /// <exception cref="InvalidDataException">A named tensor does not exist, the file is neither ONNX nor TensorFlow Lite, or it is inconsistent.</exception>
    public static byte[] MakeDynamic(ReadOnlySpan<byte> file, IReadOnlyList<string> outputs, bool freeSize, bool rewrite = true,
        IReadOnlyDictionary<string, float[]>? ranges = null)
    {
        ModelProto model = Parse(file);
        Expose(model.Graph, outputs);
        DropDeadNodes(model.Graph);
        FreeDimensions(model.Graph, freeSize);
        FreeBatchOfReshapes(model.Graph);
        if (rewrite)
            OnnxRewrites.Apply(model, ranges);
        DropUnusedInitializers(model.Graph);
        return model.ToByteArray();
    }

    /// <summary>The original file with additional outputs: the reference for an edited graph.</summary>
    public static byte[] ExposeOnly(ReadOnlySpan<byte> file, IReadOnlyList<string> outputs)
    {
        ModelProto model = Parse(file);
        Expose(model.Graph, outputs);
        return model.ToByteArray();
    }

    private static ModelProto Parse(ReadOnlySpan<byte> file)
    {
        if (TfLiteFile.Is(file))
            return TfLiteGraph.Translate(file.ToArray());
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(file);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException("it is neither an ONNX nor a TensorFlow Lite file", e);
        }
        if (model.Graph is null || model.Graph.Node.Count == 0)
            throw new InvalidDataException("it is neither an ONNX nor a TensorFlow Lite file: it contains no graph");
        OnnxCheck.Throw(model.Graph);
        return model;
    }

    private static void Expose(GraphProto graph, IReadOnlyList<string> outputs)
    {
        var made = graph.Node.SelectMany(n => n.Output).ToHashSet();
        var described = graph.Output.ToDictionary(o => o.Name);
        graph.Output.Clear();
        foreach (string name in outputs)
        {
            if (!made.Contains(name))
                throw new InvalidDataException($"its graph makes no tensor \"{name}\"");
            graph.Output.Add(described.GetValueOrDefault(name) ?? new ValueInfoProto
            {
                Name = name,
                Type = new TypeProto { TensorType = new TypeProto.Types.TensorTypeProto { ElemType = TypeFloat } },
            });
        }
    }

    private static void DropDeadNodes(GraphProto graph)
    {
        if (HasSubgraphs(graph))
            return;
        var needed = graph.Output.Select(o => o.Name).ToHashSet();
        var alive = new List<NodeProto>();
        // ONNX lists nodes in topological order.
        for (int i = graph.Node.Count - 1; i >= 0; i--)
        {
            NodeProto node = graph.Node[i];
            if (!node.Output.Any(needed.Contains))
                continue;
            needed.UnionWith(node.Input);
            alive.Add(node);
        }
        alive.Reverse();
        graph.Node.Clear();
        graph.Node.AddRange(alive);
    }

    private static void DropUnusedInitializers(GraphProto graph)
    {
        if (HasSubgraphs(graph))
            return;
        var used = graph.Node.SelectMany(n => n.Input).Concat(graph.Output.Select(o => o.Name)).ToHashSet();
        foreach (TensorProto tensor in graph.Initializer.Where(t => !used.Contains(t.Name)).ToList())
        {
            graph.Initializer.Remove(tensor);
            // Before IR version 4 every initializer is also listed as an input and would have to be fed.
            if (graph.Input.FirstOrDefault(i => i.Name == tensor.Name) is { } listed)
                graph.Input.Remove(listed);
        }
    }

    // A subgraph (If, Loop, Scan) may use any tensor around it, which the known fields do not show, so such graphs keep everything.
    private static bool HasSubgraphs(GraphProto graph)
    {
        const int AttributeGraph = 5, AttributeGraphs = 10;
        return graph.Node.Any(n => n.Attribute.Any(a => a.Type is AttributeGraph or AttributeGraphs));
    }

    private static void FreeDimensions(GraphProto graph, bool freeSize)
    {
        var constants = graph.Initializer.Select(t => t.Name).ToHashSet();
        foreach (ValueInfoProto input in graph.Input)
        {
            if (constants.Contains(input.Name) || input.Type?.TensorType?.Shape is not { } shape)
                continue;
            string[] names = ["batch", "", "height", "width"];
            for (int i = 0; i < shape.Dim.Count && i < 4; i++)
            {
                if (i == 0 || (freeSize && i >= 2))
                    shape.Dim[i] = new TensorShapeProto.Types.Dimension { DimParam = names[i] };
            }
        }
        // Fixed shapes inside and at the outputs would contradict the free ones; ONNX Runtime infers them again.
        graph.ValueInfo.Clear();
        foreach (ValueInfoProto output in graph.Output)
        {
            if (output.Type?.TensorType is { } tensor)
                tensor.Shape = null;
        }
    }

    // A constant target shape [1, …] fixes the batch; 0 copies it from the input.
    private static void FreeBatchOfReshapes(GraphProto graph)
    {
        var initializers = graph.Initializer.ToDictionary(t => t.Name);
        var constants = graph.Node.Where(n => n.OpType == "Constant").ToDictionary(n => n.Output[0]);
        foreach (NodeProto node in graph.Node.Where(n => n.OpType == "Reshape"))
        {
            TensorProto? shape = initializers.GetValueOrDefault(node.Input[1])
                ?? constants.GetValueOrDefault(node.Input[1])?.Attribute.FirstOrDefault(a => a.Name == "value")?.T;
            if (shape is null || shape.DataType != TypeInt64)
                continue;
            long[] dims = Integers(shape);
            if (dims.Length < 2 || dims[0] != 1)
                continue;
            dims[0] = 0;
            shape.Int64Data.Clear();
            shape.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<long>(dims));
        }
    }
}
