using LfrEngine.Files;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Watchlists;

namespace LfrEngine.CApi.Interop;

/// <summary>The message of the calling thread's latest error, and the status of an exception.</summary>
internal static unsafe class Answer
{
    [ThreadStatic]
    private static StoredText? newest;

    private static readonly byte* Empty = Text.Forever("");

    /// <summary>Zero-terminated UTF-8; valid until the thread's next call.</summary>
    public static byte* LastError => newest is { } said ? said.Bytes : Empty;

    /// <summary>Stores the message for the thread.</summary>
    /// <returns>The status, for C.</returns>
    public static int To(Exception e)
    {
        (Status status, string message) = e switch
        {
            StatusException known => (known.Status, known.Message),
            WatchlistException list => (Of(list.Reason), list.Message),
            // ONNX Runtime reports a lack of memory by this name.
            ModelLoadException when e.Message.Contains("bad_alloc", StringComparison.Ordinal) => (Status.OutOfMemory, "There is not enough memory for the networks."),
            SignedFileException signed => (signed.Fault == SignedFileFault.NotOne ? Status.NotEvidence : Status.NotTrusted, signed.Message),
            ModelLoadException => (Status.ModelUnusable, e.Message),
            MediaException { Error: MediaError.OutOfMemory } => (Status.OutOfMemory, e.Message),
            MediaException => (Status.MediaUnusable, e.Message),
            OutOfMemoryException => (Status.OutOfMemory, Sentence.Of(e)),
            DllNotFoundException or TypeInitializationException { InnerException: DllNotFoundException } => (Status.LibraryMissing, Missing(e as DllNotFoundException ?? e.InnerException!)),
            ArgumentException argument => (Status.BadArgument, argument.Message),
            IOException or UnauthorizedAccessException => (Status.Unreadable, e.Message),
            // The inner exception says why the type cannot be initialised.
            TypeInitializationException { InnerException: { } cause } => (Status.Internal, cause.Message),
            _ => (Status.Internal, $"{e.GetType().Name}: {e.Message}"),
        };
        try
        {
            (newest ??= new StoredText()).Set(Sentence.Of(message).ReplaceLineEndings(" "));
        }
        catch (OutOfMemoryException)
        {
            newest = null;
        }
        return (int)status;
    }

    // Only the first line: the others are advice for developers.
    private static string Missing(Exception e) => $"A library that is needed could not be loaded: {e.Message.ReplaceLineEndings("\n").Split('\n')[0]}";

    private static Status Of(WatchlistFailure failure) => failure switch
    {
        WatchlistFailure.NotAWatchlist => Status.NotAWatchlist,
        WatchlistFailure.UnsupportedVersion => Status.WatchlistVersion,
        WatchlistFailure.Damaged => Status.WatchlistDamaged,
        WatchlistFailure.WrongKey => Status.WrongKey,
        WatchlistFailure.ForeignModel => Status.ForeignModel,
        WatchlistFailure.Unreadable => Status.Unreadable,
        WatchlistFailure.DiskFull => Status.DiskFull,
        WatchlistFailure.WriteFailed => Status.WriteFailed,
        WatchlistFailure.InvalidContent => Status.BadContent,
        _ => Status.BadKeyFile,
    };

    /// <summary>Memory for the message, freed after its thread has ended.</summary>
    private sealed class StoredText
    {
        private const int Room = 1024;

        public byte* Bytes { get; } = (byte*)NativeMemory.AllocZeroed(Room);

        ~StoredText() => NativeMemory.Free(Bytes);

        public void Set(string message) => Text.Copy(message, Bytes, Room);
    }
}
