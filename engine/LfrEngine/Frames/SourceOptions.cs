using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>Transport of a source, rotation of its camera, and whether a recording starts again at its end.</summary>
/// <param name="Transport">Of RTSP.</param>
/// <param name="RotateDegrees">Clockwise rotation, in addition to the stream's own: 0, 90, 180 or 270.</param>
/// <param name="Mirror">Mirrored left to right after that.</param>
/// <param name="Loop">A recording starts again at its end, until the run is stopped.</param>
public sealed record SourceOptions(RtspTransport Transport = RtspTransport.Auto, int RotateDegrees = 0, bool Mirror = false, bool Loop = false)
{
    /// <summary>No changes.</summary>
    public static SourceOptions Default { get; } = new();

    /// <summary>Whether the picture is rotated or mirrored.</summary>
    public bool TurnsPicture => RotateDegrees != 0 || Mirror;

    /// <summary>What is wrong with the options for this source; null if nothing.</summary>
    public string? FaultFor(string source) =>
        RotateDegrees is not (0 or 90 or 180 or 270) ? $"rotate={RotateDegrees} is not one of 0, 90, 180 and 270"
        : Transport != RtspTransport.Auto && !source.StartsWith("rtsp", StringComparison.OrdinalIgnoreCase) ? "transport is for rtsp:// sources only"
        : Loop && SourceAddress.IsLive(source) ? "loop is for recordings only"
        : null;

    /// <summary>Splits <c>SOURCE[,transport=auto|tcp|udp][,rotate=0|90|180|270][,mirror][,loop]</c>.</summary>
    /// <param name="text">The source may contain commas and equal signs: only options at the end are read.</param>
    /// <param name="source">The text before the options.</param>
    /// <param name="options">The options.</param>
    /// <returns>What is wrong; null if nothing.</returns>
    public static string? Split(string text, out string source, out SourceOptions options)
    {
        options = Default;
        source = text;
        var seen = new HashSet<string>();
        while (source.LastIndexOf(',') is > 0 and var comma)
        {
            string option = source[(comma + 1)..];
            string name = option.Split('=')[0];
            string value = option == name ? "" : option[(name.Length + 1)..];
            switch (name)
            {
                case "transport" when option != name:
                    if (value is not ("auto" or "tcp" or "udp"))
                        return $"{option} is not one of transport=auto, transport=tcp and transport=udp";
                    options = options with { Transport = value switch { "tcp" => RtspTransport.Tcp, "udp" => RtspTransport.Udp, _ => RtspTransport.Auto } };
                    break;
                case "rotate" when option != name:
                    if (value is not ("0" or "90" or "180" or "270"))
                        return $"{option} is not one of rotate=0, rotate=90, rotate=180 and rotate=270";
                    options = options with { RotateDegrees = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) };
                    break;
                case "mirror" when option == name:
                    options = options with { Mirror = true };
                    break;
                case "loop" when option == name:
                    options = options with { Loop = true };
                    break;
                default:
                    return options.FaultFor(source);
            }
            if (!seen.Add(name))
                return $"{name} is given twice";
            source = source[..comma];
        }
        return options.FaultFor(source);
    }
}
