using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Tracking;

/// <summary>What an officer in the street sees of the person sought, and of everybody else.</summary>
public sealed unsafe class MomentPictureTests
{
    private static readonly FaceBox Face = new(900, 300, 960, 380);

    [Theory]
    [InlineData(900, 60, WalkingDirection.Unknown)]
    [InlineData(940, 62, WalkingDirection.Unknown)]
    [InlineData(500, 60, WalkingDirection.Left)]
    [InlineData(1300, 66, WalkingDirection.Right)]
    [InlineData(940, 80, WalkingDirection.Towards)]
    [InlineData(860, 45, WalkingDirection.Away)]
    [InlineData(900, 0, WalkingDirection.Unknown)]
    public void Direction_FromFirstToLatest_IsWhereMostWasWalked(float left, float width, WalkingDirection expected) =>
        Assert.Equal(expected, WalkingDirections.Of(new FaceBox(900, 300, 960, 380), new FaceBox(left, 300, left + width, 300 + (width * 4 / 3)), 1920));

    [Fact]
    public void Hide_CrowdedPicture_ShowsTheHeadAndTheClothesOnlyCoarsely()
    {
        using Picture plain = Pattern(), hidden = Pattern();
        Assert.True(MomentPicture.TryPlace(Face, new FaceBox(930, 500, 990, 580), out FaceBox child));
        Assert.False(MomentPicture.TryPlace(Face, new FaceBox(890, 295, 965, 390), out _));
        Assert.False(MomentPicture.TryPlace(Face, new FaceBox(1500, 300, 1560, 380), out _));

        MomentPicture.Hide(hidden, [child], all: true);

        // The head is as it was seen; the coat is cut into a quarter of a face, forty pixels wide; what is beside it and the child's face into more.
        Assert.Equal(1, Run(plain, 100, 48));
        Assert.Equal(1, Run(hidden, 100, 48));
        Assert.Equal(10, Run(hidden, 70, 300));
        Assert.True(Run(hidden, 5, 48) >= 20);
        Assert.True(Run(hidden, (int)child.Left + 1, (int)((child.Top + child.Bottom) / 2)) >= 15);

        MomentPicture.Hide(hidden, [], all: false);
        Assert.True(Run(hidden, 70, 300) >= 20);
        Assert.Equal(1, Run(hidden, 100, 48));
    }

    // How many neighbours in a row have one value, at most.
    private static int Run(Picture picture, int left, int y)
    {
        byte* row = picture.View.Y + (y * picture.Width);
        int longest = 1, now = 1;
        for (int x = left + 1; x < left + 40; x++)
        {
            now = row[x] == row[x - 1] ? now + 1 : 1;
            longest = Math.Max(longest, now);
        }
        return longest;
    }

    private static Picture Pattern()
    {
        var picture = new Picture(MomentPicture.Width, MomentPicture.Height);
        byte* luma = picture.View.Y;
        // No two neighbours alike, and no two cells.
        for (int y = 0; y < picture.Height; y++)
        {
            for (int x = 0; x < picture.Width; x++)
                luma[(y * picture.Width) + x] = (byte)((x / 10 * 37 % 100) + (y / 10 * 11 % 50) + (x % 2 * 60));
        }
        return picture;
    }
}
