using LfrEngine.Models.Onnx;
using static LfrEngine.Models.OnnxParts;

namespace LfrEngine.Models;

/// <summary>What <see cref="OnnxGraph"/> and the rewrites rely on, checked once: a file that contradicts itself is refused, whatever its origin.</summary>
internal static class OnnxCheck
{
    // Where the rewrites look at inputs by number.
    private static readonly Dictionary<string, (int Least, int Most)> Inputs = new()
    {
        ["Add"] = (2, 2), ["Concat"] = (1, int.MaxValue), ["Conv"] = (2, 3), ["MatMul"] = (2, 2), ["Mul"] = (2, 2), ["Neg"] = (1, 1), ["PRelu"] = (2, 2),
        ["Relu"] = (1, 1), ["Sigmoid"] = (1, 1), ["Softmax"] = (1, 1), ["Transpose"] = (1, 1),
    };

    /// <summary>Throws if the graph cannot be.</summary>
    /// <exception cref="InvalidDataException">Says which node or tensor.</exception>
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
        // Searches follow tensors to their makers: they end because a node reads only what stands before it.
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
        // Only these two are read here; their elements must be as many as the dimensions say. Where they are in another file there are none.
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
