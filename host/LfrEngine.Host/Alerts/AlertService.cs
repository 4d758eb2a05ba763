using LfrEngine.Alerts;
using LfrEngine.Host.Audit;
using LfrEngine.Host.Security;
using LfrEngine.Host.Store;

namespace LfrEngine.Host.Alerts;

/// <summary>Stands in for the service of the alerts' own part until that is merged: keeps the record without its pictures.</summary>
internal sealed class AlertService(Journal journal)
{
    public async Task TakeAsync(Guid deploymentId, Alert alert)
    {
        using (alert)
        {
            await journal.ChangeAsync(Actor.Engine, (store, entries) =>
            {
                var record = new AlertRecord
                {
                    Id = Guid.NewGuid(), DeploymentId = deploymentId, EngineId = alert.Id, PersonId = Guid.Parse(alert.Identity.Id), Category = alert.Identity.Category, Camera = alert.Camera,
                    Score = alert.Score, Threshold = alert.Threshold, AgreeingShots = alert.AgreeingShots, ComparedShots = alert.ComparedShots, Quality = alert.Quality.Score,
                    CapturedAt = alert.CapturedAt, RaisedAt = alert.RaisedAt, EraseBy = alert.RaisedAt.AddHours(24),
                };
                store.Alerts.Add(record);
                entries.Note(alert.JoinedAlertId is null ? "alert.raised" : "alert.joined", $"alert/{record.Id}", new { deploymentId, record.Category, record.Camera, record.Score, record.Threshold, record.RolePlayer });
                return Task.FromResult(true);
            });
        }
    }
}
