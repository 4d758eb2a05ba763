using System.Collections.Concurrent;

namespace LfrEngine.Records.Security;

/// <summary>Slows down guessing of passwords and codes, per name. Nobody is locked out, and a name that nobody has is slowed down alike.</summary>
/// <remarks>
/// Attempts on one name are spaced: after <see cref="Free"/> failures within <see cref="Memory"/> the next one waits a second, then two, four, at the most
/// eight. Who would have to stand in line for more than <see cref="Patience"/> is turned away unchecked. Guessing is so limited to one attempt in
/// eight seconds on a name, from however many addresses; passkeys cannot be guessed and pass by. Per address, RequestLimits counts.
/// </remarks>
public sealed class SignInBrake(TimeProvider time)
{
    /// <summary>Failures that cost nothing: fingers slip.</summary>
    public const int Free = 5;

    /// <summary>Longest wait in line.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int MostSeconds = 8, MostNames = 100_000;
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(15);

    private readonly ConcurrentDictionary<string, Line> lines = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Waits for the turn of an attempt.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="stopping">Leaves the line.</param>
    /// <returns>False if the line is too long; then nothing may be checked.</returns>
    public async Task<bool> WaitAsync(string name, CancellationToken stopping = default)
    {
        if (Reserve(name) is not { } wait)
            return false;
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, time, stopping);
        return true;
    }

    /// <summary>How long an attempt that begins now has to wait; null if too long.</summary>
    internal TimeSpan? Reserve(string name)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (lines.Count > MostNames)
            Tidy(now);
        Line line = lines.GetOrAdd(name, _ => new Line());
        lock (line)
        {
            if (now - line.LastFailure > Memory)
                line.Failures = 0;
            TimeSpan step = line.Failures < Free ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(MostSeconds, 1 << Math.Min(line.Failures - Free, MostSeconds)));
            DateTimeOffset turn = (line.Next > now ? line.Next : now) + step;
            if (turn - now > Patience)
                return null;
            line.Next = turn;
            return turn - now;
        }
    }

    /// <summary>An attempt failed.</summary>
    public void Failed(string name)
    {
        Line line = lines.GetOrAdd(name, _ => new Line());
        lock (line)
        {
            line.Failures++;
            line.LastFailure = time.GetUtcNow();
        }
    }

    /// <summary>Somebody has signed in with this name.</summary>
    public void Passed(string name) => lines.TryRemove(name, out _);

    private void Tidy(DateTimeOffset now)
    {
        foreach ((string name, Line line) in lines)
        {
            if (now - line.LastFailure > Memory)
                lines.TryRemove(name, out _);
        }
    }

    private sealed class Line
    {
        public int Failures { get; set; }

        public DateTimeOffset LastFailure { get; set; }

        public DateTimeOffset Next { get; set; }
    }
}
