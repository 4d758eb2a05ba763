#version 450
#extension GL_GOOGLE_include_directive : require
#include "search.glsl"

// Hands out every identity that may be among the k best. The bin of the k-th best comes from the histogram; an identity is out when so far
// below it that the two cannot change places. One workgroup: one probe, 4096 identities.

const uint IDENTITIES = 4096;
const uint INVOCATIONS = 256;
const uint BINS_EACH = BINS / INVOCATIONS;
layout(local_size_x = 256) in;

shared uint sums[INVOCATIONS];
shared uint kthBin;

void main()
{
    uint probe = gl_WorkGroupID.y;
    uint self = gl_LocalInvocationID.x;

    // Invocation 0 has the highest bins. After the scan, sums[i] counts the identities in the bins of invocations 0 to i.
    uint top = BINS - 1 - self * BINS_EACH;
    uint own = 0;
    for (uint b = 0; b < BINS_EACH; b++)
        own += histogram[probe * BINS + top - b];
    sums[self] = own;
    if (self == 0)
        kthBin = 0;
    barrier();
    for (uint reach = 1; reach < INVOCATIONS; reach *= 2)
    {
        uint lower = self >= reach ? sums[self - reach] : 0;
        barrier();
        sums[self] += lower;
        barrier();
    }
    uint above = sums[self] - own;
    if (above < wanted && sums[self] >= wanted)
    {
        uint bin = top;
        while (above + histogram[probe * BINS + bin] < wanted)
        {
            above += histogram[probe * BINS + bin];
            bin--;
        }
        kthBin = bin;
    }
    barrier();

    uint margin = bounds[probe].margin;
    uint cut = kthBin > margin ? kthBin - margin : 0;
    uint end = min(identityCount, (gl_WorkGroupID.x + 1) * IDENTITIES);
    for (uint i = gl_WorkGroupID.x * IDENTITIES + self; i < end; i += INVOCATIONS)
    {
        uint key = best[probe * identityCount + i];
        // Those that cannot reach their threshold were never kept.
        if (key == 0 || binOf(scoreOf(key), probe) < cut)
            continue;
        uint at = probe * (capacity + 1);
        uint place = atomicAdd(found[at], 1);
        if (place < capacity)
            found[at + 1 + place] = i;
    }
}
