using System.CommandLine;

namespace LfrEngine.Cli.Commands;

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

    /// <summary>Where networks are to run.</summary>
    public string Inference(ParseResult parsed) => parsed.GetRequiredValue(inference);

    /// <summary>Who is to decode.</summary>
    public string Decode(ParseResult parsed) => parsed.GetRequiredValue(decode);
}
