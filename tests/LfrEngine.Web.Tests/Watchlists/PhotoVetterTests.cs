using System.Diagnostics;
using System.Text;
using LfrEngine.Memory;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using Microsoft.Extensions.Logging.Abstractions;

namespace LfrEngine.Web.Tests.Watchlists;

/// <summary>The child that decodes uploads.</summary>
[Trait("Speed", "slow")]
public sealed class PhotoVetterTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Vet_GoodPhoto_GivesChipAndTemplateOfTheEngine()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);
        using VettedPhoto vetted = await VetAsync(vetter, await File.ReadAllBytesAsync(photos.Woman, Token));

        using var models = LfrEngine.Pipeline.EngineModels.Load(LfrEngine.Models.ModelCatalog.Default);
        using var enroller = new WatchlistEnroller(models);
        using VettedPhoto here = enroller.Vet(await File.ReadAllBytesAsync(photos.Woman, Token));
        Assert.NotEqual(PhotoVerdict.Rejected, vetted.Verdict);
        Assert.Equal(here.Quality, vetted.Quality);
        Assert.Equal(here.Reasons, vetted.Reasons);
        Assert.True(here.Template.SequenceEqual(vetted.Template));
        Assert.True(here.Chip.SequenceEqual(vetted.Chip));
    }

    /// <summary>The place goes to the child and back come the faces: the woman of the group is the one of the photo that was cut out of it.</summary>
    [Fact]
    public async Task Vet_GroupWithAPlace_TakesTheFaceThere()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        byte[] group = await File.ReadAllBytesAsync(photos.Group, Token);
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);
        using VettedPhoto open = await VetAsync(vetter, group);
        Assert.Equal((1920, 1280), (open.Faces!.Width, open.Faces.Height));
        Assert.Single(open.Faces.Faces, f => f.Contains(new PhotoPoint(1575, 330)));
        using VettedPhoto chosen = await VetAsync(vetter, group, new PhotoPoint(1575, 330)), alone = await VetAsync(vetter, await File.ReadAllBytesAsync(photos.WomanAgain, Token));
        Assert.Null(chosen.Faces);
        Assert.True(System.Numerics.Tensors.TensorPrimitives.Dot(chosen.Template, alone.Template) > 0.9f);
    }

    [Fact]
    public async Task Vet_WhatIsNoPhoto_IsRefusedByWordAndTheChildLives()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        byte[] good = await File.ReadAllBytesAsync(photos.Woman, Token);
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);
        (string Name, byte[] Bytes, string Reason)[] uploads =
        [
            ("nobody", await File.ReadAllBytesAsync(photos.Nobody, Token), "no face found: use"),
            ("group", await File.ReadAllBytesAsync(photos.Group, Token), "crop the photo to one person"),
            ("text", "This is not a picture."u8.ToArray(), "not a picture"),
            ("page", "<html><script>alert(1)</script></html>"u8.ToArray(), "not a picture"),
            ("play list", "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"u8.ToArray(), "not a picture"),
            ("film", await File.ReadAllBytesAsync(photos.Film, Token), "not a picture"),
            ("a play list behind a JPEG's first bytes", [0xFF, 0xD8, 0xFF, .. "\n#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"u8], ""),
            ("only the first bytes", [0xFF, 0xD8, 0xFF], ""),
            ("cut at its header", good[..200], ""),
            ("empty", [], "the file is empty"),
            ("noise", [0xFF, 0xD8, 0xFF, .. Noise(100_000)], ""),
        ];
        int? child = null;
        foreach ((string name, byte[] bytes, string reason) in uploads)
        {
            using VettedPhoto vetted = await VetAsync(vetter, bytes);
            Assert.True(vetted.Verdict == PhotoVerdict.Rejected, name);
            Assert.NotEmpty(vetted.Reasons);
            Assert.Contains(reason, string.Join("; ", vetted.Reasons), StringComparison.Ordinal);
            Assert.True(vetted.Chip.IsEmpty && vetted.Template.IsEmpty, name);
            child ??= vetter.ChildId;
            Assert.True(child == vetter.ChildId, $"{name} killed the child");
        }
        using VettedPhoto after = await VetAsync(vetter, good);
        Assert.NotEqual(PhotoVerdict.Rejected, after.Verdict);
    }

    [Fact]
    public async Task Vet_PictureOfManyPixels_IsRefusedOrJudgedAndTheNextIsJudged()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);

        using VettedPhoto huge = await VetAsync(vetter, await File.ReadAllBytesAsync(photos.Huge, Token));
        using VettedPhoto next = await VetAsync(vetter, await File.ReadAllBytesAsync(photos.Woman, Token));

        Assert.Equal(PhotoVerdict.Rejected, huge.Verdict);
        Assert.NotEqual(PhotoVerdict.Rejected, next.Verdict);
    }

    [Fact]
    public async Task Vet_PhotoWithMoreBehindIt_KeepsNothingOfIt()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        byte[] load = Encoding.ASCII.GetBytes("<script>alert('polyglot')</script>PK\x03\x04");
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);

        using VettedPhoto vetted = await VetAsync(vetter, [.. await File.ReadAllBytesAsync(photos.Woman, Token), .. load]);

        Assert.NotEqual(PhotoVerdict.Rejected, vetted.Verdict);
        Assert.Equal(-1, vetted.Chip.IndexOf("script"u8));
        Assert.Equal(-1, vetted.Chip.IndexOf(load));
    }

    [Fact]
    public async Task Vet_ChildHangs_IsRefusedAndTheNextIsJudgedByAnother()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        byte[] good = await File.ReadAllBytesAsync(photos.Woman, Token);
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);
        (await VetAsync(vetter, good)).Dispose();
        int first = vetter.ChildId!.Value;
        Signal(first, "STOP");
        vetter.Patience = TimeSpan.FromMilliseconds(300);

        using VettedPhoto hung = await VetAsync(vetter, good);
        vetter.Patience = TimeSpan.FromSeconds(60);
        using VettedPhoto next = await VetAsync(vetter, good);

        Assert.Contains("took longer than", Assert.Single(hung.Reasons), StringComparison.Ordinal);
        Assert.NotEqual(PhotoVerdict.Rejected, next.Verdict);
        Assert.NotEqual(first, vetter.ChildId);
    }

    [Fact]
    public async Task Vet_ChildDiesInTheMiddle_IsRefusedAndTheNextIsJudgedByAnother()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        byte[] good = await File.ReadAllBytesAsync(photos.Woman, Token);
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);
        (await VetAsync(vetter, good)).Dispose();
        int first = vetter.ChildId!.Value;
        // Stopped first, so that the photo is certainly under way when it dies.
        Signal(first, "STOP");
        Task<VettedPhoto> asked = VetAsync(vetter, good);
        Assert.False(asked.IsCompleted);
        Signal(first, "KILL");

        using VettedPhoto died = await asked;
        using VettedPhoto next = await VetAsync(vetter, good);

        Assert.Equal(PhotoVerdict.Rejected, died.Verdict);
        Assert.Contains("crashed the decoder", Assert.Single(died.Reasons), StringComparison.Ordinal);
        Assert.NotEqual(PhotoVerdict.Rejected, next.Verdict);
    }

    [Fact]
    public async Task Child_OnceReady_IsShutIn()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);
        (await VetAsync(vetter, await File.ReadAllBytesAsync(photos.Nobody, Token))).Dispose();

        string[] tasks = Directory.GetDirectories($"/proc/{vetter.ChildId}/task");
        Assert.True(tasks.Length > 1);
        foreach (string task in tasks)
        {
            string status = await File.ReadAllTextAsync(Path.Combine(task, "status"), Token);
            Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
            Assert.Contains("Seccomp:\t2", status, StringComparison.Ordinal);
        }
        string limits = await File.ReadAllTextAsync($"/proc/{vetter.ChildId}/limits", Token);
        Assert.Matches(@"Max file size\s+0\s+0", limits);
        Assert.Matches(@"Max core file size\s+0\s+0", limits);
        Assert.DoesNotMatch(@"Max address space\s+unlimited", limits);
    }

    internal static async Task<VettedPhoto> VetAsync(PhotoVetter vetter, byte[] bytes, PhotoPoint? face = null)
    {
        using HostBuffer<byte> photo = BufferPool.Rent<byte>(bytes.Length);
        bytes.CopyTo(photo.Span);
        return await vetter.VetAsync(photo, face, Token);
    }

    private static byte[] Noise(int bytes)
    {
        var made = new byte[bytes];
        new Random(7).NextBytes(made);
        return made;
    }

    private static void Signal(int process, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{process}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}

/// <summary>What is left rented; alone, as the count is the process's.</summary>
[Collection(nameof(PhotoVetterMemoryTests))]
[CollectionDefinition(nameof(PhotoVetterMemoryTests), DisableParallelization = true)]
[Trait("Speed", "slow")]
public sealed class PhotoVetterMemoryTests
{
    [Fact]
    public async Task Vet_AllDone_NothingIsRented()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        long before = BufferPool.OutstandingBlocks;
        using var vetter = new PhotoVetter(NullLogger<PhotoVetter>.Instance);
        foreach (string photo in new[] { photos.Woman, photos.Nobody, photos.Film })
            (await PhotoVetterTests.VetAsync(vetter, await File.ReadAllBytesAsync(photo, TestContext.Current.CancellationToken))).Dispose();

        Assert.Equal(before, BufferPool.OutstandingBlocks);
    }
}
