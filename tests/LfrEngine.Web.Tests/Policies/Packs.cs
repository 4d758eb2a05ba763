using LfrEngine.Records.Policies;

namespace LfrEngine.Web.Tests.Policies;

/// <summary>Policy packs for tests.</summary>
internal static class Packs
{
    /// <summary>Around a market square of 100 m by 100 m in London.</summary>
    public const string Square = "51.5074,-0.1278 51.5074,-0.12635 51.5083,-0.12635 51.5083,-0.1278";

    /// <summary>The examples that the project carries.</summary>
    public static PolicyPack Example(string name) => PolicyPack.Parse(File.ReadAllText(Path.Combine(RepoRoot.Folder, "docs", "policies", $"example-{name}.json")));

    /// <summary>A pack with one rule of each kind, in force on the day of <see cref="Authorities.AuthorityStage"/>'s clock.</summary>
    public static PolicyPack Whole { get; } = new()
    {
        FormatVersion = PolicyPack.CurrentFormat,
        Name = "Test rules",
        Version = "1",
        Issuer = "the tests",
        ValidFrom = new DateOnly(2026, 1, 1),
        ReviewBy = new DateOnly(2026, 12, 31),
        Where = new WhereRules { Grounds = new Dictionary<string, string> { ["hotspot"] = "A hotspot of serious crime" }, AreaRequired = true, LargestSquareKilometres = 0.5 },
        Categories = new Dictionary<string, CategoryRules> { ["wanted"] = new() { LeastThreshold = 0.45, MostPeople = 10, MostImageDays = 1000, ReviewDays = 20 } },
        Signing = new SigningRules { Ranks = ["superintendent"], SecondRanks = ["commander"], AccountablePerson = true },
        TrainingDays = new Dictionary<string, int> { ["authorising-officer"] = 365, ["operator"] = 365, ["engagement-officer"] = 365 },
        Presence = new PresenceRules(1, 15, 200),
        Retention = new RetentionRules(2, 3),
    };

    /// <summary>Signs a pack, with the key of the test run.</summary>
    public static SignedPolicy Sign(PolicyPack pack)
    {
        string folder = Directory.CreateTempSubdirectory("lfr-policy-").FullName, path = Path.Combine(folder, "policy.json");
        try
        {
            using InstallationKey key = InstallationKey.Open(Path.Combine(folder, "key.pem"));
            SignedDocument.Write(path, SignedPolicy.Kind, pack.ToText(), key);
            return SignedPolicy.Read(path, key.PublicPem);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
