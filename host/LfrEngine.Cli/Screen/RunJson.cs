using System.Text.Json;
using LfrEngine.Cli.Commands;
using LfrEngine.Pipeline;
using LfrEngine.Records.Receipts;

namespace LfrEngine.Cli.Screen;

/// <summary>A run as lines of JSON (docs/json.md).</summary>
internal sealed class RunJson(IReadOnlyList<CameraStatus> cameras, TextWriter output, TextWriter error, TimeSpan heartbeat) : RunLines(cameras, output, error, heartbeat)
{
    protected override void ShowEvent(RunEvent what) => Output.WriteLine(what.Json);

    protected override void ShowCamera(string name, CameraState state, string? message) =>
        Output.WriteLine(JsonSerializer.Serialize(new CameraLine("camera", name, Word(state), message, DateTimeOffset.UtcNow), CliJson.Lines.CameraLine));

    protected override void ShowHeartbeat()
    {
        HeartbeatCamera[] all = [.. Cameras.Select(c => new HeartbeatCamera(c.Name, Word(c.State), c.Message.Length > 0 ? c.Message : null, c.FramesAnalysed, c.FacesSeen, c.Alerts))];
        Output.WriteLine(JsonSerializer.Serialize(new HeartbeatLine("heartbeat", Elapsed.TotalSeconds, all, DateTimeOffset.UtcNow), CliJson.Lines.HeartbeatLine));
    }

    protected override void ShowSummary(RunReport report) => Output.WriteLine(JsonSerializer.Serialize(report, CliJson.Lines.RunReport));

    private static string Word(CameraState state) => state.ToString().ToLowerInvariant();
}

/// <summary>A camera's change of state or message, as a line of JSON.</summary>
internal sealed record CameraLine(string Type, string Name, string State, string? Message, DateTimeOffset ObservedAt);

/// <summary>A heartbeat, as a line of JSON.</summary>
internal sealed record HeartbeatLine(string Type, double ElapsedSeconds, HeartbeatCamera[] Cameras, DateTimeOffset ObservedAt);

/// <summary>One camera of a heartbeat.</summary>
internal sealed record HeartbeatCamera(string Name, string State, string? Message, long FramesAnalysed, long FacesSeen, long Alerts);
