using System.Net;
using LfrEngine.Files;

namespace LfrEngine.Cli.Commands;

/// <summary>Copies or downloads a model's file, with progress.</summary>
internal static class ModelFile
{
    // Larger than any network this engine can run in real time.
    private const long MostBytes = 2L << 30;
    private const int ChunkBytes = 1 << 17;
    private const string OtherWay = "Get the file in another way and give it with --from FILE.";

    // Timeout for a server that sends nothing.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Copies or downloads.</summary>
    /// <param name="source">Path, or http(s) address.</param>
    /// <param name="target">Receives the file; incomplete if this fails.</param>
    /// <param name="stopping">Ends it.</param>
    /// <exception cref="CommandFailure">The source cannot be read.</exception>
    /// <exception cref="IOException">The target cannot be written.</exception>
    public static Task FetchAsync(string source, string target, CancellationToken stopping) =>
        AddressOf(source) is { } address ? DownloadAsync(address, target, stopping) : CopyAsync(source, target, stopping);

    /// <summary>A source as shown in messages: an address may contain a password or a token.</summary>
    public static string Shown(string source) => AddressOf(source)?.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) ?? source;

    /// <summary>What the file is if it is not a model, with advice; null if it may be one.</summary>
    /// <param name="path">The file.</param>
    public static string? Mistaken(string path)
    {
        Span<byte> start = stackalloc byte[64];
        using FileStream file = InputFile.OpenStream(path);
        start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        if (start.IsEmpty)
            return "empty.";
        if (start.StartsWith("version https://git-lfs"u8))
            return "a Git LFS pointer, not the model: run `git lfs pull` in the checkout, or download the model itself.";
        return start.TrimStart(" \t\r\n\ufeff"u8) is [(byte)'<', ..] ? "a web page, not a model: use the address of the file itself." : null;
    }

    private static Uri? AddressOf(string source) =>
        Uri.TryCreate(source, UriKind.Absolute, out Uri? address) && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp) ? address : null;

    private static async Task CopyAsync(string source, string target, CancellationToken stopping)
    {
        FileStream from;
        try
        {
            from = InputFile.OpenStream(source);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e);
        }
        await using (from)
            await CopyAsync(from, from.Length, "Copying", target, Unreadable, stopping);

        CommandFailure Unreadable(Exception e) => new(ExitCode.Input, $"The model's file {source} cannot be read: {FileTrouble.Words(e)}", e);
    }

    private static async Task DownloadAsync(Uri address, string target, CancellationToken stopping)
    {
        using var client = new HttpClient { Timeout = Patience };
        HttpResponseMessage answer;
        try
        {
            answer = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, stopping);
        }
        catch (Exception e) when (e is HttpRequestException || IsLate(e, stopping))
        {
            throw Lost(e);
        }
        using (answer)
        {
            if (answer.StatusCode != HttpStatusCode.OK)
                throw new CommandFailure(ExitCode.Environment, $"{Shown(address.OriginalString)} answers {(int)answer.StatusCode} {answer.ReasonPhrase}. {OtherWay}");
            await using Stream body = await answer.Content.ReadAsStreamAsync(stopping);
            await CopyAsync(body, answer.Content.Headers.ContentLength ?? 0, "Downloading", target, Lost, stopping);
        }

        CommandFailure Lost(Exception e) => new(ExitCode.Environment,
            $"{Shown(address.OriginalString)} cannot be downloaded: {(e is OperationCanceledException ? $"no data for {Patience.TotalSeconds:0} s." : e.Message)} {OtherWay}", e);
    }

    private static bool IsLate(Exception e, CancellationToken stopping) => e is OperationCanceledException && !stopping.IsCancellationRequested;

    private static Task CopyAsync(Stream from, long length, string doing, string target, Func<Exception, CommandFailure> failure, CancellationToken stopping)
    {
        if (length > MostBytes)
            throw TooLarge();
        // Progress runs its work on the calling thread.
        return Task.Run(() => ProgressBar.While($"{doing} (KiB)", (int)(length >> 10), report => CopyAsync(from, target, report, failure, stopping).GetAwaiter().GetResult()), CancellationToken.None);
    }

    private static async Task CopyAsync(Stream from, string target, Action<int> report, Func<Exception, CommandFailure> failure, CancellationToken stopping)
    {
        await using var to = new FileStream(target, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 });
        byte[] chunk = new byte[ChunkBytes];
        long copied = 0;
        while (await ReadAsync(from, chunk, failure, stopping) is var read and > 0)
        {
            copied += read;
            if (copied > MostBytes)
                throw TooLarge();
            await to.WriteAsync(chunk.AsMemory(0, read), stopping);
            report((int)(copied >> 10));
        }
        to.Flush(flushToDisk: true);
    }

    // A failure of the source must not be reported as a failure to write.
    private static async Task<int> ReadAsync(Stream from, byte[] chunk, Func<Exception, CommandFailure> failure, CancellationToken stopping)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        patience.CancelAfter(Patience);
        try
        {
            return await from.ReadAsync(chunk, patience.Token);
        }
        catch (Exception e) when (e is IOException || IsLate(e, stopping))
        {
            throw failure(e);
        }
    }

    private static CommandFailure TooLarge() => new(ExitCode.Input, $"The file is larger than {MostBytes >> 30} GiB, the limit for models.");
}
