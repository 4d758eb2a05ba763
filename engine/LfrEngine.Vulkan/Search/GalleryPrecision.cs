namespace LfrEngine.Vulkan.Search;

/// <summary>How the device keeps the gallery. Identities, order and scores are the same with both: the device finds, the processor scores what was found.</summary>
public enum GalleryPrecision
{
    /// <summary>Two elements in 32 bits, rounded to half precision: half the memory, half the bytes read per search.</summary>
    PackedHalf,

    /// <summary>The rows as they are.</summary>
    Float32,
}
