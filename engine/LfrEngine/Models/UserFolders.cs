namespace LfrEngine.Models;

/// <summary>The folders of this user in which the engine keeps files between runs. Always absolute, and never a default without a home folder.</summary>
public static class UserFolders
{
    private const string Own = "lfr-engine";

    /// <summary>For files that can be recreated (models, templates of the laboratory): <c>$LFR_CACHE</c>, else <c>$XDG_CACHE_HOME/lfr-engine</c>, else <c>~/.cache/lfr-engine</c> (Windows: local application data).</summary>
    /// <exception cref="UserFolderException">None is named and the user has no home.</exception>
    public static string Cache => Find("LFR_CACHE", "XDG_CACHE_HOME", ".cache", Environment.SpecialFolder.LocalApplicationData);

    /// <summary>For files that cannot be recreated (the signing key): <c>$LFR_CONFIG</c>, else <c>$XDG_CONFIG_HOME/lfr-engine</c>, else <c>~/.config/lfr-engine</c> (Windows: application data).</summary>
    /// <exception cref="UserFolderException">None is named and the user has no home.</exception>
    public static string Configuration => Find("LFR_CONFIG", "XDG_CONFIG_HOME", ".config", Environment.SpecialFolder.ApplicationData);

    private static string Find(string ownVariable, string xdgVariable, string belowHome, Environment.SpecialFolder onWindows)
    {
        if (Environment.GetEnvironmentVariable(ownVariable) is { Length: > 0 } own)
            return Path.GetFullPath(own);
        if (OperatingSystem.IsWindows())
            return Path.Combine(Existing(Environment.GetFolderPath(onWindows), "The folder of application data", ownVariable), Own);
        // The XDG specification: a relative path counts as none.
        if (Environment.GetEnvironmentVariable(xdgVariable) is { Length: > 0 } xdg && Path.IsPathFullyQualified(xdg))
            return Path.Combine(xdg, Own);
        string home = Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } set ? set : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(Existing(home, "HOME", ownVariable), belowHome, Own);
    }

    private static string Existing(string folder, string what, string ownVariable) => Path.IsPathFullyQualified(folder) && Directory.Exists(folder)
        ? folder
        : throw new UserFolderException($"This user has no home folder: {what} is \"{folder}\", which does not exist. Set HOME to the user's own folder, or {ownVariable} to any folder for the engine's files.");
}

/// <summary>There is no folder for the user's files; the message says what to do.</summary>
public sealed class UserFolderException(string message) : Exception(message);
