using LfrEngine.Records.Deployments;

namespace LfrEngine.Cli.Commands;

/// <summary>Options that run stages on a graphics card. A device selected by name is used or is an error; only <c>auto</c> falls back, with a message.</summary>
internal sealed class GpuOptions
{
    private readonly Option<string> inference = new("--inference") { Description = "Where networks run: cpu; directml[:GPU], on Windows the fastest GPU or one given by its index or part of its name (`lfr doctor`), for search and decoding too; directml-half[:GPU], the same with 16-bit floats; webgpu, a graphics card on Linux; cuda, an NVIDIA card on Linux; or auto, the GPU on Windows if there is one.", DefaultValueFactory = _ => "cpu" };
    private readonly Option<string> decode = new Option<string>("--decode") { Description = "How video is decoded: software; d3d11va, on the GPU of --inference directml, so that frames stay there; vaapi, on a graphics card on Linux; or auto, on the card if it supports the format.", DefaultValueFactory = _ => "software" }.OneOf("auto", "software", "d3d11va", "vaapi");
    private readonly Option<string> search = new("--search") { Description = "Where the watchlist is searched: simd, on the processor; vulkan[:DEVICE], on a graphics device given by its index or part of its name (`lfr doctor`); or computesharp, on the GPU on Windows. Alerts and scores are the same.", DefaultValueFactory = _ => "simd" };

    public void AddTo(Command command)
    {
        command.Add(inference);
        command.Add(decode);
        command.Add(search);
    }

    /// <summary>Opens the selected devices. The caller disposes them after the models.</summary>
    public EngineDevices Open(ParseResult parsed) =>
        EngineDevices.Open(parsed.GetRequiredValue(inference), parsed.GetRequiredValue(decode), parsed.GetRequiredValue(search), Console.Error.WriteLine);
}
