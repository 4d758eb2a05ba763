using System.Diagnostics;
using System.Runtime.CompilerServices;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Tests.Watchlists;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Vulkan.Search;
using LfrEngine.Watchlists;

namespace LfrEngine.Vulkan.Tests;

/// <summary>This test program run again as a child that does one thing.</summary>
internal static unsafe class TestChild
{
    public const int Templates = 96;
    public const int Length = 64;
    public const int Probes = 3;

    private const string Variable = "LFR_TEST_CHILD";

    /// <summary>Starts the child; a line on its standard input lets it continue.</summary>
    /// <param name="what">"open", "search", "misuse", "race", "hold-Float32" or "hold-PackedHalf".</param>
    /// <param name="environment">Set in the child.</param>
    public static Process Start(string what, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(TestChild).Assembly.Location] : [])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Variable] = what;
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs the child to its end.</summary>
    /// <returns>All it said.</returns>
    public static string RunToEnd(string what, params (string Name, string Value)[] environment)
    {
        using Process child = Start(what, environment);
        Task<string> errors = child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        string said = output + errors.GetAwaiter().GetResult();
        Assert.True(child.ExitCode == 0, said);
        return said;
    }

    /// <summary>Elements of template or probe number <paramref name="index"/>, unit length: the same in parent and child, without a copy on the managed heap.</summary>
    public static void Fill(int index, Span<float> into)
    {
        ulong state = ((ulong)index * 0x9E3779B97F4A7C15) + 12345;
        float sum = 0;
        foreach (ref float element in into)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            element = ((state >> 40) / (float)(1 << 24)) - 0.5f;
            sum += element * element;
        }
        foreach (ref float element in into)
            element /= MathF.Sqrt(sum);
    }

#pragma warning disable CA2255 // This is a program, and the only place that runs before the test runner does.
    [ModuleInitializer]
    public static void Run()
#pragma warning restore CA2255
    {
        string? what = Environment.GetEnvironmentVariable(Variable);
        if (what == null)
            return;
        try
        {
            switch (what)
            {
                case "open":
                    using (var search = new VulkanSearch(Searches.Device))
                        Console.WriteLine($"opened {search.Device.Name}");
                    break;
                case "search":
                    SearchMuch();
                    break;
                case "misuse":
                    using (var context = new VulkanContext(Searches.Device))
                    using (var buffer = new GpuBuffer<byte>(context, 64, GpuMemory.Device))
                        buffer.Fill(context.Begin(), 128);
                    break;
                case "race":
                    using (var context = new VulkanContext(Searches.Device))
                    using (var buffer = new GpuBuffer<byte>(context, 64, GpuMemory.Device))
                    {
                        Silk.NET.Vulkan.CommandBuffer commands = context.Begin();
                        buffer.Fill(commands, 32);
                        buffer.Fill(commands);
                        context.SubmitAndWait();
                    }
                    break;
                default:
                    Hold(Enum.Parse<GalleryPrecision>(what["hold-".Length..]));
                    break;
            }
        }
        catch (VulkanException e)
        {
            Console.WriteLine($"{e.Reason}: {e.Message}");
        }
        Environment.Exit(0);
    }

    /// <summary>Everything that the engine asks of Vulkan, in the smallest sizes.</summary>
    private static void SearchMuch()
    {
        var random = new Random(1);
        foreach (GalleryPrecision precision in Enum.GetValues<GalleryPrecision>())
        {
            foreach (ulong largest in (ulong[])[20_000, 1 << 20])
            {
                using var search = new VulkanSearch(new VulkanContext(Searches.Device) { LargestBufferBytes = largest }, precision);
                using Gallery first = Samples.Random(1, 100, 250, 33);
                using Gallery second = Samples.Random(2, 90, 90, 64);
                foreach (Gallery gallery in (Gallery[])[first, second, first])
                {
                    foreach (int probes in (int[])[1, 3, 17, 70])
                        Samples.AssertSame(search, gallery, Samples.Probes(random, gallery, probes), CategoryThresholds.Uniform(0.1f), 5);
                }
            }
        }
        Console.WriteLine("searched");
    }

    /// <summary>Searches, and waits to be looked at: with everything in place, then with everything given back.</summary>
    private static void Hold(GalleryPrecision precision)
    {
        var search = new VulkanSearch(Searches.Device, precision);
        using (HostBuffer<float> probes = BufferPool.Rent<float>(Probes * Length))
        {
            for (int p = 0; p < Probes; p++)
                Fill(1000 + p, probes.Span.Slice(p * Length, Length));
            using (Gallery gallery = MakeGallery())
            {
                search.Search(gallery, probes.Span, CategoryThresholds.Uniform(-1), 5, new Candidate[Probes * 5], new int[Probes]);
                Pause("searched");
            }
            Pause("gallery gone");
        }
        Pause("probes gone");
        search.Dispose();
        Pause("closed");
    }

    private static Gallery MakeGallery()
    {
        using var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, Length);
        using HostBuffer<float> row = BufferPool.Rent<float>(Length);
        for (int i = 0; i < Templates; i++)
        {
            Fill(i, row.Span);
            builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity($"{i}", "n", WatchlistCategory.Wanted)), row.Span, 1);
        }
        using Watchlist watchlist = builder.Build();
        return Gallery.Create(watchlist);
    }

    private static void Pause(string state)
    {
        Console.WriteLine(state);
        Console.In.ReadLine();
    }
}
