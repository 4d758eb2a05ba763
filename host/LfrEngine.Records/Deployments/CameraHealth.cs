using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Frames;
using LfrEngine.Pipeline;

namespace LfrEngine.Records.Deployments;

/// <summary>How a camera is doing, once a second.</summary>
/// <param name="Name">As configured.</param>
/// <param name="State">What it is doing.</param>
/// <param name="Clock">What its time stamps are worth.</param>
/// <param name="Message">The latest thing worth telling; empty when all is well. Names no address and no password.</param>
/// <param name="Width">Of its pictures, pixels; 0 before the first.</param>
/// <param name="Height">Of its pictures, pixels; 0 before the first.</param>
/// <param name="FramesPerSecond">Decoded in the last second.</param>
/// <param name="FramesDropped">Since the start.</param>
/// <param name="LagMs">From the arrival of a frame to the end of its analysis, newest frame.</param>
/// <param name="LastFrameSeconds">Since the newest frame, to the second; null before the first.</param>
/// <param name="FacesSeen">Good enough to be compared, since the start.</param>
/// <param name="Alerts">Since the start.</param>
public sealed record CameraHealth(string Name, [property: JsonConverter(typeof(CameraStateName))] CameraState State, [property: JsonConverter(typeof(ClockHealthName))] ClockHealth Clock, string Message, int Width, int Height, double FramesPerSecond, long FramesDropped, double LagMs, double? LastFrameSeconds, long FacesSeen, long Alerts)
{
    /// <summary>Whether it delivers.</summary>
    public bool IsWell => State == CameraState.Running && LastFrameSeconds is null or < Patience;

    // A camera that sends nothing for this long is as good as lost.
    private const double Patience = 3;
}

/// <summary>States as words, as in the lines of <c>lfr run</c>.</summary>
internal sealed class CameraStateName() : JsonStringEnumConverter<CameraState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>The same of clocks.</summary>
internal sealed class ClockHealthName() : JsonStringEnumConverter<ClockHealth>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>Watches the cameras of one run: what they did since the last look.</summary>
internal sealed class CameraWatch(EngineRun run, TimeProvider time)
{
    private readonly Reading[] last = [.. run.Cameras.Select(_ => new Reading(0, time.GetTimestamp(), 0, false))];

    /// <summary>Looks at all cameras.</summary>
    /// <param name="changes">Receives cameras that were lost or returned: name, whether it was lost, and why.</param>
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
            // An address may hold a password.
            string message = status.Message.Replace(run.CameraSettings[i].Source, status.Name, StringComparison.Ordinal);
            all[i] = new CameraHealth(status.Name, status.State, status.Clock, message, status.FrameSize.Width, status.FrameSize.Height, seconds > 0 ? (decoded - before.Decoded) / seconds : 0,
                status.FramesDropped, status.LagMs, newestAt == 0 ? null : time.GetElapsedTime(newestAt, now).TotalSeconds, status.FacesSeen, status.Alerts);
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
