using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Console;

namespace LfrEngine.Cli.Serving;

/// <summary>Logging of the host.</summary>
internal static class HostLog
{
    /// <summary>Logs for people; under systemd as JSON, one object a line, for the journal and log collectors.</summary>
    public static void AddHostLog(this ILoggingBuilder logging)
    {
        // Warnings of all components, information of ours; never the content of requests or queries.
        logging.SetMinimumLevel(LogLevel.Warning).AddFilter("LfrEngine", LogLevel.Information);
        // Suppressed because intended: pages are never cached, session keys are in the data folder like all keys, and a missing token is reported to the client.
        logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.Error).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        if (SystemdHelpers.IsSystemdService())
            logging.AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O"));
        else
            logging.AddConsole();
        // A blocked console does not block logging.
        logging.Services.Configure<ConsoleLoggerOptions>(o => o.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);
    }
}
