using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Native.Tests.Forensics;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.Extensions.Logging.Abstractions;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary><c>lfr watchlist re-enrol</c>: another embedder, the same people, from the face pictures sealed in the list.</summary>
[Trait("Speed", "slow")]
public sealed class WatchlistReenrolTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Old => folder["old.lfr"];

    private string New => folder["new.lfr"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Reenrol_EmbedderWithTheSameNumbers_MakesTheSameListAgain()
    {
        await EnrolAsync();
        byte[] before = await File.ReadAllBytesAsync(Old, TestContext.Current.CancellationToken);
        string twin = Twin();
        (await Lfr.RunAsync("run", "--watchlist", Old, "--key-file", material.KeyFile, "--camera", "gate=no-such-clip.mp4", "--embedder", twin)).Exits(ExitCode.Input).IsCivil().Says("lfr watchlist re-enrol FILE -o NEW");

        Outcome outcome = (await ReenrolAsync(twin)).Exits(ExitCode.Success).IsCivil();

        Assert.Contains("Training data unknown (twin)", outcome.Error, StringComparison.Ordinal);
        JsonNode report = outcome.Json;
        Assert.Equal(("mobilefacenet-512", "twin", 2, 3), ((string?)report["oldEmbedder"], (string?)report["embedder"], (int)report["identities"]!, (int)report["templates"]!));
        JsonNode woman = Assert.Single(report["people"]!.AsArray())!;
        Assert.Equal(((string?)"woman", 2, 1), ((string?)woman["id"], (int)woman["photos"]!, (int)woman["pairs"]!));
        Assert.InRange((double)woman["newMean"]!, (double)woman["oldMean"]! - 0.1, 1);
        using WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile);
        using Watchlist old = WatchlistFile.Read(Old, key), list = WatchlistFile.Read(New, key, PackageCache.HashOf(folder["twin.onnx"]));
        Assert.Equal((old.Id, old.Version, old.CreatedUtc), (list.Id, list.Version, list.CreatedUtc));
        Assert.Equal(old.Identities, list.Identities);
        Assert.Equal((old.TemplateCount, old.PhotoCount), (list.TemplateCount, list.PhotoCount));
        for (int i = 0; i < old.TemplateCount; i++)
        {
            Assert.Equal(old.Cover(i), list.Cover(i));
            Assert.True(old.Photo(i).SequenceEqual(list.Photo(i)));
            Assert.Equal(old.Quality(i), list.Quality(i));
            // Not the photo but the picture that was cut out of it and re-encoded.
            if (list.Cover(i) == FaceCover.None)
                Assert.InRange(TensorPrimitives.Dot(old.Embedding(i), list.Embedding(i)), 0.9f, 0.99999f);
        }
        Assert.Equal(before, await File.ReadAllBytesAsync(Old, TestContext.Current.CancellationToken));
        Assert.Equal(["new.lfr", "old.lfr"], Directory.GetFiles(folder.Path, "*.lfr*").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        JsonObject summary = (await Lfr.RunAsync("run", "--watchlist", New, "--key-file", material.KeyFile, "--camera", $"gate={material.ShortClip}", "--embedder", twin, "--json")).Exits(ExitCode.Success).Lines.Summary();
        Assert.Equal(1, (int)summary["alerts"]!);
    }

    [Fact]
    public async Task Reenrol_RealOtherEmbedder_ComparesOldAndNewAndFindsTheWoman()
    {
        string embedder = BroughtModel.Embedder128(folder);
        await EnrolAsync();

        (await ReenrolAsync(embedder, "--dry-run")).Exits(ExitCode.Success).IsCivil();
        Assert.False(File.Exists(New));
        Outcome outcome = (await Lfr.RunAsync("watchlist", "re-enrol", Old, "-o", New, "--key-file", material.KeyFile, "--embedder", embedder)).Exits(ExitCode.Success).IsCivil();

        outcome.Says("mobilefacenet-512 -> brought-128: 3 faces of 2 people", "Old lowest", "woman", "Pairs of photos of one person below the threshold: old 0 (at ", "The old list");
        using WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile);
        using Watchlist list = WatchlistFile.Read(New, key);
        Assert.Equal(("brought-128", 128, 3), (list.EmbedderId, list.EmbeddingLength, list.PhotoCount));
        int[] photos = [.. Enumerable.Range(0, list.TemplateCount).Where(i => list.Cover(i) == FaceCover.None)];
        int[] woman = [.. photos.Where(i => list.Identities[list.IdentityIndex(i)].Id == "woman")], man = [.. photos.Except(woman)];
        Assert.True(TensorPrimitives.Dot(list.Embedding(woman[0]), list.Embedding(woman[1])) > TensorPrimitives.Dot(list.Embedding(woman[0]), list.Embedding(man[0])) + 0.2f);
    }

    [Fact]
    public async Task Reenrol_KilledInTheMiddle_ResumesWhereItStopped()
    {
        byte[] face = await FaceOfAsync();
        const int People = 20;
        using (WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile))
        {
            using var builder = new WatchlistBuilder("1", "old", new string('a', 64), 2);
            for (int i = 0; i < People; i++)
                builder.AddTemplate(builder.AddIdentity(new WatchlistIdentity($"p{i}", $"Person {i}", WatchlistCategory.Wanted)), [1, 0], 1, face);
            using Watchlist old = builder.Build();
            WatchlistFile.Write(Old, old, key);
        }
        string twin = Twin(), partial = New + ".partial";
        using (Lfr killed = Lfr.Start(null, [], Arguments(twin)))
        {
            using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
            while (!File.Exists(partial))
                await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            // What decodes pictures is the child, not this program.
            Assert.DoesNotContain("libavcodec", await File.ReadAllTextAsync($"/proc/{killed.Id}/maps", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        Assert.False(File.Exists(New));
        Assert.Equal(-1, (await File.ReadAllBytesAsync(partial, TestContext.Current.CancellationToken)).AsSpan().IndexOf(face.AsSpan(0, 64)));

        JsonNode report = (await ReenrolAsync(twin)).Exits(ExitCode.Success).IsCivil().Json;

        Assert.Equal((People, People), ((int)report["identities"]!, (int)report["templates"]!));
        Assert.InRange((int)report["facesKept"]!, 1, People - 1);
        Assert.False(File.Exists(partial));
    }

    [Fact]
    public async Task Reenrol_PicturesThatCannotBeUsed_AreNamedAndTheRestIsWritten()
    {
        byte[] face = await FaceOfAsync(), nobody = await File.ReadAllBytesAsync(material.EmptyPhoto, TestContext.Current.CancellationToken);
        using (WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile))
        {
            using var builder = new WatchlistBuilder("1", "old", new string('a', 64), 2);
            foreach ((string id, byte[][] pictures) in (IEnumerable<(string, byte[][])>)[("no-picture", [[]]), ("nobody", [nobody]), ("damaged", [face[..200]]), ("whole", [face, nobody])])
            {
                int identity = builder.AddIdentity(new WatchlistIdentity(id, id, WatchlistCategory.Wanted));
                foreach (byte[] picture in pictures)
                    builder.AddTemplate(identity, [1, 0], 1, picture);
            }
            using Watchlist old = builder.Build();
            WatchlistFile.Write(Old, old, key);
        }

        JsonNode report = (await ReenrolAsync(Twin())).Exits(ExitCode.Incomplete).IsCivil().Json;

        Assert.Equal(["no-picture", "nobody", "damaged"], report["notEnrolled"]!.AsArray().Select(i => (string?)i));
        Assert.Equal(["the list has no picture of this face", "no face found in the stored picture", "the stored picture cannot be decoded", "no face found in the stored picture"],
            report["lost"]!.AsArray().Select(l => (string?)l!["reason"]));
        Assert.Equal((1, 1), ((int)report["identities"]!, (int)report["templates"]!));
    }

    [Fact]
    public async Task Reenrol_WhatWouldCostTheOldListOrSomebodysFile_IsRefusedFirst()
    {
        await EnrolAsync();
        string twin = Twin(), notes = folder["notes.txt"], link = folder["link.lfr"], key = folder["other.key"];
        await File.WriteAllTextAsync(notes, "Not a watchlist, and longer than its header would have to be at least.", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(link, Old);
        WatchlistKey.CreateKeyFile(key);
        File.Copy(Old, folder["again.partial"]);

        (await ReenrolAsync(twin, "-o", Old)).Exits(ExitCode.Usage).IsCivil().Says("Give the new list another name");
        (await ReenrolAsync(twin, "-o", link)).Exits(ExitCode.Usage).IsCivil();
        (await Lfr.RunAsync("watchlist", "re-enrol", folder["again.partial"], "-o", folder["again"], "--key-file", material.KeyFile, "--embedder", twin)).Exits(ExitCode.Usage).IsCivil();
        (await ReenrolAsync(twin, "-o", notes)).Exits(ExitCode.Input).IsCivil().Says(notes);
        (await ReenrolAsync("mobilefacenet-512")).Exits(ExitCode.Usage).IsCivil().Says("already", "--embedder");
        (await ReenrolAsync(twin, "--key-file", key)).Exits(ExitCode.Input).IsCivil().Says("does not open the file");
        (await ReenrolAsync(twin, "--threshold", "2")).Exits(ExitCode.Usage).IsCivil();
        Assert.False(File.Exists(New));
        Assert.StartsWith("Not a watchlist", await File.ReadAllTextAsync(notes, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SealedFaces_WhenAllAreDone_NothingOfThemIsInTheMemoryOfTheProcessThatDecodesThem()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Reads /proc, which only Linux has.");
        byte[] face = await FaceOfAsync();
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance, sealedFaces: true);
        using HostBuffer<byte> picture = BufferPool.Rent<byte>(face.Length);
        face.CopyTo(picture.Span);
        var needles = new NeedleSet();
        needles.Add("file", face);
        using (MediaFrame frame = MediaReader.ReadPicture(face))
        {
            for (int plane = 0; plane < frame.Info.PlaneCount; plane++)
            {
                for (int row = 0; row < frame.Info.RowCount(plane); row += 4)
                    needles.Add("frame", frame.Row(plane, row));
            }
        }

        using (VettedPhoto vetted = await vetter.VetAsync(picture, null, TestContext.Current.CancellationToken))
        {
            Assert.Equal(PhotoVerdict.Accepted, vetted.Verdict);
            needles.Add("embedding", MemoryMarshal.AsBytes(vetted.Template), step: 8);
        }

        Assert.True(needles.Count > 500, $"{needles.Count} needles");
        MemoryScan scan = MemoryScanner.Scan(vetter.ChildId!.Value, needles);
        Assert.True(scan.BytesRead > 10 << 20, scan.ToString());
        Assert.True(scan.Hits == 0, scan.ToString());
    }

    private string[] Arguments(string embedder, params string[] more)
    {
        string[] output = more.Contains("-o") ? [] : ["-o", New], key = more.Contains("--key-file") ? [] : ["--key-file", material.KeyFile];
        return ["watchlist", "re-enrol", Old, .. output, .. key, "--embedder", embedder, "--json", .. more];
    }

    private Task<Outcome> ReenrolAsync(string embedder, params string[] more) => Lfr.RunAsync(Arguments(embedder, more));

    // The woman with two photos, a man with one.
    private async Task EnrolAsync()
    {
        Directory.CreateDirectory(folder["people/woman"]);
        Directory.CreateDirectory(folder["people/man"]);
        File.Copy(material.Photo, folder["people/woman/1.jpg"]);
        Ffmpeg.Run("-i", material.Photo, "-vf", "scale=iw*3/4:-2", "-q:v", "3", folder["people/woman/2.jpg"]);
        File.Copy(material.OtherPhoto, folder["people/man/1.jpg"]);
        (await Lfr.RunAsync("enrol", folder["people"], "-o", Old, "--key-file", material.KeyFile)).Exits(ExitCode.Success).Says("2 people with 3 photos");
    }

    private async Task<byte[]> FaceOfAsync()
    {
        await EnrolAsync();
        using WatchlistKey key = WatchlistKey.FromKeyFile(material.KeyFile);
        using Watchlist list = WatchlistFile.Read(Old, key);
        return list.Photo(0).ToArray();
    }

    // The default embedder with a line of documentation more: the same numbers under another hash.
    private string Twin()
    {
        ModelCatalog catalog = ModelCatalog.Default;
        string file = folder["twin.onnx"];
        byte[] note = "A twin."u8.ToArray();
        File.WriteAllBytes(file, [.. File.ReadAllBytes(catalog.FileOf(catalog.Manifests().Single(m => m.Id == "mobilefacenet-512"))), 0x32, (byte)note.Length, .. note]);
        return BroughtModel.Write(folder, "twin", "embed", "embedder", file, "bgr", 3, ["output"], 512);
    }
}
