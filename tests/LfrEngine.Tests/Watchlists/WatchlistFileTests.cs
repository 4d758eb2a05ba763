using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

[Collection(CountsRentedBuffers.Name)]
[Trait("Speed", "slow")]
public sealed class WatchlistFileTests : IDisposable
{
    private const int FewIterations = 3;
    private const int FixedHeader = 132;

    private readonly long rentedBefore = BufferPool.OutstandingBlocks;
    private readonly TemporaryDirectory directory = new();

    private string Target => directory["list.lfrw"];

    /// <summary>Every test here ends with nothing rented and no temporary file.</summary>
    public void Dispose()
    {
        Assert.Empty(Directory.EnumerateFiles(directory.Root, "*.partial"));
        directory.Dispose();
        Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);
    }

    [Theory]
    [InlineData(0, 0, 4, false)]
    [InlineData(1, 1, 1, true)]
    [InlineData(12, 40, 128, true)]
    [InlineData(700, 1500, 512, true)] // embeddings and photos of several chunks
    public void WriteRead_Passphrase_RoundTrips(int identities, int templates, int length, bool photos)
    {
        using Watchlist watchlist = WatchlistSamples.Build(5, identities, templates, length, photos);
        using WatchlistKey key = Passphrase("correct horse");
        WatchlistFile.Write(Target, watchlist, key);
        using Watchlist read = WatchlistFile.Read(Target, key, WatchlistSamples.Sha256.ToUpperInvariant());
        WatchlistSamples.AssertEqual(watchlist, read);

        WatchlistFileInfo info = WatchlistFile.ReadHeader(Target);
        Assert.Equal(watchlist.Id, info.Id);
        Assert.Equal(watchlist.CreatedUtc, info.CreatedUtc);
        Assert.Equal("sample-embedder", info.EmbedderId);
        Assert.Equal(WatchlistSamples.Sha256, info.EmbedderSha256);
        Assert.Equal((length, templates, identities), (info.EmbeddingLength, info.TemplateCount, info.IdentityCount));
        Assert.True(info.SealedWithPassphrase);
        Assert.Equal(new FileInfo(Target).Length, info.FileBytes);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Target));
    }

    [Fact]
    public void WriteRead_CoveredTemplates_RoundTrip()
    {
        using Watchlist watchlist = WatchlistSamples.BuildCovered(5, 7, 16);
        using WatchlistKey key = Passphrase("correct horse");
        WatchlistFile.Write(Target, watchlist, key);
        using Watchlist read = WatchlistFile.Read(Target, key);
        WatchlistSamples.AssertEqual(watchlist, read);
        Assert.Contains(FaceCover.LowerFace | FaceCover.Brow, Enumerable.Range(0, read.TemplateCount).Select(read.Cover));
    }

    [Fact]
    public void Read_FormatOne_HasNoCovers()
    {
        File.WriteAllBytes(Target, Convert.FromBase64String(FormatOne.File));
        using WatchlistKey key = WatchlistKey.FromBytes([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
        using Watchlist read = WatchlistFile.Read(Target, key);
        using Watchlist expected = WatchlistSamples.Build(5, 3, 5, 4);
        Assert.Equal(1, File.ReadAllBytes(Target)[8]);
        Assert.Equal(expected.Identities, read.Identities);
        Assert.Equal(5, read.TemplateCount);
        Assert.True(expected.Embeddings.SequenceEqual(read.Embeddings));
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(expected.IdentityIndex(i), read.IdentityIndex(i));
            Assert.Equal(expected.Quality(i), read.Quality(i));
            Assert.Equal(FaceCover.None, read.Cover(i));
            Assert.True(expected.Photo(i).SequenceEqual(read.Photo(i)));
        }
    }

    [Fact]
    public void WriteRead_KeyFile_RoundTrips()
    {
        string keyFile = directory["key"];
        WatchlistKey.CreateKeyFile(keyFile);
        Assert.Equal(32, new FileInfo(keyFile).Length);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keyFile));
        using Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16, photos: true);
        using (WatchlistKey key = WatchlistKey.FromKeyFile(keyFile))
            WatchlistFile.Write(Target, watchlist, key);
        using WatchlistKey again = WatchlistKey.FromKeyFile(keyFile);
        using Watchlist read = WatchlistFile.Read(Target, again);
        WatchlistSamples.AssertEqual(watchlist, read);
        Assert.False(WatchlistFile.ReadHeader(Target).SealedWithPassphrase);
    }

    [Fact]
    public void Passphrase_Default_Uses600000Iterations()
    {
        using WatchlistKey key = WatchlistKey.FromPassphrase("p");
        Assert.Equal(600_000, key.Iterations);
        using Watchlist watchlist = WatchlistSamples.Build(5, 1, 1, 2);
        WatchlistFile.Write(Target, watchlist, key);
        Assert.Equal(600_000, BinaryPrimitives.ReadInt32LittleEndian(File.ReadAllBytes(Target).AsSpan(16)));
        WatchlistFile.Read(Target, key).Dispose();
    }

    [Fact]
    public void Write_Always_LeavesNoPlaintextInTheFile()
    {
        WriteSample();
        byte[] bytes = File.ReadAllBytes(Target);
        Assert.Equal(-1, bytes.AsSpan().IndexOf("identities"u8));
        Assert.Equal(-1, bytes.AsSpan().IndexOf("id-0"u8));
        using Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16, photos: true);
        Assert.Equal(-1, bytes.AsSpan().IndexOf(MemoryMarshal.AsBytes(watchlist.Embedding(0))[..8]));
    }

    [Fact]
    public void Write_SameListTwice_SharesNoCiphertext()
    {
        WriteSample();
        byte[] first = File.ReadAllBytes(Target);
        WriteSample();
        byte[] second = File.ReadAllBytes(Target);
        int body = FixedHeader + "sample-embedder".Length;
        Assert.False(first.AsSpan(body, 32).SequenceEqual(second.AsSpan(body, 32)));
        Assert.False(first.AsSpan(64, 32).SequenceEqual(second.AsSpan(64, 32)));
    }

    [Fact]
    public void Read_AnyByteFlipped_IsNeverAccepted()
    {
        WriteSample();
        byte[] good = File.ReadAllBytes(Target);
        for (int at = 0; at < good.Length; at++)
        {
            byte[] bad = [.. good];
            bad[at] ^= (byte)(1 << (at % 8));
            WatchlistFailure reason = ReasonOfReading(bad);
            WatchlistFailure expected = at < 8 ? WatchlistFailure.NotAWatchlist : at < 10 ? WatchlistFailure.UnsupportedVersion : WatchlistFailure.Damaged;
            Assert.True(reason == expected, $"byte {at}: {reason}");
        }
    }

    [Fact]
    public void Read_Truncated_IsDamaged()
    {
        WriteSample();
        byte[] good = File.ReadAllBytes(Target);
        for (int length = 0; length < good.Length; length += length < 200 ? 1 : 97)
            Assert.Equal(WatchlistFailure.Damaged, ReasonOfReading(good[..length]));
        Assert.Equal(WatchlistFailure.Damaged, ReasonOfReading(good[..^1]));
    }

    [Fact]
    public void Read_Appended_IsDamaged()
    {
        WriteSample();
        byte[] good = File.ReadAllBytes(Target);
        Assert.Equal(WatchlistFailure.Damaged, ReasonOfReading([.. good, 0]));
        Assert.Equal(WatchlistFailure.Damaged, ReasonOfReading([.. good, .. good]));
    }

    [Fact]
    public void Read_AlteredWithItsChecksumMended_IsNeverAccepted()
    {
        WriteSample();
        byte[] good = File.ReadAllBytes(Target);
        for (int at = 16; at < good.Length - 32; at += 5)
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x10;
            MendChecksum(bad);
            WatchlistFailure reason = ReasonOfReading(bad);
            Assert.True(reason is WatchlistFailure.WrongKey or WatchlistFailure.Damaged, $"byte {at}: {reason}");
        }
    }

    [Fact]
    public void Read_ChunksSwapped_IsWrongKey()
    {
        using Watchlist watchlist = WatchlistSamples.Build(5, 4, 4, 16);
        using WatchlistKey key = Passphrase("correct horse");
        byte[] same = new byte[2 << 20];
        WatchlistFile.Write(Target, watchlist.Origin, 4, default, default, default, same, key);
        byte[] bytes = File.ReadAllBytes(Target);
        int body = FixedHeader + "sample-embedder".Length;
        int chunk = (1 << 20) + 16;
        byte[] swapped = [.. bytes[..body], .. bytes[(body + chunk)..(body + (2 * chunk))], .. bytes[body..(body + chunk)], .. bytes[^32..]];
        MendChecksum(swapped);
        Assert.Equal(WatchlistFailure.WrongKey, ReasonOfReading(swapped));
    }

    [Fact]
    public void Read_WrongPassphrase_IsWrongKey()
    {
        WriteSample();
        using WatchlistKey wrong = Passphrase("correct horsf");
        WatchlistException error = Assert.Throws<WatchlistException>(() => WatchlistFile.Read(Target, wrong));
        Assert.Equal(WatchlistFailure.WrongKey, error.Reason);
        Assert.Contains(Target, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WrongKeyFileOrKindOfKey_IsWrongKey()
    {
        WatchlistKey.CreateKeyFile(directory["one"]);
        WatchlistKey.CreateKeyFile(directory["two"]);
        using WatchlistKey one = WatchlistKey.FromKeyFile(directory["one"]);
        using WatchlistKey two = WatchlistKey.FromKeyFile(directory["two"]);
        using WatchlistKey passphrase = Passphrase("x");
        using Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16);
        WatchlistFile.Write(Target, watchlist, one);
        Assert.Equal(WatchlistFailure.WrongKey, Reason(() => WatchlistFile.Read(Target, two)));
        Assert.Equal(WatchlistFailure.WrongKey, Reason(() => WatchlistFile.Read(Target, passphrase)));
        WatchlistFile.Write(Target, watchlist, passphrase);
        Assert.Equal(WatchlistFailure.WrongKey, Reason(() => WatchlistFile.Read(Target, one)));
    }

    [Fact]
    public void Read_OtherEmbedder_NamesBothAndTheWayOut()
    {
        WriteSample();
        using WatchlistKey key = Passphrase("correct horse");
        string other = new('b', 64);
        WatchlistException error = Assert.Throws<WatchlistException>(() => WatchlistFile.Read(Target, key, other));
        Assert.Equal(WatchlistFailure.ForeignModel, error.Reason);
        foreach (string part in new[] { Target, "sample-embedder", WatchlistSamples.Sha256, other, "lfr watchlist re-enrol" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FutureVersion_SaysWhich()
    {
        WriteSample();
        byte[] bytes = File.ReadAllBytes(Target);
        bytes[8] = 3;
        MendChecksum(bytes);
        File.WriteAllBytes(Target, bytes);
        using WatchlistKey key = Passphrase("correct horse");
        foreach (Action act in new Action[] { () => WatchlistFile.Read(Target, key), () => WatchlistFile.ReadHeader(Target) })
        {
            WatchlistException error = Assert.Throws<WatchlistException>(act);
            Assert.Equal(WatchlistFailure.UnsupportedVersion, error.Reason);
            Assert.Contains("format 3", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_NotAWatchlist_SaysSo()
    {
        Assert.Equal(WatchlistFailure.NotAWatchlist, ReasonOfReading("id,name,category\n"u8.ToArray()));
        Assert.Equal(WatchlistFailure.NotAWatchlist, ReasonOfReading([0x89]));
        Assert.Equal(WatchlistFailure.NotAWatchlist, ReasonOfReading(new byte[5000]));
    }

    [Fact]
    public void Read_MissingOrDirectory_IsUnreadable()
    {
        using WatchlistKey key = Passphrase("x");
        Assert.Equal(WatchlistFailure.Unreadable, Reason(() => WatchlistFile.Read(directory["none"], key)));
        Assert.Equal(WatchlistFailure.Unreadable, Reason(() => WatchlistFile.Read(directory.Root, key)));
        Assert.Equal(WatchlistFailure.Unreadable, Reason(() => WatchlistFile.ReadHeader(directory["none/deeper"])));
    }

    [Fact]
    public void Read_ImpossibleLengths_IsDamagedWithoutAllocating()
    {
        WriteSample();
        byte[] good = File.ReadAllBytes(Target);
        foreach (int offset in new[] { 20, 24, 28, 32, 36 })
        {
            foreach (int value in new[] { -1, int.MinValue, int.MaxValue, 0x40000000, 4096 })
            {
                byte[] bad = [.. good];
                BinaryPrimitives.WriteInt32LittleEndian(bad.AsSpan(offset), value);
                MendChecksum(bad);
                WatchlistFailure reason = ReasonOfReading(bad);
                // The number of identities claims no memory; only the key can prove it false.
                Assert.True(reason == WatchlistFailure.Damaged || (offset == 28 && reason == WatchlistFailure.WrongKey), $"{offset} {value}: {reason}");
            }
        }
    }

    [Fact]
    public void Read_SealedNonsense_IsInvalidContent()
    {
        using Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16, photos: true);
        using var metadata = new GrowingBuffer<byte>();
        new WatchlistMetadata(watchlist.Version, [.. watchlist.Identities]).Write(metadata);
        string json = Encoding.UTF8.GetString(metadata.Written);
        byte[] table = MemoryMarshal.AsBytes(watchlist.Templates).ToArray();
        byte[] rows = MemoryMarshal.AsBytes(watchlist.Embeddings).ToArray();
        byte[] photos = watchlist.Photos.ToArray();
        Assert.Null(ReasonOfSealed(watchlist, json, table, rows, photos));
        foreach (string bad in new[]
        {
            "", "null", "[]", "{}", "{\"version\":\"1\"}", "{\"version\":\"1\",\"identities\":null}", "{\"version\":\"1\",\"identities\":[null,null,null]}",
            json + "x", json[..^1], json.Replace("\"id-1\"", "\"id-0\"", StringComparison.Ordinal), json.Replace("\"id-1\"", "\"\"", StringComparison.Ordinal),
            json.Replace("wanted", "WANTED", StringComparison.Ordinal), json.Replace("2024-02-29", "2023-02-29", StringComparison.Ordinal),
            json.Replace("\"id\":", "\"extra\":1,\"id\":", StringComparison.Ordinal), json.Replace("\"version\":\"7\"", "\"version\":\"\"", StringComparison.Ordinal),
            json.Replace("\"version\":\"7\"", "\"version\":\"7\",\"version\":\"8\"", StringComparison.Ordinal),
            json.Replace("\"version\":\"7\"", "\"version\":\"\\ud800\"", StringComparison.Ordinal),
        })
            Assert.Equal(WatchlistFailure.InvalidContent, ReasonOfSealed(watchlist, bad, table, rows, photos));

        var random = new Random(3);
        foreach (int value in new[] { -1, 3, int.MaxValue, int.MinValue })
        {
            foreach (int field in new[] { 0, 8, 12 })
            {
                byte[] bad = [.. table];
                BinaryPrimitives.WriteInt32LittleEndian(bad.AsSpan((20 * random.Next(1, 5)) + field), value);
                Assert.Equal(WatchlistFailure.InvalidContent, ReasonOfSealed(watchlist, json, bad, rows, photos));
            }
        }
        // No cover, one that nobody knows, and one on a person's first template.
        foreach (int cover in new[] { -1, 8, int.MaxValue, 1 })
        {
            byte[] bad = [.. table];
            BinaryPrimitives.WriteInt32LittleEndian(bad.AsSpan(16), cover);
            Assert.Equal(WatchlistFailure.InvalidContent, ReasonOfSealed(watchlist, json, bad, rows, photos));
        }
        byte[] nan = [.. table];
        BinaryPrimitives.WriteSingleLittleEndian(nan.AsSpan(4), float.NaN);
        Assert.Equal(WatchlistFailure.InvalidContent, ReasonOfSealed(watchlist, json, nan, rows, photos));
        byte[] zeros = new byte[rows.Length];
        Assert.Equal(WatchlistFailure.InvalidContent, ReasonOfSealed(watchlist, json, table, zeros, photos));
        Assert.Equal(WatchlistFailure.InvalidContent, ReasonOfSealed(watchlist, json, table, rows, [.. photos, 1]));
        Assert.Equal(WatchlistFailure.InvalidContent, ReasonOfSealed(watchlist, json, table, rows, photos[..^1]));
    }

    [Fact]
    public void Read_TwoThousandMutatedFiles_OnlyTypedRefusals()
    {
        string keyFile = directory["key"];
        WatchlistKey.CreateKeyFile(keyFile);
        using WatchlistKey key = WatchlistKey.FromKeyFile(keyFile);
        using Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16, photos: true);
        WatchlistFile.Write(Target, watchlist, key);
        byte[] good = File.ReadAllBytes(Target);
        var random = new Random(20260101);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bad = Mutate(random, good, random.Next(2) == 0 ? FixedHeader + 20 : good.Length);
            if (i % 2 == 0)
                MendChecksum(bad);
            File.WriteAllBytes(Target, bad);
            try
            {
                WatchlistFile.Read(Target, key).Dispose();
                Assert.Equal(good, bad);
            }
            catch (WatchlistException)
            {
            }
            WatchlistFile.Fuzz(bad);
        }
    }

    [Fact]
    public void Fuzz_MutatedSections_OnlyTypedRefusals()
    {
        var random = new Random(7);
        byte[] json = "{\"version\":\"1\",\"identities\":[{\"id\":\"a\",\"name\":\"b\",\"category\":\"wanted\",\"imageDate\":\"2024-01-01\"}]}"u8.ToArray();
        byte[] good = new byte[4 + json.Length + (2 * 20) + (2 * 2 * 4) + 3];
        good[0] = 1;
        good[1] = 2;
        BinaryPrimitives.WriteUInt16LittleEndian(good.AsSpan(2), (ushort)json.Length);
        json.CopyTo(good, 4);
        int table = 4 + json.Length;
        BinaryPrimitives.WriteInt32LittleEndian(good.AsSpan(table + 12), 3);
        BinaryPrimitives.WriteInt32LittleEndian(good.AsSpan(table + 28), 3);
        BinaryPrimitives.WriteSingleLittleEndian(good.AsSpan(table + 40), 1);
        BinaryPrimitives.WriteSingleLittleEndian(good.AsSpan(table + 48), 1);
        WatchlistFile.Fuzz(good);
        WatchlistFile.Fuzz([]);
        for (int i = 0; i < 20_000; i++)
            WatchlistFile.Fuzz(Mutate(random, good, good.Length));
    }

    [Fact]
    public void Write_ParentIsAFile_FailsTyped()
    {
        File.WriteAllText(directory["file"], "x");
        using Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16);
        using WatchlistKey key = Passphrase("x");
        Assert.Equal(WatchlistFailure.WriteFailed, Reason(() => WatchlistFile.Write(directory["file/list"], watchlist, key)));
        Assert.Equal(WatchlistFailure.WriteFailed, Reason(() => WatchlistFile.Write(directory["none/list"], watchlist, key)));
        Assert.Equal("x", File.ReadAllText(directory["file"]));
    }

    [Fact]
    public void Write_TargetIsADirectory_FailsTypedAndLeavesNoTemporary()
    {
        Directory.CreateDirectory(directory["sub"]);
        using Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16);
        using WatchlistKey key = Passphrase("x");
        Assert.Equal(WatchlistFailure.WriteFailed, Reason(() => WatchlistFile.Write(directory["sub"], watchlist, key)));
    }

    [Fact]
    public void Write_DiskFull_KeepsTheTargetAndLeavesNoTemporary()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs tmpfs.");
        string mount = Directory.CreateDirectory(directory["small"]).FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount), "Mounting a 64 KiB tmpfs is not permitted here.");
        try
        {
            string target = Path.Combine(mount, "list");
            using WatchlistKey key = Passphrase("x");
            using Watchlist small = WatchlistSamples.Build(5, 3, 5, 16);
            using Watchlist large = WatchlistSamples.Build(5, 100, 100, 512);
            WatchlistFile.Write(target, small, key);
            Assert.Equal(WatchlistFailure.DiskFull, Reason(() => WatchlistFile.Write(target, large, key)));
            Assert.Equal([target], Directory.GetFiles(mount));
            using Watchlist read = WatchlistFile.Read(target, key);
            WatchlistSamples.AssertEqual(small, read);
            while (Reason(() => Fill(mount)) is null)
            {
            }
            Assert.Equal(WatchlistFailure.DiskFull, Reason(() => WatchlistKey.CreateKeyFile(Path.Combine(mount, "key"))));
            Assert.False(File.Exists(Path.Combine(mount, "key")));
        }
        finally
        {
            Run("umount", mount);
        }
    }

    [Fact]
    public void CreateKeyFile_Exists_RefusesAndKeepsIt()
    {
        File.WriteAllText(directory["key"], "precious");
        Assert.Equal(WatchlistFailure.WriteFailed, Reason(() => WatchlistKey.CreateKeyFile(directory["key"])));
        Assert.Equal("precious", File.ReadAllText(directory["key"]));
        Assert.Equal(WatchlistFailure.WriteFailed, Reason(() => WatchlistKey.CreateKeyFile(directory["none/key"])));
    }

    [Fact]
    public void FromKeyFile_Unusable_FailsTyped()
    {
        File.WriteAllBytes(directory["short"], new byte[31]);
        File.WriteAllBytes(directory["long"], new byte[4097]);
        foreach (string name in new[] { "short", "long", "none", "." })
            Assert.Equal(WatchlistFailure.UnusableKeyFile, Reason(() => WatchlistKey.FromKeyFile(directory[name])));
    }

    [Fact]
    public void FromPassphrase_EmptyTooLongOrBrokenText_IsMisuse()
    {
        Assert.Throws<ArgumentException>(() => WatchlistKey.FromPassphrase(""));
        Assert.Throws<ArgumentException>(() => WatchlistKey.FromPassphrase(new string('x', 1025)));
        Assert.ThrowsAny<ArgumentException>(() => WatchlistKey.FromPassphrase("\ud800"));
    }

    [Fact]
    public void WriteRead_DisposedKeyOrList_ThrowsAndLeavesNothing()
    {
        WriteSample();
        WatchlistKey key = Passphrase("correct horse");
        Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16);
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => WatchlistFile.Write(directory["other"], watchlist, key));
        Assert.Throws<ObjectDisposedException>(() => WatchlistFile.Read(Target, key));
        watchlist.Dispose();
        using WatchlistKey live = Passphrase("correct horse");
        Assert.Throws<ObjectDisposedException>(() => WatchlistFile.Write(directory["other"], watchlist, live));
        Assert.False(File.Exists(directory["other"]));
    }

    [Fact]
    public void Builder_RefusedOrAbandoned_ReturnsEverything()
    {
        long before = BufferPool.OutstandingBlocks;
        using (var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, 2))
        {
            builder.AddIdentity(new WatchlistIdentity("a", "n", WatchlistCategory.Wanted));
            for (int i = 0; i < 1000; i++)
                builder.AddTemplate(0, [1, 0], 1, new byte[100]);
            builder.AddIdentity(new WatchlistIdentity("b", "n", WatchlistCategory.Wanted));
            Assert.Throws<WatchlistException>(() => builder.Build());
            Assert.Equal(before, BufferPool.OutstandingBlocks);
        }
        using (var builder = new WatchlistBuilder("1", "e", WatchlistSamples.Sha256, 2))
            Assert.Equal(before + 3, BufferPool.OutstandingBlocks);
        Assert.Equal(before, BufferPool.OutstandingBlocks);
    }

    private static WatchlistKey Passphrase(string text) => WatchlistKey.FromPassphrase(text, FewIterations);

    private void WriteSample()
    {
        using Watchlist watchlist = WatchlistSamples.Build(5, 3, 5, 16, photos: true);
        using WatchlistKey key = Passphrase("correct horse");
        WatchlistFile.Write(Target, watchlist, key);
    }

    private WatchlistFailure ReasonOfReading(byte[] bytes)
    {
        File.WriteAllBytes(Target, bytes);
        using WatchlistKey key = Passphrase("correct horse");
        return Assert.Throws<WatchlistException>(() => WatchlistFile.Read(Target, key)).Reason;
    }

    private WatchlistFailure? ReasonOfSealed(Watchlist watchlist, string json, byte[] table, byte[] rows, byte[] photos)
    {
        using WatchlistKey key = Passphrase("x");
        WatchlistFile.Write(Target, watchlist.Origin, watchlist.Identities.Count, Encoding.UTF8.GetBytes(json), table, rows, photos, key);
        return Reason(() => WatchlistFile.Read(Target, key).Dispose());
    }

    private static WatchlistFailure? Reason(Action act)
    {
        try
        {
            act();
            return null;
        }
        catch (WatchlistException error)
        {
            return error.Reason;
        }
    }

    private static void Fill(string directory)
    {
        try
        {
            File.WriteAllBytes(Path.Combine(directory, Guid.NewGuid().ToString()), new byte[4096]);
        }
        catch (IOException error)
        {
            throw new WatchlistException(WatchlistFailure.DiskFull, error.Message, error);
        }
    }

    private static byte[] Mutate(Random random, byte[] good, int within)
    {
        byte[] bad = [.. good];
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int at = random.Next(within);
            switch (random.Next(5))
            {
                case 0:
                    bad[at % bad.Length] = (byte)random.Next(256);
                    break;
                case 1:
                    bad[at % bad.Length] ^= (byte)(1 << random.Next(8));
                    break;
                case 2 when bad.Length > at + 4:
                    BinaryPrimitives.WriteInt32LittleEndian(bad.AsSpan(at), random.Next(4) switch { 0 => -1, 1 => int.MaxValue, 2 => 0, _ => random.Next(70_000) });
                    break;
                case 3 when random.Next(8) == 0:
                    bad = bad[..Math.Max(1, bad.Length - random.Next(100))];
                    break;
                case 4 when random.Next(8) == 0:
                    bad = [.. bad, .. bad[..random.Next(bad.Length)]];
                    break;
                default:
                    break;
            }
        }
        return bad;
    }

    private static void MendChecksum(byte[] bytes)
    {
        if (bytes.Length >= 32)
            SHA256.HashData(bytes.AsSpan(0, bytes.Length - 32), bytes.AsSpan(bytes.Length - 32));
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
