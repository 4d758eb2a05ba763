using LfrEngine.Tests.Shared;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

[Collection(CountsRentedBuffers.Name)]
public sealed class WatchlistAnyBytesTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void ReadHeaderAndRead_AnyBytes_AreAListOrASentence()
    {
        string path = directory["list.lfr"];
        using WatchlistKey key = WatchlistKey.FromBytes(new byte[32]);
        using (Watchlist sample = WatchlistSamples.Build(5, 2, 3, 16, photos: true))
            WatchlistFile.Write(path, sample, key);
        AnyBytes.AreAnAnswerOrASentence(
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                Assert.Equal(bytes.Length, WatchlistFile.ReadHeader(path).FileBytes);
                using Watchlist read = WatchlistFile.Read(path, key);
                Assert.Equal(2, read.Identities.Count);
            },
            e => e is WatchlistException && e.Message.Contains(path, StringComparison.Ordinal),
            File.ReadAllBytes(path), File.ReadAllBytes(path)[..150]);
    }
}
