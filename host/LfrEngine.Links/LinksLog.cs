namespace LfrEngine.Links;

/// <summary>Log messages about other systems.</summary>
internal static partial class LinksLog
{
    [LoggerMessage(1, LogLevel.Warning, "{Receiver} {Error}; it will be tried again")]
    public static partial void ReceiverFailed(ILogger log, string receiver, string error);

    [LoggerMessage(3, LogLevel.Error, "The headquarters refuses this trail: {Problem}")]
    public static partial void HeadquartersRefuses(ILogger log, string problem);

    [LoggerMessage(4, LogLevel.Error, "The trail of {Van} is refused: {Problem}")]
    public static partial void VanRefused(ILogger log, string van, string problem);
}
