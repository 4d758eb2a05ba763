using System.Diagnostics;

namespace LfrEngine.Cli.Tests.Support;

/// <summary>GStreamer's RTSP server with one recording, on a port of the test's choice; disposing kills it.</summary>
internal sealed class RtspServer : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private const string Packages = "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good";

    private readonly Process process;
    private bool gone;

    private RtspServer(Process process) => this.process = process;

    /// <summary>Starts it and waits until it listens; skips the test where its packages are missing.</summary>
    public static RtspServer Start(int port, string recording)
    {
        if (!File.Exists(Python))
            Assert.Skip($"No {Python}. The RTSP server needs the Debian packages {Packages}.");
        Process process = Process.Start(new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "rtsp_server.py"), recording, $"{port}"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        string? said = process.StandardOutput.ReadLine();
        if (said is null)
        {
            process.WaitForExit();
            process.Dispose();
            Assert.Skip($"The RTSP server needs the Debian packages {Packages}.");
        }
        Assert.Equal($"{port}", said);
        return new RtspServer(process);
    }

    public void Dispose()
    {
        if (gone)
            return;
        gone = true;
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
