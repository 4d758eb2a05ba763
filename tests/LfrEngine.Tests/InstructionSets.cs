using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Xunit;

namespace LfrEngine.Tests;

/// <summary>Runs tests of kernels again in a child process, without instruction sets that this machine has.</summary>
public sealed class InstructionSets
{
    private const string SwitchedOffVariable = "LFR_TEST_SWITCHED_OFF";

    /// <summary>The switches of x64, widest first.</summary>
    public static TheoryData<string> Switches => ["DOTNET_EnableAVX512", "DOTNET_EnableAVX2", "DOTNET_EnableHWIntrinsic"];

    /// <summary>Runs the tests of a class that carry the trait "Kernel"; they must all pass, and the switch must have taken effect.</summary>
    internal static void RunWithout(string variable, Type tests)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "Switches of x64.");
        Assert.SkipUnless(Avx2.IsSupported, "Nothing to switch off.");
        string[] filters = ["-noColor", "-trait", "Kernel=yes", "-class", tests.FullName!, "-class", typeof(InstructionSets).FullName!];
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(tests.Assembly.Location);
        foreach (string filter in filters)
            start.ArgumentList.Add(filter);
        start.Environment[variable] = "0";
        start.Environment[SwitchedOffVariable] = variable;
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, output);
        Assert.Contains("Failed: 0, Skipped: 0", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Total: 0,", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Total: 1,", output, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kernel", "yes")]
    public void Child_Switch_TookEffect()
    {
        string? variable = Environment.GetEnvironmentVariable(SwitchedOffVariable);
        Assert.SkipWhen(variable is null, "Runs in the child process of other tests.");
        Assert.False(Avx512F.IsSupported);
        Assert.Equal(variable == "DOTNET_EnableAVX512", Avx2.IsSupported);
        Assert.Equal(variable != "DOTNET_EnableHWIntrinsic", Vector128.IsHardwareAccelerated);
    }
}
