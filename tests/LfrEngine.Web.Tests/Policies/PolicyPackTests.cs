using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Retention;
using LfrEngine.Watchlists;

namespace LfrEngine.Web.Tests.Policies;

/// <summary>Rules as files: each example pack forbids what it says, and a pack that was altered is not believed.</summary>
public sealed class PolicyPackTests : IDisposable
{
    private static readonly DateOnly Day = new(2026, 12, 1);
    private static readonly Dictionary<WatchlistCategory, int> People = new() { [WatchlistCategory.Wanted] = 100 };

    private readonly string folder = Directory.CreateTempSubdirectory("lfr-policy-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Per pack: what is changed in an authority that follows it, and the words of the refusal.</summary>
    public static TheoryData<string, string, string> Table => new()
    {
        { "metropolitan", "nothing", "" },
        { "metropolitan", "ground", "demands a ground for the place: hotspot, protective-security, intelligence." },
        { "metropolitan", "no area", "demands the area on the map." },
        { "metropolitan", "large area", "square kilometres; the policy" },
        { "metropolitan", "threshold 0.47", "the threshold is 0.47" },
        { "metropolitan", "people 17001", "17,001 people are on the watchlist" },
        { "metropolitan", "hours 13", "allows at most 12 hours." },
        { "metropolitan", "rank constable", "sam is constable" },
        { "metropolitan", "no rank", "sam has no recorded rank" },
        { "metropolitan", "no accountable person", "demands a senior accountable person" },
        { "metropolitan", "day 2027-11-01", "was to be reviewed by 2027-10-31" },
        { "metropolitan", "day 2026-10-31", "is valid from 2026-11-01" },
        { "metropolitan", "missing", "the response must contain the words of" },
        { "college-app", "nothing", "" },
        { "college-app", "no area", "" },
        { "college-app", "threshold 0.01", "" },
        { "college-app", "rank inspector", "lets these ranks sign: superintendent, chief superintendent, assistant chief constable." },
        { "home-office", "nothing", "" },
        { "home-office", "threshold 0.6399", "demands at least 0.64" },
        { "home-office", "missing", "does not allow this category." },
        { "home-office", "people 5001", "5,001 people are on the watchlist" },
        { "home-office", "hours 9", "allows at most 8 hours." },
        { "eu-ai-act", "nothing", "" },
        { "eu-ai-act", "threshold 0.54", "demands at least 0.55" },
        { "eu-ai-act", "rank superintendent", "lets these ranks sign: judge, independent administrative authority." },
        { "eu-ai-act", "people 1001", "1,001 people are on the watchlist" },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Pack_OneThingChanged_IsRefusedInItsWords(string name, string change, string refusal)
    {
        PolicyPack pack = Packs.Example(name);
        Assert.Empty(pack.Faults());
        Authority good = Following(pack);
        (string what, string value) = change.Split(' ', 2) is [var w, var v] ? (w, v) : (change, "");
        (Authority authority, DateOnly day, Dictionary<WatchlistCategory, int> people) = (what, value) switch
        {
            ("ground", _) => (good with { Ground = new AuthorisedGround("convenience", "It was near") }, Day, People),
            ("no", "area") => (good with { Area = null }, Day, People),
            ("large", _) => (good with { Area = "51.5,-0.1 51.5,0.0 51.6,0.0 51.6,-0.1" }, Day, People),
            ("no", "rank") => (good with { AuthorisingOfficer = good.AuthorisingOfficer with { Rank = null } }, Day, People),
            ("no", "accountable person") => (good with { AccountablePerson = null }, Day, People),
            ("rank", _) => (good with { AuthorisingOfficer = good.AuthorisingOfficer with { Rank = value } }, Day, People),
            ("threshold", _) => (good with { Categories = [good.Categories[0] with { Threshold = double.Parse(value, System.Globalization.CultureInfo.InvariantCulture) }] }, Day, People),
            ("hours", _) => (good with { End = good.Start.AddHours(int.Parse(value, System.Globalization.CultureInfo.InvariantCulture)) }, Day, People),
            ("people", _) => (good with { Watchlist = good.Watchlist with { People = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) } }, Day,
                new Dictionary<WatchlistCategory, int> { [WatchlistCategory.Wanted] = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) }),
            ("day", _) => (good, DateOnly.Parse(value, System.Globalization.CultureInfo.InvariantCulture), People),
            ("missing", _) => (good with { Categories = [good.Categories[0], good.Categories[0] with { Category = WatchlistCategory.MissingOrVulnerable, Response = "Arrest." }] }, Day, People),
            _ => (good, Day, People),
        };

        string[] broken = [.. PolicyRules.Broken(pack, authority, people, day).Select(f => f.Text)];

        if (refusal.Length == 0)
            Assert.Empty(broken);
        else
            Assert.Contains(broken, b => b.Contains(refusal, StringComparison.Ordinal));
        if (what != "people")
            Assert.True(broken.Length <= 1, string.Join('\n', broken));
    }

    [Fact]
    public void Evidence_TooOldOrAnotherProtocol_IsRefusedByName()
    {
        PolicyPack pack = Packs.Example("eu-ai-act");
        OperatingPoint even = Point(Group("sex", "female", 900, 1000, 300, 1_000_000), Group("sex", "male", 905, 1000, 290, 1_000_000), Group("skin_tone", "1-5", 900, 1000, 300, 1_000_000), Group("skin_tone", "6-10", 895, 1000, 310, 1_000_000));
        string[] Unmet(DateOnly made, string protocol, OperatingPoint point) => [.. PolicyRules.UnmetDemands("spring.json", Evidence(made, protocol, point), point, pack.Evidence!, Day)];

        Assert.Empty(Unmet(Day.AddDays(-180), "passages", even));
        Assert.Equal(["The evidence spring.json was measured on 2026-06-03, 181 days before the deployment; at most 180 are allowed."], Unmet(Day.AddDays(-181), "passages", even));
        Assert.Equal(["The evidence spring.json was measured by the protocol identify; only passages counts."], Unmet(Day, "identify", even));
        Assert.Equal(["The evidence spring.json was measured on 2026-11-30; only evidence since 2026-12-01 counts."],
            PolicyRules.UnmetDemands("spring.json", Evidence(Day.AddDays(-1), "passages", even), even, new EvidenceRules { Since = Day }, Day));
    }

    [Fact]
    public void Groups_UnevenThinOrMissing_SayWhichCellFails()
    {
        GroupDemand[] demands = [new("sex", LargestTpirRatio: 1.2)];
        string[] Unmet(params GroupRates[] groups) => [.. GroupGate.Unmet("spring.json", Point(groups), demands)];

        Assert.Empty(Unmet(Group("sex", "female", 900, 1000, 0, 0), Group("sex", "male", 910, 1000, 0, 0)));
        // The Cambridge test of 2026: one group found a third more often.
        string uneven = Assert.Single(Unmet(Group("sex", "female", 600, 1000, 0, 0), Group("sex", "male", 800, 1000, 0, 0)));
        Assert.Contains("does not show equal treatment by sex: TPIR of male (800 of 1,000) over female (600 of 1,000) is 1.3333", uneven, StringComparison.Ordinal);
        Assert.DoesNotContain("too few attempts", uneven, StringComparison.Ordinal);
        string thin = Assert.Single(Unmet(Group("sex", "female", 9, 10, 0, 0), Group("sex", "male", 9, 10, 0, 0)));
        Assert.Contains("there are too few attempts to show it", thin, StringComparison.Ordinal);
        Assert.Equal(["The evidence spring.json has no groups by sex; the laboratory must measure them."], Unmet(Group("age", "young", 9, 10, 0, 0)));
        Assert.Contains("has no attempts of sex female for TPIR", Assert.Single(Unmet(Group("sex", "female", 0, 0, 0, 0), Group("sex", "male", 9, 10, 0, 0))), StringComparison.Ordinal);
        // 4 and 5.5 % against 0.04 %: the national laboratory's finding of December 2025.
        Assert.Contains("FPIR of black", Assert.Single(GroupGate.Unmet("npl.json", Point(Group("race", "white", 90, 100, 4, 10_000), Group("race", "asian", 90, 100, 400, 10_000), Group("race", "black", 90, 100, 550, 10_000)), [new GroupDemand("race", LargestFpirRatio: 3)])), StringComparison.Ordinal);
    }

    [Fact]
    public void Signed_AlteredOtherKeyOrWithFaults_IsRefusedByName()
    {
        using InstallationKey owner = InstallationKey.Open(Path.Combine(folder, "owner.pem")), stranger = InstallationKey.Open(Path.Combine(folder, "stranger.pem"));
        string path = Path.Combine(folder, "policy.json");
        SignedDocument.Write(path, SignedPolicy.Kind, Packs.Whole.ToText(), owner);
        string whole = File.ReadAllText(path);
        SignedPolicy read = SignedPolicy.Read(path, owner.PublicPem);
        Assert.Equal(Packs.Whole.ToText(), read.Pack.ToText());
        Assert.Equal(Authority.HashOf(Packs.Whole.ToText()), read.Sha256);

        Assert.Contains("signed by the installation", Assert.Throws<CommandFailure>(() => SignedPolicy.Read(path, stranger.PublicPem)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, whole.Replace("0.45", "0.40", StringComparison.Ordinal));
        Assert.Contains("has been altered", Assert.Throws<CommandFailure>(() => SignedPolicy.Read(path, owner.PublicPem)).Message, StringComparison.Ordinal);
        SignedDocument.Write(path, SignedPolicy.Kind, (Packs.Whole with { LongestHours = 25, Presence = new PresenceRules(0, 15, 200) }).ToText(), owner);
        string faults = Assert.Throws<CommandFailure>(() => SignedPolicy.Read(path, owner.PublicPem)).Message;
        Assert.Contains("2 rules cannot be applied", faults, StringComparison.Ordinal);
        Assert.Contains("longestHours: more than 0, up to 24", faults, StringComparison.Ordinal);
        Assert.Contains("presence.officers: 1 to 100", faults, StringComparison.Ordinal);
        SignedDocument.Write(path, SignedPolicy.Kind, Packs.Whole.ToText().Replace("leastThreshold", "lestThreshold", StringComparison.Ordinal), owner);
        Assert.Contains("lestThreshold", Assert.Throws<CommandFailure>(() => SignedPolicy.Read(path, owner.PublicPem)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shelf_PackAltered_IsNotFound()
    {
        SignedPolicy policy = Packs.Sign(Packs.Whole);
        var shelf = new PolicyShelf(new Installation(new HostConfig { Name = "van" }, folder) { Policy = policy });
        shelf.Keep(policy);
        Assert.Equal(Packs.Whole.ToText(), shelf.Find(policy.Sha256)!.ToText());

        string path = Path.Combine(folder, "data", "policies", $"{policy.Sha256}.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("0.45", "0.40", StringComparison.Ordinal));

        Assert.Null(shelf.Find(policy.Sha256));
        Assert.Null(shelf.Find(new string('0', 64)));
    }

    [Fact]
    public void Limits_PackAndConfiguration_TheStricterCounts()
    {
        var config = new HostConfig { Name = "van", Watchlist = new() { ["wanted"] = new CategoryPolicy { MaximumPeople = 5, MaximumImageAgeDays = 2000, ReviewDays = 90 } }, Retention = new RetentionConfig { AlertHours = 12, WatchlistHours = 1 } };
        var installation = new Installation(config, folder) { Policy = Packs.Sign(Packs.Whole) };

        Assert.Equal(new CategoryPolicy { MaximumPeople = 5, MaximumImageAgeDays = 1000, ReviewDays = 20 }, installation.LimitsOf(WatchlistCategory.Wanted));
        var retention = new RetentionPolicy(installation);
        Assert.Equal((TimeSpan.FromHours(2), TimeSpan.FromHours(1)), (retention.Alerts, retention.Watchlists));
        Assert.Contains("Test rules, version 1", retention.Text()[0].Text, StringComparison.Ordinal);
        // A deployment that was signed under stricter rules keeps them.
        DateTimeOffset now = DateTimeOffset.UnixEpoch;
        Assert.Equal((now.AddHours(1), now.AddHours(0.5)), (retention.EraseAlertBy(now, Packs.Whole with { Retention = new RetentionRules(1, 0.5) }), retention.DestroyWatchlistBy(now, Packs.Whole with { Retention = new RetentionRules(1, 0.5) })));
        Assert.Equal(now.AddHours(2), retention.EraseAlertBy(now, Packs.Whole with { Retention = new RetentionRules(24, 24) }));
    }

    [Fact]
    public void Diff_FloorLoweredAndRuleRemoved_AllowMore()
    {
        PolicyPack looser = Packs.Whole with { Version = "2", Retention = null, Categories = new Dictionary<string, CategoryRules> { ["wanted"] = Packs.Whole.Categories["wanted"] with { LeastThreshold = 0.4, MostPeople = 5 } } };

        IReadOnlyList<PolicyDifference> differences = PolicyDifference.Between(Packs.Whole, looser);

        Assert.Equal(
            [("version", PolicyStrictness.Unknown), ("categories.wanted.leastThreshold", PolicyStrictness.Looser), ("categories.wanted.mostPeople", PolicyStrictness.Stricter), ("retention.alertHours", PolicyStrictness.Looser), ("retention.watchlistHours", PolicyStrictness.Looser)],
            differences.Select(d => (d.At, d.Strictness)));
        Assert.Empty(PolicyDifference.Between(Packs.Whole, Packs.Whole));
    }

    [Fact]
    public void Area_SquareInLondon_HasItsSizeAndDistances()
    {
        Assert.True(DeploymentArea.TryParse(Packs.Square, out DeploymentArea? square));
        // 0.0009 degrees of latitude are 100.1 m; 0.00145 of longitude at 51.5 degrees 100.4 m.
        Assert.InRange(square!.SquareMetres, 10_000, 10_100);
        Assert.Equal(0, square.MetresTo(51.5078, -0.1270));
        Assert.InRange(square.MetresTo(51.5065, -0.1270), 99, 101);
        Assert.InRange(square.MetresTo(51.50830 + 0.0009, -0.12635 + 0.00145), 140, 143);
        Assert.True(DeploymentArea.TryParse(square.ToString(), out DeploymentArea? again));
        Assert.Equal(square.ToString(), again!.ToString());
        foreach (string bad in new[] { "", "51.5,-0.1", "51.5,-0.1 51.6,-0.1", "91,0 92,0 93,1", "51.5 -0.1 51.6", "1,1 1,1 1,1", "NaN,0 1,1 1,2", string.Join(' ', Enumerable.Range(0, 33).Select(i => $"{i},{i * i}")) })
            Assert.False(DeploymentArea.TryParse(bad, out _), bad);
    }

    private static Authority Following(PolicyPack pack)
    {
        DateTimeOffset start = new(2026, 12, 1, 9, 0, 0, TimeSpan.Zero);
        CategoryRules wanted = pack.Categories["wanted"];
        return new Authority(Authority.CurrentFormat, Guid.NewGuid(), "Square", "Find people.", "intelligence-led", "Square", start, start.AddHours(6), [], new AuthorisedWatchlist(Guid.NewGuid(), "list", 100, ""), 1000,
            [new AuthorisedCategory(WatchlistCategory.Wanted, wanted.LeastThreshold ?? 0.5, new AuthorisedEvidence("", "spring.json", "passages", start.AddDays(-10), 100, 0, 1, 0.5), wanted.Response ?? "Compare.")],
            [], new ImpactAssessments("a", "b", "c"), new NamedOfficer(Guid.NewGuid(), "sam", pack.Signing is { Ranks: [var rank, ..] } ? rank : null), new NamedOfficer(Guid.NewGuid(), "dora"), start.AddDays(-1),
            Ground: pack.Where is { } where ? new AuthorisedGround(where.Grounds.First().Key, where.Grounds.First().Value) : null, Area: Packs.Square, AccountablePerson: "Assistant Commissioner A. Example");
    }

    private static OperatingPoint Point(params GroupRates[] groups) => new(100, 0.5, null, 1e-4, 5e-5, 2e-4, 40, 400_000, 0.9, 0.88, 0.92, 900, 1000, groups);

    private static GroupRates Group(string column, string group, long found, long mated, long false_, long nonMated)
    {
        Proportion tpir = new(found, mated), fpir = new(false_, nonMated);
        Interval t = tpir.Wilson(), f = fpir.Wilson();
        return new GroupRates(column, group, nonMated > 0 ? fpir.Rate : null, f.Low, f.High, false_, nonMated, mated > 0 ? tpir.Rate : null, t.Low, t.High, found, mated);
    }

    private static EvidenceDocument Evidence(DateOnly made, string protocol, OperatingPoint point) =>
        new(EvidenceDocument.CurrentFormat, new DateTimeOffset(made, new TimeOnly(12, 0), TimeSpan.Zero), protocol, "test", "", new Dictionary<string, string>(), new Dictionary<string, string>(), "", 7, [point]);
}
