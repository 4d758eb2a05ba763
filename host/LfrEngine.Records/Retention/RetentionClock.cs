using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Records.Configuration;

namespace LfrEngine.Records.Retention;

/// <summary>The time by which pictures are kept: it never goes back, and never slower than real time, whatever is done to the machine's clock.</summary>
/// <remarks>
/// While the program runs, it is the wall clock or what the monotonic clock has counted since the latest moment known, whichever is later. From run to run a
/// file carries that moment together with what the wall clock showed then; what has passed since is what the wall clock has moved. A wall clock that now
/// shows less than then was set back while the program did not run: how long that was is unknowable (<see cref="LostAtStart"/>). Thread-safe.
/// </remarks>
public sealed class RetentionClock
{
    private readonly string path;
    private readonly TimeProvider time;
    private readonly Lock gate = new(), saving = new();
    private DateTimeOffset latest;
    private long latestTimestamp;

    /// <summary>Starts counting.</summary>
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

    /// <summary>Nobody can tell how long the program did not run.</summary>
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

    /// <summary>Writes the mark for the next run.</summary>
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
            // The first start, or a power cut while it was written: then the store's own times must do.
            return null;
        }
    }

    private sealed record Mark(DateTimeOffset Known, DateTimeOffset Wall);
}
