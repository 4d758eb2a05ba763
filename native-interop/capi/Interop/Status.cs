namespace LfrEngine.CApi.Interop;

/// <summary><c>lfr_status</c> of lfr_engine.h.</summary>
internal enum Status
{
    Ok = 0,
    TimedOut = 1,
    Ended = 2,
    BadArgument = -1,
    BadHandle = -2,
    BadState = -3,
    BufferTooSmall = -4,
    NotSupported = -5,
    OutOfMemory = -6,
    Internal = -7,
    LibraryMissing = -8,
    ModelUnusable = -20,
    NotAWatchlist = -40,
    WatchlistVersion = -41,
    WatchlistDamaged = -42,
    WrongKey = -43,
    ForeignModel = -44,
    Unreadable = -45,
    DiskFull = -46,
    WriteFailed = -47,
    BadContent = -48,
    BadKeyFile = -49,
    MediaUnusable = -60,
    NoFace = -80,
    BadTemplate = -81,
    RunFailed = -90,
    NotEvidence = -100,
    NotTrusted = -101,
    NotMeasured = -102,
}

/// <summary>What a function answers, with the sentence for its caller.</summary>
internal sealed class StatusException(Status status, string message) : Exception(message)
{
    public Status Status { get; } = status;
}
