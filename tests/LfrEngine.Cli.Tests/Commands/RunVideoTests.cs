using System.Text.Json.Nodes;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Cameras that cannot be used, or only in part: each alone, and with a healthy one that continues to its end.</summary>
[Trait("Speed", "slow")]
public sealed class RunVideoTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("text", "not a media file")]
    [InlineData("empty", "is empty")]
    [InlineData("missing", "No such file or directory")]
    [InlineData("no-index", "moov")]
    [InlineData("sound", "has no video stream")]
    [InlineData("no-pictures", "contains no picture")]
    [InlineData("header-only", "")]
    public async Task Run_UnusableRecording_FailsThatCameraAlone(string kind, string said)
    {
        string bad = Unusable(kind);

        Outcome alone = (await Lfr.RunAsync(material.Run("--camera", $"bad={bad}"))).Exits(ExitCode.Input);
        alone.Says("Camera bad failed: ", Path.GetFileName(bad), said).IsCivil();
        Assert.Equal("failed", (string?)alone.Lines.Summary().Camera("bad")["state"]);

        Outcome beside = (await Lfr.RunAsync(material.Run("--camera", $"bad={bad}", "--camera", $"good={material.ShortClip}"))).Exits(ExitCode.Incomplete);
        beside.Says("Camera bad failed: ").IsCivil();
        AssertWentOn(beside.Lines);
        Assert.Equal("failed", (string?)beside.Lines.Summary().Camera("bad")["state"]);
    }

    [Theory]
    [InlineData("cut", 20, 60, "cut off")]
    [InlineData("zeros", 60, 75, null)]
    [InlineData("odd", 25, 25, null)]
    [InlineData("resized", 45, 50, null)]
    [InlineData("tiny", 25, 25, null)]
    [InlineData("grey", 75, 75, null)]
    [InlineData("pictures", 9, 9, "005.jpg")]
    public async Task Run_StrangeRecording_IsAnalysedAsFarAsPossible(string kind, int least, int most, string? said)
    {
        string strange = Strange(kind);

        JsonObject[] lines = (await Lfr.RunAsync(material.Run("--camera", $"strange={strange}", "--camera", $"good={material.ShortClip}"))).Exits(kind == "cut" ? ExitCode.Incomplete : ExitCode.Success).IsCivil().Lines;

        AssertWentOn(lines);
        JsonObject camera = lines.Summary().Camera("strange");
        Assert.Equal("ended", (string?)camera["state"]);
        Assert.InRange((int)camera["framesAnalysed"]!, least, most);
        if (said is not null)
            Assert.Contains(said, (string?)camera["message"], StringComparison.Ordinal);
        (int, int) size = ((int)camera["width"]!, (int)camera["height"]!);
        switch (kind)
        {
            case "odd":
                Assert.Equal((333, 257), size);
                break;
            case "resized":
                Assert.Equal((640, 360), size);
                break;
            case "tiny":
                Assert.Equal((16, 16), size);
                Assert.Equal(0, (int)camera["facesSeen"]!);
                break;
            case "grey":
                Assert.Equal(Material.Woman, (string?)lines.First(l => (string?)l["camera"] == "strange")["candidate"]!["id"]);
                break;
            default:
                break;
        }
        Assert.Equal(0, (int)lines.Summary()["erased"]!["frameBuffersHeld"]!);
    }

    [Theory]
    [InlineData("scale=640:720,setsar=2/1")]
    [InlineData("scale=1280:360,setsar=1/2")]
    public async Task Run_PixelsThatAreNotSquare_ScoreAsSquareOnesDo(string filter)
    {
        Ffmpeg.Run("-i", material.ShortClip, "-vf", filter, "-c:v", "libx264", "-preset", "veryfast", "-crf", "14", "-pix_fmt", "yuv420p", folder["sar.mp4"]);

        JsonObject[] lines = (await Lfr.RunAsync(material.Run("--camera", $"square={material.ShortClip}", "--camera", $"sar={folder["sar.mp4"]}"))).Exits(ExitCode.Success).Lines;

        double Score(string camera) => lines.Where(l => (string?)l["type"] is "alert" or "sighting" && (string?)l["camera"] == camera).Max(l => (double)l["score"]!);
        Assert.InRange(Score("sar"), Score("square") - 0.06, 1);
    }

    [Theory]
    [InlineData("classroom.gif")]
    [InlineData("face-demographics-walking.gif")]
    public async Task Run_Gif_IsWatched(string name)
    {
        JsonObject summary = (await Lfr.RunAsync(material.Run("--camera", $"gif={Shared.Need($"video/{name}")}"))).Exits(ExitCode.Success).Lines.Summary();

        Assert.Equal(("gif", 480, 270), ((string?)summary.Camera("gif")["codec"], (int)summary.Camera("gif")["width"]!, (int)summary.Camera("gif")["height"]!));
        Assert.True((int)summary["frames"]! > 10);
    }

    private static void AssertWentOn(JsonObject[] lines)
    {
        JsonObject good = lines.Summary().Camera("good");
        Assert.Equal(("ended", 75), ((string?)good["state"], (int)good["framesAnalysed"]!));
        Assert.Contains(lines, l => (string?)l["camera"] == "good" && (string?)l["candidate"]!["id"] == Material.Woman);
    }

    private string Unusable(string kind)
    {
        string path = folder[$"{kind}.mp4"];
        switch (kind)
        {
            case "text":
                File.WriteAllText(path, "This is not a video.");
                break;
            case "empty":
                File.WriteAllBytes(path, []);
                break;
            case "no-index":
                Ffmpeg.Run("-i", material.ShortClip, "-c", "copy", folder["whole.mp4"]);
                Cut(folder["whole.mp4"], path, 0.6);
                break;
            case "sound":
                Ffmpeg.Run("-f", "lavfi", "-i", "sine=d=1", path);
                break;
            case "header-only":
                Cut(material.ShortClip, path, 0.001);
                break;
            case "no-pictures":
                Directory.CreateDirectory(path);
                break;
            default:
                break;
        }
        return path;
    }

    private string Strange(string kind)
    {
        string path = folder[$"{kind}.mp4"];
        switch (kind)
        {
            case "cut":
                Cut(material.ShortClip, path, 0.6);
                break;
            case "zeros":
                byte[] bytes = File.ReadAllBytes(material.ShortClip);
                bytes.AsSpan(bytes.Length / 2, 60_000).Clear();
                File.WriteAllBytes(path, bytes);
                break;
            case "odd":
                Ffmpeg.Run("-i", material.ShortClip, "-vf", "crop=333:257:0:400:exact=1,format=yuv444p", "-frames:v", "25", path);
                break;
            case "resized":
                Ffmpeg.Run("-i", material.ShortClip, "-frames:v", "25", "-c:v", "libx264", "-preset", "veryfast", "-f", "mpegts", folder["a.ts"]);
                Ffmpeg.Run("-i", material.ShortClip, "-frames:v", "25", "-c:v", "libx264", "-preset", "veryfast", "-vf", "scale=640:360", "-f", "mpegts", folder["b.ts"]);
                File.WriteAllBytes(path, [.. File.ReadAllBytes(folder["a.ts"]), .. File.ReadAllBytes(folder["b.ts"])]);
                break;
            case "tiny":
                Ffmpeg.Run("-i", material.ShortClip, "-vf", "scale=16:16,setsar=1", "-frames:v", "25", path);
                break;
            case "grey":
                path = folder["grey.mkv"];
                Ffmpeg.Run("-i", material.ShortClip, "-vf", "format=gray", "-c:v", "ffv1", path);
                break;
            case "pictures":
                path = Directory.CreateDirectory(folder["pictures"]).FullName;
                Ffmpeg.Run("-i", material.ShortClip, "-frames:v", "10", Path.Combine(path, "%03d.jpg"));
                File.WriteAllText(Path.Combine(path, "005.jpg"), "This is not a picture.");
                break;
            default:
                break;
        }
        return path;
    }

    private static void Cut(string from, string to, double share)
    {
        byte[] bytes = File.ReadAllBytes(from);
        File.WriteAllBytes(to, bytes[..(int)(bytes.Length * share)]);
    }
}
