using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace LfrEngine.Web.Tests;

/// <summary>A real broker on loopback, in a separate folder; it can be killed and restarted with its data.</summary>
internal sealed class Mosquitto : IDisposable
{
    private const string Program = "/usr/sbin/mosquitto";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-mqtt-");
    private Process? process;

    private Mosquitto(int port) => Port = port;

    public int Port { get; }

    public static async Task<Mosquitto> StartAsync()
    {
        if (!File.Exists(Program))
            Assert.Skip("No MQTT broker. Debian: apt-get install mosquitto");
        var broker = new Mosquitto(FreePort.Tcp());
        // Every change is on disk at once, so that being killed loses no subscription.
        await File.WriteAllTextAsync(broker.Settings, $"listener {broker.Port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\npersistence_location {broker.folder.FullName}/\nautosave_on_changes true\nautosave_interval 1\n");
        await broker.StartAgainAsync();
        return broker;
    }

    public async Task StartAgainAsync()
    {
        process = Process.Start(new ProcessStartInfo(Program, ["-c", Settings]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await Eventually.HoldsAsync(async () =>
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
                return true;
            }
            catch (SocketException)
            {
                Assert.False(process.HasExited, "mosquitto did not start");
                return false;
            }
        }, "the broker listens");
    }

    public void Kill()
    {
        process!.Kill();
        process.WaitForExit();
        process.Dispose();
        process = null;
    }

    public void Dispose()
    {
        if (process is not null)
            Kill();
        folder.Delete(recursive: true);
    }

    private string Settings => Path.Combine(folder.FullName, "mosquitto.conf");
}
