using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Frames;
using LfrEngine.Pipeline;

namespace LfrEngine.Records.Deployments;

/// <summary>Health of a camera, updated once a second.</summary>
/// <param name="Name">As configured.</param>
/// <param name="State">Its state.</param>
/// <param name="Clock">Health of its time stamps.</param>
/// <param name="Message">The latest message; empty when all is well. Contains no address and no password.</param>
/// <param name="Width">Of its pictures, pixels; 0 before the first.</param>
/// <param name="Height">Of its pictures, pixels; 0 before the first.</param>
/// <param name="FramesPerSecond">Decoded in the last second.</param>
/// <param name="FramesDropped">Since the start.</param>
/// <param name="LagMs">From the arrival of a frame to the end of its analysis, newest frame.</param>
/// <param name="Condition">How well it is followed.</param>
/// <param name="SkippedShare">Share of the frames of the last ten seconds that were dropped, 0…1.</param>
/// <param name="LateMs">How late frames were analysed, and alerts raised, on average of the last ten seconds.</param>
/// <param name="LastFrameSeconds">Since the newest frame, to the second; null before the first.</param>
/// <param name="FacesSeen">Good enough to be compared, since the start.</param>
/// <param name="Alerts">Since the start.</param>
public sealed record CameraHealth(string Name, [property: JsonConverter(typeof(CameraStateName))] CameraState State, [property: JsonConverter(typeof(ClockHealthName))] ClockHealth Clock, string Message, int Width, int Height, double FramesPerSecond, long FramesDropped, double LagMs,
    CameraCondition Condition, double SkippedShare, double LateMs, double? LastFrameSeconds, long FacesSeen, long Alerts);

/// <summary>Names of states, as in the lines of <c>lfr run</c>.</summary>
internal sealed class CameraStateName() : JsonStringEnumConverter<CameraState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>Names of clock states.</summary>
internal sealed class ClockHealthName() : JsonStringEnumConverter<ClockHealth>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>Monitors the cameras of one run: changes since the last check.</summary>
internal sealed class CameraWatch(EngineRun run, TimeProvider time)
{
    private readonly Reading[] last = [.. run.Cameras.Select(_ => new Reading(0, time.GetTimestamp(), 0, false))];
    private readonly FrameWindow[] windows = [.. run.Cameras.Select(_ => new FrameWindow())];
    private readonly long began = time.GetTimestamp();

    /// <summary>Checks all cameras.</summary>
    /// <param name="changes">Receives cameras that were lost or came back: name, whether it was lost, and why.</param>
    public IReadOnlyList<CameraHealth> Look(List<(string Camera, bool Lost, string Reason)> changes)
    {
        var all = new CameraHealth[last.Length];
        long now = time.GetTimestamp();
        for (int i = 0; i < all.Length; i++)
        {
            CameraStatus status = run.Cameras[i];
            Reading before = last[i];
            long decoded = status.FramesDecoded;
            double seconds = time.GetElapsedTime(before.At, now).TotalSeconds;
            long newestAt = decoded > before.Decoded ? now : before.NewestAt;
            // An address may contain a password.
            string message = status.Message.Replace(run.CameraSettings[i].Source, status.Name, StringComparison.Ordinal);
            double? newestSeconds = newestAt == 0 ? null : time.GetElapsedTime(newestAt, now).TotalSeconds;
            long dropped = status.FramesDropped;
            (double skipped, double lateMs) = windows[i].Add(time.GetElapsedTime(began, now).TotalSeconds, decoded, dropped, status.FramesAnalysed, status.LagMs);
            all[i] = new CameraHealth(status.Name, status.State, status.Clock, message, status.FrameSize.Width, status.FrameSize.Height, seconds > 0 ? (decoded - before.Decoded) / seconds : 0, dropped, status.LagMs,
                CameraConditions.Of(status.State, status.Clock, newestSeconds, skipped, lateMs), skipped, lateMs, newestSeconds, status.FacesSeen, status.Alerts);
            bool lost = status.State is CameraState.Reconnecting or CameraState.Failed || (status.State == CameraState.Opening && status.Reconnects > 0);
            if (lost != before.Lost && (lost || status.State == CameraState.Running))
                changes.Add((status.Name, lost, message));
            else
                lost = before.Lost;
            last[i] = new Reading(decoded, now, newestAt, lost);
        }
        return all;
    }

    private readonly record struct Reading(long Decoded, long At, long NewestAt, bool Lost);
}
