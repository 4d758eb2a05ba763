using LfrEngine.CApi.Engine;
using LfrEngine.CApi.Runs;
using LfrEngine.CApi.Watchlists;

namespace LfrEngine.CApi.Interop;

/// <summary><c>lfr_api</c>: all functions in the order of the structure in lfr_engine.h.</summary>
internal static unsafe class ApiTable
{
    private const uint NewestVersion = 1;

    private static readonly nint[] Functions =
    [
        (nint)(delegate* unmanaged[Cdecl]<byte*>)&LibraryExports.GetVersion,
        (nint)(delegate* unmanaged[Cdecl]<byte*>)&LibraryExports.LastError,
        (nint)(delegate* unmanaged[Cdecl]<int, byte*>)&LibraryExports.StatusName,
        (nint)(delegate* unmanaged[Cdecl]<int, long*, int>)&LibraryExports.OpenHandles,
        (nint)(delegate* unmanaged[Cdecl]<MemoryData*, int>)&LibraryExports.MemoryReport,
        (nint)(delegate* unmanaged[Cdecl]<EngineOptionsData*, nint*, int>)&EngineExports.Create,
        (nint)(delegate* unmanaged[Cdecl]<nint, EngineInfoData*, int>)&EngineExports.GetInfo,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&EngineExports.Destroy,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, nint*, int>)&WatchlistExports.CreateBuilder,
        (nint)(delegate* unmanaged[Cdecl]<nint, PersonData*, int*, int>)&WatchlistExports.AddPerson,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, byte*, long, PhotoResultData*, int>)&WatchlistExports.AddPhoto,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, byte*, PhotoResultData*, int>)&WatchlistExports.AddPhotoFile,
        (nint)(delegate* unmanaged[Cdecl]<nint, nint*, int>)&WatchlistExports.Build,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&WatchlistExports.DestroyBuilder,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, KeyData*, nint*, int>)&WatchlistExports.Load,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, KeyData*, int>)&WatchlistExports.Save,
        (nint)(delegate* unmanaged[Cdecl]<nint, WatchlistInfoData*, int>)&WatchlistExports.GetInfo,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, PersonInfoData*, int>)&WatchlistExports.GetPerson,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, byte*, long, long*, int>)&WatchlistExports.GetPhoto,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&WatchlistExports.DestroyWatchlist,
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, RunOptionsData*, nint*, int>)&RunExports.Create,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, byte*, int, int>)&RunExports.AddSource,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, int, nint*, int>)&RunExports.AddCamera,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&RunExports.Start,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, nint*, int>)&RunExports.Next,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, CameraStatusData*, int>)&RunExports.GetCamera,
        (nint)(delegate* unmanaged[Cdecl]<nint, RunSummaryData*, int>)&RunExports.GetSummary,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&RunExports.Stop,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&RunExports.Destroy,
        (nint)(delegate* unmanaged[Cdecl]<nint, ImageData*, long, int, int>)&RunExports.Push,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&RunExports.End,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&RunExports.DestroyCamera,
        (nint)(delegate* unmanaged[Cdecl]<nint, AlertInfoData*, int>)&RunExports.GetInfo,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, long, long*, int>)&RunExports.GetPhoto,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&RunExports.DestroyAlert,
        (nint)(delegate* unmanaged[Cdecl]<nint, ImageData*, FaceData*, int, int*, int>)&EngineExports.Detect,
        (nint)(delegate* unmanaged[Cdecl]<nint, ImageData*, BoxData*, QualityData*, nint*, int>)&EngineExports.CreateTemplate,
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, float*, int>)&EngineExports.Compare,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, long, long*, int>)&EngineExports.Export,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, long, nint*, int>)&EngineExports.Import,
        (nint)(delegate* unmanaged[Cdecl]<nint, int>)&EngineExports.DestroyTemplate,
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, float, CandidateData*, int, int*, int>)&EngineExports.Search,
        (nint)(delegate* unmanaged[Cdecl]<LoadData*, long*, int>)&LibraryExports.EstimateMemory,
        (nint)(delegate* unmanaged[Cdecl]<nint, float, LookalikeData*, int, int*, int>)&WatchlistExports.FindLookalikes,
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, int>)&RunExports.Swap,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, EventData*, int>)&RunExports.NextEvent,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, byte*, long, long*, int>)&RunExports.GetReceipt,
        (nint)(delegate* unmanaged[Cdecl]<nint, ImageData*, long, int, delegate* unmanaged[Cdecl]<void*, void>, void*, int>)&RunExports.PushBorrowed,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, byte*, long, int*, int*, int>)&RunExports.GetPixels,
        (nint)(delegate* unmanaged[Cdecl]<nint, ImageData*, BoxData*, int, QualityData*, nint*, int>)&EngineExports.CreateTemplateAs,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, nint, float, int>)&WatchlistExports.AddTemplate,
        (nint)(delegate* unmanaged[Cdecl]<nint, byte*, long, byte*, float, int, long, EvidenceData*, int>)&EvidenceExports.CheckEvidence,
        (nint)(delegate* unmanaged[Cdecl]<nint, int, int>)&WatchlistExports.RemovePerson,
    ];

    private static readonly nint Table = Create();

    [UnmanagedCallersOnly(EntryPoint = "lfr_get_api", CallConvs = [typeof(CallConvCdecl)])]
    public static nint Get(uint version) => version == NewestVersion ? Table : 0;

    private static nint Create()
    {
        // Never freed: it is needed as long as the process runs.
        int bytes = (2 * sizeof(uint)) + (Functions.Length * sizeof(nint));
        var table = (uint*)NativeMemory.AllocZeroed((nuint)bytes);
        (table[0], table[1]) = ((uint)bytes, NewestVersion);
        Functions.CopyTo(new Span<nint>(table + 2, Functions.Length));
        return (nint)table;
    }
}
