using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace LfrEngine.Programs;

/// <summary>Progress on standard error, with rate and time left: a bar on a terminal, otherwise occasional lines.</summary>
internal static class ProgressBar
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);

    /// <summary>Runs work that reports how many of <paramref name="total"/> items are done.</summary>
    public static T While<T>(string title, int total, Func<Action<int>, T> work)
    {
        IAnsiConsole console = StandardScreen.ErrorConsole();
        if (!console.Profile.Capabilities.Interactive || Console.IsErrorRedirected)
            return work(Lines(title, total));
        return console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RateColumn(), new RemainingTimeColumn())
            .AutoClear(true)
            .Start(context =>
            {
                ProgressTask task = context.AddTask(title, maxValue: Math.Max(1, total));
                return work(done => task.Value = Math.Max(task.Value, done));
            });
    }

    /// <inheritdoc cref="While{T}(string, int, Func{Action{int}, T})"/>
    public static void While(string title, int total, Action<Action<int>> work) => While(title, total, report =>
    {
        work(report);
        return 0;
    });

    private static Action<int> Lines(string title, int total)
    {
        long started = Stopwatch.GetTimestamp(), last = started;
        return done =>
        {
            long before = Volatile.Read(ref last), now = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(before, now) < BetweenLines || Interlocked.CompareExchange(ref last, now, before) != before)
                return;
            double perSecond = done / Stopwatch.GetElapsedTime(started, now).TotalSeconds;
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}: {done} of {total}, {perSecond:0.0} per second, {(total - done) / Math.Max(1e-9, perSecond):0} s left"));
        };
    }

    private sealed class RateColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.Speed is { } speed ? string.Create(CultureInfo.InvariantCulture, $"{speed:0.0}/s") : "");
    }
}
