using LfrEngine.Frames;
using Xunit;

namespace LfrEngine.Tests.Frames;

/// <summary>Against the definition of the filter, in double precision, one output sample at a time.</summary>
public sealed unsafe class PlaneResamplerTests
{
    // Float32 weights and sums of up to some hundred taps over values up to 255.
    private const double Tolerance = 2e-3;

    /// <summary>Plane width, height, step, padding; rectangle; grid.</summary>
    public static TheoryData<int, int, int, int, float, float, float, float, int, int> Cases { get; } = new()
    {
        { 64, 48, 1, 0, 0, 0, 64, 48, 64, 48 },
        { 64, 48, 1, 13, 0, 0, 64, 48, 32, 24 },
        { 64, 48, 1, 0, 0, 0, 64, 48, 128, 96 },
        { 101, 67, 1, 3, 0, 0, 101, 67, 37, 29 },
        { 101, 67, 1, 0, 12.3f, 7.9f, 40.7f, 51.2f, 64, 64 },
        { 101, 67, 1, 0, -20.5f, -11, 60, 50, 64, 33 },
        { 101, 67, 1, 5, 80.25f, 40, 70, 60, 31, 31 },
        { 101, 67, 1, 0, -200, -200, 50, 50, 9, 9 },
        { 101, 67, 1, 0, 300, 300, 50, 50, 9, 9 },
        { 101, 67, 1, 0, -40, -40, 200, 200, 17, 17 },
        { 33, 31, 2, 0, 0, 0, 33, 31, 33, 31 },
        { 33, 31, 2, 7, 1.5f, 2.25f, 20, 19, 40, 11 },
        { 33, 31, 2, 1, -5, 20, 45, 30, 16, 23 },
        { 1, 1, 1, 0, 0, 0, 1, 1, 8, 8 },
        { 1, 1, 2, 4, -3, -3, 9, 9, 5, 3 },
        { 1, 40, 1, 0, 0, 0, 1, 40, 3, 10 },
        { 40, 1, 1, 0, 0, 0, 40, 1, 10, 3 },
        { 7, 5, 1, 0, 2, 1, 0.01f, 0.01f, 4, 4 },
        { 640, 360, 1, 32, 0, 0, 640, 360, 5, 3 },
        { 500, 400, 2, 0, 100.5f, 50.25f, 333.3f, 222.2f, 64, 64 },
        { 64, 64, 1, 0, 3, 5, 32, 32, 32, 32 },
        { 17, 9, 1, 0, 0, 0, 17, 9, 1, 1 },
        // How many samples sixteen, or eight, neighbouring outputs need: to 32, to 64, more.
        { 480, 40, 1, 0, 0, 0, 480, 40, 320, 27 },
        { 480, 40, 2, 0, 0, 0, 480, 40, 320, 27 },
        { 480, 39, 1, 0, 0, 0, 480, 39, 160, 13 },
        { 480, 39, 2, 3, 0, 0, 480, 39, 160, 13 },
        { 481, 39, 1, 1, 1.25f, -2, 478.5f, 41, 157, 13 },
        { 480, 20, 1, 0, 0, 0, 480, 20, 130, 7 },
        { 480, 20, 1, 0, 0, 0, 480, 20, 107, 7 },
        { 480, 30, 1, 0, 0, 0, 480, 30, 80, 5 },
        { 490, 35, 1, 0, 0, 0, 490, 35, 70, 5 },
        { 480, 30, 2, 0, 0, 0, 480, 30, 120, 5 },
        { 480, 32, 1, 0, 0, 0, 480, 32, 60, 4 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Kernel", "yes")]
    public void Resample_AnyRectangle_EqualsTheDefinition(int planeWidth, int planeHeight, int step, int padding,
        float left, float top, float width, float height, int gridWidth, int gridHeight)
    {
        int stride = (planeWidth * step) + padding;
        // The plane ends with its last sample; so does what may be read.
        using var memory = new GuardedMemory(((planeHeight - 1) * stride) + ((planeWidth - 1) * step) + 1);
        using var output = new GuardedMemory(gridWidth * gridHeight * sizeof(float));
        byte* plane = memory.Start;
        var random = new Random(planeWidth);
        for (int i = 0; i < ((planeHeight - 1) * stride) + ((planeWidth - 1) * step) + 1; i++)
            plane[i] = (byte)random.Next(256);
        using var resampler = new PlaneResampler();

        float* grid = (float*)output.Start;
        resampler.Resample(plane, stride, step, planeWidth, planeHeight, left, top, width, height, grid, gridWidth, gridWidth, gridHeight);

        for (int y = 0; y < gridHeight; y++)
        {
            for (int x = 0; x < gridWidth; x++)
                Assert.Equal(Reference(plane, stride, step, planeWidth, planeHeight, left, top, width, height, gridWidth, gridHeight, x, y), grid[(y * gridWidth) + x], Tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets.Switches), MemberType = typeof(InstructionSets))]
    public void Kernel_WithoutInstructions_StillAgrees(string variable) => InstructionSets.RunWithout(variable, typeof(PlaneResamplerTests));

    [Fact]
    public void Resample_OneInstanceManySizes_IsAsFreshEachTime()
    {
        var random = new Random(8);
        var frame = new TestFrame(Native.Media.PixelFormat.Nv12, 203, 101, padding: 5);
        random.NextBytes(frame.Plane(0));
        random.NextBytes(frame.Plane(1));
        FrameView view = frame.View;
        using var used = new PlaneResampler();
        float* expected = stackalloc float[64 * 64];
        float* actual = stackalloc float[64 * 64];
        for (int turn = 0; turn < 60; turn++)
        {
            bool chroma = random.Next(2) == 0;
            float left = (random.NextSingle() * 200) - 50, top = (random.NextSingle() * 100) - 30;
            float width = turn % 5 == 0 ? 64 : 1 + (random.NextSingle() * 150), height = turn % 5 == 0 ? 64 : 1 + (random.NextSingle() * 90);
            int size = turn % 3 == 0 ? 64 : random.Next(1, 65);
            using var fresh = new PlaneResampler();
            foreach ((PlaneResampler resampler, nint to) in new[] { (fresh, (nint)expected), (used, (nint)actual) })
            {
                if (chroma)
                    resampler.Resample(view.V, view.ChromaStride, view.ChromaStep, view.ChromaWidth, view.ChromaHeight, left, top, width, height, (float*)to, 64, size, size);
                else
                    resampler.Resample(view.Y, view.LumaStride, 1, view.Width, view.Height, left, top, width, height, (float*)to, 64, size, size);
            }
            for (int y = 0; y < size; y++)
                Assert.True(new ReadOnlySpan<float>(expected + (y * 64), size).SequenceEqual(new ReadOnlySpan<float>(actual + (y * 64), size)));
        }
    }

    [Fact]
    public void Resample_AtItsOwnSize_CopiesExactly()
    {
        var frame = new TestFrame(Native.Media.PixelFormat.Grey, 77, 31, padding: 3);
        new Random(3).NextBytes(frame.Plane(0));
        FrameView view = frame.View;
        using var resampler = new PlaneResampler();
        var grid = new float[77 * 31];
        fixed (float* output = grid)
            resampler.Resample(view.Y, view.LumaStride, 1, 77, 31, 0, 0, 77, 31, output, 77, 77, 31);
        for (int i = 0; i < grid.Length; i++)
            Assert.Equal(view.Y[(i / 77 * view.LumaStride) + (i % 77)], grid[i]);
    }

    [Fact]
    public void Resample_DestinationStride_LeavesTheGapsAlone()
    {
        var frame = new TestFrame(Native.Media.PixelFormat.Grey, 20, 20);
        frame.Plane(0).Fill(9);
        FrameView view = frame.View;
        using var resampler = new PlaneResampler();
        var grid = new float[10 * 16];
        Array.Fill(grid, -1f);
        fixed (float* output = grid)
            resampler.Resample(view.Y, view.LumaStride, 1, 20, 20, 0, 0, 20, 20, output, 16, 10, 10);
        for (int i = 0; i < grid.Length; i++)
            Assert.Equal(i % 16 < 10 ? 9f : -1f, grid[i], 1e-4f);
    }

    [Theory]
    [InlineData(0, 0, 8)]
    [InlineData(0, -4, 8)]
    [InlineData(0, float.NaN, 8)]
    [InlineData(0, float.PositiveInfinity, 8)]
    [InlineData(float.NaN, 10, 8)]
    [InlineData(float.NegativeInfinity, 10, 8)]
    [InlineData(0, 10, 0)]
    [InlineData(0, 10, -1)]
    public void Resample_BadRectangleOrGrid_ThrowsAndStaysUsable(float start, float extent, int grid)
    {
        var frame = new TestFrame(Native.Media.PixelFormat.Grey, 16, 16);
        frame.Plane(0).Fill(50);
        FrameView view = frame.View;
        using var resampler = new PlaneResampler();
        var output = new float[64];
        fixed (float* to = output)
        {
            float* target = to;
            Assert.Throws<ArgumentOutOfRangeException>(() => resampler.Resample(view.Y, 16, 1, 16, 16, start, 0, extent, 16, target, 8, grid, 8));
            Assert.ThrowsAny<ArgumentException>(() => resampler.Resample(view.Y, 16, 1, 16, 16, 0, 0, 16, -1, target, 8, 8, 8));
            resampler.Resample(view.Y, 16, 1, 16, 16, 0, 0, 16, 16, target, 8, 8, 8);
        }
        Assert.All(output, value => Assert.Equal(50, value, 1e-4f));
    }

    /// <summary>A plane without samples is refused, the second time as the first.</summary>
    [Fact]
    public void Resample_EmptyPlaneTwice_ThrowsTwice()
    {
        using var resampler = new PlaneResampler();
        using var memory = new GuardedMemory(16);
        float* grid = stackalloc float[16];
        nint plane = (nint)memory.Start, output = (nint)grid;
        Assert.ThrowsAny<ArgumentException>(() => resampler.Resample((byte*)plane, 1, 1, 0, 4, 0, 0, 4, 4, (float*)output, 4, 4, 4));
        Assert.ThrowsAny<ArgumentException>(() => resampler.Resample((byte*)plane, 1, 1, 0, 4, 0, 0, 4, 4, (float*)output, 4, 4, 4));
    }

    private static double Reference(byte* plane, int stride, int step, int planeWidth, int planeHeight,
        float left, float top, float width, float height, int gridWidth, int gridHeight, int x, int y)
    {
        double scaleX = (double)width / gridWidth, scaleY = (double)height / gridHeight;
        double centreX = left + ((x + 0.5) * scaleX) - 0.5, centreY = top + ((y + 0.5) * scaleY) - 0.5;
        double supportX = Math.Max(1, scaleX), supportY = Math.Max(1, scaleY);
        double sum = 0, total = 0;
        for (int j = (int)Math.Floor(centreY - supportY); j <= centreY + supportY; j++)
        {
            double weightY = Math.Max(0, 1 - (Math.Abs(j - centreY) / supportY));
            byte* row = plane + (Math.Clamp(j, 0, planeHeight - 1) * stride);
            for (int i = (int)Math.Floor(centreX - supportX); i <= centreX + supportX; i++)
            {
                double weight = weightY * Math.Max(0, 1 - (Math.Abs(i - centreX) / supportX));
                sum += weight * row[Math.Clamp(i, 0, planeWidth - 1) * step];
                total += weight;
            }
        }
        return sum / total;
    }
}
