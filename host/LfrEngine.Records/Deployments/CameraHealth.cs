using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Frames;
using LfrEngine.Pipeline;
using LfrEngine.Records.Authorities;

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
/// <param name="SkippedShare">Share of the frames to search in the last ten seconds that were dropped, 0…1.</param>
/// <param name="LateMs">How late frames were analysed, and alerts raised, on average of the last ten seconds.</param>
/// <param name="SearchedPerSecond">Frames searched for faces, per second, on average of the last ten seconds.</param>
/// <param name="LastFrameSeconds">Since the newest frame, to the second; null before the first.</param>
/// <param name="FacesSeen">Good enough to be compared, since the start.</param>
/// <param name="Alerts">Since the start.</param>
public sealed record CameraHealth(string Name, [property: JsonConverter(typeof(CameraStateName))] CameraState State, [property: JsonConverter(typeof(ClockHealthName))] ClockHealth Clock, string Message, int Width, int Height, double FramesPerSecond, long FramesDropped, double LagMs,
    CameraCondition Condition, double SkippedShare, double LateMs, double SearchedPerSecond, double? LastFrameSeconds, long FacesSeen, long Alerts);

/// <summary>Names of states, as in the lines of <c>lfr run</c>.</summary>
internal sealed class CameraStateName() : JsonStringEnumConverter<CameraState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>Names of clock states.</summary>
internal sealed class ClockHealthName() : JsonStringEnumConverter<ClockHealth>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>A camera that has been searched less often than its authority demands.</summary>
/// <param name="Camera">Its name.</param>
/// <param name="PerSecond">Frames searched per second.</param>
/// <param name="Least">What the authority demands.</param>
internal readonly record struct TooFewSearched(string Camera, double PerSecond, LeastSearched Least);

/// <summary>Monitors the cameras of one run: changes since the last check.</summary>
internal sealed class CameraWatch(EngineRun run, Authority authority, TimeProvider time)
{
    private readonly Reading[] last = [.. run.Cameras.Select(_ => new Reading(0, time.GetTimestamp(), 0, false))];
    private readonly FrameWindow[] windows = [.. run.Cameras.Select(_ => new FrameWindow())];
    private readonly SearchFloor[] floors = [.. run.Cameras.Select(c => new SearchFloor(LeastOf(authority, c.Name)))];
    private readonly long began = time.GetTimestamp();

    /// <summary>Checks all cameras.</summary>
    /// <param name="changes">Receives cameras that were lost or came back: name, whether it was lost, and why.</param>
    /// <param name="tooFew">Receives cameras that have been searched less often than the authority demands.</param>
    public IReadOnlyList<CameraHealth> Look(List<(string Camera, bool Lost, string Reason)> changes, List<TooFewSearched> tooFew)
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
            long searched = status.FramesSearched;
            double at = time.GetElapsedTime(began, now).TotalSeconds;
            (double skipped, double lateMs, double searchedPerSecond) = windows[i].Add(at, decoded, dropped, searched, status.FramesAnalysed, status.LagMs);
            all[i] = new CameraHealth(status.Name, status.State, status.Clock, message, status.FrameSize.Width, status.FrameSize.Height, seconds > 0 ? (decoded - before.Decoded) / seconds : 0, dropped, status.LagMs,
                CameraConditions.Of(status.State, status.Clock, newestSeconds, skipped, lateMs), skipped, lateMs, searchedPerSecond, newestSeconds, status.FacesSeen, status.Alerts);
            if (floors[i].Add(at, searched, all[i].Condition != CameraCondition.Lost && newestSeconds is not null) is { } perSecond)
                tooFew.Add(new TooFewSearched(status.Name, perSecond, LeastOf(authority, status.Name)!));
            bool lost = status.State is CameraState.Reconnecting or CameraState.Failed || (status.State == CameraState.Opening && status.Reconnects > 0);
            if (lost != before.Lost && (lost || status.State == CameraState.Running))
                changes.Add((status.Name, lost, message));
            else
                lost = before.Lost;
            last[i] = new Reading(decoded, now, newestAt, lost);
        }
        return all;
    }

    private static LeastSearched? LeastOf(Authority authority, string camera) => authority.Cameras.First(c => c.Name == camera).Least;

    private readonly record struct Reading(long Decoded, long At, long NewestAt, bool Lost);
}
