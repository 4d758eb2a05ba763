using System.Data.Common;
using LfrEngine.Records.Configuration;
using Microsoft.AspNetCore.Identity;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Records.Store;

/// <summary>Opens the configured store.</summary>
internal static class StoreSetup
{
    /// <summary>Registers <see cref="LfrStore"/> and its factory.</summary>
    public static void AddStore(this IServiceCollection services, Installation installation)
    {
        StoreConfig config = installation.Config.Store;
        if (config.Kind == StoreKind.Sqlite)
            services.AddStore<SqliteStore>(o => UseSqlite(o, installation.DataPath("store.db")));
        else
            services.AddStore<PostgresStore>(o => o.UseNpgsql(config.Connection));
    }

    /// <summary>Migrates the store to this version.</summary>
    /// <exception cref="CommandFailure">The store cannot be reached or opened.</exception>
    public static async Task MigrateAsync(IServiceProvider services, CancellationToken stopping)
    {
        try
        {
            await using LfrStore store = await services.GetRequiredService<IDbContextFactory<LfrStore>>().CreateDbContextAsync(stopping);
            await store.Database.MigrateAsync(stopping);
        }
        catch (Exception e) when (e is DbException or IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException)
        {
            throw new CommandFailure(ExitCode.Environment, $"The database cannot be opened: {e.Message} Check \"store\" and \"data\" in lfr.json.", e);
        }
    }

    /// <summary>Opens the store for a command that only reads it; a server may be running.</summary>
    /// <exception cref="CommandFailure">The store cannot be opened, or does not exist.</exception>
    public static LfrStore OpenForReading(Installation installation)
    {
        var services = new ServiceCollection();
        services.Configure<IdentityOptions>(UsePasskeys);
        services.AddStore(installation);
        LfrStore store = services.BuildServiceProvider().GetRequiredService<IDbContextFactory<LfrStore>>().CreateDbContext();
        if (store.Database.CanConnect())
            return store;
        store.Dispose();
        throw new CommandFailure(ExitCode.Input, $"There is no database {(installation.Config.Store.Kind == StoreKind.Sqlite ? $"in {installation.DataFolder}" : "at that server")}: `lfr serve` creates it. Check \"store\" and \"data\" in lfr.json.");
    }

    /// <summary>Includes the tables for passkeys.</summary>
    public static void UsePasskeys(IdentityOptions options) => options.Stores.SchemaVersion = IdentitySchemaVersions.Version3;

    /// <summary>Services that the model needs when there is no server.</summary>
    public static IServiceProvider DesignServices() => new ServiceCollection().Configure<IdentityOptions>(UsePasskeys).BuildServiceProvider();

    private static void AddStore<TStore>(this IServiceCollection services, Action<DbContextOptionsBuilder> use)
        where TStore : LfrStore
    {
        // A failed command throws an exception to its caller, so logging it would report it twice, and for a new store as an error:
        // whether it has tables is determined by a command that fails.
        services.AddDbContextFactory<TStore>(options =>
        {
            use(options);
            options.ConfigureWarnings(w => w.Ignore(RelationalEventId.CommandError, RelationalEventId.TransactionError));
        });
        services.AddSingleton<IDbContextFactory<LfrStore>, AnyStoreFactory<TStore>>();
        services.AddScoped<LfrStore>(s => s.GetRequiredService<IDbContextFactory<TStore>>().CreateDbContext());
    }

    private static void UseSqlite(DbContextOptionsBuilder options, string path) => options
        .UseSqlite(new SqliteConnectionStringBuilder { DataSource = path, ForeignKeys = true, DefaultTimeout = 30 }.ConnectionString)
        .AddInterceptors(SecureDelete.Instance);

    /// <summary>Removed data is overwritten, and a power cut loses no committed change.</summary>
    private sealed class SecureDelete : DbConnectionInterceptor
    {
        public static readonly SecureDelete Instance = new();

        private const string Settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;";

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using DbCommand command = connection.CreateCommand();
            command.CommandText = Settings;
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using DbCommand command = connection.CreateCommand();
            command.CommandText = Settings;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private sealed class AnyStoreFactory<TStore>(IDbContextFactory<TStore> factory) : IDbContextFactory<LfrStore>
        where TStore : LfrStore
    {
        public LfrStore CreateDbContext() => factory.CreateDbContext();
    }
}

/// <summary>For <c>dotnet ef migrations add NAME --context SqliteStore --configuration Release --output-dir Store/Migrations/Sqlite</c>.</summary>
internal sealed class SqliteDesign : IDesignTimeDbContextFactory<SqliteStore>
{
    public SqliteStore CreateDbContext(string[] args) => new(new DbContextOptionsBuilder<SqliteStore>().UseApplicationServiceProvider(StoreSetup.DesignServices()).UseSqlite("Data Source=:memory:").Options);
}

/// <summary>For <c>dotnet ef migrations add NAME --context PostgresStore --configuration Release --output-dir Store/Migrations/Postgres</c>.</summary>
internal sealed class PostgresDesign : IDesignTimeDbContextFactory<PostgresStore>
{
    public PostgresStore CreateDbContext(string[] args) => new(new DbContextOptionsBuilder<PostgresStore>().UseApplicationServiceProvider(StoreSetup.DesignServices()).UseNpgsql("Host=localhost").Options);
}
