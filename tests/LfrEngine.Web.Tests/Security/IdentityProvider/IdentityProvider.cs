using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;

namespace LfrEngine.Web.Tests.Security;

/// <summary>A certified identity provider on loopback. Its packages are restored by name, version and SHA-512 (package-lock.json), without running their scripts.</summary>
internal sealed class IdentityProvider : IDisposable
{
    public const string ClientSecret = "a secret that only two programs know";

    private Process? process;

    public Uri Authority { get; } = new($"http://127.0.0.1:{FreePort.Tcp()}");

    /// <summary>Starts it.</summary>
    /// <param name="redirect">Of the console.</param>
    /// <param name="groups">By user name.</param>
    public async Task StartAsync(string redirect, Dictionary<string, string[]> groups)
    {
        string program = Path.Combine(await RestoreAsync(), "provider.mjs");
        process = Process.Start(new ProcessStartInfo("node", [program, Authority.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), ClientSecret, redirect, JsonSerializer.Serialize(groups)]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && line != "ready")
        {
        }
    }

    /// <summary>Who signs in next.</summary>
    public async Task NextAsync(string name)
    {
        using var client = new HttpClient();
        using HttpResponseMessage answer = await client.GetAsync(new Uri(Authority, $"/next/{name}"), TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    public void Dispose()
    {
        process?.Kill();
        process?.Dispose();
    }

    // Kept between runs, by what the lock file says.
    private static async Task<string> RestoreAsync()
    {
        string source = Path.Combine(RepoRoot.Folder, "tests", "LfrEngine.Web.Tests", "Security", "IdentityProvider");
        string[] files = ["package.json", "package-lock.json", "provider.mjs"];
        string hash = Convert.ToHexStringLower(SHA256.HashData([.. files.SelectMany(f => File.ReadAllBytes(Path.Combine(source, f)))]))[..16];
        string folder = Path.Combine(Path.GetTempPath(), $"lfr-identity-provider-{hash}");
        if (File.Exists(Path.Combine(folder, "restored")))
            return folder;
        Directory.CreateDirectory(folder);
        foreach (string file in files)
            File.Copy(Path.Combine(source, file), Path.Combine(folder, file), overwrite: true);
        try
        {
            using Process npm = Process.Start(new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--silent"]) { WorkingDirectory = folder, RedirectStandardError = true })!;
            string said = await npm.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await npm.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(npm.ExitCode == 0, $"npm ci: {said}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("No npm. Debian: apt-get install npm");
        }
        await File.WriteAllTextAsync(Path.Combine(folder, "restored"), "");
        return folder;
    }
}
