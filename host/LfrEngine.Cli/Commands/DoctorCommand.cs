using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using LfrEngine.DirectX;
using LfrEngine.DirectX.Devices;
using LfrEngine.Models;
using LfrEngine.Native.Hardening;
using LfrEngine.Native.Media;
using LfrEngine.Records.Watchlists;
using LfrEngine.Vulkan.Devices;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr doctor</c>: checks this machine and shows what is missing, with the command that fixes it.</summary>
internal static class DoctorCommand
{
    private static readonly string[] Decoders = ["h264", "hevc", "mjpeg", "mpeg4", "vp9", "libdav1d", "png"];

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var gpu = new Option<bool>("--gpu") { Description = "Test every step of the Windows GPU path on this machine and compare with the processor's result." };
        var video = new Option<FileInfo?>("--video") { Description = "With --gpu: a recording in 8-bit H.264 or H.265 to test decoding." };
        var webGpu = new Option<bool>("--webgpu") { Description = "Run every network with WebGPU on this machine's graphics card and compare result and time with the processor." };
        var cuda = new Option<bool>("--cuda") { Description = "Run every network with CUDA on an NVIDIA card and compare result and time with the processor." };
        var command = new Command("doctor", "Check this machine and show what is missing.") { json, gpu, video, webGpu, cuda };
        command.SetAction(parsed => parsed.GetValue(webGpu) || parsed.GetValue(cuda) ? Print(NetworkDoctor.Run(ModelCatalog.Default, parsed.GetValue(cuda) ? RuntimeLibrary.Cuda : RuntimeLibrary.WebGpu), parsed.GetValue(json)) : parsed.GetValue(gpu) ? TryGpu(parsed.GetValue(video)?.FullName, parsed.GetValue(json)) : Print([System(), Processor(), Ffmpeg(), .. Codecs(), .. Gpus(), .. VulkanDevices(), .. RuntimeLibraries(), .. Hardening(), PhotoDecoding(), Npm(), .. Models()], parsed.GetValue(json)));
        return command;
    }

    private static int TryGpu(string? video, bool json)
    {
        if (!GpuContext.IsBuilt && OperatingSystem.IsWindows())
            return Print(NetworkDoctor.RunDirectMl(ModelCatalog.Default), json);
        using var doctor = new GpuDoctor(ModelCatalog.Default, video);
        return Print([.. doctor.Run().Select(c => new Finding($"GPU: {c.Step}", c.Passed switch { true => "ok", false => "missing", null => "note" }, c.Found, null))], json);
    }

    private static int Print(Finding[] findings, bool json)
    {
        if (json)
        {
            CliJson.Print(findings, CliJson.Default.FindingArray);
        }
        else
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumns("", "What", "Found", "Fix");
            foreach (Finding f in findings)
                table.AddRow(f.State switch { "ok" => "[green]ok[/]", "missing" => "[red]missing[/]", _ => "[yellow]note[/]" }, Markup.Escape(f.What), Markup.Escape(f.Found), Markup.Escape(f.Fix ?? ""));
            AnsiConsole.Write(table);
        }
        return findings.Any(f => f.State == "missing") ? ExitCode.Environment : ExitCode.Success;
    }

    private static Finding System() => Ok("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, .NET {Environment.Version}, lfr {typeof(DoctorCommand).Assembly.GetName().Version}");

    private static Finding Processor()
    {
        (string Name, bool Supported)[] sets = [("AVX-512", Avx512F.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("NEON", AdvSimd.IsSupported)];
        string found = string.Join(", ", sets.Where(s => s.Supported).Select(s => s.Name));
        string text = $"{new Counted(Environment.ProcessorCount):processor|processors}, {(found.Length > 0 ? found : "no vector instructions")}";
        return found.Length > 0 ? Ok("processor", text) : new Finding("processor", "note", text, "any x86-64 processor since 2013, or 64-bit Arm, is many times faster");
    }

    private static Finding Ffmpeg()
    {
        try
        {
            return Ok("FFmpeg", MediaReader.Versions);
        }
        catch (DllNotFoundException e)
        {
            return new Finding("FFmpeg", "missing", e.Message, "./lfr setup");
        }
    }

    private static IEnumerable<Finding> Codecs()
    {
        string[] have, lack;
        try
        {
            have = [.. Decoders.Where(MediaReader.HasDecoder)];
            lack = [.. Decoders.Except(have)];
        }
        catch (DllNotFoundException)
        {
            yield break;
        }
        yield return lack.Length == 0
            ? Ok("decoders", string.Join(", ", have))
            : new Finding("decoders", "note", $"{string.Join(", ", have)}; without {string.Join(", ", lack)}", "apt-get install libavcodec-extra");
    }

    private static IEnumerable<Finding> Gpus()
    {
        if (OperatingSystem.IsWindows())
        {
            yield return WindowsGpus();
            yield break;
        }
        string[] cards = Directory.Exists("/sys/class/drm")
            ? [.. Directory.EnumerateDirectories("/sys/class/drm", "renderD*").Select(c => $"{Path.GetFileName(c)} (vendor {ReadLine(Path.Combine(c, "device/vendor"))})").Order(StringComparer.Ordinal)]
            : [];
        string[] nvidia = Directory.Exists("/proc/driver/nvidia/gpus")
            ? [.. Directory.EnumerateDirectories("/proc/driver/nvidia/gpus").Select(g => File.ReadLines(Path.Combine(g, "information")).FirstOrDefault()?.Replace("Model:", "", StringComparison.Ordinal).Trim() ?? "NVIDIA")]
            : [];
        string[] all = [.. cards, .. nvidia];
        yield return Ok("GPU", all.Length > 0 ? string.Join(", ", all) : "none; everything runs on the processor");
    }

    private static Finding WindowsGpus()
    {
        try
        {
            IReadOnlyList<string> adapters = GpuContext.ListAdapters();
            return Ok("GPU", adapters.Count > 0 ? $"{string.Join(", ", adapters)}; test one with lfr doctor --gpu" : "none; everything runs on the processor");
        }
        catch (GpuException e)
        {
            return new Finding("GPU", "note", e.Message, null);
        }
    }

    private static IEnumerable<Finding> VulkanDevices()
    {
        const string What = "Vulkan", Fix = "only for `--search vulkan` and `--inference webgpu`: your graphics card's driver, or apt-get install mesa-vulkan-drivers libvulkan1";
        IReadOnlyList<VulkanDevice> devices;
        try
        {
            devices = VulkanDevice.List();
        }
        catch (VulkanException e)
        {
            return [new Finding(What, "note", e.Message, Fix)];
        }
        return devices.Count == 0
            ? [new Finding(What, "note", "no device", Fix)]
            : devices.Select(d =>
            {
                string found = $"{d.Index}: {d.Name} ({(d.Kind == VulkanDeviceKind.Processor ? "computes on the processor; for tests" : d.Kind.ToString().ToLowerInvariant())}), Vulkan {d.ApiVersion}, {d.MemoryBytes >> 20} MiB";
                return d.Problem is null ? Ok(What, found) : new Finding(What, "note", $"{found}; cannot be used: {d.Problem}", "another device, or a newer driver");
            });
    }

    private static IEnumerable<Finding> RuntimeLibraries()
    {
        if (!RuntimeLibrary.IsOffered)
            return [];
        return new[] { RuntimeLibrary.WebGpu, RuntimeLibrary.Cuda }.Select(l => l.IsRestored(PackageCache.Default)
            ? Ok(l.Name, $"ONNX Runtime with {l.Name} is installed; test it with lfr doctor --{l.Option}")
            : new Finding(l.Name, "note", $"ONNX Runtime with {l.Name} is not installed", $"only for `--inference {l.Option}`: lfr models restore --{l.Option}"));
    }

    private static IEnumerable<Finding> Hardening()
    {
        HardeningReport report = ProcessHardening.Inspect();
        string locked = report.LockedLimit is { } limit ? $"{limit >> 20} MiB may be locked" : "unlimited";
        foreach ((string what, string found) in new[] { ("locked memory", locked), ("swap", report.SwapOn ? "on" : "off") })
        {
            if (report.Findings.All(f => f.Name != what))
                yield return Ok(what, found);
        }
        foreach (HardeningFinding finding in report.Findings)
            yield return new Finding(finding.Name, "note", finding.Problem, finding.Remedy);
    }

    private static Finding PhotoDecoding() => DecodeSandbox.IsOffered
        ? Ok("decoding of photos", "in a process without rights")
        : new Finding("decoding of photos", "note", PhotoVetter.NotShutIn, "Linux on x64 or arm64 with seccomp; in a container, a profile that allows the seccomp system call");

    private static Finding Npm()
    {
        string? found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(p => Path.Combine(p, OperatingSystem.IsWindows() ? "npm.cmd" : "npm")).FirstOrDefault(File.Exists);
        return found is not null ? Ok("npm", found) : new Finding("npm", "note", "not found; needed to restore models", "apt-get install npm");
    }

    private static IEnumerable<Finding> Models()
    {
        ModelCatalog catalog = ModelCatalog.Default;
        (ModelManifest Manifest, ModelOrigin Origin)[] models = [.. catalog.Manifests().Select(m => (m, ModelOrigin.Default)), .. catalog.Brought().Select(m => (m, ModelOrigin.Added))];
        foreach ((ModelManifest manifest, ModelOrigin origin) in models)
        {
            ModelListing listing = ModelsCommand.Describe(catalog, manifest, origin);
            yield return listing.State == "ready" ? Ok($"model {manifest.Id}", listing.Path)
                : new Finding($"model {manifest.Id}", "missing", listing.State, origin == ModelOrigin.Default ? "lfr models restore" : $"lfr models add {manifest.Id}");
        }
        foreach (string caution in TrainingWords.Cautions(models.Select(m => m.Manifest)))
            yield return new Finding("training data", "note", caution, "a model whose training data you know: models/README.md, \"Bring your own\"");
    }

    private static string ReadLine(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault() ?? "?";
        }
        catch (IOException)
        {
            return "?";
        }
    }

    private static Finding Ok(string what, string found) => new(what, "ok", found, null);
}

/// <summary>One line of <c>lfr doctor</c>: ok, note or missing.</summary>
internal sealed record Finding(string What, string State, string Found, string? Fix);
