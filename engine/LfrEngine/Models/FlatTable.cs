using System.Buffers.Binary;
using System.Text;

namespace LfrEngine.Models;

/// <summary>One table of a FlatBuffers file. Every access is checked against the file's length, so that no content can cause a read outside it.</summary>
/// <remarks>
/// The format: a table begins with the distance back to its vtable. The vtable has its own length, the table's length, and the offset of each field in the
/// table, 0 for an omitted field. Strings, vectors and tables are stored as distances from the place of the distance.
/// </remarks>
internal readonly struct FlatTable
{
    private readonly byte[] file;
    private readonly int start;
    private readonly int fields;
    private readonly int count;

    private FlatTable(byte[] file, long start)
    {
        this.file = file;
        this.start = Within(start, 4);
        long vtable = start - ReadInt(this.start);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(Within(vtable, 4), 2));
        if (length < 4)
            throw Broken();
        fields = Within(vtable, length) + 4;
        count = (length - 4) / 2;
    }

    /// <summary>The root table of a file.</summary>
    public static FlatTable Root(byte[] file) => new(file, new FlatTable(file).Reach(0));

    private FlatTable(byte[] file) => this.file = file;

    /// <summary>A field of one byte.</summary>
    public byte Byte(int field, byte otherwise = 0) => At(field, 1) is int at ? file[at] : otherwise;

    /// <summary>A field of four bytes.</summary>
    public int Int(int field, int otherwise = 0) => At(field, 4) is int at ? ReadInt(at) : otherwise;

    /// <summary>A field that is a floating-point number.</summary>
    public float Float(int field) => BitConverter.Int32BitsToSingle(Int(field));

    /// <summary>A text field; empty if omitted.</summary>
    public string Text(int field)
    {
        (int at, int length) = Vector(field, 1);
        return Encoding.UTF8.GetString(file, at, length);
    }

    /// <summary>A field that is a list of bytes.</summary>
    public ReadOnlySpan<byte> Bytes(int field)
    {
        (int at, int length) = Vector(field, 1);
        return file.AsSpan(at, length);
    }

    /// <summary>A field that is a list of whole numbers.</summary>
    public int[] Ints(int field)
    {
        (int at, int length) = Vector(field, 4);
        var values = new int[length];
        for (int i = 0; i < length; i++)
            values[i] = ReadInt(at + (4 * i));
        return values;
    }

    /// <summary>A table field; null if omitted.</summary>
    public FlatTable? Table(int field) => At(field, 4) is int at ? new FlatTable(file, Reach(at)) : null;

    /// <summary>A field that is a list of tables.</summary>
    public FlatTable[] Tables(int field)
    {
        (int at, int length) = Vector(field, 4);
        var tables = new FlatTable[length];
        for (int i = 0; i < length; i++)
            tables[i] = new FlatTable(file, Reach(at + (4 * i)));
        return tables;
    }

    private int? At(int field, int size)
    {
        if (field >= count)
            return null;
        int offset = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(fields + (2 * field), 2));
        return offset == 0 ? null : Within((long)start + offset, size);
    }

    private (int At, int Length) Vector(int field, int size)
    {
        if (At(field, 4) is not int at)
            return (0, 0);
        int start = Within(Reach(at), 4), length = ReadInt(start);
        if (length < 0)
            throw Broken();
        return (Within(start + 4L, (long)length * size), length);
    }

    private long Reach(int at) => at + (long)BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(Within(at, 4), 4));

    private int ReadInt(int at) => BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at, 4));

    private int Within(long at, long length) => at >= 0 && at + length <= file.Length ? (int)at : throw Broken();

    private static InvalidDataException Broken() => new("its tables point outside the file: the file is truncated or altered");
}
