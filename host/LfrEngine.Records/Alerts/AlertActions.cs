using System.Text.Json;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Alerts;

/// <summary>Audit actions of alerts.</summary>
internal static class AlertActions
{
    public const string Raised = "alert.raised";
    public const string Joined = "alert.joined";
    public const string Decided = "alert.decided";
    public const string PicturesErased = "alert.pictures-erased";
    public const string Viewed = "alert.viewed";
    public const string Searched = "alert.searched";
    public const string Disclosed = "disclosure.made";

    private const string SubjectPrefix = "alert/";

    /// <summary>Actions that change a list of alerts.</summary>
    public static readonly string[] Changes = [Raised, Joined, Decided, PicturesErased];

    /// <summary>Subject of an alert's audit entries.</summary>
    public static string SubjectOf(Guid alert) => SubjectPrefix + alert;

    /// <summary>The deployment of an alert, from one of its <see cref="Changes"/>.</summary>
    public static Guid DeploymentOf(AuditEntry change)
    {
        using JsonDocument details = JsonDocument.Parse(change.Details);
        return details.RootElement.GetProperty("deploymentId").GetGuid();
    }

    /// <summary>Alert id of an entry's subject.</summary>
    public static Guid AlertOf(string subject) => Guid.Parse(subject.AsSpan(SubjectPrefix.Length));
}
