namespace LfrEngine.Records.Security;

/// <summary>Roles and their permissions. An officer may have several; two-person rules apply to the person, not the role.</summary>
public static class Roles
{
    public const string Operator = "operator";
    public const string EngagementOfficer = "engagement-officer";
    public const string AuthorisingOfficer = "authorising-officer";
    public const string WatchlistManager = "watchlist-manager";
    public const string Auditor = "auditor";
    public const string Administrator = "administrator";

    /// <summary>Of an oversight body: reads records and takes them away, sees no pictures and no names of people on a list. Every look is in the audit.</summary>
    public const string Inspector = "inspector";

    /// <summary>All, in the order in which they are shown.</summary>
    public static readonly string[] All = [Operator, EngagementOfficer, AuthorisingOfficer, WatchlistManager, Auditor, Administrator, Inspector];
}

/// <summary>Permissions, each an authorization policy of the same name. Every page and endpoint requires exactly one.</summary>
public static class Permissions
{
    public const string SeeDeployments = "see-deployments";
    public const string SeeOperations = "see-operations";
    public const string DraftAuthority = "draft-authority";
    public const string SignAuthority = "sign-authority";
    public const string ConfigureCameras = "configure-cameras";
    public const string RunDeployment = "run-deployment";
    public const string SeeLive = "see-live";
    public const string SeeAlerts = "see-alerts";
    public const string JudgeAlerts = "judge-alerts";
    public const string EngageAlerts = "engage-alerts";
    public const string EditWatchlists = "edit-watchlists";
    public const string SeeAudit = "see-audit";
    public const string Export = "export";
    public const string ManageOfficers = "manage-officers";
    public const string Inspect = "inspect";

    /// <summary>The officer's own ways to sign in. Everybody who is signed in has it, even with only a password; it belongs to no role.</summary>
    public const string OwnAccount = "own-account";

    /// <summary>The session itself: to end it, to lock it, and to unlock it. It is the only one that a locked session has.</summary>
    public const string OwnSession = "own-session";

    private static readonly Dictionary<string, string[]> Holders = new()
    {
        [SeeDeployments] = Roles.All,
        [SeeOperations] = [.. Roles.All.Where(r => r != Roles.Inspector)],
        [DraftAuthority] = [Roles.Operator, Roles.WatchlistManager, Roles.AuthorisingOfficer],
        [SignAuthority] = [Roles.AuthorisingOfficer],
        [ConfigureCameras] = [Roles.Operator, Roles.Administrator],
        [RunDeployment] = [Roles.Operator, Roles.AuthorisingOfficer],
        [SeeLive] = [Roles.Operator],
        [SeeAlerts] = [Roles.Operator, Roles.EngagementOfficer],
        [JudgeAlerts] = [Roles.Operator],
        [EngageAlerts] = [Roles.EngagementOfficer],
        [EditWatchlists] = [Roles.WatchlistManager],
        [SeeAudit] = [Roles.Auditor, Roles.AuthorisingOfficer, Roles.Inspector],
        [Export] = [Roles.Auditor, Roles.AuthorisingOfficer, Roles.Inspector],
        [ManageOfficers] = [Roles.Administrator],
        [Inspect] = [Roles.Inspector],
    };

    /// <summary>Every permission with the roles that have it.</summary>
    public static IReadOnlyDictionary<string, string[]> ByRole => Holders;
}
