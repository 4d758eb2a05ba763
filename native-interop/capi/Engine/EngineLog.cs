using LfrEngine.CApi.Interop;

namespace LfrEngine.CApi.Engine;

/// <summary><c>lfr_log_level</c> of lfr_engine.h.</summary>
internal enum LogLevel
{
    Error = 1,
    Warning = 2,
    Information = 3,
}

/// <summary>The caller's log. What is written names no person, score, picture or address.</summary>
internal sealed unsafe class EngineLog
{
    private readonly object gate = new();
    private readonly LogLevel most;
    private readonly delegate* unmanaged[Cdecl]<int, byte*, void*, void> onLog;
    private readonly void* user;
    private bool closed;

    public EngineLog(int level, delegate* unmanaged[Cdecl]<int, byte*, void*, void> onLog, void* user)
    {
        Check.RangeOrZero(level, (int)LogLevel.Error, (int)LogLevel.Information, "options.log_level", "LFR_LOG_WARNING");
        most = level == 0 ? LogLevel.Warning : (LogLevel)level;
        this.onLog = onLog;
        this.user = user;
    }

    public void Write(LogLevel level, string text)
    {
        if (onLog is null || level > most)
            return;
        byte* copy = Text.Allocate(text);
        try
        {
            // One call at a time, and none after Close. The lock is re-entrant, so the callback may destroy the engine.
            lock (gate)
            {
                using var inside = new Callback("on_log");
                if (!closed)
                    onLog((int)level, copy, user);
            }
        }
        finally
        {
            Text.Free(copy);
        }
    }

    /// <summary>Waits for a call under way; none comes after it.</summary>
    public void Close()
    {
        lock (gate)
            closed = true;
    }
}
