using LfrEngine.Detection;
using LfrEngine.Quality;
using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Tracking;

public sealed class BestShotTests
{
    private static readonly BestShotPolicy Policy = new();

    [Fact]
    public void WantsLook_SmallBox_NeverLooks()
    {
        // Eyes cannot be farther apart than 0.55 of the box.
        float limit = Policy.MinimumInterEyePixels / 0.55f;
        Assert.False(Policy.WantsLook(default, 0, limit - 0.1f));
        Assert.True(Policy.WantsLook(default, 0, limit + 0.1f));
    }

    [Fact]
    public void WantsLook_SoonAfterALookOrAShot_Waits()
    {
        var looked = new ShotHistory { Looks = 1, LastLookUs = 1_000_000 };
        Assert.False(Policy.WantsLook(looked, 1_000_000 + (Policy.LookEveryMs * 1000L) - 1, 100));
        Assert.True(Policy.WantsLook(looked, 1_000_000 + (Policy.LookEveryMs * 1000L), 100));
        var shot = new ShotHistory { Looks = 1, Shots = 1, LastLookUs = 1_000_000, LastShotUs = 1_000_000 };
        Assert.False(Policy.WantsLook(shot, 1_000_000 + (Policy.ShotEveryMs * 1000L) - 1, 100));
        Assert.True(Policy.WantsLook(shot, 1_000_000 + (Policy.ShotEveryMs * 1000L), 100));
    }

    [Fact]
    public void IsComparable_EachLimit_IsInclusive()
    {
        FaceQuality just = Quality(Policy.MinimumQuality) with { InterEyePixels = Policy.MinimumInterEyePixels, Plausibility = Policy.MinimumPlausibility };
        Assert.True(Policy.IsComparable(just));
        Assert.False(Policy.IsComparable(just with { InterEyePixels = MathF.BitDecrement(Policy.MinimumInterEyePixels) }));
        Assert.False(Policy.IsComparable(just with { Score = MathF.BitDecrement(Policy.MinimumQuality) }));
        Assert.False(Policy.IsComparable(just with { Plausibility = MathF.BitDecrement(Policy.MinimumPlausibility) }));
        Assert.False(Policy.IsComparable(just with { Score = float.NaN }));
        Assert.False(Policy.IsComparable(just with { Plausibility = float.NaN }));
    }

    [Fact]
    public void WantsShot_FirstShots_AreTakenAsTheyCome()
    {
        for (int shots = 0; shots < Policy.FirstShots; shots++)
            Assert.True(Policy.WantsShot(new ShotHistory { Shots = shots, BestQuality = 1 }, Quality(0.1f), 0));
        Assert.False(Policy.WantsShot(new ShotHistory { Shots = Policy.FirstShots, BestQuality = 1 }, Quality(0.1f), 0));
        Assert.False(Policy.WantsShot(default, Quality(Policy.MinimumQuality / 2), 0));
    }

    [Fact]
    public void WantsShot_Later_MustBeBetterOrOverdue()
    {
        var history = new ShotHistory { Shots = 9, BestQuality = 0.5f, LastShotUs = 2_000_000 };
        Assert.False(Policy.WantsShot(history, Quality(0.54f), 2_500_000));
        Assert.True(Policy.WantsShot(history, Quality(0.5f * Policy.BetterBy), 2_500_000));
        Assert.False(Policy.WantsShot(history, Quality(0.1f), 2_000_000 + (Policy.RefreshMs * 1000L) - 1));
        Assert.True(Policy.WantsShot(history, Quality(0.1f), 2_000_000 + (Policy.RefreshMs * 1000L)));
        Assert.False(Policy.WantsShot(history, Quality(0.001f), 9_000_000));
    }

    [Fact]
    public void Surroundings_AnyBox_IsASquareAroundIt()
    {
        FaceBox square = BestShotSelector.Surroundings(new FaceBox(100, 200, 140, 260));
        Assert.Equal(square.Width, square.Height, 1e-3f);
        Assert.Equal(1.8f * 60, square.Width, 1e-3f);
        Assert.Equal(120, (square.Left + square.Right) / 2, 1e-3f);
        Assert.Equal(230, (square.Top + square.Bottom) / 2, 1e-3f);
    }

    private static FaceQuality Quality(float score) => new(40, 0.3f, 120, 0, 0, 0, 0, 0, 3, score);
}
