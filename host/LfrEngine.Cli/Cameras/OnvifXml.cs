using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace LfrEngine.Cli.Cameras;

/// <summary>Reads untrusted XML from the network. Elements are found by their local names, because many cameras use wrong namespaces.</summary>
internal static class OnvifXml
{
    /// <summary>Maximum length of an answer, bytes.</summary>
    public const int LongestAnswer = 1 << 19;

    // The text of an element is collected recursively, so a deep document would overflow the stack. ONVIF needs about ten levels.
    private const int DeepestElement = 64;

    private const int LongestText = 120;

    public static readonly XNamespace Soap = "http://www.w3.org/2003/05/soap-envelope";

    // No DTD, so no entities defined by the sender, and nothing is fetched.
    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = LongestAnswer,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        IgnoreWhitespace = true,
    };

    /// <summary>The document's root; null if the bytes are not acceptable XML.</summary>
    public static XElement? Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var stream = new MemoryStream(bytes.ToArray(), writable: false);
            using (var depth = XmlReader.Create(stream, Settings))
            {
                while (depth.Read())
                {
                    if (depth.Depth > DeepestElement)
                        return null;
                }
            }
            stream.Position = 0;
            using var reader = XmlReader.Create(stream, Settings);
            return XElement.Load(reader);
        }
        catch (Exception e) when (e is XmlException or DecoderFallbackException or InvalidOperationException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>A SOAP 1.2 message as bytes.</summary>
    public static byte[] Envelope(IEnumerable<XElement> header, XElement body)
    {
        var envelope = new XElement(Soap + "Envelope", new XAttribute(XNamespace.Xmlns + "s", Soap.NamespaceName), new XElement(Soap + "Header", header), new XElement(Soap + "Body", body));
        return Encoding.UTF8.GetBytes("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + envelope.ToString(SaveOptions.DisableFormatting));
    }

    /// <summary>All elements of this local name below.</summary>
    public static IEnumerable<XElement> All(this XElement element, string name) => element.Descendants().Where(e => e.Name.LocalName == name);

    /// <summary>The first element at the end of this path of local names; each step may skip levels.</summary>
    public static XElement? At(this XElement? element, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
            element = element?.All(name).FirstOrDefault();
        return element;
    }

    /// <summary>The text at the end of a path, safe to display; null if there is none.</summary>
    public static string? TextAt(this XElement? element, params ReadOnlySpan<string> path) => element.At(path) is { } found ? Shown(found.Value) : null;

    /// <summary>A whole number of 0 or more at the end of a path.</summary>
    public static int? NumberAt(this XElement? element, params ReadOnlySpan<string> path) =>
        int.TryParse(element.At(path)?.Value.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    /// <summary>An untrusted text, safe for a terminal: no control characters, no direction marks, limited in length. Null if nothing is left.</summary>
    public static string? Shown(string text)
    {
        var shown = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (shown.Length >= LongestText)
                break;
            bool harmless = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned);
            shown.Append(harmless ? rune.ToString() : " ");
        }
        return shown.ToString().Trim() is { Length: > 0 } trimmed ? trimmed : null;
    }
}
