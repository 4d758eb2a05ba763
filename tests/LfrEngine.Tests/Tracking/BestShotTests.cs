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

    /// <summary>What the detector is unsure of is looked at as rarely as a tracklet that has given its shots, unless it comes nearer.</summary>
    [Fact]
    public void WantsLook_DetectorUnsure_IsLookedAtRarely()
    {
        var looked = new ShotHistory { Looks = 1, LastLookWidth = 100 };
        Assert.True(Policy.WantsLook(looked, Policy.LookEveryMs * 1000L, 100, unsure: false));
        Assert.False(Policy.WantsLook(looked, (Policy.LaterLookEveryMs * 1000L) - 1, 100, unsure: true));
        Assert.True(Policy.WantsLook(looked, Policy.LaterLookEveryMs * 1000L, 100, unsure: true));
        Assert.True(Policy.WantsLook(looked, Policy.LookEveryMs * 1000L, 100 * Policy.NearerBy, unsure: true));
        // The first look waits for nothing.
        Assert.True(Policy.WantsLook(default, 0, 100, unsure: true));
    }

    /// <summary>Eyes that were too close together are looked at again when the box has grown enough for them to be apart, or later for the turn of a head.</summary>
    [Fact]
    public void WantsLook_EyesTooClose_WaitsUntilTheFaceIsNearEnough()
    {
        float eyes = Policy.MinimumInterEyePixels / 1.5f;
        var looked = new ShotHistory { Looks = 1, LastLookWidth = 40, NarrowEyes = eyes };
        Assert.False(Policy.WantsLook(looked, (Policy.LaterLookEveryMs * 1000L) - 1, 59));
        Assert.True(Policy.WantsLook(looked, Policy.LaterLookEveryMs * 1000L, 40));
        Assert.True(Policy.WantsLook(looked, Policy.LookEveryMs * 1000L, 61));
    }

    /// <summary>A tracklet that is compared six times a second for four seconds comes before the verifier twice while the detector is sure of it, and every time where it is not.</summary>
    [Fact]
    public void WantsVerdict_FaceFollowedForSeconds_IsAskedAboutRarelyWhileTheDetectorIsSure()
    {
        Assert.Equal(2, Verdicts(unsure: false));
        Assert.Equal(26, Verdicts(unsure: true));
        Assert.True(Policy.WantsVerdict(new ShotHistory { Shots = 9, VerifiedUs = 0, IsNoFace = true }, 1, unsure: false));

        static int Verdicts(bool unsure)
        {
            int asked = 0;
            var history = default(ShotHistory);
            for (long us = 0; us <= 4_000_000; us += Policy.ShotEveryMs * 1000L, history.Shots++)
            {
                if (!Policy.WantsVerdict(history, us, unsure))
                    continue;
                asked++;
                history.VerifiedUs = us;
            }
            return asked;
        }
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
