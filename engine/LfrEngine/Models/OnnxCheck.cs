using LfrEngine.Models.Onnx;
using static LfrEngine.Models.OnnxParts;

namespace LfrEngine.Models;

/// <summary>Checks once what <see cref="OnnxGraph"/> and the rewrites rely on: an inconsistent file is refused, whatever its origin.</summary>
internal static class OnnxCheck
{
    // Operators whose inputs the rewrites access by number.
    private static readonly Dictionary<string, (int Least, int Most)> Inputs = new()
    {
        ["Add"] = (2, 2), ["Concat"] = (1, int.MaxValue), ["Conv"] = (2, 3), ["MatMul"] = (2, 2), ["Mul"] = (2, 2), ["Neg"] = (1, 1), ["PRelu"] = (2, 2),
        ["Relu"] = (1, 1), ["Sigmoid"] = (1, 1), ["Softmax"] = (1, 1), ["Transpose"] = (1, 1),
    };

    /// <summary>Throws if the graph is not consistent.</summary>
    /// <exception cref="InvalidDataException">The message names the node or tensor.</exception>
    public static void Throw(GraphProto graph)
    {
        var constants = new HashSet<string>();
        foreach (TensorProto tensor in graph.Initializer)
        {
            CheckTensor(tensor);
            if (!constants.Add(tensor.Name))
                throw new InvalidDataException($"it has two constants named \"{tensor.Name}\"");
        }
        if (graph.Output.GroupBy(o => o.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InvalidDataException($"it has two outputs named \"{twice.Key}\"");
        if (graph.Input.GroupBy(o => o.Name).FirstOrDefault(g => g.Count() > 1) is { } again)
            throw new InvalidDataException($"it has two inputs named \"{again.Key}\"");
        var made = graph.Node.SelectMany(n => n.Output).Where(o => o.Length > 0).ToHashSet();
        // Searches follow tensors to the nodes that compute them. They end because a node reads only tensors of earlier nodes.
        var ready = graph.Input.Select(i => i.Name).Concat(constants).ToHashSet();
        if (made.Overlaps(ready))
            throw new InvalidDataException($"its tensor \"{made.First(ready.Contains)}\" is both given and computed");
        foreach (NodeProto node in graph.Node)
            CheckNode(node, made, ready);
    }

    private static void CheckNode(NodeProto node, HashSet<string> made, HashSet<string> ready)
    {
        if (node.Output.Count == 0)
            throw new InvalidDataException($"its operator {node.OpType} \"{node.Name}\" computes nothing");
        if (node.Domain.Length == 0 && Inputs.TryGetValue(node.OpType, out (int Least, int Most) inputs) && (node.Input.Count < inputs.Least || node.Input.Count > inputs.Most))
            throw new InvalidDataException($"its operator {node.OpType} \"{node.Name}\" has {node.Input.Count} inputs");
        if (node.Input.FirstOrDefault(i => made.Contains(i) && !ready.Contains(i)) is { } early)
            throw new InvalidDataException($"its operator {node.OpType} \"{node.Name}\" reads \"{early}\" before it is computed");
        foreach (string output in node.Output.Where(o => o.Length > 0))
        {
            if (!ready.Add(output))
                throw new InvalidDataException($"its tensor \"{output}\" is computed twice");
        }
        foreach (AttributeProto attribute in node.Attribute)
        {
            if (attribute.T is { } tensor)
                CheckTensor(tensor);
        }
    }

    private static void CheckTensor(TensorProto tensor)
    {
        if (tensor.DataType is not (TypeFloat or TypeInt64))
            return;
        // Only these two types are read here; their number of elements must match the dimensions. It is zero if the data is in another file.
        long elements = 1;
        foreach (long dimension in tensor.Dims)
        {
            if (dimension is < 0 or > int.MaxValue || (elements *= dimension) > int.MaxValue)
                throw new InvalidDataException($"its constant \"{tensor.Name}\" has the dimensions [{string.Join(", ", tensor.Dims)}]");
        }
        int size = tensor.DataType == TypeFloat ? sizeof(float) : sizeof(long), listed = tensor.DataType == TypeFloat ? tensor.FloatData.Count : tensor.Int64Data.Count;
        if (listed > 0 ? listed != elements || tensor.RawData.Length > 0 : tensor.RawData.Length != elements * size)
            throw new InvalidDataException($"its constant \"{tensor.Name}\" does not have the {elements} elements that its dimensions require");
    }
}
