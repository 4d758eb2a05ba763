using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using LfrEngine.Cli.Serving;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Web.Security;
using LfrEngine.Web.Shell;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LfrEngine.Web.Tests;

/// <summary>The real server on a free port, with a separate data folder, over real HTTPS.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private readonly DirectoryInfo folder;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, int> codes = new();
    private WebApplication app;

    private static readonly Lazy<Task<string>> EmptyStore = new(MakeEmptyStoreAsync);
    private static string? passwordHash;

    // The tests' own installation key, not the user's.
    static RunningHost() => Environment.SetEnvironmentVariable("LFR_CONFIG", Directory.CreateTempSubdirectory("lfr-key-").FullName);

    private RunningHost(DirectoryInfo folder, Installation installation, TimeProvider time, WebApplication app)
    {
        this.folder = folder;
        Installation = installation;
        Time = time;
        this.app = app;
    }

    public Installation Installation { get; private set; }

    public TimeProvider Time { get; }

    public WebApplication App => app;

    public IServiceProvider Services => app.Services;

    /// <summary>Where it listens, for example https://127.0.0.1:41233.</summary>
    public Uri Address => new(app.Urls.First());

    public Journal Journal => Services.GetRequiredService<Journal>();

    /// <summary>A place in the folder that goes away with the host.</summary>
    public string PathOf(string name) => Path.Combine(folder.FullName, name);

    /// <summary>Starts one.</summary>
    /// <param name="configure">Changes the configuration; its folder is given.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="kind">Where it keeps its records; PostgreSQL is a database of its own on a server of the test run's. Null for what LFR_TEST_STORE says, SQLite if nothing: all tests run on either.</param>
    /// <param name="policy">The rules of deployments; null for none.</param>
    public static async Task<RunningHost> StartAsync(Func<HostConfig, string, HostConfig>? configure = null, TimeProvider? time = null, StoreKind? kind = null, SignedPolicy? policy = null)
    {
        kind ??= Enum.Parse<StoreKind>(Environment.GetEnvironmentVariable("LFR_TEST_STORE") ?? nameof(StoreKind.Sqlite), ignoreCase: true);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-web-");
        var config = new HostConfig { Name = "Test van", Listen = ["https://127.0.0.1:0"], Engine = new EngineConfig { AllowUnlocked = true }, Sessions = new SessionsConfig { IdleMinutes = 720 } };
        if (kind == StoreKind.Postgresql)
            config = config with { Store = new StoreConfig { Kind = StoreKind.Postgresql, Connection = await PostgresServer.NewDatabaseAsync() } };
        config = configure?.Invoke(config, folder.FullName) ?? config;
        var installation = new Installation(config, folder.FullName) { Policy = policy };
        time ??= TimeProvider.System;
        return new RunningHost(folder, installation, time, await StartAsync(installation, time));
    }

    /// <summary>Starts another server on the data as they lie on the disk at this moment: what a power cut would leave of this one.</summary>
    public async Task<RunningHost> AfterPowerCutAsync()
    {
        DirectoryInfo copy = Directory.CreateTempSubdirectory("lfr-web-");
        foreach (string directory in Directory.EnumerateDirectories(folder.FullName, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(copy.FullName, Path.GetRelativePath(folder.FullName, directory)));
        // The store's own file before its log: the other way round a checkpoint in between would be missed.
        // An unfinished file that is being written at this moment is left out: nothing reads one.
        foreach (string file in Directory.EnumerateFiles(folder.FullName, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".partial", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            File.Copy(file, Path.Combine(copy.FullName, Path.GetRelativePath(folder.FullName, file)));
        var installation = new Installation(Installation.Config, copy.FullName) { Policy = Installation.Policy };
        return new RunningHost(copy, installation, Time, await StartAsync(installation, Time));
    }

    /// <summary>Ends the server in an orderly way and starts it again on the same data.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAgainAsync();
    }

    /// <summary>Ends the server in an orderly way; the data stays.</summary>
    public async Task StopAsync()
    {
        await app.StopAsync();
        CloseStore();
        await app.DisposeAsync();
    }

    /// <summary>Closes the connections that wait to be used again: SQLite then folds its log into its file, and PostgreSQL has room for others. Of this store alone, as others' hosts go on.</summary>
    public void CloseStore()
    {
        using LfrStore store = Store();
        CloseStore(store);
    }

    private static void CloseStore(LfrStore store)
    {
        switch (store.Database.GetDbConnection())
        {
            case Microsoft.Data.Sqlite.SqliteConnection connection:
                Microsoft.Data.Sqlite.SqliteConnection.ClearPool(connection);
                break;
            case Npgsql.NpgsqlConnection connection:
                Npgsql.NpgsqlConnection.ClearPool(connection);
                break;
        }
    }

    /// <summary>Starts the server again after <see cref="StopAsync"/>.</summary>
    /// <param name="at">Where it must listen; null for anywhere.</param>
    public async Task StartAgainAsync(Uri? at = null)
    {
        if (at is not null)
            Installation = Installation with { Config = Installation.Config with { Listen = [at.ToString()] } };
        app = await StartAsync(Installation, Time);
    }

    /// <summary>Makes an officer with a password and roles, without the ways of the console.</summary>
    public async Task<Officer> AddOfficerAsync(string name, params string[] roles)
    {
        await using AsyncServiceScope scope = Services.CreateAsyncScope();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        UserManager<Officer> officers = scope.ServiceProvider.GetRequiredService<UserManager<Officer>>();
        RoleManager<IdentityRole<Guid>> known = scope.ServiceProvider.GetRequiredService<RoleManager<IdentityRole<Guid>>>();
        foreach (string role in roles)
        {
            if (!await known.RoleExistsAsync(role))
                Assert.True((await known.CreateAsync(new IdentityRole<Guid>(role))).Succeeded);
        }
        var officer = new Officer
        {
            UserName = name,
            DisplayName = name,
            SigningPublicKey = key.ExportSubjectPublicKeyInfoPem(),
            SigningKey = scope.ServiceProvider.GetRequiredService<Microsoft.AspNetCore.DataProtection.IDataProtectionProvider>().CreateProtector("officer-signing-key").Protect(key.ExportPkcs8PrivateKey()),
            CreatedAt = Time.GetUtcNow(),
        };
        // Everybody's password is the same: one slow hash for the whole run.
        officer.PasswordHash = passwordHash ??= officers.PasswordHasher.HashPassword(officer, Password);
        IdentityResult made = await officers.CreateAsync(officer);
        Assert.True(made.Succeeded, string.Join("; ", made.Errors.Select(e => e.Description)));
        if (roles.Length > 0)
            Assert.True((await officers.AddToRolesAsync(officer, roles)).Succeeded);
        Assert.True((await officers.ResetAuthenticatorKeyAsync(officer)).Succeeded);
        Assert.True((await officers.SetTwoFactorEnabledAsync(officer, true)).Succeeded);
        return officer;
    }

    /// <summary>A code of the officer's authenticator app that has not been used; there are four before time must pass.</summary>
    public async Task<string> CodeAsync(Officer officer)
    {
        await using AsyncServiceScope scope = Services.CreateAsyncScope();
        int steps = codes.AddOrUpdate(officer.Id, -1, (_, last) => last + 1);
        Assert.True(steps <= 2, "All codes of these minutes have been used.");
        return Totp.Code((await scope.ServiceProvider.GetRequiredService<UserManager<Officer>>().GetAuthenticatorKeyAsync(officer))!, steps);
    }

    /// <summary>Password of officers made by <see cref="AddOfficerAsync"/>.</summary>
    public const string Password = "correct horse battery staple";

    /// <summary>A client that nobody is signed in with.</summary>
    public HttpClient Client() => Client(Address);

    /// <summary>A client in an officer's session, made with the server's own keys.</summary>
    public async Task<HttpClient> ClientAsync(Officer officer) => await ClientAsync(Address, await SessionAsync(officer));

    /// <summary>A client in a session, with the token that every change needs.</summary>
    public static async Task<HttpClient> ClientAsync(Uri address, Cookie session)
    {
        HttpClient client = Client(address);
        client.DefaultRequestHeaders.Add("Cookie", $"{session.Name}={session.Value}");
        using HttpResponseMessage answer = await client.GetAsync(new Uri("/account/antiforgery", UriKind.Relative));
        using var token = JsonDocument.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        client.DefaultRequestHeaders.Add(token.RootElement.GetProperty("header").GetString()!, token.RootElement.GetProperty("token").GetString());
        client.DefaultRequestHeaders.Remove("Cookie");
        client.DefaultRequestHeaders.Add("Cookie", $"{session.Name}={session.Value}; {answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0]}");
        return client;
    }

    private static HttpClient Client(Uri address) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    { BaseAddress = address };

    /// <summary>An officer's session cookie, made with the server's own keys, as sign-in would set it.</summary>
    public async Task<Cookie> SessionAsync(Officer officer)
    {
        await using AsyncServiceScope scope = Services.CreateAsyncScope();
        ClaimsPrincipal principal = await scope.ServiceProvider.GetRequiredService<SignInManager<Officer>>().CreateUserPrincipalAsync(officer);
        await Services.GetRequiredService<OfficerSessions>().BeginAsync(principal, "Test", "127.0.0.1");
        CookieAuthenticationOptions options = scope.ServiceProvider.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(IdentityConstants.ApplicationScheme);
        DateTimeOffset now = Time.GetUtcNow();
        var ticket = new AuthenticationTicket(principal, new AuthenticationProperties { IssuedUtc = now, ExpiresUtc = now.AddHours(1) }, IdentityConstants.ApplicationScheme);
        return new Cookie(options.Cookie.Name!, options.TicketDataFormat.Protect(ticket), "/", Address.Host) { Secure = true };
    }

    /// <summary>Reads from the store.</summary>
    public async Task<T> ReadAsync<T>(Func<LfrStore, Task<T>> read)
    {
        await using LfrStore store = Store();
        return await read(store);
    }

    /// <summary>A context of the store, for looking at.</summary>
    public LfrStore Store() => Services.GetRequiredService<IDbContextFactory<LfrStore>>().CreateDbContext();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        // A page that closes as its server ends may still write.
        await Eventually.HoldsAsync(() =>
        {
            try
            {
                folder.Delete(recursive: true);
                return Task.FromResult(true);
            }
            catch (IOException)
            {
                return Task.FromResult(false);
            }
        }, "the data folder was deleted");
    }

    private static async Task<WebApplication> StartAsync(Installation installation, TimeProvider time)
    {
        string store = installation.DataPath("store.db");
        if (installation.Config.Store.Kind == StoreKind.Sqlite && !File.Exists(store))
            File.Copy(await EmptyStore.Value, store);
        WebApplication app = Server.Build(installation, time);
        await StoreSetup.MigrateAsync(app.Services, CancellationToken.None);
        await app.StartAsync();
        return app;
    }

    // Every table is made once for the whole run: the stores of tests begin as copies.
    private static async Task<string> MakeEmptyStoreAsync()
    {
        var installation = new Installation(new HostConfig { Name = "Empty" }, Directory.CreateTempSubdirectory("lfr-empty-").FullName);
        await MigrateAsync(installation);
        return installation.DataPath("store.db");
    }

    /// <summary>Makes all tables of a store that nobody has open afterwards.</summary>
    internal static async Task MigrateAsync(Installation installation)
    {
        await using WebApplication app = Server.Build(installation, TimeProvider.System);
        await StoreSetup.MigrateAsync(app.Services, CancellationToken.None);
        await using LfrStore store = await app.Services.GetRequiredService<IDbContextFactory<LfrStore>>().CreateDbContextAsync();
        CloseStore(store);
    }
}
