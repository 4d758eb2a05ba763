using System.CommandLine;
using LfrEngine.Frames;
using LfrEngine.Host.Watchlists;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Hardening;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Host.Commands;

/// <summary><c>lfr vet</c>: decodes what was uploaded, in a process of its own that can do nothing else. Started by <see cref="PhotoVetter"/>, not by people.</summary>
internal static class VetCommand
{
    // A picture of 16384×16384 pixels in colour, its packet and the networks' tensors fit; a bomb does not.
    private const long MoreMemoryBytes = 2L << 30;

    public static Command Create()
    {
        var command = new Command("vet", "Decode and judge photos from standard input (for `lfr serve`).") { Hidden = true };
        command.SetAction(_ => Run());
        return command;
    }

    private static int Run()
    {
        using Stream input = Console.OpenStandardInput(), output = Console.OpenStandardOutput();
        using EngineModels models = EngineModels.Load(ModelCatalog.Default);
        using var enroller = new WatchlistEnroller(models);
        LoadEverything(enroller);
        output.WriteByte(DecodeSandbox.Enter(MoreMemoryBytes) ? VetChannel.Ready : VetChannel.ReadyOpen);
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

    // Libraries are opened when they are first needed: that is now, while files can be opened freely.
    private static void LoadEverything(WatchlistEnroller enroller)
    {
        using var grey = new Picture(64, 64);
        using HostBuffer<byte> jpeg = grey.EncodeJpeg(90, out int bytes);
        enroller.Vet(jpeg.Span[..bytes]).Dispose();
    }
}
