using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Tracking;

/// <summary>Simulated walkers against the truth.</summary>
public sealed class FaceTrackerSceneTests
{
    public static TheoryData<int> Seeds => [1, 2, 3, 4, 5, 6, 7, 8];

    private static void AssertPerfect(SceneReport report, int people)
    {
        Assert.Equal(0, report.Switches);
        Assert.Equal(people, report.Tracklets);
        Assert.Equal(0, report.FalseTracklets);
        Assert.Equal(0, report.MixedTracklets);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_OneWalkerWithJitter_OneTracklet(int seed)
    {
        var scene = new Scene { Seed = seed, Jitter = 0.06 };
        scene.Walkers.Add(Walker.Straight(0, 5, 100, 400, 40, 230));
        SceneReport report = scene.Run();
        AssertPerfect(report, 1);
        Assert.True(report.Covered > 0.99, $"{report.Covered}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_PathsCross_EachKeepsItsTracklet(int seed)
    {
        // Same row, opposite ways: the nearer hides the farther for several frames around t = 2.5 s.
        var scene = new Scene { Seed = seed };
        scene.Walkers.Add(Walker.Straight(0, 5, 500, 400, 50, 190));
        scene.Walkers.Add(Walker.Straight(0, 5, 1450, 405, 42, -190));
        AssertPerfect(scene.Run(), 2);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_PathsCrossSteeplyWithThirdDropped_EachKeepsItsTracklet(int seed)
    {
        var scene = new Scene { Seed = seed, DropRate = 0.3 };
        scene.Walkers.Add(Walker.Straight(0, 5, 500, 300, 50, 180, 90));
        scene.Walkers.Add(Walker.Straight(0, 5, 500, 750, 45, 180, -90));
        scene.Walkers.Add(Walker.Straight(0, 5, 1600, 525, 40, -200));
        SceneReport report = scene.Run();
        // While both predictions lie on the one visible face, jitter may lend it to the hidden one and back: one pair of switches.
        Assert.True(report.Switches <= 2, $"{report.Switches}");
        Assert.Equal((0, 3), (report.Exchanged, report.Tracklets));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_HiddenFor400Ms_TrackletContinues(int seed)
    {
        var scene = new Scene { Seed = seed };
        scene.Walkers.Add(Walker.Straight(0, 5, 100, 400, 40, 230) with { Score = t => t is > 2 and < 2.4 ? -1 : 0.9f });
        AssertPerfect(scene.Run(), 1);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_HiddenForASecond_TwoTracklets(int seed)
    {
        var scene = new Scene { Seed = seed };
        scene.Walkers.Add(Walker.Straight(0, 5, 100, 400, 40, 230) with { Score = t => t is > 2 and < 3 ? -1 : 0.9f });
        SceneReport report = scene.Run();
        Assert.Equal(2, report.Tracklets);
        Assert.Equal(1, report.Switches);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_EnteringAndLeaving_OneTrackletPerPassage(int seed)
    {
        var scene = new Scene { Seed = seed, Seconds = 12 };
        // One after another through the same door, 400 ms apart: the last must not lend its tracklet to the next.
        for (int i = 0; i < 6; i++)
            scene.Walkers.Add(Walker.Straight(i * 1.5, 12, 5, 400, 50, 250));
        AssertPerfect(scene.Run(), 6);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_ThirdOfFramesDropped_OneTrackletEach(int seed)
    {
        var scene = new Scene { Seed = seed, DropRate = 0.3, MissRate = 0.05 };
        for (int i = 0; i < 5; i++)
            scene.Walkers.Add(Walker.Straight(0.2 * i, 5, 50, 150 + (160 * i), 30 + (5 * i), 200 + (30 * i)));
        AssertPerfect(scene.Run(), 5);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_SmallFastFaceAtFiveFramesPerSecond_OneTracklet(int seed)
    {
        // 1.2 heights between frames: the second box never overlaps the first.
        var scene = new Scene { Seed = seed, FramesPerSecond = 5 };
        scene.Walkers.Add(Walker.Straight(0, 5, 100, 400, 30, 180));
        AssertPerfect(scene.Run(), 1);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_ScoreDipsMidWay_LowScoresContinue(int seed)
    {
        var scene = new Scene { Seed = seed };
        scene.Walkers.Add(Walker.Straight(0, 5, 100, 400, 40, 230) with { Score = t => t is > 1.5 and < 3.5 ? 0.35f : 0.9f });
        SceneReport report = scene.Run();
        AssertPerfect(report, 1);
        Assert.True(report.Covered > 0.99, $"{report.Covered}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_LowScoresOnly_NoTracklet(int seed)
    {
        var scene = new Scene { Seed = seed };
        scene.Walkers.Add(Walker.Straight(0, 5, 100, 400, 40, 230) with { Score = _ => 0.5f });
        Assert.Equal(0, scene.Run().Tracklets);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Update_FalseFacesOfOneFrame_NeverConfirmed(int seed)
    {
        // Rare enough that two of them by chance in the same place within 80 ms are not to be expected: those would be confirmed.
        var scene = new Scene { Seed = seed, FalseFacesPerFrame = 0.15, Seconds = 10 };
        scene.Walkers.Add(Walker.Straight(0, 10, 50, 400, 40, 180));
        AssertPerfect(scene.Run(), 1);
    }

    // 480 passages of people who hide each other, 8 % misses, a dip of the score each, a false face in every other frame.
    // Bounds leave a fifth over what was measured when written: 37, 54 and 44 switches; 491, 489 and 496 tracklets.
    [Theory]
    [InlineData(25, 0.0, 45, 510, 0.985)]
    [InlineData(25, 0.3, 65, 520, 0.98)]
    [InlineData(10, 0.0, 60, 530, 0.97)]
    public void Update_Concourse_FewSwitches(double framesPerSecond, double dropRate, int mostSwitches, int mostTracklets, double leastCovered)
    {
        int switches = 0;
        int tracklets = 0;
        int falseTracklets = 0;
        int mixed = 0;
        double covered = 0;
        for (int seed = 1; seed <= 20; seed++)
        {
            SceneReport report = Scene.Concourse(seed, 24, framesPerSecond, dropRate).Run();
            switches += report.Switches;
            tracklets += report.Tracklets;
            falseTracklets += report.FalseTracklets;
            mixed += report.MixedTracklets;
            covered += report.Covered / 20;
        }
        string measured = $"{switches} switches, {tracklets} tracklets, {falseTracklets} false, {mixed} mixed, {covered:0.000} covered";
        Assert.True(switches <= mostSwitches && tracklets <= mostTracklets && falseTracklets <= 15 && mixed <= 35 && covered >= leastCovered, measured);
        TestContext.Current.SendDiagnosticMessage(measured);
    }

    [Fact]
    public void Update_SameSceneTwice_SameTracklets()
    {
        SceneReport first = Scene.Concourse(5, 24, dropRate: 0.3).Run();
        SceneReport second = Scene.Concourse(5, 24, dropRate: 0.3).Run();
        Assert.Equal(first.Trace, second.Trace);
    }
}
