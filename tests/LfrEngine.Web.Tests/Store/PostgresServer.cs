using System.Diagnostics;
using LfrEngine.Cli.Serving;
using LfrEngine.Records.Configuration;
using LfrEngine.Web.Tests;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace LfrEngine.Web.Tests;

/// <summary>A real PostgreSQL server, started once for the test run in a separate folder, reached through a socket there.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "postgres";

    private static readonly Lazy<Task<(Process Server, string Folder)>> Started = new(StartAsync);

    // Every table is made once for the whole run: the databases of tests begin as copies.
    private const string Empty = "lfr_empty";

    private static readonly Lazy<Task> Migrated = new(async () =>
    {
        string connection = await CreateAsync(Empty, "template1");
        DirectoryInfo data = Directory.CreateTempSubdirectory("lfr-empty-");
        await RunningHost.MigrateAsync(new Installation(new HostConfig { Name = "Empty", Store = new StoreConfig { Kind = StoreKind.Postgresql, Connection = connection } }, data.FullName));
        data.Delete(recursive: true);
    });

    /// <summary>Connection string of a new database with all tables and nothing in them.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        await Migrated.Value;
        return await CreateAsync($"lfr_{Guid.NewGuid():N}", Empty);
    }

    private static async Task<string> CreateAsync(string name, string template)
    {
        (_, string folder) = await Started.Value;
        await using var connection = new NpgsqlConnection(Connection(folder, User));
        await connection.OpenAsync();
        await using NpgsqlCommand create = connection.CreateCommand();
        #pragma warning disable CA2100 // A name of ours.
        create.CommandText = $"CREATE DATABASE {name} TEMPLATE {template}";
        #pragma warning restore CA2100
        await create.ExecuteNonQueryAsync();
        return Connection(folder, name);
    }

    /// <summary>Ends the server with the test run.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Started.IsValueCreated || !Started.Value.IsCompletedSuccessfully)
            return;
        (Process server, string folder) = await Started.Value;
        // An interrupt ends it at once and in order.
        using Process interrupt = Process.Start("kill", ["-INT", $"{server.Id}"]);
        await server.WaitForExitAsync();
        server.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static string Connection(string folder, string database) => new NpgsqlConnectionStringBuilder { Host = folder, Username = User, Database = database, Pooling = true, MaxPoolSize = 10 }.ConnectionString;

    private static async Task<(Process, string)> StartAsync()
    {
        string? programs = Directory.Exists("/usr/lib/postgresql") ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb"))) : null;
        if (programs is null)
            Assert.Skip("No PostgreSQL server. Debian: apt-get install postgresql");
        string folder = Directory.CreateTempSubdirectory("lfr-pg-").FullName;
        // It refuses to run as root.
        string[] asUser = Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={User}", $"--regid={User}", "--init-groups"] : [];
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", User, folder);
        string data = Path.Combine(folder, "data");
        await RunAsync([.. asUser, Path.Combine(programs!, "initdb"), "-D", data, "-A", "trust", "-U", User, "--no-sync", "--no-locale", "-E", "UTF8"]);
        Process server = Start([.. asUser, Path.Combine(programs!, "postgres"), "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=400"]);
        var said = new List<string>();
        while (await server.StandardError.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                _ = server.StandardError.ReadToEndAsync();
                return (server, folder);
            }
        }
        throw new InvalidOperationException("PostgreSQL did not start: " + string.Join('\n', said));
    }

    private static async Task RunAsync(params string[] command)
    {
        using Process process = Start(command);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}\n{await output}\n{await error}");
    }

    private static Process Start(string[] command) => Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;
}
