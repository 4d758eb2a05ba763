using Spectre.Console;

namespace LfrEngine.Host.Commands;

/// <summary>Progress on standard error: a bar with rate and time left on a terminal, nothing otherwise.</summary>
internal static class Progress
{
    /// <summary>Runs work that reports how many of <paramref name="total"/> items are done.</summary>
    public static T While<T>(string title, int total, Func<Action<int>, T> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        if (!console.Profile.Capabilities.Interactive || Console.IsErrorRedirected)
            return work(_ => { });
        return console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .AutoClear(true)
            .Start(context =>
            {
                ProgressTask task = context.AddTask(title, maxValue: Math.Max(1, total));
                return work(done => task.Value = Math.Max(task.Value, done));
            });
    }
}
