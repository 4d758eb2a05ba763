using LfrEngine.Pipeline;

namespace LfrEngine.Cli.Screen;

/// <summary>A run as lines, for a pipe or a file: events, each change of a camera, and a heartbeat.</summary>
internal abstract class RunLines(IReadOnlyList<CameraStatus> cameras, TextWriter output, TextWriter error, TimeSpan heartbeat) : RunScreen(cameras, error)
{
    /// <summary>Interval of heartbeats when there are no events.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    // A message that changes faster is only a counter.
    private static readonly TimeSpan BetweenMessages = TimeSpan.FromSeconds(1);

    private readonly Told[] told = new Told[cameras.Count];

    protected TextWriter Output { get; } = output;

    protected sealed override void Show()
    {
        TimeSpan next = heartbeat;
        bool isOver;
        do
        {
            isOver = Pause(Moment);
            while (TryTake(out RunEvent? what))
                ShowEvent(what);
            for (int i = 0; i < told.Length; i++)
                TellChange(Cameras[i], ref told[i], isOver);
            if (Elapsed >= next && !isOver)
            {
                ShowHeartbeat();
                next = Elapsed + heartbeat;
            }
        }
        while (!isOver);
    }

    protected abstract void ShowEvent(RunEvent what);

    protected abstract void ShowCamera(string name, CameraState state, string? message);

    protected abstract void ShowHeartbeat();

    private void TellChange(CameraStatus camera, ref Told last, bool isOver)
    {
        (CameraState State, string Message) now = (camera.State, camera.Message);
        // State and message are set one after the other, so a change is shown only if it is the same at two checks.
        bool stands = now == last.Seen || isOver;
        last.Seen = now;
        bool isNews = last.State != now.State || (last.Message != now.Message && (isOver || Elapsed - last.At >= BetweenMessages));
        if (!stands || !isNews)
            return;
        (last.State, last.Message, last.At) = (now.State, now.Message, Elapsed);
        ShowCamera(camera.Name, now.State, now.Message.Length > 0 ? now.Message : null);
    }

    /// <summary>What was last shown of a camera, and when, and its state at the last check.</summary>
    private struct Told
    {
        public CameraState? State;
        public string? Message;
        public TimeSpan At;
        public (CameraState State, string Message) Seen;
    }
}
