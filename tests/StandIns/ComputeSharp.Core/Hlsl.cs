// Stand-in for ComputeSharp.Core 3.2.0, checked against src/ComputeSharp.Core/Intrinsics/Hlsl.g.cs and Hlsl.Void.g.cs, Primitives/Float/Float3.g.cs. Here the intrinsics
// compute, as the HLSL functions they name do; in the package they only carry their names to the shader compiler.
namespace ComputeSharp;

public struct Float3(float x, float y, float z)
{
    public float X = x, Y = y, Z = z;
}

public static class Hlsl
{
    public static float Clamp(float x, float min, float max) => Min(Max(x, min), max);

    public static int Clamp(int x, int min, int max) => Min(Max(x, min), max);

    public static float Max(float x, float y) => x > y ? x : y;

    public static int Max(int x, int y) => x > y ? x : y;

    public static float Min(float x, float y) => x < y ? x : y;

    public static int Min(int x, int y) => x < y ? x : y;

    public static float Abs(float x) => MathF.Abs(x);

    public static float Floor(float x) => MathF.Floor(x);

    public static float Exp(float x) => MathF.Exp(x);

    public static float Log(float x) => MathF.Log(x);

    public static float Sqrt(float x) => MathF.Sqrt(x);

    public static int AsInt(float x) => BitConverter.SingleToInt32Bits(x);

    /// <summary>f16tof32: the half in the low 16 bits.</summary>
    public static float Float16ToFloat32(uint x) => (float)BitConverter.UInt16BitsToHalf((ushort)x);

    public static void InterlockedAdd(ref int destination, int value, out int original)
    {
        original = destination;
        destination += value;
    }
}
