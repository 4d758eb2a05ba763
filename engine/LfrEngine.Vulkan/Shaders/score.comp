#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "search.glsl"

// Scores PROBES probes against 32 rows. Eight invocations share a row, each adds up every eighth group of four elements; the eight sums meet
// in shared memory. An identity keeps its best score, if one of its category can matter at all.
// Rows lie in blocks of 32, a group of four elements of all 32 after the other, so that neighbours read what lies side by side.

layout(constant_id = 0) const uint PROBES = 16;
layout(constant_id = 1) const bool PACKED_HALF = false;

const uint ROWS = 32;
const uint SLICES = 8;
layout(local_size_x = 32, local_size_y = 8) in;

layout(set = 1, binding = 0, std430) restrict readonly buffer Rows { vec4 rows[]; };
layout(set = 1, binding = 0, std430) restrict readonly buffer HalfRows { uvec2 halfRows[]; };
layout(set = 1, binding = 1, std430) restrict readonly buffer RowIdentities { uint rowIdentities[]; };

// 16 KiB with 16 probes: what every device has.
shared float partial[PROBES * SLICES * ROWS];

vec4 fourOf(uint at)
{
    if (PACKED_HALF)
    {
        uvec2 packed = halfRows[at];
        return vec4(unpackHalf2x16(packed.x), unpackHalf2x16(packed.y));
    }
    return rows[at];
}

void main()
{
    uint lane = gl_LocalInvocationID.x;
    uint slice = gl_LocalInvocationID.y;
    uint firstProbe = gl_WorkGroupID.x * PROBES;
    uint block = gl_WorkGroupID.y;

    float sums[PROBES];
    [[unroll]] for (uint p = 0; p < PROBES; p++)
        sums[p] = 0.0;
    uint rowAt = block * quads * ROWS + lane;
    for (uint quad = slice; quad < quads; quad += SLICES)
    {
        vec4 four = fourOf(rowAt + quad * ROWS);
        // Past the last probe there is room, and what is summed there is not looked at.
        [[unroll]] for (uint p = 0; p < PROBES; p++)
            sums[p] += dot(four, probes[(firstProbe + p) * quads + quad]);
    }
    [[unroll]] for (uint p = 0; p < PROBES; p++)
        partial[(p * SLICES + slice) * ROWS + lane] = sums[p];
    barrier();

    for (uint pair = slice * ROWS + lane; pair < PROBES * ROWS; pair += SLICES * ROWS)
    {
        uint p = pair / ROWS;
        uint row = block * ROWS + pair % ROWS;
        uint probe = firstProbe + p;
        if (row >= rowCount || probe >= probeCount)
            continue;
        float score = 0.0;
        for (uint s = 0; s < SLICES; s++)
            score += partial[(p * SLICES + s) * ROWS + pair % ROWS];
        uint identity = rowIdentities[row];
        if (score >= bounds[probe].least[identity >> IDENTITY_BITS])
            atomicMax(best[probe * identityCount + (identity & ((1u << IDENTITY_BITS) - 1u))], keyOf(score));
    }
}
