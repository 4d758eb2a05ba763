using System.Diagnostics;
using LfrEngine.Tests.Detection;
using Xunit;

namespace LfrEngine.Tests.Layers;

/// <summary>The shell scripts, as ShellCheck judges them, and what scripts/setup.sh promises.</summary>
public sealed class ScriptTests
{
    [Fact]
    public void Scripts_All_PassShellCheck()
    {
        if (!File.Exists("/usr/bin/shellcheck"))
            Assert.Skip("No ShellCheck. Debian: apt-get install shellcheck");
        string[] scripts = [.. Directory.EnumerateFiles(RepoRoot.Path).Concat(new[] { ".ci", "scripts", "perf", "host", "native-interop" }.SelectMany(f => Directory.EnumerateFiles(Path.Combine(RepoRoot.Path, f), "*", SearchOption.AllDirectories)))
            .Where(f => !Path.GetRelativePath(RepoRoot.Path, f).Split('/').Any(part => part is "bin" or "obj") && IsScript(f))];
        Assert.True(scripts.Length >= 8, string.Join('\n', scripts));

        (int code, string said) = Run("shellcheck", ["-x", "-P", "SCRIPTDIR", "-P", RepoRoot.Path, .. scripts]);

        Assert.True(code == 0, said);
    }

    /// <summary>A log that another user left is not written to: another is taken, and its path is printed.</summary>
    [Fact]
    public void LogFile_OfAnotherUser_IsLeftAlone()
    {
        string root = Directory.CreateTempSubdirectory("lfr-scripts-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(root, "build"));
            // A folder in its place cannot be written by anybody, root included.
            Directory.CreateDirectory(Path.Combine(root, "build", "taken.log"));
            (int code, string said) = Bash(root, """
                [ "$(log_file free)" = build/free.log ] || exit 7
                taken=$(log_file taken); [ "$taken" != build/taken.log ] && [ -f "$taken" ] && [ -w "$taken" ] && rm "$taken"
                """);
            Assert.True(code == 0, said);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public void WithProgress_CommandThatFails_KeepsItsExitCodeAndItsLog()
    {
        string root = Directory.CreateTempSubdirectory("lfr-scripts-").FullName;
        try
        {
            (int code, string said) = Bash(root, """broken() { echo why; return 5; }; log=$(log_file it); with_progress "Building it" "$log" broken || { echo "$?" "$(cat "$log")"; exit 5; }""");
            Assert.Equal(5, code);
            Assert.Contains("Building it (log: build/it.log)", said, StringComparison.Ordinal);
            Assert.Contains("5 why", said, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static bool IsScript(string file)
    {
        if (file.EndsWith(".sh", StringComparison.Ordinal))
            return true;
        if (Path.HasExtension(file))
            return false;
        using StreamReader reader = new(file);
        return reader.ReadLine() is { } first && first.StartsWith("#!", StringComparison.Ordinal) && first.EndsWith("bash", StringComparison.Ordinal);
    }

    private static (int Code, string Said) Bash(string root, string script) =>
        Run("bash", ["-c", $"root=$1; mkdir -p \"$1/build\"; . \"$2\"\n{script}", "bash", root, Path.Combine(RepoRoot.Path, "scripts", "setup.sh")]);

    private static (int Code, string Said) Run(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
