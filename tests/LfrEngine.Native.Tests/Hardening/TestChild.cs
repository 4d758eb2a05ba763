using System.Diagnostics;
using System.Runtime.CompilerServices;
using LfrEngine.Native.Hardening;
using LfrEngine.Native.Memory;

namespace LfrEngine.Native.Tests.Hardening;

/// <summary>This test program run again as a child that does one thing to itself and waits to be looked at.</summary>
internal static class TestChild
{
    private const string Variable = "LFR_TEST_CHILD";

    /// <summary>Starts the child.</summary>
    /// <param name="what">"harden", "inspect" or "overrun".</param>
    /// <param name="environment">Set in the child; null removes a variable.</param>
    public static Process Start(string what, params (string Name, string? Value)[] environment)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, [typeof(TestChild).Assembly.Location])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) != "dotnet")
            start.ArgumentList.Clear();
        start.Environment[Variable] = what;
        foreach ((string name, string? value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

#pragma warning disable CA2255 // This is a program, and the only place that runs before the test runner does.
    [ModuleInitializer]
    public static void Run()
#pragma warning restore CA2255
    {
        string? what = Environment.GetEnvironmentVariable(Variable);
        if (what == null)
            return;
        switch (what)
        {
            case "harden":
                Console.WriteLine(ProcessHardening.Apply());
                break;
            case "inspect":
                Console.WriteLine(ProcessHardening.Inspect());
                break;
            case "overrun":
                Overrun();
                break;
        }
        Console.In.Read();
        Environment.Exit(0);
    }

    private static unsafe void Overrun()
    {
        int page = LockedMemory.PageBytes;
        byte* block = (byte*)LockedMemory.Allocate((nuint)page, out _);
        block[page - 1] = 1;
        Console.WriteLine(LockedMemory.IsGuarded);
        Console.Out.Flush();
        Volatile.Write(ref block[page], 1);
        Console.WriteLine("still here");
    }
}
