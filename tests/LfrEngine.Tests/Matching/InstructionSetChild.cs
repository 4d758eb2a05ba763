using System.Diagnostics;
using System.Runtime.InteropServices;
using LfrEngine.Matching;
using Xunit;

namespace LfrEngine.Tests.Matching;

/// <summary>Runs test methods again in a process in which an instruction set is switched off.</summary>
public sealed class InstructionSetChild
{
    private const string ExpectedVariable = "LFR_TEST_WIDEST";

    /// <summary>The runtime's switch, and what the kernels may take then.</summary>
    public static TheoryData<string, string> Switches => new()
    {
        { "DOTNET_EnableAVX512", "Vector256" },
        { "DOTNET_EnableAVX2", "Vector128|Scalar" },
        { "DOTNET_EnableHWIntrinsic", "Scalar" },
    };

    /// <param name="variable">Set to 0 in the child.</param>
    /// <param name="expected">Of <see cref="ScoreKernel.Widest"/> there.</param>
    /// <param name="cases">Test cases that the methods have, so that none is lost unnoticed.</param>
    /// <param name="methods">To run; <see cref="Widest_InChild_IsAsExpected"/> should be among them.</param>
    internal static void Run(string variable, string expected, int cases, params (Type Class, string Method)[] methods)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "Switches of x64.");
        Assert.SkipUnless(ScoreKernel.Widest >= ScoreKernel.InstructionSet.Vector256, "Nothing to switch off.");
        Assert.SkipUnless(Environment.GetEnvironmentVariable(ExpectedVariable) is null, "This is the child process.");
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(InstructionSetChild).Assembly.Location);
        foreach ((Type type, string method) in methods)
        {
            start.ArgumentList.Add("-method");
            start.ArgumentList.Add($"{type.FullName}.{method}");
        }
        start.Environment[variable] = "0";
        start.Environment[ExpectedVariable] = expected;
        using Process child = Process.Start(start)!;
        Task<string> errors = child.StandardError.ReadToEndAsync();
        string output = child.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, output);
        Assert.Contains($"Total: {cases}", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Widest_InChild_IsAsExpected()
    {
        string? expected = Environment.GetEnvironmentVariable(ExpectedVariable);
        Assert.SkipWhen(expected is null, "Runs in the child process of another test.");
        Assert.Contains(ScoreKernel.Widest.ToString(), expected.Split('|'));
    }
}
