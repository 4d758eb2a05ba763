using System.ComponentModel;
using LfrEngine.Native.Hardening;
using LfrEngine.Pipeline;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr vet</c>: decodes untrusted photos in a sandboxed process. Started by <see cref="PhotoVetter"/>.</summary>
internal static class VetCommand
{
    // Enough for a colour picture of 16384×16384 pixels, its packet and the networks' tensors, but not for a decompression bomb.
    private const long MoreMemoryBytes = 2L << 30;

    public static Command Create()
    {
        var sealedFaces = new Option<bool>(PhotoVetter.SealedFaces) { Description = "The photos are face pictures of a watchlist." };
        var command = new Command("vet", "Decode and judge photos from standard input (for `lfr enrol`, `lfr watchlist re-enrol` and `lfr serve`).") { sealedFaces };
        command.Hidden = true;
        ModelOptions models = new();
        models.AddTo(command);
        command.SetAction(parsed =>
        {
            using EngineModels loaded = models.Load(parsed);
            if (parsed.GetValue(sealedFaces))
            {
                using var again = new SealedFaceEnroller(loaded);
                return Run(again.WarmUp, (photo, _) => again.Vet(photo));
            }
            using var enroller = new WatchlistEnroller(loaded);
            return Run(enroller.WarmUp, enroller.Vet);
        });
        return command;
    }

    private static int Run(Action warmUp, Func<ReadOnlySpan<byte>, PhotoPoint?, VettedPhoto> vet)
    {
        using Stream input = Console.OpenStandardInput(), output = Console.OpenStandardOutput();
        // Loads the libraries now, while files can still be opened.
        warmUp();
        output.WriteByte(Enter() ? VetChannel.Ready : VetChannel.ReadyOpen);
        while (VetChannel.ReadRequest(input, WatchlistEnroller.MaximumPhotoBytes, out PhotoPoint? face) is { } photo)
        {
            using (photo)
            {
                using VettedPhoto vetted = vet(photo.Span, face);
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
            throw new CommandFailure(ExitCode.Environment, $"The process that decodes photos cannot be sandboxed: {e.Message}.", e);
        }
    }
}
