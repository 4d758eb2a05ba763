using System.Text.Json;
using LfrEngine.Memory;
using LfrEngine.Models;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Perf;

/// <summary>What do the graph rewrites, the session's settings and the batch size change, and where does the time of a network go?</summary>
/// <remarks>
/// Usage: <c>dotnet run -c Release --project perf/LfrEngine.Perf -- models [--runs N] [MANIFEST.json …]</c>; without a manifest the default models.
/// Variants take turns in random order; the clock is the thread's processor time, which other processes on the machine disturb least. Ratios are
/// medians of paired runs. Sessions are the engine's: one thread, its allocator, memory at rest between runs as while cameras run.
/// </remarks>
internal static class NetworkTimes
{
    private static readonly (string Name, Action<SessionOptions> Change)[] Settings =
    [
        ("as the engine (control)", _ => { }),
        ("optimisation: extended, no layout", o => o.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED),
        ("memory pattern off", o => o.EnableMemoryPattern = false),
        ("runtime's own arena", o => o.AddSessionConfigEntry("session.use_env_allocators", "0")),
        ("neither arena nor ours", o =>
        {
            o.AddSessionConfigEntry("session.use_env_allocators", "0");
            o.EnableCpuMemArena = false;
        }),
        ("denormals as zero", o => o.AddSessionConfigEntry("session.set_denormal_as_zero", "1")),
        ("no prepacking", o => o.AddSessionConfigEntry("session.disable_prepacking", "1")),
        ("parallel executor", o => o.ExecutionMode = ExecutionMode.ORT_PARALLEL),
    ];

    /// <summary>Measures and prints.</summary>
    /// <returns>Exit code.</returns>
    public static int Run(string[] arguments)
    {
        List<string> rest = [.. arguments];
        int runs = 300, at = rest.IndexOf("--runs");
        if (at >= 0)
        {
            if (at + 1 == rest.Count || !int.TryParse(rest[at + 1], out runs) || runs < 1)
            {
                Console.Error.WriteLine("--runs takes a number of at least 1.");
                return 2;
            }
            rest.RemoveRange(at, 2);
        }
        var catalog = new ModelCatalog(Path.Combine(AppContext.BaseDirectory, "models"), PackageCache.Default);
        ActivationAllocator.BeginStream();
        try
        {
            ModelManifest[] manifests = rest.Count == 0 ? [.. catalog.Manifests()] : [.. rest.Select(ModelManifest.Read)];
            foreach (ModelManifest manifest in manifests)
                Measure(File.ReadAllBytes(catalog.FileOf(manifest)), manifest, runs);
            return 0;
        }
        catch (Exception e) when (e is ModelLoadException or IOException or InvalidDataException)
        {
            Console.Error.WriteLine(e.Message);
            return 3;
        }
        finally
        {
            ActivationAllocator.EndStream();
        }
    }

    private static void Measure(byte[] file, ModelManifest manifest, int runs)
    {
        long channels = manifest.Input.ChannelCount;
        bool detector = manifest.Task == ModelTask.Detect;
        long[][] shapes = manifest.Task switch
        {
            ModelTask.Detect => [[1, channels, 384, 640], [4, channels, 384, 640], [1, channels, 192, 320]],
            ModelTask.Landmarks => [[1, channels, 64, 64]],
            _ => [[1, channels, 112, 112], [2, channels, 112, 112], [4, channels, 112, 112], [8, channels, 112, 112]],
        };
        byte[] exported = OnnxGraph.MakeDynamic(file, manifest.Outputs, detector, rewrite: false), rewritten = OnnxGraph.MakeDynamic(file, manifest.Outputs, detector);
        byte[][] small = manifest.Int8 is null ? [] : [OnnxGraph.MakeDynamic(file, manifest.Outputs, detector, ranges: manifest.Int8.Ranges)];
        foreach (long[] shape in shapes)
        {
            Candidate[] graphs = [new("as exported", exported, manifest, shape, _ => { }), new("rewritten", rewritten, manifest, shape, _ => { }), .. small.Select(g => new Candidate("rewritten, 8 bits", g, manifest, shape, _ => { }))];
            Compare($"{manifest.Id} {string.Join('x', shape)}", runs, graphs);
            foreach (Candidate graph in graphs)
                graph.Dispose();
        }

        Candidate[] settings = [.. Settings.Prepend(("as the engine", _ => { })).Select(s => new Candidate(s.Name, rewritten, manifest, shapes[0], s.Change))];
        Compare($"{manifest.Id} {string.Join('x', shapes[0])}, settings", runs, settings);
        foreach (Candidate candidate in settings)
            candidate.Dispose();
        PrintOperators(new Candidate("", small.FirstOrDefault(rewritten), manifest, shapes[0], o => (o.EnableProfiling, o.ProfileOutputPathPrefix) = (true, Path.Combine(Path.GetTempPath(), "lfr-perf"))), runs);
    }

    private static void Compare(string title, int runs, params Candidate[] candidates)
    {
        double[][] spent = [.. candidates.Select(_ => new double[runs])];
        int[] order = [.. Enumerable.Range(0, candidates.Length)];
        var random = new Random(1);
        for (int run = -5; run < runs; run++)
        {
            random.Shuffle(order);
            foreach (int i in order)
            {
                double before = ThreadClock.Milliseconds;
                candidates[i].Run();
                if (run >= 0)
                    spent[i][run] = ThreadClock.Milliseconds - before;
            }
        }
        Console.WriteLine($"\n{title}\n{"",-36}{"median ms",10}{"p10 ms",10}{"ratio",8}");
        for (int i = 0; i < candidates.Length; i++)
            Console.WriteLine($"{candidates[i].Name,-36}{Quantile(spent[i], 0.5),10:f3}{Quantile(spent[i], 0.1),10:f3}{Quantile([.. spent[i].Zip(spent[0], (a, b) => a / b)], 0.5),8:f3}");
    }

    // ONNX Runtime's own profile: one event per operator and run.
    private static void PrintOperators(Candidate candidate, int runs)
    {
        for (int i = 0; i < runs; i++)
            candidate.Run();
        string file = candidate.EndProfiling();
        var operators = new Dictionary<string, (string What, List<double> Spent)>();
        using (JsonDocument profile = JsonDocument.Parse(File.ReadAllBytes(file)))
        {
            foreach (JsonElement e in profile.RootElement.EnumerateArray())
            {
                const string Kernel = "_kernel_time";
                string name = e.GetProperty("name").GetString()!;
                if (e.GetProperty("cat").GetString() != "Node" || !name.EndsWith(Kernel, StringComparison.Ordinal))
                    continue;
                JsonElement about = e.GetProperty("args");
                if (!operators.TryGetValue(name, out (string What, List<double> Spent) known))
                    operators[name] = known = ($"{about.GetProperty("op_name").GetString()} {name[..^Kernel.Length]} -> {about.GetProperty("output_type_shape")}", []);
                known.Spent.Add(e.GetProperty("dur").GetDouble());
            }
        }
        File.Delete(file);
        candidate.Dispose();
        (string What, double Microseconds)[] medians = [.. operators.Values.Select(o => (o.What, Quantile([.. o.Spent], 0.5))).OrderByDescending(o => o.Item2)];
        double all = medians.Sum(m => m.Microseconds);
        foreach ((string what, double microseconds) in medians.Take(5))
            Console.WriteLine($"{microseconds,8:f0} us {microseconds / all,7:p1}  {what}");
    }

    private static double Quantile(double[] values, double share) => values.Order().ElementAt((int)(share * (values.Length - 1)));

    /// <summary>A graph under certain settings, with its input and outputs bound.</summary>
    private sealed class Candidate : IDisposable
    {
        private readonly InferenceSession session;
        private readonly OrtIoBinding binding;
        private readonly RunOptions options = new();
        private readonly List<OrtValue> values = [];

        public Candidate(string name, byte[] graph, ModelManifest manifest, long[] shape, Action<SessionOptions> change)
        {
            Name = name;
            using SessionOptions settings = CpuBackend.CreateOptions();
            change(settings);
            session = new InferenceSession(graph, settings);
            binding = session.CreateIoBinding();
            float[] input = Pinned(shape);
            var random = new Random(1);
            for (int i = 0; i < input.Length; i++)
                input[i] = (random.NextSingle() * 2) - 1;
            values.Add(OrtValue.CreateTensorValueFromMemory(input, shape));
            binding.BindInput(manifest.Input.Name, values[0]);
            using var probe = session.Run(options, [manifest.Input.Name], [values[0]], manifest.Outputs);
            for (int i = 0; i < probe.Count; i++)
            {
                long[] outputShape = probe[i].GetTensorTypeAndShape().Shape;
                values.Add(OrtValue.CreateTensorValueFromMemory(Pinned(outputShape), outputShape));
                binding.BindOutput(manifest.Outputs[i], values[^1]);
            }
        }

        public string Name { get; }

        public void Run() => session.RunWithBinding(options, binding);

        public string EndProfiling() => session.EndProfiling();

        public void Dispose()
        {
            binding.Dispose();
            foreach (OrtValue value in values)
                value.Dispose();
            options.Dispose();
            session.Dispose();
        }

        private static float[] Pinned(long[] shape) => GC.AllocateArray<float>(checked((int)shape.Aggregate(1L, (a, b) => a * b)), pinned: true);
    }
}
