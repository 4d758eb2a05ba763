using System.CommandLine;
using LfrEngine.Detection;
using LfrEngine.Pipeline;

namespace LfrEngine.Programs;

/// <summary>Options of the pipeline that several commands take.</summary>
internal static class PipelineOptions
{
    private const int SmallestGrid = 32, LargestGrid = 4096, MostDetectEveryMs = 1000;

    /// <summary><c>--grid</c>.</summary>
    public static Option<int> Grid(string description = "Long side of the detection grid, pixels.") =>
        new Option<int>("--grid") { Description = description, DefaultValueFactory = _ => new DetectorSettings().GridLongSide }.From(SmallestGrid, LargestGrid);

    /// <summary><c>--detect-every</c>.</summary>
    public static Option<int> DetectEvery() =>
        new Option<int>("--detect-every") { Description = "Milliseconds between searches for faces on each camera; 0 searches every frame.", DefaultValueFactory = _ => PipelineSettings.DefaultDetectEveryMs }.From(0, MostDetectEveryMs);
}
