using LfrEngine.CApi.Engine;

namespace LfrEngine.CApi.Interop;

#pragma warning disable CS0649 // C fills them.

/// <summary>Room for a text in a structure.</summary>
internal static class Rooms
{
    public const int EmbedderId = 132, Sha256 = 65, Reasons = 508, WatchlistId = 40, Version = 516, PersonId = 516, PersonName = 1028, Message = 255, EventMessage = 256, RunId = 32, Protocol = 20;
}

/// <summary><c>lfr_image</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ImageData
{
    public uint StructSize;
    public int Format;
    public int Width;
    public int Height;
    public byte* Plane0;
    public byte* Plane1;
    public byte* Plane2;
    public fixed int RowStride[3];
    public int Matrix;
    public int Range;
    public int Reserved;
    public long SizeBytes;
}

/// <summary><c>lfr_box</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BoxData
{
    public float Left;
    public float Top;
    public float Right;
    public float Bottom;
}

/// <summary><c>lfr_engine_options</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EngineOptionsData
{
    public uint StructSize;
    public int Reserved;
    public byte* ModelsFolder;
    public byte* WeightsFolder;
    public byte* Detector;
    public byte* Embedder;
    public BytesData* ModelFiles;
    public int ModelFileCount;
    public int LogLevel;
    public long MaxMemoryBytes;
    public delegate* unmanaged[Cdecl]<int, byte*, void*, void> OnLog;
    public void* LogUser;

    /// <summary>In release 0.1.</summary>
    public const int FirstBytes = 40;
}

/// <summary><c>lfr_bytes</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BytesData
{
    public byte* Data;
    public long SizeBytes;
}

/// <summary><c>lfr_engine_info</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EngineInfoData
{
    public uint StructSize;
    public int EmbeddingLength;
    public float DefaultThreshold;
    public fixed byte EmbedderId[Rooms.EmbedderId];
    public fixed byte EmbedderSha256[Rooms.Sha256];
    public fixed byte Reserved[3];
}

/// <summary><c>lfr_person</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PersonData
{
    public uint StructSize;
    public int Category;
    public byte* Id;
    public byte* Name;
    public byte* Reference;
}

/// <summary><c>lfr_photo_result</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PhotoResultData
{
    public uint StructSize;
    public int Verdict;
    public float Quality;
    public fixed byte Reasons[Rooms.Reasons];
}

/// <summary><c>lfr_key</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KeyData
{
    public uint StructSize;
    public int Kind;
    public byte* Data;
    public long SizeBytes;
}

/// <summary><c>lfr_watchlist_info</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WatchlistInfoData
{
    public uint StructSize;
    public int People;
    public int Templates;
    public int Photos;
    public fixed byte Id[Rooms.WatchlistId];
    public fixed byte Version[Rooms.Version];
    public fixed byte EmbedderSha256[Rooms.Sha256];
    public fixed byte Reserved[3];
}

/// <summary><c>lfr_person_info</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PersonInfoData
{
    public uint StructSize;
    public int Category;
    public fixed byte Id[Rooms.PersonId];
    public fixed byte Name[Rooms.PersonName];
    public fixed byte Reference[Rooms.PersonName];
}

/// <summary><c>lfr_run_options</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RunOptionsData
{
    public uint StructSize;
    public int WorkerThreads;
    public fixed float Thresholds[5];
    public int DetectEveryMs;
    public int GridLongSide;
    public int Reserved;
    public delegate* unmanaged[Cdecl]<nint, void*, void> OnAlert;
    public void* User;
    public delegate* unmanaged[Cdecl]<EventData*, void*, void> OnEvent;
    public void* EventUser;

    /// <summary>In release 0.1.</summary>
    public const int FirstBytes = 56;
}

/// <summary><c>lfr_event</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EventData
{
    public uint StructSize;
    public int Kind;
    public int CameraIndex;
    public int State;
    public long UnixUs;
    public fixed byte Message[Rooms.EventMessage];
}

/// <summary><c>lfr_lookalike</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LookalikeData
{
    public int FirstPerson;
    public int SecondPerson;
    public int FirstTemplate;
    public int SecondTemplate;
    public float Score;
}

/// <summary><c>lfr_load</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LoadData
{
    public uint StructSize;
    public int Cameras;
    public int Width;
    public int Height;
    public int WorkerThreads;
    public int GridLongSide;
    public int Photos;
    public int Reserved;
    public int ReferenceFrames;
    public int PhotoWidth;
    public int PhotoHeight;
    public int Reserved2;

    /// <summary>In its first state.</summary>
    public const int FirstBytes = 32;
}

/// <summary><c>lfr_evidence</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EvidenceData
{
    public uint StructSize;
    public int GallerySize;
    public double Fpir;
    public double FpirLow;
    public double FpirHigh;
    public double Tpir;
    public double TpirLow;
    public double TpirHigh;
    public long FalsePositives;
    public long NonMated;
    public long TruePositives;
    public long Mated;
    public long ExpectedLow;
    public long ExpectedHigh;
    public double ExpectedMean;
    public long MadeUnixUs;
    public int IsCalibrated;
    public fixed byte Protocol[Rooms.Protocol];
}

/// <summary><c>lfr_camera_status</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CameraStatusData
{
    public uint StructSize;
    public int State;
    public int IsComplete;
    public int Width;
    public int Height;
    public int Reserved;
    public long FramesDecoded;
    public long FramesDropped;
    public long FramesSearched;
    public long Tracklets;
    public long ShotsCompared;
    public long FacesSeen;
    public long Alerts;
    public long DamagedPackets;
    public long Reconnects;
    public double LagMs;
    public fixed byte TraceSha256[Rooms.Sha256];
    public fixed byte Message[Rooms.Message];
}

/// <summary><c>lfr_run_summary</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RunSummaryData
{
    public uint StructSize;
    public int IsOver;
    public int AlertsRaised;
    public int AlertsJoined;
    public long AlertsLost;
    public long FramesErased;
    public long CropsErased;
    public long EmbeddingsErased;
    public long DeadlineBreaches;
    public double DeadlineMs;
    public double FrameP99Ms;
    public double FrameMaxMs;
    public double EmbeddingMaxMs;
    public double AfterVerdictMaxMs;
    public double ElapsedS;
    public fixed byte RunId[Rooms.RunId];
}

/// <summary><c>lfr_alert_info</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct AlertInfoData
{
    public uint StructSize;
    public int Category;
    public byte* Id;
    public byte* Camera;
    public byte* PersonId;
    public byte* PersonName;
    public byte* JoinedAlertId;
    public long TrackletId;
    public long FirstSeenUs;
    public long BestShotUs;
    public long CompletedUs;
    public long CapturedUnixUs;
    public long RaisedUnixUs;
    public float Score;
    public float Threshold;
    public BoxData Box;
    public float Quality;
    public int Cover;
    public int AgreeingShots;
    public int ComparedShots;
    public int TemplateIndex;
    public int Reserved;
}

/// <summary><c>lfr_face</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FaceData
{
    public BoxData Box;
    public float Score;
}

/// <summary><c>lfr_quality</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct QualityData
{
    public uint StructSize;
    public float Score;
    public float InterEyePixels;
    public float Sharpness;
    public float Brightness;
    public float Clipped;
    public float YawDegrees;
    public float PitchDegrees;
    public float RollDegrees;
    public int Cover;
    public BoxData Box;
}

/// <summary><c>lfr_candidate</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CandidateData
{
    public int PersonIndex;
    public int TemplateIndex;
    public float Score;
}

/// <summary><c>lfr_memory</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MemoryData
{
    public uint StructSize;
    public int Reserved;
    public long LockedBytes;
    public long UnlockedBytes;
    public long LockLimitBytes;
    public long BlocksOutstanding;
    public long BlocksWiped;
    public long BytesWiped;
    public long HeldBytes;
    public long PeakBytes;
    public long MaxMemoryBytes;

    /// <summary>In release 0.1.</summary>
    public const int FirstBytes = 56;
}
