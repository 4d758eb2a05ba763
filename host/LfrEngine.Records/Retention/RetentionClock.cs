using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Records.Configuration;

namespace LfrEngine.Records.Retention;

/// <summary>The clock of retention: it never goes back and never runs slower than real time, whatever is done to the machine's clock.</summary>
/// <remarks>
/// While the program runs, it is the wall clock or the last known time plus the monotonic clock, whichever is later. Between runs a
/// file stores that time and the wall clock's; the elapsed time is the difference of the wall clock. A wall clock that now
/// shows less was set back while the program was not running, so the elapsed time is unknown (<see cref="LostAtStart"/>). Thread-safe.
/// </remarks>
public sealed class RetentionClock
{
    private readonly string path;
    private readonly TimeProvider time;
    private readonly Lock gate = new(), saving = new();
    private DateTimeOffset latest;
    private long latestTimestamp;

    /// <summary>Starts the clock.</summary>
    public RetentionClock(Installation installation, TimeProvider time)
    {
        this.time = time;
        path = installation.DataPath("retention-clock.json");
        DateTimeOffset wall = time.GetUtcNow();
        latestTimestamp = time.GetTimestamp();
        Mark? mark = Read();
        LostAtStart = mark is not null && wall < mark.Wall;
        TimeSpan ahead = mark is null ? TimeSpan.Zero : mark.Known - mark.Wall;
        latest = ahead > TimeSpan.Zero ? wall + ahead : wall;
    }

    /// <summary>The time since the last run is unknown.</summary>
    public bool LostAtStart { get; }

    /// <summary>The time.</summary>
    public DateTimeOffset Now()
    {
        lock (gate)
        {
            long timestamp = time.GetTimestamp();
            DateTimeOffset counted = latest + time.GetElapsedTime(latestTimestamp, timestamp), wall = time.GetUtcNow();
            latest = wall > counted ? wall : counted;
            latestTimestamp = timestamp;
            return latest;
        }
    }

    /// <summary>Writes the file for the next run.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save()
    {
        lock (saving)
            OutputFile.Write(path, JsonSerializer.Serialize(new Mark(Now(), time.GetUtcNow())));
    }

    private Mark? Read()
    {
        try
        {
            return JsonSerializer.Deserialize<Mark>(InputFile.ReadText(path));
        }
        catch (Exception e) when (e is FileNotFoundException or JsonException)
        {
            // The first start, or a power cut while it was written; the times in the store are used instead.
            return null;
        }
    }

    private sealed record Mark(DateTimeOffset Known, DateTimeOffset Wall);
}
