// What the three steps of a search share: the buffers, the form in which scores are kept, and the bins they are counted in.

// Bins of a probe's histogram. 8 KiB of shared memory: half of what every device has.
const uint BINS = 2048;

// WatchlistCategories.Count.
const uint CATEGORIES = 5;

// A row's identity and, above it, the identity's category.
const uint IDENTITY_BITS = 28;

// Bounds of one probe. A score of the device differs from the processor's by no more than the bound of SearchBound.cs, so below `least` an
// identity cannot reach its threshold, and from `sure` on it surely does.
struct ProbeBounds
{
    float range;       // no score is larger, with either sign
    float binsPerUnit; // BINS / (2 * range)
    uint margin;       // bins within which two scores may change places
    uint unused;
    float least[CATEGORIES + 1];
    float sure[CATEGORIES + 1];
};

layout(set = 0, binding = 0, std430) restrict readonly buffer Probes { vec4 probes[]; };
layout(set = 0, binding = 1, std430) restrict readonly buffer Bounds { ProbeBounds bounds[]; };
// [probes, identities] the best score so far as an ordered key; 0 = none.
layout(set = 0, binding = 2, std430) restrict buffer Best { uint best[]; };
// [probes, BINS] identities that surely reach their threshold, by score.
layout(set = 0, binding = 3, std430) restrict buffer Histogram { uint histogram[]; };
// [probes, 1 + capacity] how many identities were found, then as many of them as there is room for.
layout(set = 0, binding = 4, std430) restrict buffer Found { uint found[]; };
// Category of each identity.
layout(set = 1, binding = 2, std430) restrict readonly buffer Categories { uint categories[]; };

layout(push_constant, std430) uniform Shape
{
    uint rowCount;      // rows of this chunk
    uint quads;         // groups of four elements of a row
    uint probeCount;
    uint identityCount;
    uint wanted;        // k
    uint capacity;      // room for identities per probe
};

// Unsigned integers in the order of the floats, none of them 0.
uint keyOf(float score)
{
    uint bits = floatBitsToUint(score);
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

float scoreOf(uint key)
{
    return uintBitsToFloat((key & 0x80000000u) != 0 ? key ^ 0x80000000u : ~key);
}

uint binOf(float score, uint probe)
{
    return uint(clamp((score + bounds[probe].range) * bounds[probe].binsPerUnit, 0.0, float(BINS - 1)));
}
