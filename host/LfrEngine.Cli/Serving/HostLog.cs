using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Console;

namespace LfrEngine.Cli.Serving;

/// <summary>What the log shows, and how.</summary>
internal static class HostLog
{
    /// <summary>Logs for people; under systemd as JSON, one object a line, for the journal and whoever collects it.</summary>
    public static void AddHostLog(this ILoggingBuilder logging)
    {
        // Warnings of everybody, news of ours; never what a request or a query holds.
        logging.SetMinimumLevel(LogLevel.Warning).AddFilter("LfrEngine", LogLevel.Information);
        // Known and meant: pages are never cached, the keys of sessions lie in the data folder as all keys do, and who sends no token is told so.
        logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.Error).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        if (SystemdHelpers.IsSystemdService())
            logging.AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O"));
        else
            logging.AddConsole();
        // A console that takes nothing holds up nobody who has something to log.
        logging.Services.Configure<ConsoleLoggerOptions>(o => o.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);
    }
}
