using LfrEngine.Alignment;
using LfrEngine.Tests.Frames;
using Xunit;

namespace LfrEngine.Tests.Aligning;

public sealed unsafe class WarpKernelTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 5)]
    [InlineData(2, 0)]
    [InlineData(2, 3)]
    [Trait("Kernel", "yes")]
    public void Sample_AnyPlaneAndPlacement_EqualsTheScalarReferenceBitForBit(int step, int padding)
    {
        var random = new Random(5);
        foreach ((int width, int height) in new[] { (1, 1), (2, 1), (1, 2), (3, 3), (1, 40), (40, 1), (17, 9), (64, 48), (203, 101) })
        {
            int stride = (width * step) + padding;
            int bytes = ((height - 1) * stride) + ((width - 1) * step) + 1;
            // The plane ends with its last sample; so does what may be read.
            using var memory = new GuardedMemory(bytes);
            random.NextBytes(new Span<byte>(memory.Start, bytes));
            var plane = new WarpKernel.Plane((nint)memory.Start, stride, step, width, height);
            foreach (int size in new[] { 1, 7, 8, 9, 16, 31, 112 })
            {
                using var memoryOut = new GuardedMemory(size * size * sizeof(float));
                float* actual = (float*)memoryOut.Start;
                var expected = new float[size * size];
                for (int samples = 1; samples <= 4; samples++)
                {
                    WarpKernel.Placement placement = Placement(random, width, height, size);
                    WarpKernel.Sample(plane, placement, samples, actual, size);
                    fixed (float* e = expected)
                        WarpKernel.SampleScalar(plane, placement, samples, e, 0, size, size);
                    Assert.True(expected.AsSpan().SequenceEqual(new Span<float>(actual, expected.Length)), $"{width}x{height}, grid {size}, {samples} samples, {placement}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets.Switches), MemberType = typeof(InstructionSets))]
    public void Kernel_WithoutInstructions_StillAgrees(string variable) => InstructionSets.RunWithout(variable, typeof(WarpKernelTests));

    // Turned and scaled, about the plane's middle or beyond an edge; every fourth on whole samples, where the right neighbour weighs nothing.
    private static WarpKernel.Placement Placement(Random random, int width, int height, int size)
    {
        if (random.Next(4) == 0)
            return new WarpKernel.Placement(random.Next(-2, 2) - 0.5f, random.Next(-2, 2) - 0.5f, 1, 0, 0, 1);
        float scale = MathF.Pow(2, (random.NextSingle() * 6) - 3), angle = random.NextSingle() * 2 * MathF.PI;
        float right = scale * MathF.Cos(angle), down = scale * MathF.Sin(angle), half = size / 2f;
        float x = ((random.NextSingle() * 2) - 0.5f) * width, y = ((random.NextSingle() * 2) - 0.5f) * height;
        return new WarpKernel.Placement(x - (half * right) + (half * down), y - (half * down) - (half * right), right, down, -down, right);
    }
}
