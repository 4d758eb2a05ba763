using System.Diagnostics;
using System.Security.Cryptography;
using LfrEngine.Vulkan.Search;

namespace LfrEngine.Vulkan.Tests;

/// <summary>The committed SPIR-V is what the committed GLSL compiles to.</summary>
public sealed class ShaderTests
{
    private static string Folder { get; } = FindFolder();

    /// <summary>Needs no compiler: the compile script notes what it made from what.</summary>
    [Fact]
    public void Sources_SinceTheyWereCompiled_AreUnchanged()
    {
        (string Hash, string Name)[] noted = [.. File.ReadAllLines(Path.Combine(Folder, "shaders.sha256")).Where(l => l[0] != '#').Select(l => (l[..64], l[66..]))];
        string[] there = [.. Directory.GetFiles(Folder).Select(f => Path.GetFileName(f)!).Where(n => Path.GetExtension(n) is ".comp" or ".glsl" or ".spv").Order(StringComparer.Ordinal)];
        Assert.Equal(there, noted.Select(n => n.Name).Order(StringComparer.Ordinal));
        foreach ((string hash, string name) in noted)
        {
            bool same = hash == Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, name))));
            Assert.True(same, $"{name} has changed. Run engine/LfrEngine.Vulkan/Shaders/compile and commit what it writes.");
        }
    }

    /// <summary>Another compiler may write other bytes for the same shader, so this holds for the one that was used: Debian 12's.</summary>
    [Fact]
    public void Sources_CompiledAgain_GiveTheCommittedBytes()
    {
        string used = File.ReadLines(Path.Combine(Folder, "shaders.sha256")).First()[2..];
        DirectoryInfo target = Directory.CreateTempSubdirectory("lfr-shaders-");
        try
        {
            string version = FirstLine("glslangValidator", "--version");
            Assert.SkipUnless(version == used, $"The shaders were compiled by \"{used}\"; this machine has \"{version}\".");
            using Process compile = Process.Start(Path.Combine(Folder, "compile"), [target.FullName]);
            compile.WaitForExit();
            Assert.Equal(0, compile.ExitCode);
            foreach (string name in (string[])["score.spv", "histogram.spv", "select.spv", "shaders.sha256"])
                Assert.Equal(File.ReadAllBytes(Path.Combine(Folder, name)), File.ReadAllBytes(Path.Combine(target.FullName, name)));
        }
        finally
        {
            target.Delete(recursive: true);
        }
    }

    [Fact]
    public void Assembly_Shaders_AreTheCommittedOnes()
    {
        foreach (string name in (string[])["score.spv", "histogram.spv", "select.spv"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(Folder, name)), SearchPipelines.ReadShader(name));
    }

    private static string FirstLine(string program, string argument)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, [argument]) { RedirectStandardOutput = true })!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return output.Split('\n')[0];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "no glslangValidator; Debian: apt-get install glslang-tools";
        }
    }

    private static string FindFolder()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "LfrEngine.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, "engine", "LfrEngine.Vulkan", "Shaders");
    }
}
