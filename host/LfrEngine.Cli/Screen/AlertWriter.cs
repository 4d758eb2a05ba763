using System.Text;
using System.Text.Json;
using LfrEngine.Alerts;
using LfrEngine.Cli.Commands;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Files;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Files;
using LfrEngine.Native.Media;
using LfrEngine.Records;
using LfrEngine.Records.Alerts;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Screen;

/// <summary>Writes alerts as JSON lines and as side-by-side pictures. Failed writes are tried again with the next alert and at the end.</summary>
internal sealed class AlertWriter : IDisposable
{
    private const int PictureSide = 256;
    private const int Gap = 8;
    private const int JpegQuality = 92;

    private readonly string? linesPath;
    private readonly string? crops;
    private readonly Watchlist watchlist;
    private readonly string embedderSha256;
    private readonly ScoreCalibration? calibration;
    private readonly Queue<string> pending = new();
    private AppendFile? lines;
    private int linesInFile, linesDeleted;

    /// <summary>Opens the outputs, so that an unwritable folder is reported before any camera is opened.</summary>
    /// <exception cref="CommandFailure">An output cannot be written.</exception>
    public AlertWriter(string? linesPath, string? crops, Watchlist watchlist, string embedderSha256, ScoreCalibration? calibration)
    {
        (this.linesPath, this.crops, this.watchlist, this.embedderSha256, this.calibration) = (linesPath, crops, watchlist, embedderSha256, calibration);
        string? place = crops;
        try
        {
            // Whether it can be written to was checked before the models were loaded.
            if (crops is not null)
                Directory.CreateDirectory(crops);
            place = linesPath;
            if (linesPath is not null)
                lines = AppendFile.Open(linesPath);
        }
        catch (FileInUseException e)
        {
            throw new CommandFailure(ExitCode.Output, $"Another run is writing {linesPath}. Give each run its own file with --out.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"Alerts cannot be written to {place}: {FileTrouble.Words(e)} Give a writable folder with --out and --crops.", e);
        }
    }

    /// <summary>The latest failure to write lines; null if there is none pending.</summary>
    public string? Failure { get; private set; }

    /// <summary>The latest failure to write a picture; null if there was none.</summary>
    public string? PictureFailure { get; private set; }

    /// <summary>Message if the file was deleted during the run; null if not.</summary>
    public string? Deletion => linesDeleted == 0 ? null : $"{linesPath} was deleted during the run, with {new Counted(linesDeleted):line|lines}. Later lines are in a new file of the same name.";

    /// <summary>Writes one line of JSON.</summary>
    public void WriteLine(string json)
    {
        if (lines is null)
            return;
        lock (pending)
        {
            pending.Enqueue(json);
            Flush();
        }
    }

    /// <summary>Writes an alert: its picture if pictures are kept, then its line.</summary>
    /// <returns>The line, the path of the picture, null if none was written, and the likelihood ratio, null without a calibration.</returns>
    public (string Line, string? Picture, AlertLikelihood? Likelihood) Write(Alert alert)
    {
        string? picture = crops is null ? null : WritePicture(alert);
        AlertLikelihood? likelihood = AlertLikelihood.Of(calibration?.Of(ComparisonTraits.Of(alert.Score, alert.Quality, alert.Cover, alert.ByCoveredTemplates, watchlist.Identities.Count)));
        string line = JsonSerializer.Serialize(AlertLine.From(alert, embedderSha256, picture is null ? null : Path.GetFileName(picture), likelihood), CliJson.Lines.AlertLine);
        WriteLine(line);
        return (line, picture, likelihood);
    }

    /// <summary>Tries to write pending lines.</summary>
    /// <returns>Lines that could not be written, for the terminal.</returns>
    public IReadOnlyCollection<string> Finish()
    {
        lock (pending)
        {
            Flush();
            return [.. pending];
        }
    }

    public void Dispose() => lines?.Dispose();

    private void Flush()
    {
        try
        {
            while (pending.TryPeek(out string? json))
            {
                if (lines!.IsDeleted)
                    BeginAgain();
                lines.Write(Encoding.UTF8.GetBytes(json + "\n"));
                linesInFile++;
                pending.Dequeue();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Failure = $"{new Counted(pending.Count):line|lines} could not be written to {linesPath}: {FileTrouble.Words(e)} Free some space. The next alert tries again.";
        }
    }

    // The file was deleted during the run: later lines go to a new file, and the loss is reported at the end.
    private void BeginAgain()
    {
        AppendFile again = AppendFile.Open(linesPath!);
        lines!.Dispose();
        lines = again;
        linesDeleted += linesInFile;
        linesInFile = 0;
    }

    private string? WritePicture(Alert alert)
    {
        try
        {
            using var sideBySide = new Picture((2 * PictureSide) + Gap, PictureSide);
            sideBySide.Paint(alert.Probe.View, Whole(alert.Probe.View), 0, PictureSide);
            if (!watchlist.Photo(alert.TemplateIndex).IsEmpty)
            {
                using MediaFrame photo = MediaReader.ReadPicture(watchlist.Photo(alert.TemplateIndex));
                FrameView view = FrameLease.ViewOf(photo);
                sideBySide.Paint(view, Whole(view), PictureSide + Gap, PictureSide);
            }
            using HostBuffer<byte> jpeg = sideBySide.EncodeJpeg(JpegQuality, out int bytes);
            return PictureNames.Write(crops!, alert.Run, alert.Camera, alert.TrackletId, alert.Identity.Id, jpeg.Span[..bytes]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MediaException)
        {
            PictureFailure = $"The picture of alert {alert.Id} could not be written to {crops}: {FileTrouble.Words(e)}";
            return null;
        }
    }

    private static FaceBox Whole(in FrameView view) => new(0, 0, view.Width, view.Height);
}

/// <summary>One alert as a line of JSON. Specific to the run are <c>run</c>, which also stands in <c>id</c>, <c>joinedAlertId</c> and <c>picture</c>, fields ending in "At", and "latencyMs". All other fields are the same each time the same recording is run.</summary>
internal sealed record AlertLine(string Type, string Run, string Id, string? JoinedAlertId, string Camera, long TrackletId, double FirstSeenMs, double BestShotMs, double CompletedMs,
    float[] Box, float Score, float Threshold, int AgreeingShots, int ComparedShots, CandidateLine Candidate, QualityLine Quality, CoverLine Cover, string ModelSha256, string? Picture,
    DateTimeOffset CapturedAt, DateTimeOffset RaisedAt, double LatencyMs, LikelihoodLine? Likelihood)
{
    public static AlertLine From(Alert alert, string modelSha256, string? picture, AlertLikelihood? likelihood) => new(
        alert.JoinedAlertId is null ? "alert" : "sighting", alert.Run, alert.Id, alert.JoinedAlertId, alert.Camera, alert.TrackletId,
        alert.FirstSeenUs / 1000.0, alert.BestShotUs / 1000.0, alert.CompletedUs / 1000.0,
        [alert.Box.Left, alert.Box.Top, alert.Box.Right, alert.Box.Bottom], alert.Score, alert.Threshold, alert.AgreeingShots, alert.ComparedShots,
        new CandidateLine(alert.Identity.Id, alert.Identity.Name, alert.Identity.Category, alert.Identity.Reference, alert.Identity.ImageDate, alert.Identity.Source, alert.TemplateIndex),
        new QualityLine(alert.Quality.Score, alert.Quality.InterEyePixels, alert.Quality.Sharpness, alert.Quality.Brightness,
            alert.Quality.YawDegrees, alert.Quality.PitchDegrees, alert.Quality.RollDegrees, alert.Quality.Cover),
        new CoverLine(alert.Cover.LowerFace, alert.Cover.Eyes, alert.Cover.Brow, alert.Cover.Words),
        modelSha256, picture, alert.CapturedAt, alert.RaisedAt, (alert.RaisedAt - alert.CapturedAt).TotalMilliseconds,
        likelihood is null ? null : new LikelihoodLine(likelihood.Log10, likelihood.AtBound, likelihood.ListSize, likelihood.Support, LikelihoodWords.Sentence(likelihood)));
}

/// <summary>Likelihood ratio of an alert's score, from the evidence's calibration.</summary>
internal sealed record LikelihoodLine(double Log10, bool AtBound, int ListSize, Support Support, string Words);

/// <summary>The candidate of an alert.</summary>
internal sealed record CandidateLine(string Id, string Name, WatchlistCategory Category, string? Reference, DateOnly? ImageDate, string? Source, int Template);

/// <summary>Covered parts of the face in an alert's best shot: probabilities, and as text if something is covered.</summary>
internal sealed record CoverLine(float LowerFace, float Eyes, float Brow, string? Words);

/// <summary>Quality of an alert's best shot.</summary>
internal sealed record QualityLine(float Score, float InterEyePixels, float Sharpness, float Brightness, float YawDegrees, float PitchDegrees, float RollDegrees, float Cover);
