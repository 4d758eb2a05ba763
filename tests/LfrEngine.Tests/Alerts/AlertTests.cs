using LfrEngine.Alerts;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Quality;
using LfrEngine.Tests.Frames;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Tracking;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Alerts;

[Collection(CountsRentedBuffers.Name)]
public sealed class AlertTests : IDisposable
{
    private const float Threshold = 0.4f;

    private readonly long rentedBefore = BufferPool.OutstandingBlocks;
    private readonly Watchlist watchlist = WatchlistSamples.Build(1, 5, 9, 16);
    private readonly Gallery gallery;
    private readonly EvidenceLedger ledger;
    private readonly List<Alert> alerts = [];

    public AlertTests()
    {
        gallery = Gallery.Create(watchlist);
        ledger = new EvidenceLedger("run", "gate", new AlertPolicy(), gallery, CategoryThresholds.Uniform(Threshold));
    }

    public void Dispose()
    {
        alerts.ForEach(a => a.Dispose());
        ledger.Dispose();
        gallery.Dispose();
        watchlist.Dispose();
        Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Ledger_OneShot_NeverAlertsHoweverSure()
    {
        Add(1, 1_000, (0, 1f));
        Assert.Empty(alerts);
        ledger.End(1);
        Add(2, 2_000, (0, 1f));
        Assert.Empty(alerts);
    }

    [Fact]
    public void Ledger_TwoAgreeingShots_AlertOnce()
    {
        Add(7, 1_000, (3, 0.5f));
        Add(7, 2_000);
        Add(7, 3_000, (3, 0.6f));
        Add(7, 4_000, (3, 0.9f));
        Add(7, 5_000, (3, 0.95f));
        Alert alert = Assert.Single(alerts);
        Assert.Equal(("gate", 7L, 3_000L), (alert.Camera, alert.TrackletId, alert.CompletedUs));
        Assert.Equal(gallery.Identities[3], alert.Identity);
        Assert.Equal($"run/gate/7/{gallery.Identities[3].Id}", alert.Id);
        Assert.Equal((0.6f, Threshold, 2, 3), (alert.Score, alert.Threshold, alert.AgreeingShots, alert.ComparedShots));
        Assert.Equal((3_000L, 500L), (alert.BestShotUs, alert.FirstSeenUs));
        Assert.True(alert.RaisedAt >= alert.CapturedAt);
        Assert.Equal(1, ledger.FacesSeen);
    }

    [Fact]
    public unsafe void Ledger_BestShotWasTheFirst_ShowsThatOne()
    {
        Add(7, 1_000, (3, 0.9f));
        Add(7, 2_000, (3, 0.5f));
        Alert alert = Assert.Single(alerts);
        Assert.Equal((0.9f, 1_000L, 2_000L), (alert.Score, alert.BestShotUs, alert.CompletedUs));
        // Pictures are painted with the timestamp in milliseconds.
        Assert.Equal(1, alert.Probe.View.Y[0]);
        Assert.Equal(1f, alert.Box.Left);
    }

    /// <summary>Whoever stands beside the person sought is in the square around the face.</summary>
    [Fact]
    public unsafe void Ledger_Alert_ShowsTheFaceAndPixelatesWhatIsAroundIt()
    {
        const int Side = 72;
        using var seen = new Picture(Side, Side);
        for (int i = 0; i < 2; i++)
        {
            var picture = new Picture(Side, Side);
            for (int p = 0; p < Side * Side; p++)
                seen.View.Y[p] = picture.View.Y[p] = (byte)(p * 37);
            using FaceShot shot = Shot(1, i + 1, picture);
            ledger.Add(shot, [new Candidate(0, 0, 0.9f)], alerts);
        }
        FrameView probe = Assert.Single(alerts).Probe.View;
        byte Around(int x, int y) => probe.Y[(y * Side) + x];
        // 1.3 of 1.8 is the head: 52 of 72 pixels, from the tenth on.
        for (int y = 11; y < Side - 11; y++)
            Assert.True(new Span<byte>(seen.View.Y + (y * Side) + 11, Side - 22).SequenceEqual(new Span<byte>(probe.Y + (y * Side) + 11, Side - 22)));
        Assert.All(Enumerable.Range(0, 9), x => Assert.Equal((Around(0, 0), Around(63, 0)), (Around(x, 8), Around(63 + x, 8))));
        Assert.NotEqual(seen.View.Y[Side + 1], Around(1, 1));
    }

    [Fact]
    public void Ledger_WatchlistSwapped_ForgetsWhatTheFormerCollected()
    {
        long before = BufferPool.OutstandingBlocks;
        Add(1, 1_000, (3, 0.9f));
        using Watchlist other = WatchlistSamples.Build(2, 5, 9, 16);
        using Gallery latter = Gallery.Create(other);
        long held = BufferPool.OutstandingBlocks;
        ledger.Follow(latter);
        Assert.Equal(1, held - BufferPool.OutstandingBlocks);
        ledger.Follow(latter);
        Add(1, 2_000, (3, 0.9f));
        Assert.Empty(alerts);
        Add(1, 3_000, (3, 0.8f));
        Alert alert = Assert.Single(alerts);
        Assert.Equal((latter.Identities[3], 2, 3), (alert.Identity, alert.AgreeingShots, alert.ComparedShots));
        Assert.Equal(1, ledger.FacesSeen);
        ledger.Follow(gallery);
        Assert.True(BufferPool.OutstandingBlocks > before);
    }

    [Fact]
    public void Ledger_TwoIdentities_BothAlert()
    {
        Add(1, 1_000, (0, 0.8f), (4, 0.5f));
        Add(1, 2_000, (0, 0.8f), (4, 0.45f));
        Assert.Equal([gallery.Identities[0].Id, gallery.Identities[4].Id], alerts.Select(a => a.Identity.Id));
        Add(1, 3_000, (0, 0.8f), (4, 0.45f));
        Assert.Equal(2, alerts.Count);
        Assert.NotSame(alerts[0].Probe, alerts[1].Probe);
    }

    [Fact]
    public void Ledger_DifferentTrackletsOrIdentities_DoNotAddUp()
    {
        Add(1, 1_000, (0, 0.9f));
        Add(2, 1_000, (0, 0.9f));
        Add(1, 2_000, (1, 0.9f));
        Add(2, 2_000, (2, 0.9f));
        Assert.Empty(alerts);
        Assert.Equal(2, ledger.FacesSeen);
        Add(1, 3_000, (0, 0.5f));
        Assert.Equal(1L, Assert.Single(alerts).TrackletId);
    }

    [Fact]
    public void Ledger_TrackletEndsWithoutAlert_WipesItsPictures()
    {
        long before = BufferPool.OutstandingBlocks;
        Add(1, 1_000, (0, 0.9f), (1, 0.5f));
        Add(2, 1_000, (0, 0.9f));
        Add(3, 1_000);
        Assert.Equal(before + 3, BufferPool.OutstandingBlocks);
        long wiped = BufferPool.WipedBlocks;
        ledger.End(1);
        Assert.Equal(before + 1, BufferPool.OutstandingBlocks);
        Assert.Equal(wiped + 2, BufferPool.WipedBlocks);
        ledger.End(1);
        ledger.End(99);
        ledger.End(3);
        ledger.End(2);
        Assert.Equal(before, BufferPool.OutstandingBlocks);
        Assert.Empty(alerts);
    }

    [Fact]
    public void Ledger_FaceCoveredInTheBestShot_IsStatedInTheAlert()
    {
        foreach ((long at, float score, float mask) in (ReadOnlySpan<(long, float, float)>)[(1_000, 0.6f, 0.9f), (2_000, 0.5f, 0.1f)])
        {
            using FaceShot shot = Shot(1, at);
            shot.Cover = new CoverJudgement(mask, 0, 0);
            ledger.Add(shot, [new Candidate(0, 0, score)], alerts);
        }
        Assert.Equal("lower face covered", Assert.Single(alerts).Cover.Words);
    }

    [Fact]
    public void Ledger_AfterTheAlert_KeepsNothing()
    {
        long before = BufferPool.OutstandingBlocks;
        Add(1, 1_000, (0, 0.5f));
        Add(1, 2_000, (0, 0.9f));
        Add(1, 3_000, (0, 0.99f));
        // One picture, and it is the alert's.
        Assert.Equal(before + 1, BufferPool.OutstandingBlocks);
        ledger.End(1);
        Assert.Equal(before + 1, BufferPool.OutstandingBlocks);
        alerts[0].Dispose();
        alerts[0].Dispose();
        Assert.Equal(before, BufferPool.OutstandingBlocks);
    }

    /// <summary>A probe of exactly the threshold is a candidate; the next smaller number is not.</summary>
    [Fact]
    public void Search_ScoreAtTheThreshold_Counts()
    {
        using var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, 4);
        builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity("a", "A", WatchlistCategory.Wanted)), [1, 0, 0, 0], 1);
        using Watchlist list = builder.Build();
        using Gallery one = Gallery.Create(list);
        var candidates = new Candidate[1];
        var counts = new int[1];
        float[] probe = [0.6f, 0.8f, 0, 0];
        var search = new CosineSearch();
        search.Search(one, probe, CategoryThresholds.Uniform(0.6f), 1, candidates, counts);
        Assert.Equal((1, 0.6f), (counts[0], candidates[0].ComparisonScore));
        search.Search(one, probe, CategoryThresholds.Uniform(MathF.BitIncrement(0.6f)), 1, candidates, counts);
        Assert.Equal(0, counts[0]);
    }

    [Fact]
    public void Desk_SameIdentityWithinTheCoolDown_Joins()
    {
        var policy = new AlertPolicy { CoolDownMs = 10_000 };
        var desk = new AlertDesk(policy);
        Alert first = Submit(desk, "a", 0, 1_000_000), atTheEdge = Submit(desk, "b", 0, 11_000_000), sliding = Submit(desk, "c", 0, 21_000_000);
        Alert other = Submit(desk, "d", 1, 1_000_000), later = Submit(desk, "e", 0, 31_000_001);
        Assert.Null(first.JoinedAlertId);
        // Inclusive, and counted from the last passage.
        Assert.Equal(first.Id, atTheEdge.JoinedAlertId);
        Assert.Equal(first.Id, sliding.JoinedAlertId);
        Assert.Null(other.JoinedAlertId);
        Assert.Null(later.JoinedAlertId);
        Assert.Equal((3, 2), (desk.Raised, desk.Joined));
    }

    [Fact]
    public void Desk_NoCoolDown_JoinsTheSameInstantOnly()
    {
        var desk = new AlertDesk(new AlertPolicy { CoolDownMs = 0 });
        Submit(desk, "a", 0, 5);
        Assert.NotNull(Submit(desk, "b", 0, 5).JoinedAlertId);
        Assert.Null(Submit(desk, "c", 0, 6).JoinedAlertId);
    }

    /// <summary>Recordings of several cameras run apart: an early passage that comes late does not make the desk forget the later one.</summary>
    [Fact]
    public void Desk_EarlierPassageComesLate_KeepsTheLaterAlert()
    {
        var desk = new AlertDesk(new AlertPolicy { CoolDownMs = 10_000 });
        Alert late = Submit(desk, "a", 0, 100_000_000);
        Alert early = Submit(desk, "b", 0, 50_000_000);
        Alert again = Submit(desk, "c", 0, 105_000_000);
        Assert.Null(early.JoinedAlertId);
        Assert.Equal(late.Id, again.JoinedAlertId);
    }

    [Fact]
    public void Policy_OutOfRange_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new AlertPolicy { AgreeingShots = 1 }.Validated());
        Assert.Throws<ArgumentOutOfRangeException>(() => new AlertPolicy { AgreeingShots = 0 }.Validated());
        Assert.Throws<ArgumentOutOfRangeException>(() => new AlertPolicy { CoolDownMs = -1 }.Validated());
        Assert.Equal(2, new AlertPolicy().Validated().AgreeingShots);
        Assert.Equal(0, new AlertPolicy { CoolDownMs = 0, AgreeingShots = 5 }.Validated().CoolDownMs);
    }

    private static FaceShot Shot(long tracklet, long timestampUs)
    {
        var picture = new Picture(4, 4);
        byte value = (byte)(timestampUs / 1000 % 256);
        picture.Paint(new TestFrame(Native.Media.PixelFormat.Grey, 4, 4).Paint((_, _) => (value, value, value)).View, new FaceBox(0, 0, 4, 4), 0, 4);
        return Shot(tracklet, timestampUs, picture);
    }

    private static FaceShot Shot(long tracklet, long timestampUs, Picture picture)
    {
        return new FaceShot(BufferPool.Rent<float>(16), picture)
        {
            TrackletId = tracklet,
            FirstSeenUs = 500,
            TimestampUs = timestampUs,
            ArrivalTimestamp = System.Diagnostics.Stopwatch.GetTimestamp(),
            Box = new FaceBox(timestampUs / 1000, 0, 50, 50),
            Quality = new FaceQuality(40, 0.3f, 120, 0, 0, 0, 0, 0, 3, 0.8f),
        };
    }

    private void Add(long tracklet, long timestampUs, params (int Identity, float Score)[] candidates)
    {
        using FaceShot shot = Shot(tracklet, timestampUs);
        ledger.Add(shot, [.. candidates.Select(c => new Candidate(c.Identity, 0, c.Score))], alerts);
    }

    private Alert Submit(AlertDesk desk, string camera, int identity, long completedUs)
    {
        using var own = new EvidenceLedger("run", camera, new AlertPolicy(), gallery, CategoryThresholds.Uniform(Threshold));
        int before = alerts.Count;
        foreach (long at in new[] { completedUs - 1, completedUs })
        {
            using FaceShot shot = Shot(1, at);
            own.Add(shot, [new Candidate(identity, 0, 0.9f)], alerts);
        }
        Alert alert = alerts[before];
        desk.Submit(alert);
        return alert;
    }
}
