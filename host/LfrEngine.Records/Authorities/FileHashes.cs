using System.Collections.Concurrent;
using LfrEngine.Models;

namespace LfrEngine.Records.Authorities;

/// <summary>Cached SHA-256 of files that are checked repeatedly while a deployment runs.</summary>
/// <remarks>A file is read again when its length or time of change differ, and at the latest after <see cref="KeptSeconds"/>: times can be forged.</remarks>
internal sealed class FileHashes(TimeProvider time)
{
    /// <summary>Maximum age of a cached hash.</summary>
    public const int KeptSeconds = 60;

    private readonly ConcurrentDictionary<string, Known> known = new(StringComparer.Ordinal);

    /// <summary>Hash of a file; null if it cannot be read.</summary>
    public string? Of(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                return null;
            (long length, DateTime changed, long now) = (file.Length, file.LastWriteTimeUtc, time.GetTimestamp());
            if (known.TryGetValue(path, out Known? last) && last.Length == length && last.Changed == changed && time.GetElapsedTime(last.ReadAt, now).TotalSeconds < KeptSeconds)
                return last.Hash;
            string hash = PackageCache.HashOf(path);
            known[path] = new Known(length, changed, now, hash);
            return hash;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record Known(long Length, DateTime Changed, long ReadAt, string Hash);
}
