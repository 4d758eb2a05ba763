using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using LfrEngine.Cli.Serving;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Watchlists;

/// <summary>Watchlists over REST and from lists: all of it or nothing.</summary>
[Trait("Speed", "slow")]
public sealed class WatchlistImportTests
{
    private const string Header = "id,name,category,reference,image_date,source,photos,legal_basis,reviewed_on,role_player\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Today { get; } = DateTime.Now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Rest_AllSteps_WorkOnlyForTheManager()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient manager = await host.ClientAsync(await host.AddOfficerAsync("mona", Roles.WatchlistManager));
        using HttpClient other = await host.ClientAsync(await host.AddOfficerAsync("olga", [.. Roles.All.Where(r => r != Roles.WatchlistManager)]));

        string list = await MadeAsync(await PostAsync(manager, "/api/v1/watchlists/", new { name = "Saturday" }));
        string person = await MadeAsync(await PostAsync(manager, $"/api/v1/watchlists/{list}/people", new
        {
            category = "wanted",
            details = new { name = "Ann Example", reference = "R1", legalBasis = "PACE", imageSource = "custody" },
            reviewedOn = Today,
            rolePlayer = false,
        }));
        using (HttpResponseMessage refused = await PostAsync(manager, $"/api/v1/watchlists/{list}/build", new { }))
        {
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
            Assert.Contains("No usable photo", await refused.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }
        using (HttpResponseMessage vetted = await UploadAsync(manager, $"/api/v1/watchlists/people/{person}/photos?takenOn={Today}", await File.ReadAllBytesAsync(photos.Woman, Token)))
            Assert.True(vetted.IsSuccessStatusCode, await vetted.Content.ReadAsStringAsync(Token));
        using (HttpResponseMessage corrupt = await UploadAsync(manager, $"/api/v1/watchlists/people/{person}/photos?takenOn={Today}", "not a photo"u8.ToArray()))
            Assert.Contains("not a picture", await corrupt.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        JsonArray people = JsonNode.Parse(await manager.GetStringAsync(new Uri($"/api/v1/watchlists/{list}/people", UriKind.Relative), Token))!.AsArray();
        Assert.Equal("Ann Example", (string?)people[0]!["details"]!["name"]);
        Assert.Equal(2, people[0]!["photos"]!.AsArray().Count);
        string kept = (string)people[0]!["photos"]!.AsArray().Single(p => (string?)p!["verdict"] != "rejected")!["id"]!;
        using (HttpResponseMessage picture = await manager.GetAsync(new Uri($"/pictures/watchlists/{kept}", UriKind.Relative), Token))
        {
            Assert.Equal("image/jpeg", picture.Content.Headers.ContentType!.MediaType);
            Assert.True(picture.Headers.CacheControl!.NoStore);
            Assert.Equal([0xFF, 0xD8, 0xFF], (await picture.Content.ReadAsByteArrayAsync(Token))[..3]);
        }
        using (HttpResponseMessage built = await PostAsync(manager, $"/api/v1/watchlists/{list}/build", new { }))
            Assert.Equal(HttpStatusCode.NoContent, built.StatusCode);
        Assert.Contains("\"built\"", await manager.GetStringAsync(new Uri($"/api/v1/watchlists/{list}", UriKind.Relative), Token), StringComparison.Ordinal);

        foreach (string path in new[] { "/api/v1/watchlists/", $"/api/v1/watchlists/{list}", $"/api/v1/watchlists/{list}/people", $"/pictures/watchlists/{kept}" })
        {
            using HttpResponseMessage refused = await other.GetAsync(new Uri(path, UriKind.Relative), Token);
            Assert.True(refused.StatusCode == HttpStatusCode.Forbidden, path);
        }
        using (HttpResponseMessage refused = await PostAsync(other, $"/api/v1/watchlists/{list}/destroy", new { reason = "no" }))
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using (HttpResponseMessage gone = await PostAsync(manager, $"/api/v1/watchlists/{list}/destroy", new { reason = "over" }))
            Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        using (HttpResponseMessage picture = await manager.GetAsync(new Uri($"/pictures/watchlists/{kept}", UriKind.Relative), Token))
            Assert.Equal(HttpStatusCode.NotFound, picture.StatusCode);
        await using LfrStore store = host.Store();
        Assert.True(await store.Audit.AnyAsync(e => e.Action == "watchlist.person-viewed" && e.ActorName == "mona" && e.Details.Contains(person), Token));
        Assert.False(await store.Audit.AnyAsync(e => e.Details.Contains("Ann Example"), Token));
    }

    [Fact]
    public async Task Import_OneLineIsWrong_NothingIsWritten()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        await using RunningHost host = await RunningHost.StartAsync((c, _) => c with { Watchlist = new() { ["suspect"] = new CategoryPolicy { MaximumImageAgeDays = 10 } } });
        using HttpClient manager = await host.ClientAsync(await host.AddOfficerAsync("mona", Roles.WatchlistManager));
        byte[] wrong = Zip(Header
            + $"ann,Ann,wanted,R1,{Today},custody,ann.jpg,PACE,{Today},no\n"
            + $"bob,Bob,suspect,R2,2020-01-01,custody,bob.jpg;none.jpg,,{Today},no\n"
            + $"cy,Cy,wanted,R3,{Today},custody,nobody.jpg,PACE,,no\n"
            + $"dan,\"Dan\nExample\",wanted,R4,{Today},custody,ann.jpg,PACE,{Today},no\n", ("ann.jpg", photos.Woman), ("bob.jpg", photos.Man), ("nobody.jpg", photos.Nobody));

        using HttpResponseMessage refused = await UploadAsync(manager, "/api/v1/watchlists/import?name=Sunday", wrong);

        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        JsonNode report = JsonNode.Parse(await refused.Content.ReadAsStringAsync(Token))!;
        string[] refusals = [.. report["refusals"]!.AsArray().Select(r => (string)r!)];
        Assert.Equal(6, refusals.Length);
        Assert.Contains(refusals, r => r.Contains("line 5 (dan)", StringComparison.Ordinal) && r.Contains("line breaks", StringComparison.Ordinal));
        Assert.Contains(refusals, r => r.Contains("line 3 (bob)", StringComparison.Ordinal) && r.Contains("legal basis", StringComparison.Ordinal));
        Assert.Contains(refusals, r => r.Contains("line 3 (bob)", StringComparison.Ordinal) && r.Contains("Use a newer one", StringComparison.Ordinal));
        Assert.Contains(refusals, r => r.Contains("line 4 (cy)", StringComparison.Ordinal) && r.Contains("reviewed_on", StringComparison.Ordinal));
        Assert.Contains(refusals, r => r.Contains("line 4 (cy)", StringComparison.Ordinal) && r.Contains("No usable photo", StringComparison.Ordinal));
        await AssertNothingAsync(host);
        Assert.Empty(host.Services.GetRequiredService<KeyVault>().All());
    }

    [Fact]
    public async Task Import_DryRunThenImport_SaysTheSameAndWritesAllAtOnce()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient manager = await host.ClientAsync(await host.AddOfficerAsync("mona", Roles.WatchlistManager));
        byte[] zip = Zip($"{Header.TrimEnd()},groups,consent_on\n"
            + $"ann,Ann,wanted,R1,{Today},custody,ann.jpg,PACE,{Today},no,,\n"
            + $"twin,Twin,missing-or-vulnerable,R2,{Today},family,,care order,{Today},yes,sex=female; skin_tone=fitzpatrick II,{Today}\n", ("ann.jpg", photos.Woman), ("twin/1.jpg", photos.WomanAgain));

        using HttpResponseMessage dry = await UploadAsync(manager, "/api/v1/watchlists/import?name=Sunday&dryRun=true", zip);
        JsonNode checkedOnly = JsonNode.Parse(await dry.Content.ReadAsStringAsync(Token))!;
        await AssertNothingAsync(host);
        using HttpResponseMessage real = await UploadAsync(manager, "/api/v1/watchlists/import?name=Sunday", zip);
        JsonNode report = JsonNode.Parse(await real.Content.ReadAsStringAsync(Token))!;

        Assert.Equal(HttpStatusCode.OK, real.StatusCode);
        Assert.Null(checkedOnly["watchlist"]);
        Assert.Equal(checkedOnly["photos"]!.ToJsonString(), report["photos"]!.ToJsonString());
        JsonNode pair = Assert.Single(report["similar"]!.AsArray())!;
        Assert.Equal(("ann", "twin"), ((string)pair["firstId"]!, (string)pair["secondId"]!));
        var id = Guid.Parse((string)report["watchlist"]!);
        await using LfrStore store = host.Store();
        PersonRecord[] people = await store.People.Include(p => p.Photos).Where(p => p.WatchlistId == id).ToArrayAsync(Token);
        Assert.Equal(2, people.Length);
        Assert.All(people, p => Assert.Single(p.Photos));
        PersonRecord player = Assert.Single(people, p => p.RolePlayer);
        PersonDetails details = host.Services.GetRequiredService<SealedPeople>().Details(player);
        Assert.Equal(("fitzpatrick II", "mona"), (details.Groups!["skin_tone"], details.Consent!.RecordedBy));
        AuditEntry recorded = await store.Audit.SingleAsync(e => e.Action == "watchlist.groups-recorded", Token);
        Assert.Contains(player.Id.ToString(), recorded.Details, StringComparison.Ordinal);
        Assert.DoesNotContain("fitzpatrick", recorded.Details, StringComparison.Ordinal);
        await host.Services.GetRequiredService<WatchlistService>().BuildAsync(Actor.Engine, id, Token);
    }

    [Theory]
    [InlineData("not a zip file", "not a zip file")]
    [InlineData("", "not a zip file")]
    public async Task Import_NoZip_IsRefused(string body, string says)
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient manager = await host.ClientAsync(await host.AddOfficerAsync("mona", Roles.WatchlistManager));

        using HttpResponseMessage refused = await UploadAsync(manager, "/api/v1/watchlists/import?name=Sunday", Encoding.UTF8.GetBytes(body));

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains(says, await refused.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImportCommand_KilledInTheMiddle_LeavesNothingAndTheNextSucceeds()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-import-");
        try
        {
            string people = Path.Combine(folder.FullName, "people"), config = Path.Combine(folder.FullName, "lfr.json");
            Directory.CreateDirectory(people);
            await File.WriteAllTextAsync(config, """{"name": "Test van", "listen": ["https://127.0.0.1:0"]}""", Token);
            File.Copy(photos.Woman, Path.Combine(people, "ann.jpg"));
            await File.WriteAllTextAsync(Path.Combine(people, "people.csv"), Header + $"ann,Wilhelmina Zanzibar-Quist,wanted,R1,{Today},custody,ann.jpg,PACE,{Today},no\n", Token);
            string keys = Directory.CreateDirectory(Path.Combine(folder.FullName, "data", "keys")).FullName;
            var begun = new TaskCompletionSource();
            using (var watcher = new FileSystemWatcher(keys) { EnableRaisingEvents = true })
            {
                watcher.Created += (_, _) => begun.TrySetResult();
                using Process import = Import(config, people);
                // The key is made first; then come seconds in which the child starts and looks at the photo.
                await begun.Task.WaitAsync(TimeSpan.FromSeconds(120), Token);
                import.Kill();
                await import.WaitForExitAsync(Token);
                Assert.NotEqual(0, import.ExitCode);
            }
            string data = Path.Combine(folder.FullName, "data");
            byte[] name = "Zanzibar"u8.ToArray();
            Assert.DoesNotContain(Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories), f => File.ReadAllBytes(f).AsSpan().IndexOf(name) >= 0);
            Assert.Empty(Directory.GetFiles(data, "*.lfr", SearchOption.AllDirectories));
            using (Process again = Import(config, people))
            {
                string output = await again.StandardOutput.ReadToEndAsync(Token), errors = await again.StandardError.ReadToEndAsync(Token);
                await again.WaitForExitAsync(Token);
                Assert.True(again.ExitCode == 0, output + errors);
                Assert.Equal(1, (int)JsonNode.Parse(output)!["people"]!);
            }
            var installation = new Installation(new HostConfig { Name = "Test van", Listen = ["https://127.0.0.1:0"] }, folder.FullName);
            await using Microsoft.AspNetCore.Builder.WebApplication app = Server.Build(installation, TimeProvider.System);
            await using LfrStore store = await app.Services.GetRequiredService<IDbContextFactory<LfrStore>>().CreateDbContextAsync(Token);
            Assert.Equal((1, 1, 1), (await store.Watchlists.CountAsync(Token), await store.People.CountAsync(Token), await store.Photos.CountAsync(Token)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task ImportCommand_ServerHasTheFolder_SaysSo()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-import-");
        string config = Path.Combine(folder.FullName, "lfr.json");
        await File.WriteAllTextAsync(config, """{"name": "Test van"}""", Token);
        using (DataLock.Take(new Installation(new HostConfig { Name = "Test van" }, folder.FullName)))
        {
            using Process import = Import(config, folder.FullName);
            string errors = await import.StandardError.ReadToEndAsync(Token);
            await import.WaitForExitAsync(Token);
            Assert.Equal(ExitCode.Environment, import.ExitCode);
            Assert.Contains("in use by a running `lfr serve`", errors, StringComparison.Ordinal);
        }
        folder.Delete(recursive: true);
    }

    private static async Task AssertNothingAsync(RunningHost host)
    {
        await using LfrStore store = host.Store();
        Assert.Equal((0, 0, 0), (await store.Watchlists.CountAsync(Token), await store.People.CountAsync(Token), await store.Photos.CountAsync(Token)));
    }

    private static Process Import(string config, string people)
    {
        string runtime = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        return Process.Start(new ProcessStartInfo(runtime, [Path.Combine(AppContext.BaseDirectory, "lfr.dll"), "watchlist", "import", people, "--config", config, "--name", "Sunday", "--allow-unlocked", "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    private static byte[] Zip(string list, params (string Name, string File)[] photos)
    {
        using var made = new MemoryStream();
        using (var zip = new ZipArchive(made, ZipArchiveMode.Create, leaveOpen: true))
        {
            using (var writer = new StreamWriter(zip.CreateEntry("people.csv").Open()))
                writer.Write(list);
            foreach ((string name, string file) in photos)
                zip.CreateEntryFromFile(file, name);
        }
        return made.ToArray();
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, object body) => client.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, Token);

    private static async Task<HttpResponseMessage> UploadAsync(HttpClient client, string path, byte[] bytes)
    {
        using var body = new ByteArrayContent(bytes);
        body.Headers.ContentType = new(path.Contains("/import", StringComparison.Ordinal) ? "application/zip" : "image/jpeg");
        return await client.PostAsync(new Uri(path, UriKind.Relative), body, Token);
    }

    private static async Task<string> MadeAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            string text = await answer.Content.ReadAsStringAsync(Token);
            Assert.True(answer.IsSuccessStatusCode, text);
            return (string)JsonNode.Parse(text)!["id"]!;
        }
    }
}
