using LfrEngine.Quality;
using Xunit;

namespace LfrEngine.Tests.Quality;

public sealed unsafe class TextureKernelTests
{
    [Theory]
    [Trait("Kernel", "yes")]
    [InlineData(16, 1, 18)]
    [InlineData(64, 68, 112)]
    [InlineData(32, 7, 35)]
    [InlineData(48, 3, 1000)]
    public void Measure_AnyRectangle_IsTheScalarTwinsToTheBit(int width, int height, int stride)
    {
        var random = new Random(width);
        var channel = new float[stride * (height + 2)];
        foreach (ref float value in channel.AsSpan())
            value = (random.NextSingle() * 2.2f) - 1.1f;
        fixed (float* pixels = channel)
        {
            float* first = pixels + stride + 1;
            TextureSums vectors = TextureKernel.Measure(first, stride, width, height, 128, 127.5f), scalar = TextureKernel.ScalarMeasure(first, stride, width, height, 128, 127.5f);

            Assert.Equal(scalar, vectors);
            Assert.InRange(vectors.Clipped, 1, width * height);
        }
    }

    [Fact]
    [Trait("Kernel", "yes")]
    public void Measure_KnownPicture_GivesItsSums()
    {
        // Flat at 100, with one pixel of 250 in the middle.
        var channel = new float[18 * 5];
        Array.Fill(channel, 100);
        channel[(2 * 18) + 5] = 250;
        fixed (float* pixels = channel)
        {
            TextureSums sums = TextureKernel.Measure(pixels + 18 + 1, 18, 16, 3, 1, 0);

            Assert.Equal(new TextureSums((48 * 100) + 150, (47 * 10_000) + 62_500, (600 * 600) + (4 * 150 * 150), 1), sums);
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets.Switches), MemberType = typeof(InstructionSets))]
    public void Kernel_WithoutInstructions_StillAgrees(string variable) => InstructionSets.RunWithout(variable, typeof(TextureKernelTests));
}
