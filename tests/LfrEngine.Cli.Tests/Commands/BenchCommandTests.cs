using System.Text.Json.Nodes;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary><c>lfr bench</c>: its figures agree with each other. How large they are is the machine's affair.</summary>
[Trait("Speed", "slow")]
public sealed class BenchCommandTests(Material material) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Bench_Clip_FiguresAgree()
    {
        JsonNode report = (await Lfr.RunInAsync(null, [("TMPDIR", folder.Path)], "bench", material.ShortClip, "--cameras", "2", "--seconds", "1.5", "--templates", "500", "--json")).Exits(ExitCode.Success).Json;

        Assert.Equal((1280, 720, 25.0, 500), ((int)report["width"]!, (int)report["height"]!, (double)report["clipFramesPerSecond"]!, (int)report["templates"]!));
        JsonNode[] runs = [.. report["runs"]!.AsArray().Select(r => r!)];
        Assert.Equal(["max 1", "max 2", "realtime 1", "realtime 2"], runs.Select(r => $"{r["pace"]} {r["cameras"]}"));
        Assert.All(runs, r =>
        {
            string shown = r.ToJsonString();
            double frames = (double)r["framesAnalysed"]!, seconds = (double)r["seconds"]!, processor = (double)r["processorSeconds"]!;
            Assert.True(frames > 0 && seconds >= 1.5 && processor > 0, shown);
            Assert.Equal(frames / seconds, (double)r["framesPerSecond"]!, 1e-6);
            Assert.Equal(25 * processor / frames, (double)r["coresPerCamera"]!, 1e-6);
            // At most two passes of the detector for a frame; those under way at either end of the measured time blur the count.
            double underWay = 12 * (int)r["cameras"]! / frames;
            Assert.InRange(Calls(r, "detect"), 0.1, 2 + (2 * underWay));
            Assert.InRange(Calls(r, "align"), Calls(r, "landmarks") - underWay, Calls(r, "landmarks") + underWay);
            // Stages inside stages count once: together they are less than the processor time of the whole process. Its clock ticks are coarser than theirs.
            Assert.True(r["stages"]!.AsArray().Sum(s => (double)s!["msPerFrame"]!) <= 1.02 * (double)r["processorMsPerFrame"]!, shown);
        });
        Assert.All(runs.Where(r => (string?)r["pace"] == "max"), r => Assert.Equal((0, 0), ((int)r["framesDropped"]!, (int)r["framesDroppedAtStart"]!)));
        // Every passage is like one entry of the list.
        Assert.True(runs.Sum(r => (int)r["captureToAlert"]!["count"]!) > 0, report.ToJsonString());
        Assert.InRange((int)report["camerasWithoutDrops"]!, 0, 2);
        Assert.Empty(folder.Files);
    }

    [Theory]
    [InlineData("nowhere.mp4", ExitCode.Input, "nowhere.mp4 is not a file")]
    [InlineData("text.mp4", ExitCode.Input, "not a media file")]
    public async Task Bench_UnusableClip_SaysWhy(string name, int code, string said)
    {
        await File.WriteAllTextAsync(folder["text.mp4"], "no video", TestContext.Current.CancellationToken);

        (await Lfr.RunAsync("bench", folder[name])).Exits(code).Says(said).IsCivil();
    }

    [Theory]
    [InlineData("--cameras", "0", "--cameras takes a whole number, 1 or more, not \"0\"")]
    [InlineData("--seconds", "0", "from 0.5 to 3600")]
    [InlineData("--templates", "0", "from 1 to 1000000")]
    [InlineData("--grid", "8", "--grid takes a whole number from 32 to 4096")]
    public async Task Bench_SenselessArguments_SaysWhatIsSensible(string option, string value, string said) =>
        (await Lfr.RunAsync("bench", material.ShortClip, option, value)).Exits(ExitCode.Usage).Says(said).IsCivil();

    private static double Calls(JsonNode run, string name) => (double)run["stages"]!.AsArray().Single(s => (string?)s!["stage"] == name)!["callsPerFrame"]!;
}
