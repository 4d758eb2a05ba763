namespace LfrEngine.Native.Media;

/// <summary>Layout of the planes of a picture. 8 bits per sample; odd chroma sizes are rounded up.</summary>
public enum PixelFormat
{
    /// <summary>One plane.</summary>
    Grey = 0,

    /// <summary>Y, U, V; chroma half width and half height.</summary>
    I420 = 1,

    /// <summary>Y, U, V; chroma half width.</summary>
    I422 = 2,

    /// <summary>Y, U, V; all full size.</summary>
    I444 = 3,

    /// <summary>Y, then interleaved U and V at half width and half height.</summary>
    Nv12 = 4,
}

/// <summary>Weights of the primaries in Y.</summary>
public enum ColourMatrix
{
    /// <summary>ITU-R BT.601.</summary>
    Bt601 = 0,

    /// <summary>ITU-R BT.709.</summary>
    Bt709 = 1,

    /// <summary>ITU-R BT.2020, non-constant luminance.</summary>
    Bt2020 = 2,
}

/// <summary>Range of the sample values.</summary>
public enum ColourRange
{
    /// <summary>Y 16 to 235, chroma 16 to 240.</summary>
    Limited = 0,

    /// <summary>0 to 255.</summary>
    Full = 1,
}

/// <summary>Position of a subsampled chroma sample relative to its luma samples.</summary>
public enum ChromaLocation
{
    /// <summary>In the middle (JPEG, MPEG-1, and every rotated picture).</summary>
    Centre = 0,

    /// <summary>On the left column, midway between the rows (MPEG-2, H.264).</summary>
    Left = 1,

    /// <summary>On the top left sample (BT.2020).</summary>
    TopLeft = 2,
}
