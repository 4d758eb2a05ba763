using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace LfrEngine.Tests.Models;

/// <summary>Writes small TensorFlow Lite files for tests: tables of FlatBuffers, each written before what it points to.</summary>
internal sealed class TfLiteWriter
{
    private readonly List<(string Name, int[] Shape, byte Type, int Buffer)> tensors = [];
    private readonly List<(int Code, int[] Inputs, int Outputs, object?[] Options)> operators = [];
    private readonly List<byte[]> buffers = [[]];

    /// <summary>A tensor that is fed or computed.</summary>
    public int Tensor(string name, params int[] shape)
    {
        tensors.Add((name, shape, 0, 0));
        return tensors.Count - 1;
    }

    /// <summary>A constant of float32, float16 or int32.</summary>
    public int Constant<T>(string name, int[] shape, params T[] values)
        where T : unmanaged
    {
        buffers.Add(MemoryMarshal.AsBytes<T>(values).ToArray());
        tensors.Add((name, shape, (byte)(typeof(T) == typeof(float) ? 0 : typeof(T) == typeof(Half) ? 1 : 2), buffers.Count - 1));
        return tensors.Count - 1;
    }

    /// <summary>An operator with its options by field: a byte, an int, a float, or null for a field that is left out.</summary>
    public void Operator(int code, int[] inputs, int output, params object?[] options) => operators.Add((code, inputs, output, options));

    /// <summary>The file.</summary>
    public byte[] Write(int input, params int[] outputs)
    {
        var graph = new Table(
            tensors.Select(t => new Table(t.Shape, t.Type, t.Buffer, t.Name)).ToArray(), new[] { input }, outputs,
            operators.Select((o, i) => new Table(i, o.Inputs, new[] { o.Outputs }, (byte)0, new Table(o.Options))).ToArray());
        var model = new Table(3, operators.Select(o => new Table((byte)Math.Min(o.Code, 127), null, null, o.Code)).ToArray(), new[] { graph }, null, buffers.Select(b => new Table(b)).ToArray());
        var file = new List<byte>([0, 0, 0, 0, .. "TFL3"u8]);
        Point(file, 0, Write(file, model));
        return [.. file];
    }

    private static int Write(List<byte> file, Table table)
    {
        // The vtable, then the table: every field takes four bytes.
        int vtable = Align(file);
        file.AddRange(new byte[4 + (2 * table.Fields.Length)]);
        int start = Align(file);
        file.AddRange(new byte[4 * (table.Fields.Length + 1)]);
        Put(file, start, start - vtable);
        BinaryPrimitives.WriteUInt16LittleEndian(CollectionsMarshal.AsSpan(file)[vtable..], (ushort)(4 + (2 * table.Fields.Length)));
        BinaryPrimitives.WriteUInt16LittleEndian(CollectionsMarshal.AsSpan(file)[(vtable + 2)..], (ushort)(4 * (table.Fields.Length + 1)));
        for (int i = 0; i < table.Fields.Length; i++)
        {
            if (table.Fields[i] is not { } value)
                continue;
            int at = start + 4 + (4 * i);
            BinaryPrimitives.WriteUInt16LittleEndian(CollectionsMarshal.AsSpan(file)[(vtable + 4 + (2 * i))..], (ushort)(at - start));
            switch (value)
            {
                case byte number: file[at] = number; break;
                case int number: Put(file, at, number); break;
                case float number: Put(file, at, BitConverter.SingleToInt32Bits(number)); break;
                case Table inner: Point(file, at, Write(file, inner)); break;
                case string text: Point(file, at, Vector(file, Encoding.UTF8.GetBytes(text), 1)); break;
                case byte[] bytes: Point(file, at, Vector(file, bytes, 1)); break;
                case int[] numbers: Point(file, at, Vector(file, MemoryMarshal.AsBytes<int>(numbers).ToArray(), 4)); break;
                case Table[] tables:
                    int list = Vector(file, new byte[4 * tables.Length], 4);
                    Point(file, at, list);
                    for (int k = 0; k < tables.Length; k++)
                        Point(file, list + 4 + (4 * k), Write(file, tables[k]));
                    break;
                default: throw new ArgumentException($"A {value.GetType()} has no place in a table.", nameof(table));
            }
        }
        return start;
    }

    private static int Vector(List<byte> file, byte[] bytes, int size)
    {
        int at = Align(file);
        file.AddRange(new byte[4]);
        Put(file, at, bytes.Length / size);
        file.AddRange(bytes);
        return at;
    }

    private static int Align(List<byte> file)
    {
        while (file.Count % 4 != 0)
            file.Add(0);
        return file.Count;
    }

    private static void Point(List<byte> file, int at, int to) => Put(file, at, to - at);

    private static void Put(List<byte> file, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(CollectionsMarshal.AsSpan(file)[at..], value);

    private sealed record Table(params object?[] Fields);
}
