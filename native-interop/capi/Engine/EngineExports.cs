using LfrEngine.CApi.Interop;
using LfrEngine.CApi.Watchlists;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.CApi.Engine;

/// <summary>The functions of lfr_engine.h under "Engine" and "Single calls"; see there for the contract of each.</summary>
internal static unsafe class EngineExports
{
    // This many fit on the stack; more use rented memory.
    private const int StackCandidates = 128;

    private const int MostModelFiles = 1000;

    [UnmanagedCallersOnly(EntryPoint = "lfr_engine_create", CallConvs = [typeof(CallConvCdecl)])]
    public static int Create(EngineOptionsData* options, nint* engine) => Call.Run(() =>
    {
        Check.Result(engine, "engine");
        EngineOptionsData given = Check.Read(options, EngineOptionsData.FirstBytes, "options");
        Check.Reserved(given.Reserved, "options.reserved");
        if (given.MaxMemoryBytes < 0)
            throw Check.Bad($"options.max_memory_bytes is {given.MaxMemoryBytes}: give bytes, or 0 for no limit.");
        var log = new EngineLog(given.LogLevel, given.OnLog, given.LogUser);
        ModelCatalog catalog = CatalogOf(given);
        OwnFolder.Announce();
        // A missing FFmpeg is reported here, not with the first picture.
        _ = MediaReader.Versions;
        var limit = new MemoryLimit(given.MaxMemoryBytes);
        EngineObject loaded;
        try
        {
            loaded = new EngineObject(EngineModels.Load(catalog,
                Text.ReadOrNull(given.Detector, "options.detector") ?? EngineModels.DefaultDetector,
                embedder: Text.ReadOrNull(given.Embedder, "options.embedder") ?? EngineModels.DefaultEmbedder), log, limit);
        }
        catch
        {
            limit.Dispose();
            throw;
        }
        *engine = Open(loaded);
        log.Write(LogLevel.Information, $"{loaded.Models.All.Count} networks loaded: {string.Join(", ", loaded.Models.All.Select(m => m.Manifest.Id))}");
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_engine_get_info", CallConvs = [typeof(CallConvCdecl)])]
    public static int GetInfo(nint engine, EngineInfoData* info) => Call.On<EngineObject>(engine, HandleKind.Engine, target =>
    {
        Check.Sized(info, "info");
        ModelManifest embedder = target.Embedder;
        *info = new EngineInfoData { StructSize = info->StructSize, EmbeddingLength = embedder.EmbeddingLength, DefaultThreshold = target.DefaultThreshold };
        Text.Copy(embedder.Id, info->EmbedderId, Rooms.EmbedderId);
        Text.Copy(embedder.Sha256, info->EmbedderSha256, Rooms.Sha256);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_engine_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int Destroy(nint engine) => DestroyAny(engine, HandleKind.Engine);

    [UnmanagedCallersOnly(EntryPoint = "lfr_detect", CallConvs = [typeof(CallConvCdecl)])]
    public static int Detect(nint engine, ImageData* image, FaceData* faces, int capacity, int* count) => Call.On<EngineObject>(engine, HandleKind.Engine, target =>
    {
        Check.Result(count, "count");
        Check.Room(faces, capacity, "faces");
        using var still = new StillImage(image);
        using EngineObject.Loan loan = target.Borrow();
        ReadOnlySpan<FaceCandidate> found = target.Find(loan.Analyzer, still.View);
        for (int i = 0; i < Math.Min(capacity, found.Length); i++)
            faces[i] = new FaceData { Box = BoxOf(found[i].Box), Score = found[i].Score };
        *count = found.Length;
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_template_create", CallConvs = [typeof(CallConvCdecl)])]
    public static int CreateTemplate(nint engine, ImageData* image, BoxData* box, QualityData* quality, nint* face) => Make(engine, image, box, TemplateRole.List, quality, face);

    [UnmanagedCallersOnly(EntryPoint = "lfr_template_create_as", CallConvs = [typeof(CallConvCdecl)])]
    public static int CreateTemplateAs(nint engine, ImageData* image, BoxData* box, int role, QualityData* quality, nint* face) => Make(engine, image, box, (TemplateRole)role, quality, face);

    private static int Make(nint engine, ImageData* image, BoxData* box, TemplateRole role, QualityData* quality, nint* face) => Call.Run(() =>
    {
        Check.Result(face, "face");
        Check.Range((int)role, (int)TemplateRole.List, (int)TemplateRole.Probe, "role");
        using Use<EngineObject> use = Handles.Take<EngineObject>(engine, HandleKind.Engine);
        if (quality is not null)
            Check.Sized(quality, "quality");
        if (box is not null && !(box->Right > box->Left && box->Bottom > box->Top))
            throw Check.Bad("box is empty.");
        using var still = new StillImage(image);
        using EngineObject.Loan loan = use.Object.Borrow();
        ReadOnlySpan<FaceCandidate> found = use.Object.Find(loan.Analyzer, still.View);
        int meant = box is null ? 0 : Nearest(found, new FaceBox(box->Left, box->Top, box->Right, box->Bottom));
        if (found.IsEmpty || meant < 0)
            throw new StatusException(Status.NoFace, box is null ? "There is no face in the picture." : "There is no face where the box is.");
        using StillFace? seen = loan.Analyzer.Embed(still.View, found[meant], brow: role == TemplateRole.Probe ? BrowTreatment.BlankIfCovered : BrowTreatment.Kept);
        if (seen is null)
            throw new StatusException(Status.NoFace, "The face has no usable landmarks.");
        if (quality is not null)
        {
            *quality = new QualityData
            {
                StructSize = quality->StructSize,
                Score = seen.Quality.Score,
                InterEyePixels = seen.Quality.InterEyePixels,
                Sharpness = seen.Quality.Sharpness,
                Brightness = seen.Quality.Brightness,
                Clipped = seen.Quality.Clipped,
                YawDegrees = seen.Quality.YawDegrees,
                PitchDegrees = seen.Quality.PitchDegrees,
                RollDegrees = seen.Quality.RollDegrees,
                Cover = (int)seen.Cover.Parts,
                Box = BoxOf(seen.Box),
            };
        }
        *face = Open(new TemplateObject(seen.Embedding.Span, seen.Cover.Parts, role, use.Object.Embedder.Sha256));
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_template_compare", CallConvs = [typeof(CallConvCdecl)])]
    public static int Compare(nint a, nint b, float* score)
    {
        using var uncancelled = new Uncancelled();
        try
        {
            using Use<TemplateObject> one = Handles.Take<TemplateObject>(a, HandleKind.Template);
            using Use<TemplateObject> other = Handles.Take<TemplateObject>(b, HandleKind.Template);
            Check.Given(score, "score");
            *score = one.Object.Compare(other.Object);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "lfr_template_export", CallConvs = [typeof(CallConvCdecl)])]
    public static int Export(nint face, byte* buffer, long capacity, long* sizeBytes) => Call.On<TemplateObject>(face, HandleKind.Template, target =>
    {
        Check.Given(sizeBytes, "size_bytes");
        Check.Room(buffer, capacity, "buffer");
        using HostBuffer<byte> bytes = BufferPool.Rent<byte>(target.ExportBytes);
        target.Export(bytes.Span);
        return Check.CopyOut(bytes.Span, buffer, capacity, sizeBytes);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_template_import", CallConvs = [typeof(CallConvCdecl)])]
    public static int Import(nint engine, byte* bytes, long sizeBytes, nint* face) => Call.Run(() =>
    {
        Check.Result(face, "face");
        using Use<EngineObject> use = Handles.Take<EngineObject>(engine, HandleKind.Engine);
        Check.Given(bytes, "bytes");
        Check.Range(sizeBytes, 1, int.MaxValue, "size_bytes");
        *face = Open(TemplateObject.Import(new ReadOnlySpan<byte>(bytes, (int)sizeBytes), use.Object.Embedder.Sha256, use.Object.Embedder.EmbeddingLength));
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_template_destroy", CallConvs = [typeof(CallConvCdecl)])]
    public static int DestroyTemplate(nint face) => DestroyAny(face, HandleKind.Template);

    [UnmanagedCallersOnly(EntryPoint = "lfr_search", CallConvs = [typeof(CallConvCdecl)])]
    public static int Search(nint watchlist, nint face, float threshold, CandidateData* candidates, int capacity, int* count)
    {
        using var uncancelled = new Uncancelled();
        try
        {
            using Use<WatchlistObject> list = Handles.Take<WatchlistObject>(watchlist, HandleKind.Watchlist);
            using Use<TemplateObject> probe = Handles.Take<TemplateObject>(face, HandleKind.Template);
            Check.Result(count, "count");
            Check.Given(candidates, "candidates");
            Check.Range(capacity, 1, int.MaxValue, "capacity");
            if (!(threshold is >= -1 and <= 1))
                throw Check.Bad($"threshold is {threshold}, not -1 to 1.");
            probe.Object.RequireModel(list.Object.Gallery.EmbedderSha256);
            int most = Math.Min(capacity, Math.Max(1, list.Object.Gallery.Identities.Count));
            if (most <= StackCandidates)
            {
                *count = Search(list.Object, probe.Object, threshold, stackalloc Candidate[most], candidates);
                return (int)Status.Ok;
            }
            using HostBuffer<Candidate> room = BufferPool.Rent<Candidate>(most);
            *count = Search(list.Object, probe.Object, threshold, room.Span, candidates);
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    /// <summary>Opens a handle, or frees the object if that fails.</summary>
    public static nint Open(HandleObject made)
    {
        try
        {
            return Handles.Add(made);
        }
        catch
        {
            made.Leave();
            throw;
        }
    }

    public static int DestroyAny(nint handle, HandleKind kind) => Call.Run(() => Handles.Destroy(handle, kind));

    private static ModelCatalog CatalogOf(in EngineOptionsData options)
    {
        if (options.ModelFiles is null)
        {
            if (options.ModelFileCount != 0)
                throw Check.Bad($"options.model_file_count is {options.ModelFileCount}, but options.model_files is NULL.");
            string models = Text.ReadPath(options.ModelsFolder, "options.models_folder"), weights = Text.ReadPath(options.WeightsFolder, "options.weights_folder");
            if (!Directory.Exists(models))
                throw Check.Bad($"options.models_folder {models} is no folder.");
            if (!Directory.Exists(weights))
                throw Check.Bad($"options.weights_folder {weights} is no folder.");
            if (!HasManifests(models))
                throw Check.Bad($"options.models_folder {models} has no manifests (*.json){(HasManifests(weights) ? ", but options.weights_folder has: they are swapped" : "")}.");
            return new ModelCatalog(models, new PackageCache(weights));
        }
        if (options.ModelsFolder is not null || options.WeightsFolder is not null)
            throw Check.Bad("options.models_folder and options.weights_folder must be NULL when options.model_files is given.");
        Check.Range(options.ModelFileCount, 1, MostModelFiles, "options.model_file_count");
        var files = new List<byte[]>(options.ModelFileCount);
        for (int i = 0; i < options.ModelFileCount; i++)
        {
            BytesData file = options.ModelFiles[i];
            Check.Given(file.Data, $"options.model_files[{i}].data");
            Check.Range(file.SizeBytes, 1, int.MaxValue, $"options.model_files[{i}].size_bytes");
            files.Add(new ReadOnlySpan<byte>(file.Data, (int)file.SizeBytes).ToArray());
        }
        return ModelCatalog.FromMemory(files);
    }

    private static bool HasManifests(string folder) => Directory.EnumerateFiles(folder, "*.json").Any();

    private static int Search(WatchlistObject list, TemplateObject probe, float threshold, Span<Candidate> room, CandidateData* candidates)
    {
        Span<int> found = stackalloc int[1];
        // Rows for a covered brow were made of blanked pictures, but a list's template was not. So such a face is compared as uncovered.
        FaceCover cover = probe.Cover == FaceCover.Brow && probe.Role == TemplateRole.List ? FaceCover.None : probe.Cover;
        list.Search.Search(list.Gallery, probe.Embedding, CategoryThresholds.Uniform(threshold), room.Length, room, found, [cover]);
        for (int i = 0; i < found[0]; i++)
            candidates[i] = new CandidateData { PersonIndex = room[i].IdentityIndex, TemplateIndex = room[i].TemplateIndex, Score = room[i].ComparisonScore };
        return found[0];
    }

    private static int Nearest(ReadOnlySpan<FaceCandidate> found, in FaceBox box)
    {
        // With less overlap it is another face, or none.
        const float SameFace = 0.3f;
        (int Index, float Overlap) best = (-1, SameFace);
        for (int i = 0; i < found.Length; i++)
        {
            float overlap = found[i].Box.IoU(box);
            if (overlap > best.Overlap)
                best = (i, overlap);
        }
        return best.Index;
    }

    private static BoxData BoxOf(in FaceBox box) => new() { Left = box.Left, Top = box.Top, Right = box.Right, Bottom = box.Bottom };
}
