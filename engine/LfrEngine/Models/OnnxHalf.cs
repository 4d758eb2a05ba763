using System.Runtime.InteropServices;
using Google.Protobuf;
using LfrEngine.Models.Onnx;

namespace LfrEngine.Models;

/// <summary>Converts a network to 16-bit floats, for backends on which that is faster. Its inputs and outputs stay float32.</summary>
internal static class OnnxHalf
{
    private const int Float = 1, Float16 = 10, AttributeInt = 2;

    // These operators take float32 scales with half data.
    private static readonly string[] ScaledOperators = ["Resize", "Upsample"];

    /// <summary>Converts a graph.</summary>
    /// <param name="graph">ONNX, as loaded by <see cref="OnnxModel"/>: without fixed shapes inside.</param>
    public static byte[] Convert(ReadOnlySpan<byte> graph)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(graph);
        GraphProto g = model.Graph;
        var constants = g.Initializer.Select(t => t.Name).ToHashSet();
        var keep = g.Node.Where(n => ScaledOperators.Contains(n.OpType)).SelectMany(n => n.Input.Skip(1)).ToHashSet();
        foreach (TensorProto tensor in g.Initializer.Where(t => !keep.Contains(t.Name)))
            ToHalf(tensor);
        foreach (NodeProto node in g.Node)
        {
            if (node.OpType is "Constant" or "ConstantOfShape" && !keep.Contains(node.Output[0]))
            {
                foreach (AttributeProto attribute in node.Attribute.Where(a => a.T is not null))
                    ToHalf(attribute.T);
            }
            else if (node.OpType == "Cast" && node.Attribute.FirstOrDefault(a => a.Name == "to") is { I: Float } to)
            {
                to.I = Float16;
            }
        }

        var renamed = new Dictionary<string, string>();
        var casts = new List<NodeProto>();
        foreach (ValueInfoProto input in g.Input.Where(i => i.Type?.TensorType?.ElemType == Float && !keep.Contains(i.Name)))
        {
            // Before IR version 4 initializers are listed as inputs.
            if (constants.Contains(input.Name))
            {
                input.Type.TensorType.ElemType = Float16;
                continue;
            }
            renamed[input.Name] = input.Name + "_half";
            casts.Add(Cast(input.Name, input.Name + "_half", Float16));
        }
        foreach (ValueInfoProto output in g.Output.Where(o => o.Type?.TensorType?.ElemType == Float))
            renamed[output.Name] = output.Name + "_half";
        foreach (NodeProto node in g.Node)
        {
            Rename(node.Input, renamed);
            Rename(node.Output, renamed);
        }
        for (int i = 0; i < casts.Count; i++)
            g.Node.Insert(i, casts[i]);
        foreach (ValueInfoProto output in g.Output.Where(o => renamed.ContainsKey(o.Name)))
            g.Node.Add(Cast(renamed[output.Name], output.Name, Float));
        return model.ToByteArray();
    }

    private static void Rename(Google.Protobuf.Collections.RepeatedField<string> names, Dictionary<string, string> renamed)
    {
        for (int i = 0; i < names.Count; i++)
            names[i] = renamed.GetValueOrDefault(names[i], names[i]);
    }

    private static NodeProto Cast(string from, string to, int type) => new()
    {
        OpType = "Cast",
        Name = to + "_cast",
        Input = { from },
        Output = { to },
        Attribute = { new AttributeProto { Name = "to", I = type, Type = AttributeInt } },
    };

    private static void ToHalf(TensorProto tensor)
    {
        if (tensor.DataType != Float)
            return;
        ReadOnlySpan<float> values = tensor.FloatData.Count > 0 ? [.. tensor.FloatData] : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span);
        var halves = new Half[values.Length];
        for (int i = 0; i < values.Length; i++)
            halves[i] = (Half)Math.Clamp(values[i], (float)Half.MinValue, (float)Half.MaxValue);
        tensor.FloatData.Clear();
        tensor.DataType = Float16;
        tensor.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<Half>(halves));
    }
}
