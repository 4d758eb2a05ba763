using System.Security.Cryptography;
using LfrEngine.Files;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Watchlists;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr receipt verify</c> and <c>lfr receipt key</c>.</summary>
internal static class ReceiptCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "Receipt from `lfr run --receipt`, or from the receipts folder of `lfr serve`." };
        var key = new Option<FileInfo?>("--key") { Description = "Public key (PEM) of the installation that made it; default: this installation's." };
        var verify = new Command("verify", "Check that a receipt was signed by an installation and has not been altered.") { file, key };
        verify.SetAction(parsed => Verify(parsed.GetRequiredValue(file).FullName, parsed.GetValue(key)?.FullName));
        var show = new Command("key", "Print this installation's public key (PEM), with which others check its receipts.");
        show.SetAction(_ =>
        {
            using InstallationKey own = InstallationKey.Open();
            Console.Out.WriteLine(own.PublicPem);
            return ExitCode.Success;
        });
        return new Command("receipt", "Erasure receipts.") { verify, show };
    }

    private static int Verify(string path, string? keyPath)
    {
        string trusted = SignedDocument.TrustedPem(keyPath);
        using ECDsa signer = SignedFile.KeyFrom(trusted);
        if (DestructionReceipt.IsOne(path))
        {
            DestructionReceipt gone = DestructionReceipt.Verify(path, trusted);
            AnsiConsole.MarkupLineInterpolated($"[green]genuine[/]: signed by installation {SignedFile.Fingerprint(signer)}, not altered");
            AnsiConsole.WriteLine($"watchlist {gone.WatchlistId} \"{gone.Name}\": {new Counted(gone.People):person|people}, {new Counted(gone.Photos):photo|photos}, destroyed {gone.DestroyedAt:u} by {gone.DestroyedBy}: {gone.Reason}");
            return ExitCode.Success;
        }
        ErasureReceipt receipt = ErasureReceipt.Verify(path, trusted);
        LifetimeReport lived = receipt.Lifetimes;
        AnsiConsole.MarkupLineInterpolated($"[green]genuine[/]: signed by installation {SignedFile.Fingerprint(signer)}, not altered");
        AnsiConsole.WriteLine($"{receipt.StartedAt:u} to {receipt.EndedAt:u}: {new Counted(receipt.FacesSeen):face|faces} seen, {new Counted(receipt.Alerts):alert|alerts}, {new Counted(receipt.Frames):frame|frames}");
        foreach ((string kind, LatencyReport time) in new[] { ("frames", lived.Frame), ("tensors", lived.Tensor), ("crops", lived.Crop), ("embeddings", lived.Embedding), ("activations", lived.Activation), ("after the verdict", lived.AfterVerdict) })
            AnsiConsole.WriteLine($"{kind,-18} {time.Count,10} erased; lived p50 {time.P50Ms:0.0} ms, p99 {time.P99Ms:0.0} ms, longest {time.MaximumMs:0.0} ms");
        AnsiConsole.WriteLine($"deadline of {lived.DeadlineMs} ms after the verdict missed {new Counted(lived.DeadlineBreaches):time|times}; frame buffers still held at the end: {receipt.Erased.FrameBuffersHeld}");
        return lived.DeadlineBreaches == 0 && receipt.Erased.FrameBuffersHeld == 0 ? ExitCode.Success : ExitCode.Incomplete;
    }
}
