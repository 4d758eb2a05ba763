using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Pipeline;

/// <summary>What is taken for the empty scene, and what is not, whether or not a detector has seen anybody.</summary>
[Collection(CountsRentedBuffers.Name)]
public sealed unsafe class EmptySceneTests : IDisposable
{
    private const int Width = 640, Height = 360, StepMs = 500;

    private readonly long rentedBefore = BufferPool.OutstandingBlocks;
    private readonly EmptyScene scene = new();
    private readonly Picture frame = new(Width, Height);
    private readonly byte[] street = new byte[Width * Height];
    private long us;

    // The first look has nothing to compare with.
    public EmptySceneTests() => Watch(StepMs);

    public void Dispose()
    {
        scene.Dispose();
        frame.Dispose();
        Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Look_NotLearntYet_EverythingDiffers()
    {
        Watch(EmptyScene.LearnMs - StepMs);
        Assert.Equal((0, 1), (scene.Known, scene.Different));
        Watch(StepMs);
        Assert.Equal((1, 0), (scene.Known, scene.Different));
    }

    [Fact]
    public void Look_SomethingComesAndStands_DiffersUntilItHasStoodForLong()
    {
        Watch(EmptyScene.LearnMs);
        Watch(EmptyScene.AbsorbMs - StepMs, _ => Person(300));
        Assert.True(scene.Different > 0.04f, $"{scene.Different}");
        Watch(3 * StepMs, _ => Person(300));
        Assert.Equal(0, scene.Different);
        // What it hid is seen again, and is new.
        Watch(StepMs);
        Assert.True(scene.Different > 0.04f, $"{scene.Different}");
    }

    /// <summary>Half a face's width to and fro, every few seconds: nobody stands stiller for minutes.</summary>
    [Fact]
    public void Look_SomebodyStandsThereFromTheStart_IsNotLearnt()
    {
        Watch(2 * EmptyScene.LearnMs, at => Person(300 + (at / 3000 % 2 * 10)));
        Assert.InRange(scene.Known, 0.7f, 0.98f);
        scene.Pixelate(frame);
        Assert.True(Sharpness(300, 100) < Sharpness(300, 100, plain: true) / 4);
    }

    [Fact]
    public void Look_PeopleWalkByWhileItLearns_LearnsWhatIsBehindThem()
    {
        Watch(4 * EmptyScene.LearnMs, at => Person(at / 10 % 2000));
        Watch(StepMs);
        Assert.Equal((1, 0), (scene.Known, scene.Different));
    }

    [Fact]
    public void Look_ExposureChanges_DoesNotDiffer()
    {
        Watch(EmptyScene.LearnMs);
        Watch(StepMs, light: 25);
        Assert.Equal(0, scene.Different);
    }

    [Fact]
    public void Look_CameraIsMoved_LearnsAnew()
    {
        Watch(EmptyScene.LearnMs);
        Watch(10_000, moved: 60);
        Assert.Equal((0, 1), (scene.Known, scene.Different));
        Watch(EmptyScene.LearnMs, moved: 60);
        Assert.Equal((1, 0), (scene.Known, scene.Different));
    }

    [Fact]
    public void Pixelate_SomebodyIsThere_HidesThemAndLeavesTheStreet()
    {
        Watch(EmptyScene.LearnMs);
        Watch(StepMs, _ => Person(300));
        double person = Sharpness(300, 100), street = Sharpness(40, 100);

        scene.Pixelate(frame);

        Assert.True(Sharpness(300, 100) < person / 4, $"{Sharpness(300, 100)} of {person}");
        Assert.Equal(street, Sharpness(40, 100));
    }

    // Shows a street of blocks for so long, with what is painted over it.
    private void Watch(int milliseconds, Action<int>? paint = null, int light = 0, int moved = 0)
    {
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
                street[(y * Width) + x] = (byte)(60 + light + (((x / 40 * 7919) + (y / 40 * 104729) + (moved * ((x / 40 * 31) + (y / 40 * 77)))) % 121) + (x % 2 * 8));
        }
        for (int at = 0; at < milliseconds; at += StepMs)
        {
            street.CopyTo(new Span<byte>(frame.View.Y, street.Length));
            paint?.Invoke(at);
            scene.Look(frame.View, us += StepMs * 1000L);
        }
    }

    // 60 pixels wide and finely patterned, as a face with its features is.
    private void Person(int left)
    {
        byte* luma = frame.View.Y;
        for (int y = 60; y < 300; y++)
        {
            for (int x = Math.Max(0, left); x < Math.Min(Width, left + 60); x++)
                luma[(y * Width) + x] = (byte)((((x - left) / 6) + (y / 6)) % 2 == 0 ? 230 : 150);
        }
    }

    // Mean difference between neighbours in a square of 50 pixels.
    private double Sharpness(int left, int top, bool plain = false)
    {
        if (plain)
            Person(left);
        byte* luma = frame.View.Y;
        long sum = 0;
        for (int y = top; y < top + 50; y++)
        {
            for (int x = left; x < left + 50; x++)
                sum += Math.Abs(luma[(y * Width) + x] - luma[(y * Width) + x + 1]);
        }
        return sum / 2500.0;
    }
}
