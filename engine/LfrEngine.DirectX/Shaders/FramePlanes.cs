namespace LfrEngine.DirectX.Shaders;

/// <summary>Where the planes of a frame lie in its buffer, and how large they are: a shader's constants.</summary>
/// <remarks>Constant structs come last among a shader's parameters: HLSL begins each at 16 bytes.</remarks>
internal struct FramePlanes
{
    /// <summary>Bytes from one luma row to the next; luma begins at 0.</summary>
    public int LumaPitch;

    /// <summary>Luma samples per row.</summary>
    public int Width;

    /// <summary>Luma rows.</summary>
    public int Height;

    /// <summary>Byte of the first Cb sample.</summary>
    public int FirstU;

    /// <summary>Byte of the first Cr sample.</summary>
    public int FirstV;

    /// <summary>Bytes from one chroma row to the next.</summary>
    public int ChromaPitch;

    /// <summary>Bytes from one chroma sample to the next.</summary>
    public int ChromaStep;

    /// <summary>Chroma samples per row.</summary>
    public int ChromaWidth;

    /// <summary>Chroma rows.</summary>
    public int ChromaHeight;
}
