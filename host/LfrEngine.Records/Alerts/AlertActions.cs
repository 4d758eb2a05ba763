namespace LfrEngine.Records.Alerts;

/// <summary>What the audit trail calls what happens to alerts.</summary>
internal static class AlertActions
{
    public const string Raised = "alert.raised";
    public const string Joined = "alert.joined";
    public const string Decided = "alert.decided";
    public const string PicturesErased = "alert.pictures-erased";
    public const string Viewed = "alert.viewed";

    private const string SubjectPrefix = "alert/";

    /// <summary>Those that change what a list of alerts shows.</summary>
    public static readonly string[] Changes = [Raised, Joined, Decided, PicturesErased];

    /// <summary>The entry's subject.</summary>
    public static string SubjectOf(Guid alert) => SubjectPrefix + alert;

    /// <summary>The alert of an entry's subject.</summary>
    public static Guid AlertOf(string subject) => Guid.Parse(subject.AsSpan(SubjectPrefix.Length));
}
