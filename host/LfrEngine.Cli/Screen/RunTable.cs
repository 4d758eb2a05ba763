using System.Diagnostics;
using LfrEngine.Pipeline;
using LfrEngine.Records.Receipts;
using Spectre.Console.Rendering;

namespace LfrEngine.Cli.Screen;

/// <summary>A run as a live table on a terminal.</summary>
internal sealed class RunTable(IReadOnlyList<CameraStatus> cameras, TextWriter error) : RunScreen(cameras, error)
{
    private const int SentencesShown = 8;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100), Renew = TimeSpan.FromSeconds(1);

    private readonly long[] analysedBefore = new long[cameras.Count];
    private readonly Queue<string> sentences = new();

    protected override void Show() => AnsiConsole.Live(Draw(1)).AutoClear(true).Start(context =>
    {
        long last = Stopwatch.GetTimestamp();
        bool isOver;
        do
        {
            isOver = Pause(Moment);
            while (TryTake(out RunEvent? what))
                Remember(what);
            if (Stopwatch.GetElapsedTime(last) < Renew)
                continue;
            context.UpdateTarget(Draw(Stopwatch.GetElapsedTime(last).TotalSeconds));
            last = Stopwatch.GetTimestamp();
        }
        while (!isOver);
    });

    protected override void ShowSummary(RunReport report)
    {
        foreach (string line in RunText.Summary(report))
            AnsiConsole.WriteLine(line);
    }

    private void Remember(RunEvent what)
    {
        // Warnings go to standard error only if it is redirected, because they would break up the table.
        if (what.IsWarning && Console.IsErrorRedirected)
            Warn(what.Sentence);
        sentences.Enqueue(what.Sentence);
        if (sentences.Count > SentencesShown)
            sentences.Dequeue();
    }

    private IRenderable Draw(double seconds)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Camera", "State", "Picture", "fps", "Frames", "Dropped", "Faces seen", "Compared", "Alerts", "Lag ms");
        for (int i = 0; i < Cameras.Count; i++)
        {
            CameraStatus s = Cameras[i];
            long analysed = s.FramesAnalysed;
            double fps = (analysed - analysedBefore[i]) / seconds;
            analysedBefore[i] = analysed;
            string state = s.Message.Length > 0 ? $"{s.State}: {s.Message}" : s.State.ToString();
            table.AddRow(Markup.Escape(s.Name), Markup.Escape(state), $"{s.FrameSize.Width}x{s.FrameSize.Height} {Markup.Escape(s.Codec)}", $"{fps:0.0}", $"{analysed}", $"{s.FramesDropped}",
                $"{s.FacesSeen}", $"{s.ShotsCompared}", $"{s.Alerts}", $"{s.LagMs:0}");
        }
        return ShownRendering.Safe(new Rows([table, .. sentences.Select(s => new Text(s)), new Markup("[grey]Press Ctrl-C to stop.[/]")]));
    }
}
