using System.CommandLine;
using LfrEngine.Records.Deployments;

namespace LfrEngine.Cli.Commands;

/// <summary>The options that put stages of a run on a graphics card. What is asked for by name is used or is an error; only <c>auto</c> falls back, and says so.</summary>
internal sealed class GpuOptions
{
    private readonly Option<string> inference = new("--inference") { Description = "Where networks run: cpu; directml, any GPU of Windows; directml-half, in 16-bit floats; webgpu, a graphics card of Linux; or auto, the GPU of Windows if there is one.", DefaultValueFactory = _ => "cpu" };
    private readonly Option<string> decode = new("--decode") { Description = "Who decodes: software; d3d11va, the GPU of --inference directml, which frames then never leave; or auto, the GPU for what it can.", DefaultValueFactory = _ => "software" };
    private readonly Option<string> search = new("--search") { Description = "Who searches the watchlist: simd, the processor; vulkan[:DEVICE], a graphics device by its index or a part of its name (`lfr doctor`); or computesharp, the GPU of Windows. Same alerts, same scores.", DefaultValueFactory = _ => "simd" };

    public GpuOptions()
    {
        inference.AcceptOnlyFromAmong("auto", "cpu", "directml", "directml-half", "webgpu");
        decode.AcceptOnlyFromAmong("auto", "software", "d3d11va");
    }

    public void AddTo(Command command)
    {
        command.Add(inference);
        command.Add(decode);
        command.Add(search);
    }

    /// <summary>Opens what they ask for. The caller disposes it after the models.</summary>
    public EngineDevices Open(ParseResult parsed) =>
        EngineDevices.Open(parsed.GetRequiredValue(inference), parsed.GetRequiredValue(decode), parsed.GetRequiredValue(search), Console.Error.WriteLine);
}
