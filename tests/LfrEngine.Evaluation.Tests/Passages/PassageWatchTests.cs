using LfrEngine.Detection;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Passages;
using LfrEngine.Tracking;

namespace LfrEngine.Evaluation.Tests.Passages;

public sealed class PassageWatchTests
{
    private const float Threshold = 0.48f;
    private const int Agreeing = 2;

    [Fact]
    public void Sights_TwoPeopleAtOnce_TheFaceDecidesWhoseItIs()
    {
        Passage ann = Walk("ann", Left), bob = Walk("bob", Left with { Left = 600, Right = 700 });
        var watch = new PassageWatch([ann, bob]);
        Follow(watch, Left, LookResult.PoorQuality, frames: 4);

        PassageSight ofAnn = watch.Sights[0], ofBob = watch.Sights[1];

        Assert.Equal((4, 4, 3), (ofAnn.Searched, ofAnn.Found, ofAnn.Followed));
        Assert.Equal(3, ofAnn.Looks[(int)LookResult.PoorQuality]);
        Assert.Equal((4, 0, 0), (ofBob.Searched, ofBob.Found, ofBob.Followed));
        Assert.Equal(LossStage.PoorQuality, ofAnn.Stage(Nothing(ann), isOnList: true, Threshold, Agreeing));
        Assert.Equal(LossStage.NotFound, ofBob.Stage(Nothing(bob), isOnList: true, Threshold, Agreeing));
    }

    [Fact]
    public void Sights_FramesOfOtherTimesAndCameras_DoNotCount()
    {
        var watch = new PassageWatch([Walk("ann", Left) with { FromMs = 5000, ToMs = 6000, Track = [] }, Walk("ann", Left) with { Camera = "other", Track = [] }]);
        Follow(watch, Left, LookResult.Shot, frames: 4);

        Assert.All(watch.Sights, s => Assert.Equal((0, 0, 0), (s.Searched, s.Found, s.Followed)));
    }

    [Theory]
    [InlineData(LookResult.NoLandmarks, LossStage.NoLandmarks)]
    [InlineData(LookResult.Implausible, LossStage.Implausible)]
    [InlineData(LookResult.EyesTooClose, LossStage.EyesTooClose)]
    [InlineData(LookResult.None, LossStage.TooSmall)]
    public void Stage_NothingCompared_IsWhatMostLooksFailedOf(object look, object stage)
    {
        Passage ann = Walk("ann", Left);
        var watch = new PassageWatch([ann]);
        Follow(watch, Left, (LookResult)look, frames: 5);

        Assert.Equal((LossStage)stage, watch.Sights[0].Stage(Nothing(ann), isOnList: true, Threshold, Agreeing));
        Assert.Equal(LossStage.NotOnList, watch.Sights[0].Stage(Nothing(ann), isOnList: false, Threshold, Agreeing));
    }

    [Fact]
    public void Stage_FoundInOneFrame_IsNotFollowed()
    {
        Passage ann = Walk("ann", Left);
        var watch = new PassageWatch([ann]);
        Follow(watch, Left, LookResult.None, frames: 1);

        Assert.Equal(LossStage.NotFollowed, watch.Sights[0].Stage(Nothing(ann), isOnList: true, Threshold, Agreeing));
    }

    [Theory]
    [InlineData(1, 1, -1f, LossStage.TooFewShots)]
    [InlineData(5, 0, 0.3f, LossStage.BelowThreshold)]
    [InlineData(5, 1, 0.3f, LossStage.TooFewAgree)]
    [InlineData(5, 2, 0.3f, LossStage.Broken)]
    [InlineData(5, 2, 0.48f, LossStage.Found)]
    public void Stage_Compared_IsTheFirstThatFails(int compared, int agreeingInAll, float ownScore, object stage)
    {
        Passage ann = Walk("ann", Left);
        var outcome = new PassageOutcome(ann, compared, ownScore, -1, null) { AgreeingInAll = agreeingInAll };

        Assert.Equal((LossStage)stage, new PassageSight(9, 9, 9, new int[7]).Stage(outcome, isOnList: true, Threshold, Agreeing));
    }

    private static FaceBox Left { get; } = new(100, 100, 200, 220);

    private static PassageOutcome Nothing(Passage passage) => new(passage, 0, -1, -1, null);

    private static Passage Walk(string subject, FaceBox box) => new("v", "street", 0, 2000, subject, subject, null, [new TrackPoint(0, box, 1)]);

    // A face that stands still, through the engine's own tracker; a tracklet is confirmed from its second frame on.
    private static void Follow(PassageWatch watch, FaceBox box, LookResult look, int frames)
    {
        var tracker = new FaceTracker(new TrackerSettings());
        FaceCandidate[] found = [new FaceCandidate { Box = box, Score = 0.9f }];
        for (int i = 0; i < frames; i++)
        {
            long now = i * 120_000L;
            tracker.Update(found, now, 1280, 720);
            var looks = new LookResult[tracker.SlotCount];
            looks[tracker.Live[0].Slot] = look;
            watch.Add("street", now, found, tracker, looks);
        }
    }
}
