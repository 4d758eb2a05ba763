// Stand-in for ComputeSharp 3.2.0, checked against src/ComputeSharp/Attributes/*.cs, Dispatch/ThreadIds.cs, Interfaces/IComputeShader.cs.
namespace ComputeSharp;

public interface IComputeShader
{
    void Execute();
}

[AttributeUsage(AttributeTargets.Struct, AllowMultiple = false)]
public sealed class GeneratedComputeShaderDescriptorAttribute : Attribute;

[Flags]
public enum DefaultThreadGroupSizes
{
    X = 1,
    Y = 2,
    Z = 4,
    XY = X | Y,
    XZ = X | Z,
    YZ = Y | Z,
    XYZ = X | Y | Z,
}

[AttributeUsage(AttributeTargets.Struct, AllowMultiple = false)]
public sealed class ThreadGroupSizeAttribute(DefaultThreadGroupSizes size) : Attribute
{
    public DefaultThreadGroupSizes Size { get; } = size;
}

/// <summary>Which thread this is; in the package these only exist inside a shader.</summary>
public static class ThreadIds
{
    [ThreadStatic]
    private static int x, y, z;

    public static int X => x;

    public static int Y => y;

    public static int Z => z;

    internal static void Set(int newX, int newY, int newZ) => (x, y, z) = (newX, newY, newZ);
}
