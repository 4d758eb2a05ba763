using System.CommandLine;
using LfrEngine.DirectX;
using LfrEngine.DirectX.Decoding;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Models;

namespace LfrEngine.Host.Commands;

/// <summary>The options that put stages of a run on a Windows GPU. What is asked for by name is used or is an error; only <c>auto</c> falls back, and says so.</summary>
internal sealed class GpuOptions
{
    private readonly Option<string> inference = new("--inference") { Description = "Where networks run: cpu; directml, any GPU of Windows; directml-half, in 16-bit floats; or auto, the GPU if there is one.", DefaultValueFactory = _ => "cpu" };
    private readonly Option<string> decode = new("--decode") { Description = "Who decodes: software; d3d11va, the GPU of --inference directml, which frames then never leave; or auto, the GPU for what it can.", DefaultValueFactory = _ => "software" };

    public GpuOptions()
    {
        inference.AcceptOnlyFromAmong("auto", "cpu", "directml", "directml-half");
        decode.AcceptOnlyFromAmong("auto", "software", "d3d11va");
    }

    public void AddTo(Command command)
    {
        command.Add(inference);
        command.Add(decode);
    }

    /// <summary>Opens the GPU if anything asks for it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="search">Whether the watchlist is to be searched on it.</param>
    public GpuRun Open(ParseResult parsed, bool search)
    {
        string networks = parsed.GetRequiredValue(inference), decoder = parsed.GetRequiredValue(decode);
        if (decoder == "d3d11va" && networks == "cpu")
            throw new CommandFailure(ExitCode.Usage, "--decode d3d11va needs --inference directml: frames on the GPU are for networks on the GPU.");
        bool asked = networks.StartsWith("directml", StringComparison.Ordinal) || decoder == "d3d11va" || search;
        GpuContext? context = null;
        if (asked)
            context = GpuContext.Open();
        else if (networks == "auto")
            context = OpenIfThere();
        bool onGpu = context is not null && networks != "cpu";
        return new GpuRun(
            context,
            onGpu ? new DirectMlBackend(context!, networks == "directml-half") : null,
            onGpu && decoder != "software" ? new D3D11Decoder(context!, decoder == "auto" ? Console.Error.WriteLine : null) : null,
            search ? new GpuSearch(context!) : null);
    }

    private static GpuContext? OpenIfThere()
    {
        GpuContext context;
        try
        {
            context = GpuContext.Open();
        }
        catch (GpuException e)
        {
            Console.Error.WriteLine($"--inference auto runs on the processor: {e.Message}");
            return null;
        }
        if (context.IsHardware)
        {
            Console.Error.WriteLine($"--inference auto runs on {context.AdapterName}.");
            return context;
        }
        context.Dispose();
        Console.Error.WriteLine("--inference auto runs on the processor: there is no GPU.");
        return null;
    }
}

/// <summary>What of a run is on the GPU; null is on the processor. Disposed after the models.</summary>
internal sealed record GpuRun(GpuContext? Context, DirectMlBackend? Backend, D3D11Decoder? Decoder, GpuSearch? Search) : IDisposable
{
    public IVideoDecoder VideoDecoder => Decoder is null ? SoftwareDecoder.Default : Decoder;

    public void Dispose()
    {
        Search?.Dispose();
        Decoder?.Dispose();
        Context?.Dispose();
    }
}
