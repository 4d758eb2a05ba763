using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using LfrEngine.CApi.Engine;
using LfrEngine.CApi.Interop;
using LfrEngine.Files;
using LfrEngine.Memory;
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
    public static int CreateBuilder(nint engine, byte* version, nint* builder)
    {
        try
        {
            Check.Given(builder, "builder");
            *builder = 0;
            using Use<EngineObject> use = Handles.Take<EngineObject>(engine, HandleKind.Engine);
            *builder = EngineExports.Open(new BuilderObject(use.Object, Text.Read(version, "version")));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_add_person", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddPerson(nint builder, PersonData* person, int* index)
    {
        try
        {
            using Use<BuilderObject> use = Handles.Take<BuilderObject>(builder, HandleKind.Builder);
            Check.Sized(person, "person");
            Check.Range(person->Category, 0, WatchlistCategories.Count - 1, "person.category");
            int added = use.Object.AddPerson(new WatchlistIdentity(
                Text.Read(person->Id, "person.id"), Text.Read(person->Name, "person.name"), (WatchlistCategory)person->Category, Text.ReadOrNull(person->Reference, "person.reference")));
            if (index is not null)
                *index = added;
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_add_photo", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddPhoto(nint builder, int index, byte* bytes, long sizeBytes, PhotoResultData* result)
    {
        try
        {
            using Use<BuilderObject> use = Handles.Take<BuilderObject>(builder, HandleKind.Builder);
            Check.Given(bytes, "bytes");
            Check.Range(sizeBytes, 1, WatchlistEnroller.MaximumPhotoBytes, "size_bytes");
            return AddPhoto(use.Object, index, new ReadOnlySpan<byte>(bytes, (int)sizeBytes), result);
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_add_photo_file", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddPhotoFile(nint builder, int index, byte* path, PhotoResultData* result)
    {
        try
        {
            using Use<BuilderObject> use = Handles.Take<BuilderObject>(builder, HandleKind.Builder);
            using HostBuffer<byte> file = ReadFile(Text.ReadPath(path, "path"), out int bytes);
            return AddPhoto(use.Object, index, file.Span[..bytes], result);
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_add_template", CallConvs = [typeof(CallConvCdecl)])]
    public static int AddTemplate(nint builder, int index, nint face, float quality)
    {
        try
        {
            using Use<BuilderObject> use = Handles.Take<BuilderObject>(builder, HandleKind.Builder);
            using Use<TemplateObject> added = Handles.Take<TemplateObject>(face, HandleKind.Template);
            if (!(quality is >= 0 and <= 1))
                throw Check.Bad($"quality is {quality}, not 0 to 1.");
            if (added.Object.Role != TemplateRole.List)
                throw Check.Bad("face is a probe: make it again with LFR_ROLE_LIST.");
            use.Object.AddTemplate(index, added.Object, quality);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_build", CallConvs = [typeof(CallConvCdecl)])]
    public static int Build(nint builder, nint* watchlist)
    {
        try
        {
            Check.Given(watchlist, "watchlist");
            *watchlist = 0;
            using Use<BuilderObject> use = Handles.Take<BuilderObject>(builder, HandleKind.Builder);
            *watchlist = EngineExports.Open(use.Object.Build());
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_builder_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int DestroyBuilder(nint builder) => EngineExports.DestroyAny(builder, HandleKind.Builder);

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_load", CallConvs = [typeof(CallConvCdecl)])]
    public static int Load(nint engine, byte* path, KeyData* key, nint* watchlist)
    {
        try
        {
            Check.Given(watchlist, "watchlist");
            *watchlist = 0;
            using Use<EngineObject> use = Handles.Take<EngineObject>(engine, HandleKind.Engine);
            string file = Text.ReadPath(path, "path");
            using WatchlistKey secret = ReadKey(key);
            *watchlist = EngineExports.Open(new WatchlistObject(WatchlistFile.Read(file, secret, use.Object.Embedder.Sha256), use.Object.Embedder.CoverScales));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_save", CallConvs = [typeof(CallConvCdecl)])]
    public static int Save(nint watchlist, byte* path, KeyData* key)
    {
        try
        {
            using Use<WatchlistObject> use = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
            string file = Text.ReadPath(path, "path");
            using WatchlistKey secret = ReadKey(key);
            WatchlistFile.Write(file, use.Object.Watchlist, secret);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_get_info", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetInfo(nint watchlist, WatchlistInfoData* info)
    {
        try
        {
            using Use<WatchlistObject> use = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
            Check.Sized(info, "info");
            Watchlist list = use.Object.Watchlist;
            *info = new WatchlistInfoData { StructSize = info->StructSize, People = list.Identities.Count, Templates = list.TemplateCount, Photos = list.PhotoCount };
            Text.Copy(list.Id.ToString(), info->Id, Rooms.WatchlistId);
            Text.Copy(list.Version, info->Version, Rooms.Version);
            Text.Copy(list.EmbedderSha256, info->EmbedderSha256, Rooms.Sha256);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_get_person", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetPerson(nint watchlist, int personIndex, PersonInfoData* info)
    {
        try
        {
            using Use<WatchlistObject> use = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
            Check.Sized(info, "info");
            IReadOnlyList<WatchlistIdentity> people = use.Object.Watchlist.Identities;
            Check.Range(personIndex, 0, people.Count - 1, "person_index");
            WatchlistIdentity person = people[personIndex];
            *info = new PersonInfoData { StructSize = info->StructSize, Category = (int)person.Category };
            Text.Copy(person.Id, info->Id, Rooms.PersonId);
            Text.Copy(person.Name, info->Name, Rooms.PersonName);
            Text.Copy(person.Reference ?? "", info->Reference, Rooms.PersonName);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_get_photo", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetPhoto(nint watchlist, int templateIndex, byte* buffer, long capacity, long* sizeBytes)
    {
        try
        {
            using Use<WatchlistObject> use = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
            Check.Given(sizeBytes, "size_bytes");
            Check.Room(buffer, capacity, "buffer");
            Check.Range(templateIndex, 0, use.Object.Watchlist.TemplateCount - 1, "template_index");
            return Check.CopyOut(use.Object.Watchlist.Photo(templateIndex), buffer, capacity, sizeBytes);
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_watchlist_lookalikes", CallConvs = [typeof(CallConvCdecl)])]
    public static int FindLookalikes(nint watchlist, float threshold, LookalikeData* pairs, int capacity, int* count)
    {
        try
        {
            using Use<WatchlistObject> use = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
            Check.Given(count, "count");
            *count = 0;
            Check.Room(pairs, capacity, "pairs");
            if (!(threshold is > -1 and <= 1))
                throw Check.Bad($"threshold is {threshold}, not above -1 up to 1.");
            int found = 0;
            foreach (SimilarIdentities pair in WatchlistAudit.FindSimilar(use.Object.Watchlist, threshold))
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
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

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

    // Straight into locked memory.
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
        const int MostPassphraseBytes = 4096;
        Check.Sized(key, "key");
        Check.Given(key->Data, "key.data");
        Check.Range(key->SizeBytes, 1, MostPassphraseBytes, "key.size_bytes");
        var data = new ReadOnlySpan<byte>(key->Data, (int)key->SizeBytes);
        switch ((KeyKind)key->Kind)
        {
            case KeyKind.Passphrase:
                using (HostBuffer<char> characters = BufferPool.Rent<char>(data.Length))
                {
                    if (!Encoding.UTF8.TryGetChars(data, characters.Span, out int count) || characters.Span[..count].Contains('\uFFFD'))
                        throw Check.Bad("key.data is not UTF-8.");
                    return WatchlistKey.FromPassphrase(characters.Span[..count]);
                }
            case KeyKind.Bytes:
                return WatchlistKey.FromBytes(data);
            case KeyKind.File:
                return WatchlistKey.FromKeyFile(Encoding.UTF8.GetString(data));
            default:
                throw Check.Bad($"key.kind {key->Kind} is no lfr_key_kind.");
        }
    }
}
