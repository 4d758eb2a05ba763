using System.Globalization;
using System.Text;
using LfrEngine.Memory;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using LfrEngine.Web.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Watchlists;

/// <summary>Watchlists from the first person to the receipt, on the real store, with the real child.</summary>
[Trait("Speed", "slow")]
public sealed class WatchlistServiceTests
{
    private const string Name = "Wilhelmina Zanzibar-Quist";

    private static readonly Actor Manager = new("4d9f5a3c-6a57-4a31-9f0e-0d0f6b3f9a11", "mona");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Policy_EveryRefusal_NamesWhatToDo()
    {
        await using RunningHost host = await RunningHost.StartAsync((c, _) => c with
        {
            Watchlist = new() { ["suspect"] = new CategoryPolicy { MaximumPeople = 1, MaximumImageAgeDays = 100, ReviewDays = 10 } },
        });
        WatchlistService watchlists = host.Services.GetRequiredService<WatchlistService>();
        DateOnly today = watchlists.Today;
        Guid list = await watchlists.CreateAsync(Manager, "Saturday", Token);
        await RefusedAsync("name of a watchlist", () => watchlists.CreateAsync(Manager, " ", Token));
        await RefusedAsync("reviewed on", () => Add(today.AddDays(-11)));
        await RefusedAsync("in the future", () => Add(today.AddDays(1)));
        await RefusedAsync("Enter the legal basis", () => watchlists.AddPersonAsync(Manager, list, WatchlistCategory.Suspect, Details() with { LegalBasis = "" }, today, false, Token));
        Guid person = await Add(today.AddDays(-10));
        await RefusedAsync("the policy allows 1", () => Add(today));
        await RefusedAsync("Enter the day on which the image was taken", () => Photo(null));
        await RefusedAsync("101 days ago", () => Photo(today.AddDays(-101)));
        await RefusedAsync("in the future", () => Photo(today.AddDays(1)));
        await RefusedAsync("No usable photo", () => watchlists.BuildAsync(Manager, list, Token));
        PersonDetails grouped = Details() with { Groups = new Dictionary<string, string> { ["sex"] = "female" }, Consent = new GroupConsent(today, "somebody else") };
        await RefusedAsync("role-players only", () => watchlists.AddPersonAsync(Manager, list, WatchlistCategory.Wanted, grouped, today, false, Token));
        await RefusedAsync("consented", () => watchlists.AddPersonAsync(Manager, list, WatchlistCategory.Wanted, grouped with { Consent = null }, today, true, Token));
        await RefusedAsync("in the future", () => watchlists.AddPersonAsync(Manager, list, WatchlistCategory.Wanted, grouped with { Consent = new GroupConsent(today.AddDays(1)) }, today, true, Token));
        Guid player = await watchlists.AddPersonAsync(Manager, list, WatchlistCategory.Wanted, grouped, today, true, Token);
        await RefusedAsync("skin_tone is one of", () => watchlists.ChangeGroupsAsync(Manager, player, new Dictionary<string, string> { ["skin_tone"] = "5" }, today, Token));
        await RefusedAsync("role-players only", () => watchlists.ChangeGroupsAsync(Manager, person, new Dictionary<string, string> { ["sex"] = "male" }, today, Token));
        await watchlists.ChangeGroupsAsync(Manager, player, new Dictionary<string, string> { ["skin_tone"] = "monk 5", ["glasses"] = "yes" }, today, Token);
        PersonDetails kept = (await watchlists.ViewAsync(Manager, list, null, 0, 10, Token)).People.Single(p => p.Id == player).Details;
        Assert.Equal(("monk 5", "yes", new GroupConsent(today, "mona")), (kept.Groups!["skin_tone"], kept.Groups["glasses"], kept.Consent));
        Guid empty = await watchlists.CreateAsync(Manager, "Empty", Token);
        await RefusedAsync("is empty", () => watchlists.BuildAsync(Manager, empty, Token));
        await Assert.ThrowsAsync<KeyNotFoundException>(() => watchlists.BuildAsync(Manager, Guid.NewGuid(), Token));

        Task<Guid> Add(DateOnly reviewed) => watchlists.AddPersonAsync(Manager, list, WatchlistCategory.Suspect, Details(), reviewed, false, Token);
        Task<PhotoVetting> Photo(DateOnly? taken) => watchlists.AddPhotoAsync(Manager, person, Stream.Null, taken, stopping: Token);
    }

    [Fact]
    public async Task Build_PolicyChangedMeanwhile_IsCheckedAgain()
    {
        var clock = new TestClock();
        await using RunningHost host = await RunningHost.StartAsync((c, _) => c with { Watchlist = new() { ["wanted"] = new CategoryPolicy { ReviewDays = 10 } } }, clock);
        WatchlistService watchlists = host.Services.GetRequiredService<WatchlistService>();
        (Guid list, Guid person) = await ComposeAsync(watchlists, (await SamplePhotos.GetAsync()).Woman);
        clock.Advance(TimeSpan.FromDays(11));

        await RefusedAsync("Review it again", () => watchlists.BuildAsync(Manager, list, Token));
        await watchlists.ReviewAsync(Manager, person, watchlists.Today, Token);
        await watchlists.BuildAsync(Manager, list, Token);

        Assert.Equal(WatchlistState.Built, (await RecordAsync(host, list)).State);
    }

    [Fact]
    public async Task Build_ThenOpen_HoldsTheTemplatesAndPicturesThatWereVetted()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        WatchlistService watchlists = host.Services.GetRequiredService<WatchlistService>();
        SampleSet photos = await SamplePhotos.GetAsync();
        (Guid list, Guid person) = await ComposeAsync(watchlists, photos.Woman, photos.Nobody);
        await watchlists.BuildAsync(Manager, list, Token);

        using Watchlist opened = watchlists.Open(await RecordAsync(host, list));
        using VettedPhoto vetted = await VetAsync(host, photos.Woman);
        Assert.Equal(list, opened.Id);
        WatchlistIdentity identity = Assert.Single(opened.Identities);
        Assert.Equal($"{person:N}", identity.Id);
        Assert.Equal(Name, identity.Name);
        Assert.Equal(1, opened.PhotoCount);
        Assert.True(opened.Embedding(0).SequenceEqual(vetted.Template));
        Assert.True(opened.Photo(0).SequenceEqual(vetted.Chip));
        // Nothing changes any more.
        await RefusedAsync("is built", () => watchlists.AddPersonAsync(Manager, list, WatchlistCategory.Wanted, Details(), watchlists.Today, false, Token));
        await RefusedAsync("is built", () => watchlists.RemovePersonAsync(Manager, person, Token));
        await RefusedAsync("is built", () => watchlists.BuildAsync(Manager, list, Token));
        string[] actions = await ActionsAsync(host, list);
        Assert.Equal(["watchlist.created", "watchlist.person-added", "watchlist.photo-added", "watchlist.photo-added", "watchlist.built"], actions);

        // A copy can be changed, and does not need the key of the list that it was made from.
        await RefusedAsync("is built", () => watchlists.EditAsync(Manager, list, "Other", "", Token));
        Guid copy = await watchlists.CopyAsync(Manager, list, "Sunday", Token);
        await watchlists.EditAsync(Manager, copy, "Sunday market", "Ask the family first.", Token);
        await RefusedAsync("remarks", () => watchlists.EditAsync(Manager, copy, "Sunday", "hidden \u202E", Token));
        await watchlists.DestroyAsync(Manager, list, "over", Token);
        await RefusedAsync("destroyed", () => watchlists.CopyAsync(Manager, list, "Again", Token));
        WatchlistRecord record = await RecordAsync(host, copy);
        Assert.Equal(("Sunday market", "Ask the family first."), (record.Name, watchlists.RemarksOf(record)));
        Assert.Equal(-1, record.SealedRemarks.AsSpan().IndexOf("family"u8));
        PeopleFound people = await watchlists.ViewAsync(Manager, copy, "zanzibar", 0, 10, Token);
        Assert.Equal((1, Name), (people.Total, Assert.Single(people.People).Details.Name));
        Assert.Equal(0, (await watchlists.ViewAsync(Manager, copy, "Vanderbilt", 0, 10, Token)).Total);
        Assert.Equal(new ListCount(1, 1), (await watchlists.CountsAsync(Token))[copy]);
        await watchlists.BuildAsync(Manager, copy, Token);
        using Watchlist second = watchlists.Open(await RecordAsync(host, copy));
        Assert.True(second.Embedding(0).SequenceEqual(vetted.Template));
        Assert.True(second.Photo(0).SequenceEqual(vetted.Chip));
        Assert.Equal(["watchlist.copied", "watchlist.edited", "watchlist.person-viewed", "watchlist.built"], await ActionsAsync(host, copy));
    }

    [Fact]
    public async Task Reenrol_PhotosOfAnotherModel_AreEmbeddedAgainFromTheirSealedPictures()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        WatchlistService watchlists = host.Services.GetRequiredService<WatchlistService>();
        string woman = (await SamplePhotos.GetAsync()).Woman;
        (Guid list, _) = await ComposeAsync(watchlists, woman);
        await using (LfrStore store = host.Store())
        {
            PhotoRecord photo = await store.Photos.SingleAsync(Token);
            photo.EmbedderSha256 = new string('a', 64);
            await store.SaveChangesAsync(Token);
        }
        await RefusedAsync("with another model", () => watchlists.BuildAsync(Manager, list, Token));

        await host.Services.GetRequiredService<WatchlistReenrolment>().RunAsync(Token);
        await host.Services.GetRequiredService<WatchlistReenrolment>().RunAsync(Token);

        await watchlists.BuildAsync(Manager, list, Token);
        using Watchlist opened = watchlists.Open(await RecordAsync(host, list));
        using VettedPhoto vetted = await VetAsync(host, woman);
        Assert.True(opened.Photo(0).SequenceEqual(vetted.Chip));
        // From the picture that was kept, not from the photo.
        Assert.InRange(System.Numerics.Tensors.TensorPrimitives.Dot(opened.Embedding(0), vetted.Template), 0.9f, 0.99999f);
        Assert.Equal(["watchlist.created", "watchlist.person-added", "watchlist.photo-added", "watchlist.person-re-enrolled", "watchlist.built"], await ActionsAsync(host, list));
    }

    [Fact]
    public async Task Open_FileAltered_IsRefused()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        WatchlistService watchlists = host.Services.GetRequiredService<WatchlistService>();
        (Guid list, _) = await ComposeAsync(watchlists, (await SamplePhotos.GetAsync()).Woman);
        await watchlists.BuildAsync(Manager, list, Token);
        string file = host.Installation.DataPath("watchlists", $"{list:N}.lfr");
        byte[] bytes = await File.ReadAllBytesAsync(file, Token);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Token);

        WatchlistRecord record = await RecordAsync(host, list);
        WatchlistRefusedException refused = Assert.Throws<WatchlistRefusedException>(() => watchlists.Open(record));

        Assert.Contains("altered", refused.Message, StringComparison.Ordinal);
        // Even if the attacker could write the hash into the store.
        record.FileSha256 = LfrEngine.Models.PackageCache.HashOf(file);
        Assert.Throws<WatchlistException>(() => watchlists.Open(record));
    }

    [Fact]
    public async Task Similar_SameFaceUnderTwoEntries_IsNamed()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        WatchlistService watchlists = host.Services.GetRequiredService<WatchlistService>();
        SampleSet photos = await SamplePhotos.GetAsync();
        (Guid list, Guid woman) = await ComposeAsync(watchlists, photos.Woman);
        Guid twin = await AddAsync(watchlists, list, photos.WomanAgain);
        Guid man = await AddAsync(watchlists, list, photos.Man);

        Lookalikes pair = Assert.Single(await watchlists.SimilarAsync(list, Token));

        Assert.Equal(new[] { woman, twin }.Order(), new[] { pair.First, pair.Second }.Order());
        Assert.True(pair.Score is >= 0.48f and < 1, pair.Score.ToString(CultureInfo.InvariantCulture));

        // Each then names the other, once, and a copy keeps it; nobody of another list can be marked.
        await watchlists.MarkLookalikesAsync(Manager, list, pair.First, pair.Second, Token);
        await watchlists.MarkLookalikesAsync(Manager, list, pair.Second, pair.First, Token);
        Guid copy = await watchlists.CopyAsync(Manager, list, "Copy", Token);
        foreach (Guid shown in new[] { list, copy })
        {
            PeopleFound people = await watchlists.ViewAsync(Manager, shown, "", 0, 10, Token);
            Assert.Equal([$"{Name} (REF-1), who is on this list too", $"{Name} (REF-1), who is on this list too", null], people.People.Select(p => p.Details.Lookalike));
        }
        await Assert.ThrowsAsync<KeyNotFoundException>(() => watchlists.MarkLookalikesAsync(Manager, copy, woman, man, Token));
    }

    [Fact, Trait("Store", "sqlite")]
    public async Task Destroy_Built_NothingCanBeReadAnywhere()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        WatchlistService watchlists = host.Services.GetRequiredService<WatchlistService>();
        SampleSet photos = await SamplePhotos.GetAsync();
        (Guid list, Guid person) = await ComposeAsync(watchlists, photos.Woman);
        await watchlists.BuildAsync(Manager, list, Token);
        byte[] chip, template, cipher;
        PhotoRecord photo;
        await using (LfrStore store = host.Store())
        {
            photo = await store.Photos.SingleAsync(p => p.PersonId == person, Token);
            using HostBuffer<byte> picture = host.Services.GetRequiredService<SealedPeople>().Photo(list, photo);
            chip = picture.Span[100..164].ToArray();
            using VettedPhoto vetted = await VetAsync(host, photos.Woman);
            template = System.Runtime.InteropServices.MemoryMarshal.AsBytes(vetted.Template)[..64].ToArray();
            cipher = photo.SealedPicture[..64];
        }
        byte[] name = Encoding.UTF8.GetBytes(Name), key = await File.ReadAllBytesAsync(host.Installation.DataPath("keys", $"{list:N}.key"), Token);
        WatchlistRecord before = await RecordAsync(host, list);
        // The search itself works: the sealed picture and the key are there to be found, open text is not.
        Assert.NotEmpty(FilesWith(host, cipher));
        Assert.NotEmpty(FilesWith(host, key));
        Assert.All(new[] { chip, template, name }, bytes => Assert.Empty(FilesWith(host, bytes)));

        await watchlists.DestroyAsync(Manager, list, "the operation is over", Token);

        Assert.All(new[] { chip, template, name, cipher, key }, bytes => Assert.Empty(FilesWith(host, bytes)));
        Assert.Throws<KeyDestroyedException>(() => watchlists.Open(before));
        Assert.Throws<KeyDestroyedException>(() => host.Services.GetRequiredService<SealedPeople>().Photo(list, photo));
        WatchlistRecord after = await RecordAsync(host, list);
        Assert.Equal(WatchlistState.Destroyed, after.State);
        Assert.Empty(Directory.GetFiles(host.Installation.DataPath("watchlists", "x")[..^2]));
        string path = host.Installation.DataPath("receipts", $"watchlist-{list:N}.json");
        DestructionReceipt receipt = DestructionReceipt.Verify(path, SignedDocument.TrustedPem(null));
        Assert.Equal((list, 1, 1, before.FileSha256, "the operation is over"), (receipt.WatchlistId, receipt.People, receipt.Photos, receipt.FileSha256, receipt.Reason));
        Assert.Contains("watchlist.destroyed", await ActionsAsync(host, list));
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Token)).Replace("\"people\":1", "\"people\":2", StringComparison.Ordinal), Token);
        Assert.Throws<CommandFailure>(() => DestructionReceipt.Verify(path, SignedDocument.TrustedPem(null)));
    }

    [Fact]
    public async Task Start_DestructionWasInterrupted_IsFinished()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        WatchlistService watchlists = host.Services.GetRequiredService<WatchlistService>();
        (Guid list, _) = await ComposeAsync(watchlists, (await SamplePhotos.GetAsync()).Woman);
        await watchlists.BuildAsync(Manager, list, Token);
        // As after a power cut behind the first step.
        host.Services.GetRequiredService<KeyVault>().Destroy(list);
        string stray = host.Installation.DataPath("watchlists", ".lfr-stray.tmp");
        await File.WriteAllTextAsync(stray, "half a file", Token);

        await host.RestartAsync();

        Assert.Equal(WatchlistState.Destroyed, (await RecordAsync(host, list)).State);
        Assert.True(File.Exists(host.Installation.DataPath("receipts", $"watchlist-{list:N}.json")));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(stray)!));
        await using LfrStore store = host.Store();
        Assert.Equal(0, await store.People.CountAsync(Token) + await store.Photos.CountAsync(Token));
    }

    private static PersonDetails Details() => new(Name, "REF-1", "PACE 1984 s. 24", "custody image");

    private static async Task RefusedAsync(string part, Func<Task> act) => Assert.Contains(part, (await Assert.ThrowsAsync<WatchlistRefusedException>(act)).Message, StringComparison.Ordinal);

    private static async Task<(Guid List, Guid Person)> ComposeAsync(WatchlistService watchlists, params string[] photos)
    {
        Guid list = await watchlists.CreateAsync(Manager, "Saturday", Token);
        return (list, await AddAsync(watchlists, list, photos));
    }

    private static async Task<Guid> AddAsync(WatchlistService watchlists, Guid list, params string[] photos)
    {
        Guid person = await watchlists.AddPersonAsync(Manager, list, WatchlistCategory.Wanted, Details(), watchlists.Today, false, Token);
        foreach (string photo in photos)
        {
            await using FileStream file = File.OpenRead(photo);
            await watchlists.AddPhotoAsync(Manager, person, file, watchlists.Today.AddDays(-5), stopping: Token);
        }
        return person;
    }

    private static async Task<WatchlistRecord> RecordAsync(RunningHost host, Guid list)
    {
        await using LfrStore store = host.Store();
        return await store.Watchlists.AsNoTracking().SingleAsync(w => w.Id == list, Token);
    }

    private static async Task<string[]> ActionsAsync(RunningHost host, Guid list)
    {
        await using LfrStore store = host.Store();
        string subject = $"watchlist/{list}";
        AuditEntry[] entries = await store.Audit.Where(e => e.Subject == subject).OrderBy(e => e.Sequence).ToArrayAsync(Token);
        Assert.All(entries, e => Assert.DoesNotContain("Zanzibar", e.Details, StringComparison.Ordinal));
        return [.. entries.Select(e => e.Action)];
    }

    private static async Task<VettedPhoto> VetAsync(RunningHost host, string photo)
    {
        await using FileStream file = File.OpenRead(photo);
        using HostBuffer<byte>? bytes = await Upload.ReadAsync(file, WatchlistEnroller.MaximumPhotoBytes, Token);
        return await host.Services.GetRequiredService<PhotoVetter>().VetAsync(bytes!, stopping: Token);
    }

    /// <summary>Files of the data folder that hold the bytes: the database, its log and all others.</summary>
    private static string[] FilesWith(RunningHost host, byte[] bytes) => [.. Directory.EnumerateFiles(host.Installation.DataFolder, "*", SearchOption.AllDirectories).Where(f =>
    {
        using var file = new FileStream(f, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        file.CopyTo(copy);
        return copy.GetBuffer().AsSpan(0, (int)copy.Length).IndexOf(bytes) >= 0;
    })];

    private sealed class TestClock : TimeProvider
    {
        private TimeSpan ahead;

        public void Advance(TimeSpan by) => ahead += by;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
    }
}
