using System.Runtime.InteropServices;

namespace LfrEngine.Models;

/// <summary>The content of a TensorFlow Lite file: one graph of operators over tensors. Reads only the fields that face networks need.</summary>
/// <remarks>Facts of the public schema, version 3: the numbers of fields, operators and types.</remarks>
internal sealed class TfLiteFile
{
    /// <summary>Types of elements.</summary>
    public const int Float32 = 0, Float16 = 1, Int32 = 2;

    // Far above the images and weights of face networks; a product of four stays far below the limit of a long.
    private const int LargestDimension = 1 << 15;

    private readonly FlatTable[] buffers;
    private long constantsLeft;

    private TfLiteFile(byte[] file)
    {
        FlatTable model = FlatTable.Root(file);
        // Each element takes at least two bytes, so a valid file has fewer elements than bytes; an altered file may use one buffer many times.
        constantsLeft = file.Length;
        buffers = model.Tables(4);
        FlatTable[] graphs = model.Tables(2);
        if (graphs.Length != 1)
            throw new InvalidDataException($"it contains {graphs.Length} graphs, expected 1");
        // Newer files have the operator's number in field 3, older ones in field 0; the larger is valid.
        int[] codes = [.. model.Tables(1).Select(c => Math.Max((sbyte)c.Byte(0), c.Int(3)))];
        Tensors = [.. graphs[0].Tables(0).Select(ReadTensor)];
        Inputs = graphs[0].Ints(1);
        Outputs = graphs[0].Ints(2);
        Operators = [.. graphs[0].Tables(3).Select(o => ReadOperator(o, codes))];
        if (Inputs.Concat(Outputs).Any(i => i < 0 || i >= Tensors.Length))
            throw new InvalidDataException("its graph refers to a tensor that does not exist");
    }

    public TfLiteTensor[] Tensors { get; }

    public TfLiteOperator[] Operators { get; }

    public int[] Inputs { get; }

    public int[] Outputs { get; }

    /// <summary>Whether these bytes have the signature of TensorFlow Lite.</summary>
    public static bool Is(ReadOnlySpan<byte> file) => file.Length >= 8 && file.Slice(4, 4).SequenceEqual("TFL3"u8);

    /// <exception cref="InvalidDataException">The file is altered, or has more than one graph.</exception>
    public static TfLiteFile Read(byte[] file) => new(file);

    /// <summary>The elements of a constant tensor as float32, in the file's order; null when the tensor is computed.</summary>
    public float[]? Floats(int tensor)
    {
        TfLiteTensor t = Tensors[tensor];
        if (t.Type is not (Float32 or Float16) || Raw(t, t.Type == Float32 ? 4 : 2) is not { Length: > 0 } bytes)
            return null;
        return t.Type == Float32 ? MemoryMarshal.Cast<byte, float>(bytes).ToArray() : [.. MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(h => (float)h)];
    }

    /// <summary>The elements of a constant tensor of int32; null when it is computed or of another type.</summary>
    public int[]? Integers(int tensor) =>
        Tensors[tensor].Type == Int32 && Raw(Tensors[tensor], 4) is { Length: > 0 } bytes ? MemoryMarshal.Cast<byte, int>(bytes).ToArray() : null;

    private ReadOnlySpan<byte> Raw(TfLiteTensor tensor, int size)
    {
        ReadOnlySpan<byte> bytes = buffers[tensor.Buffer].Bytes(0);
        long elements = tensor.Shape.Aggregate(1L, (a, b) => a * b);
        if (bytes.Length > 0 && bytes.Length != elements * size)
            throw new InvalidDataException($"its tensor \"{tensor.Name}\" has {bytes.Length} bytes for {elements} elements of {size}");
        if (bytes.Length > 0 && (constantsLeft -= elements) < 0)
            throw new InvalidDataException("its tensors share the same bytes too often");
        return bytes;
    }

    private TfLiteTensor ReadTensor(FlatTable table)
    {
        var tensor = new TfLiteTensor(table.Text(3), table.Ints(0), table.Byte(1), table.Int(2));
        if (tensor.Shape.Length > 4 || tensor.Shape.Any(d => d is < 1 or > LargestDimension))
            throw new InvalidDataException($"its tensor \"{tensor.Name}\" has the shape [{string.Join(", ", tensor.Shape)}]; up to four dimensions of 1 to {LargestDimension} are supported");
        if (tensor.Buffer < 0 || tensor.Buffer >= buffers.Length)
            throw new InvalidDataException($"its tensor \"{tensor.Name}\" refers to a buffer that does not exist");
        return tensor;
    }

    private TfLiteOperator ReadOperator(FlatTable table, int[] codes)
    {
        int code = table.Int(0);
        if (code < 0 || code >= codes.Length)
            throw new InvalidDataException("its graph refers to an operator that does not exist");
        var read = new TfLiteOperator(codes[code], table.Ints(1), table.Ints(2), table.Table(4));
        // −1 means an omitted optional input.
        if (read.Inputs.Any(i => i < -1 || i >= Tensors.Length) || read.Outputs.Any(i => i < 0 || i >= Tensors.Length))
            throw new InvalidDataException("its graph refers to a tensor that does not exist");
        return read;
    }
}

/// <summary>A tensor as the file describes it: images are NHWC with a batch of 1.</summary>
internal sealed record TfLiteTensor(string Name, int[] Shape, int Type, int Buffer);

/// <summary>An operator: its number in the schema, its tensors as indices, its options.</summary>
internal sealed record TfLiteOperator(int Code, int[] Inputs, int[] Outputs, FlatTable? Options)
{
    public byte Byte(int field, byte otherwise = 0) => Options?.Byte(field, otherwise) ?? otherwise;

    public int Int(int field, int otherwise = 0) => Options?.Int(field, otherwise) ?? otherwise;
}
