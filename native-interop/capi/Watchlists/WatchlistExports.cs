using System.Text;
using System.Text.Unicode;
using LfrEngine.CApi.Engine;
using LfrEngine.CApi.Interop;
using LfrEngine.Files;
using LfrEngine.Watchlists;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.CApi.Watchlists;

/// <summary>The functions of lfr_engine.h under "Watchlists"; see there for the contract of each.</summary>
internal static unsafe class WatchlistExports
{
    private enum KeyKind
    {
        Passphrase = 1,
        Bytes = 2,
        File = 3,
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_create", CallConvs = [typeof(CallConvCdecl)])]
    public static int CreateBuilder(nint engine, byte* version, nint* builder) => Call.Run(() =>
    {
        Check.Result(builder, "builder");
        using Use<EngineObject> use = Handles.Take<EngineObject>(engine, HandleKind.Engine);
        *builder = EngineExports.Open(new BuilderObject(use.Object, Text.Read(version, "version")));
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_add_person", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddPerson(nint builder, PersonData* person, int* index) => Call.On<BuilderObject>(builder, HandleKind.Builder, target =>
    {
        Check.Sized(person, "person");
        Check.Range(person->Category, 0, WatchlistCategories.Count - 1, "person.category");
        int added = target.AddPerson(new WatchlistIdentity(
            Text.Read(person->Id, "person.id"), Text.Read(person->Name, "person.name"), (WatchlistCategory)person->Category, Text.ReadOrNull(person->Reference, "person.reference")));
        if (index is not null)
            *index = added;
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_remove_person", CallConvs = [typeof(CallConvCdecl)])]
    public static int RemovePerson(nint builder, int index) => Call.On<BuilderObject>(builder, HandleKind.Builder, target => target.RemovePerson(index));

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_add_photo", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddPhoto(nint builder, int index, byte* bytes, long sizeBytes, PhotoResultData* result) => Call.On<BuilderObject>(builder, HandleKind.Builder, target =>
    {
        Check.Given(bytes, "bytes");
        Check.Range(sizeBytes, 1, WatchlistEnroller.MaximumPhotoBytes, "size_bytes");
        return AddPhoto(target, index, new ReadOnlySpan<byte>(bytes, (int)sizeBytes), result);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_add_photo_file", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddPhotoFile(nint builder, int index, byte* path, PhotoResultData* result) => Call.On<BuilderObject>(builder, HandleKind.Builder, target =>
    {
        using HostBuffer<byte> file = ReadFile(Text.ReadPath(path, "path"), out int bytes);
        return AddPhoto(target, index, file.Span[..bytes], result);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_add_template", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddTemplate(nint builder, int index, nint face, float quality) => Call.On<BuilderObject>(builder, HandleKind.Builder, target =>
    {
        using Use<TemplateObject> added = Handles.Take<TemplateObject>(face, HandleKind.Template);
        if (!(quality is >= 0 and <= 1))
            throw Check.Bad($"quality is {quality}, not 0 to 1.");
        if (added.Object.Role != TemplateRole.List)
            throw Check.Bad("face is a probe: make it again with LFR_ROLE_LIST.");
        target.AddTemplate(index, added.Object, quality);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_build", CallConvs = [typeof(CallConvCdecl)])]
    public static int Build(nint builder, nint* watchlist) => Call.Run(() =>
    {
        Check.Result(watchlist, "watchlist");
        using Use<BuilderObject> use = Handles.Take<BuilderObject>(builder, HandleKind.Builder);
        *watchlist = EngineExports.Open(use.Object.Build());
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int DestroyBuilder(nint builder) => EngineExports.DestroyAny(builder, HandleKind.Builder);

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_load", CallConvs = [typeof(CallConvCdecl)])]
    public static int Load(nint engine, byte* path, KeyData* key, nint* watchlist) => Call.Run(() =>
    {
        Check.Result(watchlist, "watchlist");
        using Use<EngineObject> use = Handles.Take<EngineObject>(engine, HandleKind.Engine);
        string file = Text.ReadPath(path, "path");
        using WatchlistKey secret = ReadKey(key);
        string embedder = use.Object.Embedder.Sha256;
        *watchlist = EngineExports.Open(new WatchlistObject(BufferPool.Complete(() => WatchlistFile.Read(file, secret, embedder)), use.Object.Embedder.CoverScales));
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_save", CallConvs = [typeof(CallConvCdecl)])]
    public static int Save(nint watchlist, byte* path, KeyData* key) => Call.On<WatchlistObject>(watchlist, HandleKind.Watchlist, target =>
    {
        string file = Text.ReadPath(path, "path");
        using WatchlistKey secret = ReadKey(key);
        WatchlistFile.Write(file, target.Watchlist, secret);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_get_info", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetInfo(nint watchlist, WatchlistInfoData* info) => Call.On<WatchlistObject>(watchlist, HandleKind.Watchlist, target =>
    {
        Check.Sized(info, "info");
        Watchlist list = target.Watchlist;
        *info = new WatchlistInfoData { StructSize = info->StructSize, People = list.Identities.Count, Templates = list.TemplateCount, Photos = list.PhotoCount };
        Text.Copy(list.Id.ToString(), info->Id, Rooms.WatchlistId);
        Text.Copy(list.Version, info->Version, Rooms.Version);
        Text.Copy(list.EmbedderSha256, info->EmbedderSha256, Rooms.Sha256);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_get_person", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetPerson(nint watchlist, int personIndex, PersonInfoData* info) => Call.On<WatchlistObject>(watchlist, HandleKind.Watchlist, target =>
    {
        Check.Sized(info, "info");
        IReadOnlyList<WatchlistIdentity> people = target.Watchlist.Identities;
        Check.Range(personIndex, 0, people.Count - 1, "person_index");
        WatchlistIdentity person = people[personIndex];
        *info = new PersonInfoData { StructSize = info->StructSize, Category = (int)person.Category };
        Text.Copy(person.Id, info->Id, Rooms.PersonId);
        Text.Copy(person.Name, info->Name, Rooms.PersonName);
        Text.Copy(person.Reference ?? "", info->Reference, Rooms.PersonName);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_get_photo", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetPhoto(nint watchlist, int templateIndex, byte* buffer, long capacity, long* sizeBytes) => Call.On<WatchlistObject>(watchlist, HandleKind.Watchlist, target =>
    {
        Check.Given(sizeBytes, "size_bytes");
        Check.Room(buffer, capacity, "buffer");
        Check.Range(templateIndex, 0, target.Watchlist.TemplateCount - 1, "template_index");
        return Check.CopyOut(target.Watchlist.Photo(templateIndex), buffer, capacity, sizeBytes);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_lookalikes", CallConvs = [typeof(CallConvCdecl)])]
    public static int FindLookalikes(nint watchlist, float threshold, LookalikeData* pairs, int capacity, int* count) => Call.On<WatchlistObject>(watchlist, HandleKind.Watchlist, target =>
    {
        Check.Result(count, "count");
        Check.Room(pairs, capacity, "pairs");
        if (!(threshold is > -1 and <= 1))
            throw Check.Bad($"threshold is {threshold}, not above -1 up to 1.");
        int found = 0;
        foreach (SimilarIdentities pair in WatchlistAudit.FindSimilar(target.Watchlist, threshold))
        {
            if (found < capacity)
            {
                pairs[found] = new LookalikeData
                {
                    FirstPerson = pair.FirstIdentityIndex,
                    SecondPerson = pair.SecondIdentityIndex,
                    FirstTemplate = pair.FirstTemplateIndex,
                    SecondTemplate = pair.SecondTemplateIndex,
                    Score = pair.ComparisonScore,
                };
            }
            found++;
        }
        *count = found;
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int DestroyWatchlist(nint watchlist) => EngineExports.DestroyAny(watchlist, HandleKind.Watchlist);

    private static int AddPhoto(BuilderObject builder, int index, ReadOnlySpan<byte> file, PhotoResultData* result)
    {
        Check.Sized(result, "result");
        builder.AddPhoto(index, file, out PhotoVerdict verdict, out float quality, out string reasons);
        *result = new PhotoResultData { StructSize = result->StructSize, Verdict = (int)verdict, Quality = quality };
        Text.Copy(reasons, result->Reasons, Rooms.Reasons);
        return (int)Status.Ok;
    }

    // Directly into locked memory.
    private static HostBuffer<byte> ReadFile(string path, out int bytes)
    {
        using SafeFileHandle file = InputFile.Open(path);
        long length = RandomAccess.GetLength(file);
        if (length is < 1 or > WatchlistEnroller.MaximumPhotoBytes)
            throw new StatusException(Status.Unreadable, $"{path} has {length} bytes; a photo has 1 to {WatchlistEnroller.MaximumPhotoBytes}.");
        HostBuffer<byte> read = BufferPool.Rent<byte>((int)length);
        try
        {
            bytes = 0;
            while (bytes < read.Length && RandomAccess.Read(file, read.Span[bytes..], bytes) is > 0 and int more)
                bytes += more;
            return read;
        }
        catch
        {
            read.Dispose();
            throw;
        }
    }

    private static WatchlistKey ReadKey(KeyData* key)
    {
        const int LeastKeyBytes = 32, MostKeyBytes = 4096;
        Check.Sized(key, "key");
        Check.Given(key->Data, "key.data");
        Check.Range(key->SizeBytes, (KeyKind)key->Kind == KeyKind.Bytes ? LeastKeyBytes : 1, MostKeyBytes, "key.size_bytes");
        var data = new ReadOnlySpan<byte>(key->Data, (int)key->SizeBytes);
        switch ((KeyKind)key->Kind)
        {
            case KeyKind.Passphrase:
                using (HostBuffer<char> characters = BufferPool.Rent<char>(data.Length))
                {
                    if (!Encoding.UTF8.TryGetChars(data, characters.Span, out int count) || characters.Span[..count].Contains('\uFFFD'))
                        throw Check.Bad("key.data is not UTF-8.");
                    if (count > WatchlistKey.MostPassphraseChars)
                        throw Check.Bad($"key.data has {count} characters; a passphrase has 1 to {WatchlistKey.MostPassphraseChars}.");
                    return WatchlistKey.FromPassphrase(characters.Span[..count]);
                }
            case KeyKind.Bytes:
                return WatchlistKey.FromBytes(data);
            case KeyKind.File:
                string path = Encoding.UTF8.GetString(data);
                if (!Utf8.IsValid(data) || string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
                    throw Check.Bad("key.data is not a path: it is blank, not UTF-8, or has a zero byte; key.size_bytes does not count the zero at its end.");
                return WatchlistKey.FromKeyFile(path);
            default:
                throw Check.Bad($"key.kind {key->Kind} is not an lfr_key_kind.");
        }
    }
}
