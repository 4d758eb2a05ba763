using System.Runtime.CompilerServices;
using System.Text.Json;
using LfrEngine.Detection;
using LfrEngine.Detection.Heads;
using LfrEngine.Memory;
using LfrEngine.Models;
using Xunit;

namespace LfrEngine.Tests.Detection;

/// <summary>Finds the golden values of tests/golden and the optional shared data next to the repository.</summary>
internal static class RepoRoot
{
    public static string Path { get; } = Find();

    public static string Golden(string name) => System.IO.Path.Combine(Path, "tests", "golden", name);

    /// <summary>A file or folder of ../shared/data; the test is skipped where it is missing.</summary>
    public static string SharedData(string relative)
    {
        string path = System.IO.Path.GetFullPath(System.IO.Path.Combine(Path, "..", "shared", "data", relative));
        if (!File.Exists(path) && !Directory.Exists(path))
            Assert.Skip($"../shared/data/{relative} is missing.");
        return path;
    }

    /// <summary>A file of the default models' package; the test is skipped where it has not been restored.</summary>
    public static string RestoredModel(string file)
    {
        string path = PackageCache.Default.PathOf("faceplugin-face-recognition-js", "0.0.1", "model/" + file);
        if (!File.Exists(path))
            Assert.Skip($"{path} is missing; `lfr models restore` fetches it.");
        return path;
    }

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "LfrEngine.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("LfrEngine.sln is in no folder above the tests.");
    }
}

/// <summary>The generator of make_detector_golden.py.</summary>
internal sealed class Lcg(uint seed)
{
    private uint state = seed;

    public double Unit()
    {
        state = (state * 1664525) + 1013904223;
        return (state >> 8) / 16777216.0;
    }

    public float Next(double low, double high) => (float)(low + ((high - low) * Unit()));
}

/// <summary>The raw outputs of one image, owned by the test.</summary>
internal sealed unsafe class RawOutputs : IDisposable
{
    private readonly HostBuffer<float>[] tensors;

    public RawOutputs(IDetectorHead head, int width, int height)
    {
        Head = head;
        Width = width;
        Height = height;
        tensors = new HostBuffer<float>[head.OutputNames.Count];
        for (int i = 0; i < tensors.Length; i++)
            tensors[i] = BufferPool.Rent<float>(head.OutputLength(i, width, height));
    }

    public IDetectorHead Head { get; }

    public int Width { get; }

    public int Height { get; }

    public int Count => tensors.Length;

    public Span<float> this[int output] => tensors[output].Span;

    public Span<float> this[string output] => tensors[Head.OutputNames.ToList().IndexOf(output)].Span;

    public void Decode(float minimumScore, CandidateList faces) => Decode(minimumScore, faces, Width, Height);

    public void Decode(float minimumScore, CandidateList faces, int width, int height, int shortenLastBy = 0, int outputs = -1)
    {
        Span<DetectorOutput> borrowed = stackalloc DetectorOutput[16];
        for (int i = 0; i < tensors.Length; i++)
            borrowed[i] = new DetectorOutput(tensors[i].Pointer, tensors[i].Length - (i == tensors.Length - 1 ? shortenLastBy : 0));
        Head.Decode(borrowed[..(outputs < 0 ? tensors.Length : outputs)], width, height, minimumScore, faces);
    }

    public void Dispose()
    {
        foreach (HostBuffer<float> tensor in tensors)
            tensor.Dispose();
    }
}

/// <summary>The heads under test, and the golden values of each.</summary>
internal static class DetectorGolden
{
    public static readonly string[] Families = ["ultraface", "yunet", "scrfd", "retinaface"];

    public static TheoryData<string> FamilyData { get; } = [.. Families];

    public static IDetectorHead CreateHead(string family) => family switch
    {
        "ultraface" => new UltraFaceHead(),
        "yunet" => new YuNetHead(),
        "scrfd" => new ScrfdHead(),
        "retinaface" => new RetinaFaceHead(),
        _ => throw new ArgumentOutOfRangeException(nameof(family)),
    };

    public static JsonDocument Read(string family) => JsonDocument.Parse(File.ReadAllBytes(RepoRoot.Golden($"detector_{family}.json")));

    /// <summary>One row: score, four edges, then ten landmark coordinates or nothing.</summary>
    public static void AssertFace(JsonElement expected, in FaceCandidate actual, double pixels, double score)
    {
        Assert.Equal(expected[0].GetDouble(), actual.Score, score);
        float[] edges = [actual.Box.Left, actual.Box.Top, actual.Box.Right, actual.Box.Bottom];
        for (int i = 0; i < 4; i++)
            Assert.Equal(expected[1 + i].GetDouble(), edges[i], pixels);
        int coordinates = expected.GetArrayLength() - 5;
        Assert.Equal(coordinates > 0, actual.HasLandmarks);
        FaceCandidate copy = actual;
        ReadOnlySpan<float> landmarks = Coordinates(ref copy);
        for (int i = 0; i < coordinates; i++)
            Assert.Equal(expected[5 + i].GetDouble(), landmarks[i], pixels);
    }

    /// <summary>The ten landmark coordinates in place: five pairs of floats without padding.</summary>
    public static unsafe Span<float> Coordinates(ref FaceCandidate face) =>
        new(Unsafe.AsPointer(ref face.Landmarks), 10);
}
