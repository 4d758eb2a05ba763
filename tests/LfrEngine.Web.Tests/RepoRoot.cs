namespace LfrEngine.Web.Tests;

/// <summary>Finds the repository that these tests were built in.</summary>
internal static class RepoRoot
{
    public static string Folder { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LfrEngine.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("No LfrEngine.sln above the test program.");
    }
}
