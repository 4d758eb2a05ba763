namespace LfrEngine.Alerts;

/// <summary>Merges alerts across cameras: a further passage of the same identity within the cool-down joins the current alert.</summary>
/// <remarks>
/// Uses stream time, so that a recording gives the same alerts at any playing speed. Live cameras and recordings share one clock that
/// begins with the run. Thread-safe.
/// </remarks>
internal sealed class AlertDesk(AlertPolicy policy)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, (string AlertId, long LastUs)> standing = [];

    public int Raised { get; private set; }

    /// <summary>Passages that joined an alert.</summary>
    public int Joined { get; private set; }

    /// <summary>Decides whether an alert is separate or joins an earlier one, and sets <see cref="Alert.JoinedAlertId"/>.</summary>
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
            // A late passage from an earlier time becomes a separate alert and does not replace the later one.
            if (alert.CompletedUs >= last.LastUs)
                standing[identity] = (alert.Id, alert.CompletedUs);
            Raised++;
        }
    }
}
