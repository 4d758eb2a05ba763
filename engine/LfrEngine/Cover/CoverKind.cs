using LfrEngine.Matching;

namespace LfrEngine.Cover;

/// <summary>What <see cref="CoverPainter"/> can draw over a face.</summary>
internal enum CoverKind
{
    /// <summary>A pleated mask of thin fabric.</summary>
    SurgicalMask,

    /// <summary>A stiff mask with a ridge down the middle.</summary>
    Respirator,

    /// <summary>A sewn mask in any colour or print.</summary>
    ClothMask,

    /// <summary>A scarf or gaiter pulled up over the nose, down to the edge of the picture.</summary>
    Scarf,

    /// <summary>Dark glasses with a frame.</summary>
    Sunglasses,

    /// <summary>A cap with a visor over the brow.</summary>
    Cap,

    /// <summary>A knitted hat with a turned-up edge.</summary>
    KnittedHat,
}

/// <summary>What each <see cref="CoverKind"/> covers.</summary>
internal static class CoverKinds
{
    /// <summary>The parts of the face that it hides.</summary>
    public static FaceCover Parts(this CoverKind kind) => kind switch
    {
        CoverKind.Sunglasses => FaceCover.Eyes,
        CoverKind.Cap or CoverKind.KnittedHat => FaceCover.Brow,
        _ => FaceCover.LowerFace,
    };
}
