namespace LfrEngine.Web.Security;

/// <summary>Browser and system in words, for officers to recognise their sessions by.</summary>
internal static class DeviceNames
{
    // Browsers name their ancestors too: the first that is found is the one.
    private static readonly (string Sign, string Name)[] Browsers = [("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    private static readonly (string Sign, string Name)[] Systems = [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux")];

    /// <summary>For example <c>Firefox on Windows</c>.</summary>
    public static string Of(string userAgent) => $"{Find(Browsers, userAgent, "Other program")} on {Find(Systems, userAgent, "another system")}";

    private static string Find((string Sign, string Name)[] known, string text, string otherwise)
    {
        foreach ((string sign, string name) in known)
        {
            if (text.Contains(sign, StringComparison.Ordinal))
                return name;
        }
        return otherwise;
    }
}
