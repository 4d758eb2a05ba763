using System.Diagnostics;
using LfrEngine.Evaluation.Simulation;
using LfrEngine.Files;
using LfrEngine.Memory;

namespace LfrEngine.Lab.Output;

/// <summary>Encodes frames to an H.264 file with the ffmpeg program. Uses one thread, so that the file is always the same.</summary>
internal sealed class VideoEncoder : IDisposable
{
    private readonly Process ffmpeg;
    private readonly Task<string> errors;

    public VideoEncoder(string path)
    {
        var start = new ProcessStartInfo("ffmpeg",
        [
            "-hide_banner", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuvj420p", "-s", $"{StreetScene.Width}x{StreetScene.Height}", "-r", $"{StreetScene.FramesPerSecond}", "-i", "pipe:0",
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-threads", "1", "-pix_fmt", "yuvj420p", "-color_range", "pc", "-colorspace", "bt470bg", "-movflags", "+faststart", path,
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        try
        {
            ffmpeg = ChildProgram.Start(start);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new CommandFailure(ExitCode.Environment, "Videos are made with the ffmpeg program, which is not installed. Debian: apt-get install ffmpeg", e);
        }
        errors = ffmpeg.StandardError.ReadToEndAsync();
    }

    /// <summary>Writes a frame. Borrows it.</summary>
    public void Write(HostBuffer<byte> frame)
    {
        try
        {
            ffmpeg.StandardInput.BaseStream.Write(frame.Span);
        }
        catch (IOException e)
        {
            ffmpeg.WaitForExit();
            throw Failure(e);
        }
    }

    public void Finish()
    {
        ffmpeg.StandardInput.Close();
        ffmpeg.WaitForExit();
        if (ffmpeg.ExitCode != 0)
            throw Failure(null);
    }

    public void Dispose() => ChildProgram.End(ffmpeg);

    private Exception Failure(Exception? cause) => ChildProgram.WasStopped(ffmpeg)
        ? new OperationCanceledException()
        : new CommandFailure(ExitCode.Output, $"ffmpeg could not write the video: {errors.Result.Trim()}", cause);
}
