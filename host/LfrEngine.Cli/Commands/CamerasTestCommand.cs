using System.Globalization;
using LfrEngine.Detection;
using LfrEngine.Pipeline;
using LfrEngine.Records.Cameras;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr cameras test</c>: tests one source and whether faces in it can be compared.</summary>
internal static class CamerasTestCommand
{
    private const int BarLength = 50;

    public static Command Create()
    {
        var source = new Argument<string>("NAME=SOURCE") { Description = "As for `lfr run --camera`." };
        var seconds = new Option<double>("--seconds") { Description = "How long to test; for a recording, how much of its beginning.", DefaultValueFactory = _ => 5 }.From(1, 600);
        var grid = PipelineOptions.Grid("Long side of the detection grid as given to `lfr run`, pixels.");
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("test", "Open one camera and report on its stream. No picture is shown or kept.") { source, seconds, grid, json };
        ModelOptions models = new();
        LockOption locking = new();
        models.AddTo(command);
        locking.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            CameraSettings camera = RunCommand.ParseCamera(parsed.GetRequiredValue(source), Pace.Automatic);
            (double s, int side) = (parsed.GetValue(seconds), parsed.GetValue(grid));
            locking.Require(parsed);
            using EngineModels loaded = models.Load(parsed);
            CameraFindings findings = new CameraCheck(camera, loaded, TimeSpan.FromSeconds(s), side).Run(stopping);
            if (parsed.GetValue(json))
                CliJson.Print(findings, CliJson.Default.CameraFindings);
            else
                Print(findings, side);
            return Task.FromResult(findings.Warnings.Length == 0 ? ExitCode.Success : ExitCode.Incomplete);
        });
        return command;
    }

    private static void Print(CameraFindings c, int grid)
    {
        string announced = c.NominalFramesPerSecond is { } fps ? $"{fps:0.##} announced" : "none announced";
        Say("stream", $"{c.Codec} in {c.Container}, {c.Width}x{c.Height}, {c.PixelFormat}");
        string measured = c.MeasuredFramesPerSecond is { } rate ? $"{rate:0.0} per second" : "not measured";
        Say("frame rate", $"{measured}, {announced}; {new Counted(c.Frames):frame|frames} in {c.Seconds:0.0} s, first after {c.TimeToFirstPictureMs:0} ms");
        Say("time stamps", c.TimeStamps.Text);
        Say("damage", c.DamagedPackets == 0 ? "none" : $"{new Counted(c.DamagedPackets):packet|packets}");
        Say("exposure", string.Create(CultureInfo.InvariantCulture, $"{c.Picture.ExposureText} (mean {c.Picture.MeanLuma:0} of 255, {c.Picture.ClippedDark:P0} black, {c.Picture.ClippedBright:P0} white)"));
        Say("focus", c.Picture.FocusText);
        PrintFaces(c.Faces, c.Width, grid);
        AnsiConsole.WriteLine();
        AnsiConsole.WriteLine("Brightness of the pixels, dark to bright:");
        double most = c.Picture.Histogram.Max();
        foreach ((int i, double share) in c.Picture.Histogram.Index())
        {
            int step = 256 / PictureCheck.Bins;
            AnsiConsole.WriteLine($"  {i * step,3}-{((i + 1) * step) - 1,3}  {new string('#', (int)Math.Round(share / most * BarLength)),-BarLength} {share,6:P1}");
        }
        if (c.Warnings.Length == 0)
            AnsiConsole.WriteLine($"{c.Name}: good.");
        foreach (string warning in c.Warnings)
            AnsiConsole.MarkupLineInterpolated($"[yellow]{c.Name}: {warning}.[/]");
    }

    private static void PrintFaces(FaceFindings f, int width, int grid)
    {
        string needed = $"at least {f.MinimumInterEyePixels:0} pixels between the eyes are needed, that is a face {f.MinimumWidthPixels:0} pixels wide (at --grid {grid})";
        if (f.Seen == 0)
        {
            Say("faces", $"none seen in {new Counted(f.FramesSearched):frame|frames}; {needed}. With {width} pixels the picture may cover at most {f.WidestSceneMetres:0.0} m where people walk.");
            return;
        }
        Say("faces", $"{f.Seen} in {new Counted(f.FramesSearched):frame|frames}, {f.MedianInterEyePixels:0} pixels between the eyes (median), {f.LargestInterEyePixels:0} (largest); {f.TooSmall} too small: {needed}");
        AnsiConsole.WriteLine();
        AnsiConsole.WriteLine("Where in the picture: o large enough, x too small, + both, . no face seen");
        for (int row = 0; row < f.Rows; row++)
        {
            IEnumerable<char> cells = Enumerable.Range(0, f.Columns).Select(column => f.Zones.FirstOrDefault(z => z.Row == row && z.Column == column) switch
            {
                null => '.',
                { TooSmall: 0 } => 'o',
                { LargeEnough: 0 } => 'x',
                _ => '+',
            });
            AnsiConsole.WriteLine($"  {string.Join(' ', cells)}");
        }
        if (f.Zones.Where(z => z.TooSmall > 0).Select(z => z.Row).Distinct().ToArray() is { Length: > 0 } rows)
            AnsiConsole.WriteLine($"Faces are too small in {string.Join(", ", rows.Select(r => RowName(r, f.Rows)))}.");
    }

    private static string RowName(int row, int rows) => row == 0 ? "the top row" : row == rows - 1 ? "the bottom row" : $"row {row + 1} of {rows} from the top";

    private static void Say(string what, string text) => AnsiConsole.WriteLine($"{what,-12} {text}");
}
