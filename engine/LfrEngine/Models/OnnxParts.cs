using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Google.Protobuf;
using LfrEngine.Models.Onnx;

namespace LfrEngine.Models;

/// <summary>Finds and creates parts of an ONNX graph. Graphs have a few hundred nodes, so every search is linear.</summary>
internal static class OnnxParts
{
    /// <summary>ONNX' numbers for types of elements.</summary>
    public const int TypeFloat = 1, TypeUInt8 = 2, TypeInt8 = 3, TypeInt32 = 6, TypeInt64 = 7;

    /// <summary>ONNX' numbers for types of attributes.</summary>
    public const int AttributeInt = 2, AttributeInts = 7;

    public static void Replace(GraphProto graph, NodeProto node, NodeProto[] by)
    {
        int at = graph.Node.IndexOf(node);
        graph.Node.RemoveAt(at);
        foreach (NodeProto made in by)
            graph.Node.Insert(at++, made);
    }

    public static IEnumerable<NodeProto> Readers(GraphProto graph, string tensor) => graph.Node.Where(n => n.Input.Contains(tensor));

    public static NodeProto? Maker(GraphProto graph, string tensor) => graph.Node.FirstOrDefault(n => n.Output.Contains(tensor));

    public static bool IsOutput(GraphProto graph, string tensor) => graph.Output.Any(o => o.Name == tensor);

    public static TensorProto? Constant(GraphProto graph, string tensor) => graph.Initializer.FirstOrDefault(t => t.Name == tensor)
        ?? (Maker(graph, tensor) is { OpType: "Constant" } node ? node.Attribute.FirstOrDefault(a => a.Name == "value")?.T : null);

    public static TensorProto? Weights(GraphProto graph, string tensor) => graph.Initializer.FirstOrDefault(t => t.Name == tensor);

    public static bool TryWeights(GraphProto graph, string tensor, [NotNullWhen(true)] out TensorProto? weights)
    {
        weights = Weights(graph, tensor);
        return weights?.DataType == TypeFloat;
    }

    public static void Add(GraphProto graph, string name, long[] dims, float[] values) =>
        graph.Initializer.Add(new TensorProto { Name = name, DataType = TypeFloat, Dims = { dims }, RawData = Bytes<float>(values) });

    public static ByteString Bytes<T>(T[] values)
        where T : unmanaged => ByteString.CopyFrom(MemoryMarshal.AsBytes<T>(values));

    public static long Number(NodeProto node, string attribute, long otherwise) => node.Attribute.FirstOrDefault(a => a.Name == attribute)?.I ?? otherwise;

    public static long[] Numbers(NodeProto node, string attribute) => [.. node.Attribute.FirstOrDefault(a => a.Name == attribute)?.Ints ?? []];

    /// <summary>The elements of an int64 tensor, however it stores them.</summary>
    public static long[] Integers(TensorProto tensor) =>
        tensor.Int64Data.Count > 0 ? [.. tensor.Int64Data] : MemoryMarshal.Cast<byte, long>(tensor.RawData.Span).ToArray();

    /// <summary>The elements of a float32 tensor, however it stores them.</summary>
    public static float[] Floats(TensorProto tensor) =>
        tensor.FloatData.Count > 0 ? [.. tensor.FloatData] : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
}
