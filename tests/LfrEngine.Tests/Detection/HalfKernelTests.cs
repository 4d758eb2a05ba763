using LfrEngine.Detection;
using LfrEngine.Tests.Frames;
using Xunit;

namespace LfrEngine.Tests.Detection;

public sealed unsafe class HalfKernelTests
{
    [Fact]
    [Trait("Kernel", "yes")]
    public void Halve_Lengths0To256_EqualsTheScalarReferenceBitForBit()
    {
        var random = new Random(6);
        for (int length = 0; length <= 256; length++)
        {
            using var first = new GuardedMemory(2 * length * sizeof(float));
            using var second = new GuardedMemory(2 * length * sizeof(float));
            using var output = new GuardedMemory(length * sizeof(float));
            float* upper = (float*)first.Start, lower = (float*)second.Start, actual = (float*)output.Start;
            for (int i = 0; i < 2 * length; i++)
                (upper[i], lower[i]) = ((random.NextSingle() * 4) - 2, (random.NextSingle() * 4) - 2);

            HalfKernel.Halve(upper, lower, actual, length);

            var expected = new float[length];
            fixed (float* e = expected)
                HalfKernel.HalveScalar(upper, lower, e, length);
            Assert.True(expected.AsSpan().SequenceEqual(new Span<float>(actual, length)), $"{length}");
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets.Switches), MemberType = typeof(InstructionSets))]
    public void Kernel_WithoutInstructions_StillAgrees(string variable) => InstructionSets.RunWithout(variable, typeof(HalfKernelTests));
}
