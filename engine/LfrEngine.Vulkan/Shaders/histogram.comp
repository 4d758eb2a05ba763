#version 450
#extension GL_GOOGLE_include_directive : require
#include "search.glsl"

// Counts, by score, the identities that surely reach their threshold. One workgroup: one probe, 4096 identities.

const uint IDENTITIES = 4096;
const uint INVOCATIONS = 256;
layout(local_size_x = 256) in;

shared uint bins[BINS];

void main()
{
    uint probe = gl_WorkGroupID.y;
    for (uint b = gl_LocalInvocationID.x; b < BINS; b += INVOCATIONS)
        bins[b] = 0;
    barrier();

    uint end = min(identityCount, (gl_WorkGroupID.x + 1) * IDENTITIES);
    for (uint i = gl_WorkGroupID.x * IDENTITIES + gl_LocalInvocationID.x; i < end; i += INVOCATIONS)
    {
        uint key = best[probe * identityCount + i];
        if (key == 0)
            continue;
        float score = scoreOf(key);
        if (score >= bounds[probe].sure[categories[i]])
            atomicAdd(bins[binOf(score, probe)], 1);
    }
    barrier();

    for (uint b = gl_LocalInvocationID.x; b < BINS; b += INVOCATIONS)
    {
        if (bins[b] != 0)
            atomicAdd(histogram[probe * BINS + b], bins[b]);
    }
}
