using System.Diagnostics;
using System.Globalization;

namespace LfrEngine.Native.Tests.Media;

/// <summary>The ffmpeg command line: makes the clips, and is the reference for what they decode to.</summary>
internal static class Ffmpeg
{
    /// <summary>Runs ffmpeg to the end.</summary>
    /// <returns>Its standard output.</returns>
    public static byte[] Run(string arguments)
    {
        using Process process = Start(arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using MemoryStream output = new();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ffmpeg {arguments}: {errors.Result}");
        return output.ToArray();
    }

    public static Process Start(string arguments) =>
        Process.Start(new ProcessStartInfo("ffmpeg", $"-nostdin -hide_banner -v error -y {arguments}")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    /// <summary>A clip of the moving test pattern.</summary>
    /// <param name="folder">Where it goes.</param>
    /// <param name="name">File name; the extension says the container.</param>
    /// <param name="output">Output options: codec, pixel format, tags.</param>
    /// <param name="size">Width x height.</param>
    /// <param name="frames">At 25 frames per second.</param>
    public static string Clip(TemporaryFolder folder, string name, string output, string size = "160x120", int frames = 12)
    {
        string path = folder[name];
        int[] sides = [.. size.Split('x').Select(side => int.Parse(side, CultureInfo.InvariantCulture))];
        Run($"{Pattern(sides[0], sides[1])} -frames:v {frames} {output} \"{path}\"");
        return path;
    }

    /// <summary>Input options for the moving test pattern, which itself only comes in even sizes.</summary>
    public static string Pattern(int width, int height) =>
        $"-f lavfi -i testsrc2=s={width + width % 2}x{height + height % 2}:r=25,format=yuv444p,crop={width}:{height}:0:0:exact=1";

    /// <summary>One frame of the test pattern as raw video.</summary>
    public static byte[] PatternPixels(int width, int height, string pixelFormat) =>
        Run($"{Pattern(width, height)} -frames:v 1 -f rawvideo -pix_fmt {pixelFormat} -");

    /// <summary>All frames of a file as raw video, tightly packed.</summary>
    public static byte[] Decode(string path, string pixelFormat, string input = "") =>
        Run($"{input} -i \"{path}\" -map 0:v:0 -fps_mode passthrough -f rawvideo -pix_fmt {pixelFormat} -");
}

/// <summary>A folder that goes away with its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-media-");

    public string Path => folder.FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => folder.Delete(recursive: true);
}
