using System.CommandLine;
using System.ComponentModel;
using LfrEngine.Host.Watchlists;
using LfrEngine.Native.Hardening;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr vet</c>: decodes photos of strangers, in a process of its own that can do nothing else. Started by <see cref="PhotoVetter"/>, not by people.</summary>
internal static class VetCommand
{
    // A picture of 16384×16384 pixels in colour, its packet and the networks' tensors fit; a bomb does not.
    private const long MoreMemoryBytes = 2L << 30;

    public static Command Create()
    {
        var command = new Command("vet", "Decode and judge photos from standard input (for `lfr enrol` and `lfr serve`).") { Hidden = true };
        ModelOptions models = new();
        models.AddTo(command);
        command.SetAction(parsed =>
        {
            using EngineModels loaded = models.Load(parsed);
            return Run(loaded);
        });
        return command;
    }

    private static int Run(EngineModels models)
    {
        using Stream input = Console.OpenStandardInput(), output = Console.OpenStandardOutput();
        using var enroller = new WatchlistEnroller(models);
        // Libraries are opened when they are first needed: that is now, while files can be opened freely.
        enroller.WarmUp();
        output.WriteByte(Enter() ? VetChannel.Ready : VetChannel.ReadyOpen);
        while (VetChannel.Read(input, WatchlistEnroller.MaximumPhotoBytes) is { } photo)
        {
            using (photo)
            {
                using VettedPhoto vetted = enroller.Vet(photo.Span);
                VetChannel.WriteAnswer(output, vetted);
            }
        }
        return ExitCode.Success;
    }

    private static bool Enter()
    {
        try
        {
            return DecodeSandbox.Enter(MoreMemoryBytes);
        }
        catch (Win32Exception e)
        {
            throw new CommandFailure(ExitCode.Environment, $"The process that decodes photos cannot be shut in: {e.Message}.", e);
        }
    }
}
