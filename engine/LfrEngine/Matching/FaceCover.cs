namespace LfrEngine.Matching;

/// <summary>Which parts of a face are covered.</summary>
[Flags]
public enum FaceCover : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Mouth, chin and perhaps the nose: a mask, a scarf.</summary>
    LowerFace = 1,

    /// <summary>The eyes: sunglasses.</summary>
    Eyes = 2,

    /// <summary>The forehead and perhaps the brows: a cap.</summary>
    Brow = 4,
}
