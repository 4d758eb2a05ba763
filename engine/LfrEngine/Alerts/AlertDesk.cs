namespace LfrEngine.Alerts;

/// <summary>Merges alerts across cameras: the same identity again within the cool-down joins the alert that stands.</summary>
/// <remarks>
/// Time is the stream's, so that a recording gives the same alerts however fast it is played. Live cameras and recordings share one clock that
/// begins with the run. Thread-safe.
/// </remarks>
internal sealed class AlertDesk(AlertPolicy policy)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, (string AlertId, long LastUs)> standing = [];

    /// <summary>Alerts raised.</summary>
    public int Raised { get; private set; }

    /// <summary>Passages that joined an alert.</summary>
    public int Joined { get; private set; }

    /// <summary>Decides whether an alert stands alone or joins one, and says so in <see cref="Alert.JoinedAlertId"/>.</summary>
    public void Submit(Alert alert)
    {
        lock (gate)
        {
            string identity = alert.Identity.Id;
            if (standing.TryGetValue(identity, out (string AlertId, long LastUs) last)
                && Math.Abs(alert.CompletedUs - last.LastUs) <= policy.CoolDownMs * 1000L)
            {
                alert.JoinedAlertId = last.AlertId;
                standing[identity] = (last.AlertId, Math.Max(last.LastUs, alert.CompletedUs));
                Joined++;
                return;
            }
            // A passage of an earlier time that comes late stands for itself, and leaves the later one standing.
            if (alert.CompletedUs >= last.LastUs)
                standing[identity] = (alert.Id, alert.CompletedUs);
            Raised++;
        }
    }
}
