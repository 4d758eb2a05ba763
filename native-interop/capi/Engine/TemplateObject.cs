using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Security.Cryptography;
using LfrEngine.CApi.Interop;
using LfrEngine.Matching;

namespace LfrEngine.CApi.Engine;

/// <summary><c>lfr_role</c> of lfr_engine.h.</summary>
internal enum TemplateRole
{
    List = 0,
    Probe = 1,
}

/// <summary>One embedding in locked memory, bound to the embedder that made it.</summary>
/// <remarks>
/// Exported, little-endian: "LFRT", format 1, length D, cover and in the next byte the role (each 4 bytes), the embedder's SHA-256 (32), D float32, SHA-256 over all before it (32).
/// </remarks>
internal sealed class TemplateObject : HandleObject
{
    private const int HashBytes = 32, HeadBytes = 16 + HashBytes, Format = 1, RoleShift = 8;

    // Tolerance for rounding; otherwise it is not a unit vector.
    private const float LengthTolerance = 1e-3f;

    private readonly HostBuffer<float> embedding;

    public TemplateObject(ReadOnlySpan<float> embedding, FaceCover cover, TemplateRole role, string embedderSha256)
        : this(embedding.Length, cover, role, embedderSha256) => embedding.CopyTo(this.embedding.Span);

    private TemplateObject(int length, FaceCover cover, TemplateRole role, string embedderSha256) =>
        (embedding, Cover, Role, EmbedderSha256) = (BufferPool.Rent<float>(length), cover, role, embedderSha256);

    public override HandleKind Kind => HandleKind.Template;

    public ReadOnlySpan<float> Embedding => embedding.Span;

    public FaceCover Cover { get; }

    public TemplateRole Role { get; }

    public string EmbedderSha256 { get; }

    public int ExportBytes => HeadBytes + (embedding.Length * sizeof(float)) + HashBytes;

    public float Compare(TemplateObject other)
    {
        RequireModel(other.EmbedderSha256);
        return Math.Clamp(TensorPrimitives.Dot(Embedding, other.Embedding), -1, 1);
    }

    public void RequireModel(string embedderSha256)
    {
        if (EmbedderSha256 != embedderSha256)
            throw new StatusException(Status.ForeignModel, "The template was made by another embedder: make it again from the picture.");
    }

    /// <summary>Writes <see cref="ExportBytes"/> bytes.</summary>
    public void Export(Span<byte> to)
    {
        "LFRT"u8.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], Format);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], embedding.Length);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], (int)Cover | ((int)Role << RoleShift));
        Convert.FromHexString(EmbedderSha256).CopyTo(to[16..]);
        MemoryMarshal.AsBytes(Embedding).CopyTo(to[HeadBytes..]);
        SHA256.HashData(to[..^HashBytes], to[^HashBytes..]);
    }

    /// <summary>Reads what <see cref="Export"/> wrote.</summary>
    public static TemplateObject Import(ReadOnlySpan<byte> bytes, string embedderSha256, int length)
    {
        if (bytes.Length < HeadBytes + HashBytes || !bytes.StartsWith("LFRT"u8))
            throw new StatusException(Status.BadTemplate, "The bytes are not a template of lfr_template_export.");
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]) is var format and not Format)
            throw new StatusException(Status.BadTemplate, $"The template is of format {format}; this library reads {Format}.");
        Span<byte> hash = stackalloc byte[HashBytes];
        SHA256.HashData(bytes[..^HashBytes], hash);
        if (!hash.SequenceEqual(bytes[^HashBytes..]))
            throw new StatusException(Status.BadTemplate, "The template is damaged: its checksum does not hold.");
        if (!bytes.Slice(16, HashBytes).SequenceEqual(Convert.FromHexString(embedderSha256)))
            throw new StatusException(Status.ForeignModel, "The template was made by another embedder: make it again from the picture.");
        int coverAndRole = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]), cover = coverAndRole & ((1 << RoleShift) - 1), role = coverAndRole >> RoleShift;
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]) != length || bytes.Length != HeadBytes + (length * sizeof(float)) + HashBytes
            || cover > (int)(FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow) || role is < (int)TemplateRole.List or > (int)TemplateRole.Probe)
            throw new StatusException(Status.BadTemplate, "The template has the wrong length, or an unknown cover or role.");
        // A copy, because the caller's bytes need not be aligned for floats.
        var read = new TemplateObject(length, (FaceCover)cover, (TemplateRole)role, embedderSha256);
        bytes.Slice(HeadBytes, length * sizeof(float)).CopyTo(MemoryMarshal.AsBytes(read.embedding.Span));
        if (Math.Abs(TensorPrimitives.Norm(read.Embedding) - 1) <= LengthTolerance)
            return read;
        read.Leave();
        throw new StatusException(Status.BadTemplate, "The template is not of unit length.");
    }

    protected override void Free() => embedding.Dispose();
}
