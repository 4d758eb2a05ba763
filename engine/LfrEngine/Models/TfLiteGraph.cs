using Google.Protobuf;
using LfrEngine.Models.Onnx;
using static LfrEngine.Models.OnnxParts;

namespace LfrEngine.Models;

/// <summary>Translates a TensorFlow Lite file into an equivalent ONNX graph, which is then edited and run like any other.</summary>
/// <remarks>
/// TensorFlow Lite holds images as NHWC, ONNX as NCHW: every tensor of four dimensions changes its layout and keeps its name. Names, shapes
/// and weights come from the file. Operators that cannot be translated are refused by name, so that no network computes something else.
/// </remarks>
internal sealed class TfLiteGraph
{
    private const int Opset = 13, IrVersion = 7;
    private const int AttributeString = 3;
    private const byte Same = 0;

    private static readonly Dictionary<int, (string Name, Action<TfLiteGraph, TfLiteOperator> Translate)> Known = new()
    {
        [0] = ("ADD", (g, o) => g.Binary(o, "Add", activation: o.Byte(0))),
        [2] = ("CONCATENATION", (g, o) => g.Concatenate(o)),
        [3] = ("CONV_2D", (g, o) => g.Convolution(o)),
        [4] = ("DEPTHWISE_CONV_2D", (g, o) => g.Depthwise(o)),
        [6] = ("DEQUANTIZE", (g, o) => g.Widen(o)),
        [9] = ("FULLY_CONNECTED", (g, o) => g.FullyConnected(o)),
        [17] = ("MAX_POOL_2D", (g, o) => g.MaxPool(o)),
        [18] = ("MUL", (g, o) => g.Binary(o, "Mul", activation: o.Byte(0))),
        [19] = ("RELU", (g, o) => g.Unary(o, "Relu")),
        [22] = ("RESHAPE", (g, o) => g.Reshape(o)),
        [23] = ("RESIZE_BILINEAR", (g, o) => g.Resize(o)),
        [25] = ("SOFTMAX", (g, o) => g.Softmax(o)),
        [34] = ("PAD", (g, o) => g.Pad(o)),
        [41] = ("SUB", (g, o) => g.Binary(o, "Sub", activation: o.Byte(0))),
        [42] = ("DIV", (g, o) => g.Binary(o, "Div", activation: o.Byte(0))),
        [47] = ("EXP", (g, o) => g.Unary(o, "Exp")),
        [54] = ("PRELU", (g, o) => g.Binary(o, "PRelu", activation: 0)),
        [59] = ("NEG", (g, o) => g.Unary(o, "Neg")),
        [74] = ("SUM", (g, o) => g.Reduce(o, "ReduceSum")),
        [82] = ("REDUCE_MAX", (g, o) => g.Reduce(o, "ReduceMax")),
    };

    private readonly TfLiteFile file;
    private readonly GraphProto graph = new() { Name = "tflite" };
    private readonly HashSet<int> made;
    private readonly Dictionary<int, float[]> widened = [];
    private string translating = "";
    private long constantsLeft;
    // An activation that follows the node whose result it takes.
    private NodeProto? pending;

    private TfLiteGraph(TfLiteFile file, int length)
    {
        this.file = file;
        constantsLeft = length;
        made = [.. file.Inputs];
    }

    /// <summary>The ONNX graph of a file, with its batch of 1 and its size.</summary>
    /// <exception cref="InvalidDataException">The file is altered, or has an unsupported operator, which the message names.</exception>
    public static ModelProto Translate(byte[] bytes)
    {
        TfLiteFile file = TfLiteFile.Read(bytes);
        if (file.Tensors.GroupBy(t => t.Name).FirstOrDefault(g => g.Key.Length == 0 || g.Count() > 1) is { } twice)
            throw new InvalidDataException($"it has {twice.Count()} tensors named \"{twice.Key}\"");
        var translation = new TfLiteGraph(file, bytes.Length);
        foreach (TfLiteOperator operation in file.Operators)
            translation.Add(operation);
        foreach (int input in file.Inputs)
            translation.graph.Input.Add(Describe(file.Tensors[input]));
        foreach (int output in file.Outputs)
            translation.graph.Output.Add(Describe(translation.Computed(output)));
        return new ModelProto { IrVersion = IrVersion, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset } }, Graph = translation.graph };
    }

    private static ValueInfoProto Describe(TfLiteTensor tensor)
    {
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(Channels(tensor.Shape).Select(d => new TensorShapeProto.Types.Dimension { DimValue = d }));
        return new ValueInfoProto { Name = tensor.Name, Type = new TypeProto { TensorType = new TypeProto.Types.TensorTypeProto { ElemType = TypeFloat, Shape = shape } } };
    }

    // NHWC to NCHW; other numbers of dimensions stay.
    private static int[] Channels(int[] shape) => shape is [int n, int h, int w, int c] ? [n, c, h, w] : shape;

    private void Add(TfLiteOperator operation)
    {
        if (!Known.TryGetValue(operation.Code, out var known))
            throw new InvalidDataException($"it needs the operator {operation.Code} of TensorFlow Lite, which this engine does not support (supported: {string.Join(", ", Known.Values.Select(k => k.Name))})");
        translating = known.Name;
        if (operation.Outputs is not [int output] || !made.Add(output) || operation.Inputs.Length == 0 || operation.Inputs[0] < 0)
            throw Refused("has no input, or not one output of its own");
        if (file.Tensors[output].Type != TfLiteFile.Float32)
            throw Refused("does not give float32");
        known.Translate(this, operation);
    }

    private void Convolution(TfLiteOperator o)
    {
        TfLiteTensor x = Image(o, 0), y = Output(o, 4);
        (float[] weights, int[] shape) = Weights(o, 1, 4);
        (int filters, int height, int width, int channels) = (shape[0], shape[1], shape[2], shape[3]);
        if (channels != x.Shape[3] || filters != y.Shape[3])
            throw Refused($"has weights [{string.Join(", ", shape)}] between {x.Shape[3]} and {y.Shape[3]} channels");
        var turned = new float[weights.Length];
        for (int at = 0, f = 0; f < filters; f++)
        {
            for (int pixel = 0; pixel < height * width; pixel++)
            {
                for (int c = 0; c < channels; c++)
                    turned[(((f * channels) + c) * height * width) + pixel] = weights[at++];
            }
        }
        Convolve(o, x, y, turned, [filters, channels, height, width], group: 1, activation: o.Byte(3), dilations: [o.Int(5, 1), o.Int(4, 1)]);
    }

    private void Depthwise(TfLiteOperator o)
    {
        TfLiteTensor x = Image(o, 0), y = Output(o, 4);
        (float[] weights, int[] shape) = Weights(o, 1, 4);
        (int height, int width, int filters) = (shape[1], shape[2], shape[3]);
        if (shape[0] != 1 || filters != y.Shape[3] || filters % x.Shape[3] != 0)
            throw Refused($"has weights [{string.Join(", ", shape)}] between {x.Shape[3]} and {y.Shape[3]} channels");
        var turned = new float[weights.Length];
        for (int i = 0; i < weights.Length; i++)
            turned[(i % filters * height * width) + (i / filters)] = weights[i];
        Convolve(o, x, y, turned, [filters, 1, height, width], group: x.Shape[3], activation: o.Byte(4), dilations: [o.Int(6, 1), o.Int(5, 1)]);
    }

    private void Convolve(TfLiteOperator o, TfLiteTensor x, TfLiteTensor y, float[] weights, long[] shape, int group, byte activation, long[] dilations)
    {
        if (dilations.Any(d => d is < 1 or > 64))
            throw Refused("has a dilation that is not valid");
        string name = Activated(y, activation);
        Constant(y.Name + "/weights", shape, weights);
        NodeProto node = Node("Conv", name, x.Name, y.Name + "/weights");
        if (o.Inputs is [_, _, >= 0, ..])
        {
            (float[] bias, int[] length) = Weights(o, 2, 1);
            if (length[0] != shape[0])
                throw Refused($"has {length[0]} biases for {shape[0]} filters");
            Constant(y.Name + "/bias", [bias.Length], bias);
            node.Input.Add(y.Name + "/bias");
        }
        Geometry(node, o, [shape[2], shape[3]]);
        node.Attribute.Add(new AttributeProto { Name = "group", I = group, Type = AttributeInt });
        if (dilations is not [1, 1])
            node.Attribute.Add(new AttributeProto { Name = "dilations", Ints = { dilations }, Type = AttributeInts });
    }

    private void MaxPool(TfLiteOperator o)
    {
        TfLiteTensor x = Image(o, 0), y = Output(o, 4);
        NodeProto node = Node("MaxPool", Activated(y, o.Byte(5)), x.Name);
        if (o.Int(3) is < 1 or > 64 || o.Int(4) is < 1 or > 64)
            throw Refused("has a window that is not valid");
        Geometry(node, o, [o.Int(4), o.Int(3)]);
    }

    // Convolutions and pools have padding, stride of the width and of the height in the same fields. SAME depends on the size, which may become free.
    private void Geometry(NodeProto node, TfLiteOperator o, long[] kernel)
    {
        long[] strides = [o.Int(2), o.Int(1)];
        if (strides.Any(s => s is < 1 or > 64))
            throw Refused("has a stride that is not valid");
        node.Attribute.Add(new AttributeProto { Name = "kernel_shape", Ints = { kernel }, Type = AttributeInts });
        node.Attribute.Add(new AttributeProto { Name = "strides", Ints = { strides }, Type = AttributeInts });
        if (o.Byte(0) == Same)
            node.Attribute.Add(Text("auto_pad", "SAME_UPPER"));
    }

    private void Binary(TfLiteOperator o, string operation, byte activation)
    {
        if (o.Inputs.Length != 2)
            throw Refused("does not have two inputs");
        TfLiteTensor y = Output(o);
        Node(operation, Activated(y, activation), Operand(o, 0, y), Operand(o, 1, y));
    }

    // A computed tensor keeps its name; a constant is laid out to match the channels.
    private string Operand(TfLiteOperator o, int index, TfLiteTensor y)
    {
        int tensor = o.Inputs[index];
        if (tensor >= 0 && made.Contains(tensor) && !widened.ContainsKey(tensor))
        {
            TfLiteTensor computed = Computed(tensor);
            return computed.Shape.Length == y.Shape.Length ? computed.Name : throw Refused("joins tensors of different numbers of dimensions");
        }
        (float[] values, int[] shape) = Weights(o, index, null);
        if (shape.Length > y.Shape.Length)
            throw Refused("has a constant of more dimensions than its result");
        long[] dims = [.. shape.Select(d => (long)d)];
        if (y.Shape.Length == 4 && shape.Length > 0)
        {
            int[] full = [.. Enumerable.Repeat(1, 4 - shape.Length), .. shape];
            (values, dims) = (Turned(values, full), [full[3], full[1], full[2]]);
            if (full[0] != 1)
                throw Refused("has a constant for each image of a batch");
        }
        string name = $"{y.Name}/constant{index}";
        Constant(name, dims, values);
        return name;
    }

    // [1, H, W, C] to [C, H, W].
    private static float[] Turned(float[] values, int[] shape)
    {
        int channels = shape[3], pixels = values.Length / channels;
        var turned = new float[values.Length];
        for (int i = 0; i < values.Length; i++)
            turned[(i % channels * pixels) + (i / channels)] = values[i];
        return turned;
    }

    private void Unary(TfLiteOperator o, string operation) => Node(operation, Output(o).Name, Input(o, 0).Name);

    // Weights of 16 bits are kept as float32 from here on.
    private void Widen(TfLiteOperator o)
    {
        if (file.Tensors[o.Inputs[0]].Type != TfLiteFile.Float16 || file.Floats(o.Inputs[0]) is not { } values)
            throw Refused("is not of constant float16, the only supported kind");
        if (values.Length != Length(Output(o).Shape))
            throw Refused("changes the number of elements");
        widened.Add(o.Outputs[0], values);
    }

    private void FullyConnected(TfLiteOperator o)
    {
        TfLiteTensor x = Input(o, 0), y = Output(o, 2);
        (float[] weights, int[] shape) = Weights(o, 1, 2);
        if (shape[0] != y.Shape[1] || x.Shape.Length is not (2 or 4) || x.Shape[0] != 1 || shape[1] != Length(x.Shape) || o.Byte(1) != 0)
            throw Refused($"has weights [{string.Join(", ", shape)}] for an input [{string.Join(", ", x.Shape)}]");
        string input = x.Name;
        if (x.Shape.Length == 4)
        {
            // The rows follow the layout.
            weights = [.. weights.Chunk(shape[1]).SelectMany(row => Turned(row, x.Shape))];
            input = y.Name + "/flat";
            Node("Flatten", input, x.Name);
        }
        Constant(y.Name + "/weights", [shape[0], shape[1]], weights);
        NodeProto node = Node("Gemm", Activated(y, o.Byte(0)), input, y.Name + "/weights");
        node.Attribute.Add(new AttributeProto { Name = "transB", I = 1, Type = AttributeInt });
        if (o.Inputs is [_, _, >= 0, ..])
        {
            (float[] bias, int[] length) = Weights(o, 2, 1);
            if (length[0] != shape[0])
                throw Refused($"has {length[0]} biases for {shape[0]} outputs");
            Constant(y.Name + "/bias", [bias.Length], bias);
            node.Input.Add(y.Name + "/bias");
        }
    }

    // The second dimension is the one that a free size changes.
    private void Reshape(TfLiteOperator o)
    {
        TfLiteTensor x = Input(o, 0), y = Output(o);
        if (x.Shape.Length < 2 || y.Shape.Length is < 2 or > 3 || x.Shape[0] != 1 || y.Shape[0] != 1 || Length(x.Shape) != Length(y.Shape))
            throw Refused($"from [{string.Join(", ", x.Shape)}] to [{string.Join(", ", y.Shape)}] is not known");
        string input = x.Name;
        if (x.Shape.Length == 4)
        {
            input = y.Name + "/nhwc";
            Node("Transpose", input, x.Name).Attribute.Add(new AttributeProto { Name = "perm", Ints = { 0, 2, 3, 1 }, Type = AttributeInts });
        }
        Node("Reshape", y.Name, input, Whole(y.Name + "/shape", [0, -1, .. y.Shape.Skip(2).Select(d => (long)d)]));
    }

    private void Resize(TfLiteOperator o)
    {
        TfLiteTensor x = Image(o, 0), y = Output(o, 4);
        const int AlignCorners = 2, HalfPixelCentres = 3;
        if (o.Byte(AlignCorners) != 0 || o.Byte(HalfPixelCentres) == 0 || y.Shape[1] % x.Shape[1] != 0 || y.Shape[2] % x.Shape[2] != 0)
            throw Refused("is supported only with half-pixel centres and a whole factor");
        Constant(y.Name + "/scales", [4], [1, 1, y.Shape[1] / x.Shape[1], y.Shape[2] / x.Shape[2]]);
        NodeProto node = Node("Resize", y.Name, x.Name, "", y.Name + "/scales");
        node.Attribute.Add(Text("mode", "linear"));
        node.Attribute.Add(Text("coordinate_transformation_mode", "half_pixel"));
    }

    private void Softmax(TfLiteOperator o)
    {
        TfLiteTensor x = Input(o, 0), y = Output(o);
        if (o.Options is not { } options || options.Float(0) != 1)
            throw Refused("is supported only with a factor of 1");
        Node("Softmax", y.Name, x.Name).Attribute.Add(new AttributeProto { Name = "axis", I = Axis(x, -1), Type = AttributeInt });
    }

    private void Pad(TfLiteOperator o)
    {
        TfLiteTensor x = Image(o, 0), y = Output(o, 4);
        if (o.Inputs.Length != 2 || o.Inputs[1] < 0 || file.Integers(o.Inputs[1]) is not { Length: 8 } pads || pads.Any(p => p is < 0 or > 4096) || pads[0] + pads[1] != 0)
            throw Refused("is supported only with constant amounts, and none for the batch");
        Node("Pad", y.Name, x.Name, Whole(y.Name + "/pads", [0, pads[6], pads[2], pads[4], 0, pads[7], pads[3], pads[5]]));
    }

    private void Concatenate(TfLiteOperator o)
    {
        TfLiteTensor y = Output(o);
        NodeProto node = Node("Concat", Activated(y, o.Byte(1)), [.. Enumerable.Range(0, o.Inputs.Length).Select(i => Input(o, i)).Select(x => x.Shape.Length == y.Shape.Length ? x.Name : throw Refused("joins tensors of different numbers of dimensions"))]);
        node.Attribute.Add(new AttributeProto { Name = "axis", I = Axis(y, o.Int(0)), Type = AttributeInt });
    }

    private void Reduce(TfLiteOperator o, string operation)
    {
        TfLiteTensor x = Input(o, 0), y = Output(o);
        if (o.Inputs.Length != 2 || o.Inputs[1] < 0 || file.Integers(o.Inputs[1]) is not { Length: > 0 and <= 4 } axes || o.Byte(0) == 0 || x.Shape.Length != y.Shape.Length)
            throw Refused("is supported only over constant axes that are kept, with one element");
        long[] turned = [.. axes.Select(a => Axis(x, a))];
        NodeProto node = Node(operation, y.Name, x.Name);
        if (operation == "ReduceSum")
            node.Input.Add(Whole(y.Name + "/axes", turned));
        else
            node.Attribute.Add(new AttributeProto { Name = "axes", Ints = { turned }, Type = AttributeInts });
    }

    // The axis in the new layout.
    private long Axis(TfLiteTensor tensor, int axis)
    {
        int dimensions = tensor.Shape.Length;
        axis = axis < 0 && axis >= -dimensions ? axis + dimensions : axis;
        if (axis < 1 || axis >= dimensions)
            throw Refused($"works on axis {axis} of [{string.Join(", ", tensor.Shape)}]");
        return dimensions != 4 ? axis : axis == 3 ? 1 : axis + 1;
    }

    // The name that the operator itself gives, when a fused activation follows it.
    private string Activated(TfLiteTensor y, byte activation)
    {
        const byte None = 0, Relu = 1, Relu6 = 3;
        if (activation == None)
            return y.Name;
        string name = y.Name + "/linear";
        if (activation is not (Relu or Relu6))
            throw Refused($"has the fused activation {activation}; only RELU and RELU6 are supported");
        var node = new NodeProto { OpType = activation == Relu ? "Relu" : "Clip", Name = y.Name, Input = { name }, Output = { y.Name } };
        if (activation == Relu6)
        {
            Constant(y.Name + "/lowest", [], [0]);
            Constant(y.Name + "/highest", [], [6]);
            node.Input.AddRange([y.Name + "/lowest", y.Name + "/highest"]);
        }
        pending = node;
        return name;
    }

    private NodeProto Node(string operation, string output, params string[] inputs)
    {
        var node = new NodeProto { OpType = operation, Name = output, Input = { inputs }, Output = { output } };
        graph.Node.Add(node);
        if (pending is not null && pending.Input[0] == output)
        {
            graph.Node.Add(pending);
            pending = null;
        }
        return node;
    }

    // A valid file has fewer elements than bytes; an altered one may use the same weights many times.
    private void Constant(string name, long[] dims, float[] values)
    {
        if ((constantsLeft -= values.Length) < 0)
            throw Refused("uses the same weights too often");
        OnnxParts.Add(graph, name, dims, values);
    }

    private string Whole(string name, long[] values)
    {
        graph.Initializer.Add(new TensorProto { Name = name, DataType = TypeInt64, Dims = { values.Length }, RawData = Bytes(values) });
        return name;
    }

    private static AttributeProto Text(string name, string value) => new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeString };

    private TfLiteTensor Input(TfLiteOperator o, int index) => Computed(o.Inputs[index]);

    private TfLiteTensor Image(TfLiteOperator o, int index)
    {
        TfLiteTensor tensor = Input(o, index);
        return tensor.Shape.Length == 4 ? tensor : throw Refused($"takes \"{tensor.Name}\", which is not an image");
    }

    private TfLiteTensor Computed(int tensor) =>
        tensor >= 0 && made.Contains(tensor) && !widened.ContainsKey(tensor) && file.Tensors[tensor].Type == TfLiteFile.Float32
            ? file.Tensors[tensor]
            : throw Refused("takes a tensor that nothing has computed");

    private TfLiteTensor Output(TfLiteOperator o, int? dimensions = null)
    {
        TfLiteTensor tensor = file.Tensors[o.Outputs[0]];
        return dimensions is null || tensor.Shape.Length == dimensions ? tensor : throw Refused($"gives \"{tensor.Name}\" with {tensor.Shape.Length} dimensions");
    }

    private (float[] Values, int[] Shape) Weights(TfLiteOperator o, int index, int? dimensions)
    {
        if (index >= o.Inputs.Length || o.Inputs[index] < 0)
            throw Refused("lacks its weights");
        int tensor = o.Inputs[index];
        int[] shape = file.Tensors[tensor].Shape;
        if ((dimensions is not null && shape.Length != dimensions) || (widened.GetValueOrDefault(tensor) ?? file.Floats(tensor)) is not { } values)
            throw Refused("has weights of another kind");
        return (values, shape);
    }

    private static long Length(int[] shape) => shape.Aggregate(1L, (a, b) => a * b);

    private InvalidDataException Refused(string what) => new($"its operator {translating} {what}");
}
