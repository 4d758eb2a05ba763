using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LfrEngine.Matching;
using LfrEngine.Tracking;

namespace LfrEngine.Pipeline;

/// <summary>A running SHA-256 over what a camera compared, so that two runs can be compared without keeping face data.</summary>
internal sealed class ShotTrace : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Add(FaceShot shot, float embeddingNorm, ReadOnlySpan<Candidate> candidates)
    {
        Append(shot.TrackletId);
        Append(shot.FirstSeenUs);
        Append(shot.TimestampUs);
        Append(shot.Box);
        Append(shot.Quality);
        Append(embeddingNorm);
        hash.AppendData(MemoryMarshal.AsBytes(candidates));
    }

    public string Finish() => Convert.ToHexStringLower(hash.GetHashAndReset());

    public void Dispose() => hash.Dispose();

    private void Append<T>(T value)
        where T : unmanaged => hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
}
