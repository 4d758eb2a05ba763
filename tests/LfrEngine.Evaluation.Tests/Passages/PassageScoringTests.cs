using LfrEngine.Detection;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Passages;
using LfrEngine.Matching;

namespace LfrEngine.Evaluation.Tests.Passages;

public sealed class PassageScoringTests
{
    private static readonly string[] Identities = ["ann", "bob"];

    [Fact]
    public void Judge_TwoAgreeingShots_AlertAtTheSecondBestScore()
    {
        var scoring = new PassageScoring(agreeingShots: 2);
        Add(scoring, 1, 1000, (0, 0.7f));
        Add(scoring, 1, 1400, (0, 0.5f), (1, 0.45f));
        Add(scoring, 1, 1800, (0, 0.6f));
        var strangers = new List<float>();

        PassageOutcome outcome = scoring.Judge([Walk("ann", 800, 2000)], Identities, 0.55f, strangers).Single();

        Assert.Equal(0.6f, outcome.OwnScore);
        // One shot for bob raises nothing, at any threshold.
        Assert.Equal(-1, outcome.WrongScore);
        // At 0.55 the shot of 0.5 does not agree: the third completes the evidence.
        Assert.Equal(1000, outcome.AlertAfterMs);
        Assert.Equal(3, outcome.Compared);
        Assert.Empty(strangers);
    }

    [Fact]
    public void Judge_WithoutTracks_AFalseAlertIsTheUnlistedPersons()
    {
        var scoring = new PassageScoring(agreeingShots: 2);
        Add(scoring, 1, 1000, (1, 0.6f));
        Add(scoring, 1, 1500, (1, 0.5f));
        Add(scoring, 2, 9000, (0, 0.6f));
        Add(scoring, 2, 9500, (0, 0.5f));
        var strangers = new List<float>();

        IReadOnlyList<PassageOutcome> outcomes = scoring.Judge([Walk("ann", 800, 2000), Walk(null, 800, 2000)], Identities, 0.4f, strangers);

        Assert.Equal((-1, -1), (outcomes[0].OwnScore, outcomes[0].WrongScore));
        Assert.Equal(0.5f, outcomes[1].WrongScore);
        // Nobody was there at nine seconds.
        Assert.Equal([0.5f], strangers);
    }

    [Fact]
    public void Judge_WithTracks_TheFaceDecidesNotTheTime()
    {
        var scoring = new PassageScoring(agreeingShots: 2);
        // Ann and a stranger at the same time; the tracklet lies on the stranger and is taken for ann.
        Add(scoring, 1, 1000, (0, 0.6f));
        Add(scoring, 1, 1500, (0, 0.5f));
        TrackPoint[] here = [new(1000, new FaceBox(0, 0, 100, 100), 1)], there = [new(1000, new FaceBox(500, 0, 600, 100), 1)];

        IReadOnlyList<PassageOutcome> outcomes = scoring.Judge([Walk("ann", 800, 2000) with { Track = there }, Walk(null, 800, 2000) with { Track = here }], Identities, 0.4f, []);

        Assert.Equal((-1f, 0), (outcomes[0].OwnScore, outcomes[0].Compared));
        Assert.Equal((0.5f, 2), (outcomes[1].WrongScore, outcomes[1].Compared));
    }

    [Fact]
    public void Judge_ATrackletContinuesFromOnePersonToAnother_TheAlertBelongsToThePersonInTheBestShot()
    {
        // A stranger walks in front of ann: the tracker goes on from her to him, then bob comes and is found in the same tracklet.
        var scoring = new PassageScoring(agreeingShots: 2);
        Add(scoring, 1, 1000, (0, 0.5f));
        Add(scoring, 1, 1200, (0, 0.6f));
        Add(scoring, 1, 2000);
        Add(scoring, 1, 3000, (1, 0.7f));
        Add(scoring, 1, 3400, (1, 0.6f), (0, 0.41f));
        TrackPoint[] here = [new(1000, new FaceBox(0, 0, 100, 100), 1)];

        IReadOnlyList<PassageOutcome> outcomes = scoring.Judge(
            [Walk("ann", 500, 1500) with { Track = here }, Walk(null, 1500, 2500) with { Track = here }, Walk("bob", 2500, 4000) with { Track = here }], Identities, 0.48f, []);

        Assert.Equal([0.5f, -1, 0.6f], outcomes.Select(o => o.OwnScore));
        Assert.All(outcomes, o => Assert.Equal(-1, o.WrongScore));
        Assert.Equal([2, 1, 2], outcomes.Select(o => o.Compared));
        Assert.Equal([2, 0, 2], outcomes.Select(o => o.AgreeingInAll));
        Assert.Equal(900, outcomes[2].AlertAfterMs);
    }

    private static Passage Walk(string? subject, double from, double to) => new("v", "street", from, to, subject, subject ?? "other", null, []);

    private static void Add(PassageScoring scoring, long tracklet, long ms, params (int Identity, float Score)[] candidates) =>
        scoring.Add("street", tracklet, ms, new FaceBox(0, 0, 100, 100), [.. candidates.Select(c => new Candidate(c.Identity, c.Identity, c.Score))]);
}
