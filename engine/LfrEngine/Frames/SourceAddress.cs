namespace LfrEngine.Frames;

/// <summary>What can be said about a source from its text, before it is opened.</summary>
public static class SourceAddress
{
    private const string SchemeEnd = "://";
    private static readonly string[] s_schemes = ["rtsp", "rtsps", "rtp", "srtp", "udp", "tcp", "http", "https", "rtmp", "rtmps", "srt"];

    /// <summary>Whether the source is live: network streams and capture devices.</summary>
    public static bool IsLive(string source) => source.StartsWith("/dev/video", StringComparison.Ordinal) || (SchemeOf(source) is { } scheme && scheme != "file");

    /// <summary>What is wrong with the address, without opening it; null if nothing. Contains no password.</summary>
    public static string? Fault(string source)
    {
        if (string.IsNullOrWhiteSpace(source))
            return "the source is empty";
        if (SchemeOf(source) is not { } scheme || scheme == "file")
            return null;
        if (!s_schemes.Contains(scheme))
            return $"{scheme}:// is not supported. Supported: {string.Join(", ", s_schemes.Select(s => s + SchemeEnd))}";
        string rest = source[(source.IndexOf(SchemeEnd, StringComparison.Ordinal) + SchemeEnd.Length)..];
        return rest.Length == 0 || rest[0] is '/' or '?' or '#' || (rest[0] == ':' && scheme is "rtsp" or "rtsps" or "http" or "https") ? $"the {scheme}:// address has no host" : null;
    }

    private static string? SchemeOf(string source)
    {
        int end = source.IndexOf(SchemeEnd, StringComparison.Ordinal);
        return end > 0 && source[..end].All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.') ? source[..end].ToLowerInvariant() : null;
    }
}
