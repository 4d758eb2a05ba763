using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Files;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Cameras;

/// <summary>The cameras of this installation: those of lfr.json, and those that officers added in the console.</summary>
/// <remarks>
/// The console's own are in <c>cameras.json</c> in the data folder, readable by the server's user alone as lfr.json is, because an address may contain a password.
/// Those of lfr.json can be changed there only: who keeps that file would otherwise undo the console's changes. Thread-safe; changes run one at a time.
/// </remarks>
internal sealed class CameraRegister : IDisposable
{
    private const string Added = "camera.added", Changed = "camera.changed", Removed = "camera.removed";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    private readonly Installation installation;
    private readonly Journal journal;
    private readonly IDbContextFactory<LfrStore> stores;
    private readonly SemaphoreSlim turn = new(1);
    private readonly string path;
    private volatile CameraConfig[] own;

    /// <summary>Reads the console's cameras.</summary>
    /// <exception cref="CommandFailure">Their file cannot be read.</exception>
    public CameraRegister(Installation installation, Journal journal, IDbContextFactory<LfrStore> stores)
    {
        (this.installation, this.journal, this.stores) = (installation, journal, stores);
        path = installation.DataPath("cameras.json");
        try
        {
            own = JsonSerializer.Deserialize<CameraConfig[]>(InputFile.ReadText(path), Json) ?? [];
        }
        catch (FileNotFoundException)
        {
            own = [];
        }
        catch (JsonException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{JsonTrouble.Words(path, e)} It holds the cameras that were added in the console.", e);
        }
    }

    /// <summary>All cameras. Of two with one name, that of lfr.json counts.</summary>
    public IReadOnlyList<CameraConfig> All => [.. installation.Config.Cameras, .. own.Where(c => !IsFixed(c.Name))];

    /// <summary>A camera by name; null if there is none.</summary>
    public CameraConfig? Find(string name) => All.FirstOrDefault(c => c.Name == name);

    /// <summary>Whether a camera is in lfr.json.</summary>
    public bool IsFixed(string name) => installation.Config.Cameras.Any(c => c.Name == name);

    /// <summary>A camera as the engine opens it.</summary>
    public CameraSettings SettingsOf(CameraConfig camera)
    {
        // A path is relative to lfr.json; a URL is not.
        string source = camera.Source.Contains("://", StringComparison.Ordinal) ? camera.Source : installation.PathOf(camera.Source);
        Pace pace = camera.Pace switch { CameraPace.Realtime => Pace.RealTime, CameraPace.Max => Pace.Maximum, _ => Pace.Automatic };
        return new CameraSettings(camera.Name, source, pace) { Options = camera.Options, Zone = camera.PictureZone };
    }

    /// <summary>The address as it may be shown: without user name, password and what follows a question mark.</summary>
    public static string AddressOf(CameraConfig camera) => MediaReader.WithoutLogin(camera.Source).Split('?')[0];

    /// <summary>Adds a camera.</summary>
    /// <exception cref="CameraRefusedException">It will not do; every reason.</exception>
    public Task AddAsync(Actor actor, CameraConfig camera) => InTurnAsync(async () =>
    {
        CameraConfig made = Checked(camera);
        if (Find(made.Name) is not null)
            throw new CameraRefusedException([$"There is a camera {made.Name} already. Choose another name."]);
        await SaveAsync(actor, Added, made.Name, new { Camera = made.Name, Zone = made.PictureZone?.ToString() }, [.. own, made]);
    });

    /// <summary>Changes a camera; its name stays.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="camera">As it is to be.</param>
    /// <param name="knowingly">Although a signed authority names it, which has then to be signed anew.</param>
    /// <exception cref="CameraRefusedException">It will not do, or a deployment that runs names it; every reason.</exception>
    public Task ChangeAsync(Actor actor, CameraConfig camera, bool knowingly) => InTurnAsync(async () =>
    {
        CameraConfig before = Editable(camera.Name), made = Checked(camera);
        // What the authority names; how a picture is turned decides what its zone shows.
        bool asSigned = AuthorisedCamera.Of(before) == AuthorisedCamera.Of(made) && (before.Rotate, before.Mirror) == (made.Rotate, made.Mirror);
        string[] signed = asSigned ? [] : await FreeAsync(made.Name, knowingly);
        await SaveAsync(actor, Changed, made.Name, new
        {
            Camera = made.Name,
            // Never the address.
            What = string.Join(", ", Differences(before, made)),
            Zone = made.PictureZone?.ToString(),
            Authorities = signed.Length == 0 ? null : string.Join(", ", signed),
        }, [.. own.Select(c => c.Name == made.Name ? made : c)]);
    });

    /// <summary>Removes a camera.</summary>
    /// <inheritdoc cref="ChangeAsync"/>
    public Task RemoveAsync(Actor actor, string name, bool knowingly) => InTurnAsync(async () =>
    {
        Editable(name);
        string[] signed = await FreeAsync(name, knowingly);
        await SaveAsync(actor, Removed, name, new { Camera = name, Authorities = signed.Length == 0 ? null : string.Join(", ", signed) }, [.. own.Where(c => c.Name != name)]);
    });

    /// <summary>Signed deployments whose authority names a camera.</summary>
    public async Task<IReadOnlyList<DeploymentRecord>> SignedForAsync(string name)
    {
        await using LfrStore store = await stores.CreateDbContextAsync();
        DeploymentRecord[] signed = await store.Deployments.AsNoTracking()
            .Where(d => d.State == DeploymentState.Signed || d.State == DeploymentState.Running || d.State == DeploymentState.Paused).OrderBy(d => d.Name).ToArrayAsync();
        return [.. signed.Where(d => AuthorityService.TryRead(d)?.Cameras.Any(c => c.Name == name) == true)];
    }

    public void Dispose() => turn.Dispose();

    private static IEnumerable<string> Differences(CameraConfig before, CameraConfig after)
    {
        if (before.Source != after.Source)
            yield return "address";
        if (before.PictureZone?.ToString() != after.PictureZone?.ToString())
            yield return "zone";
        if (before.Mounting != after.Mounting)
            yield return "mounting";
        if ((before.Rotate, before.Mirror) != (after.Rotate, after.Mirror))
            yield return "orientation";
        if ((before.Transport, before.Pace, before.Loop) != (after.Transport, after.Pace, after.Loop))
            yield return "transport or pace";
    }

    private static CameraConfig Checked(CameraConfig camera)
    {
        CameraConfig made = camera with { Name = camera.Name.Trim(), Source = camera.Source.Trim() };
        string[] faults = [.. ConfigFile.CameraFaults(made).Select(f => f.At switch { "name" => $"The name: {f.What}.", "source" => $"The address: {f.What}", "zone" => $"The zone: {f.What}.", "mounting" => $"The mounting: {f.What}.", _ => f.What })];
        return faults.Length == 0 ? made : throw new CameraRefusedException(faults);
    }

    private CameraConfig Editable(string name)
    {
        if (IsFixed(name))
            throw new CameraRefusedException([$"The camera {name} is in lfr.json. Change it there."]);
        return own.FirstOrDefault(c => c.Name == name) ?? throw new CameraRefusedException([$"There is no camera {name}."]);
    }

    // The engine would pause at once; the change is refused instead, so that nobody stops a deployment by mistake.
    private async Task<string[]> FreeAsync(string name, bool knowingly)
    {
        IReadOnlyList<DeploymentRecord> signed = await SignedForAsync(name);
        if (signed.FirstOrDefault(d => d.State == DeploymentState.Running) is { } running)
            throw new CameraRefusedException([$"The deployment {running.Name} is using this camera. Pause or end it first."]);
        if (signed.Count > 0 && !knowingly)
            throw new CameraRefusedException([$"The signed authority of {string.Join(", ", signed.Select(d => d.Name))} names this camera. After this change it must be drafted and signed again. Confirm that you know this."]);
        return [.. signed.Select(d => d.Name)];
    }

    // The trail first: a power cut may leave an entry about a change that was not made, but never a change without an entry.
    private async Task SaveAsync(Actor actor, string action, string name, object details, CameraConfig[] cameras)
    {
        await journal.NoteAsync(actor, action, $"camera/{name}", details);
        try
        {
            OutputFile.Write(path, JsonSerializer.Serialize(cameras, Json), ownerOnly: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await journal.NoteAsync(actor, "camera.not-saved", $"camera/{name}", new { Camera = name });
            throw new CameraRefusedException([$"The camera was not saved: {FileTrouble.Words(e)}"]);
        }
        own = cameras;
    }

    private async Task InTurnAsync(Func<Task> work)
    {
        await turn.WaitAsync();
        try
        {
            await work();
        }
        finally
        {
            turn.Release();
        }
    }
}

/// <summary>A camera cannot be added, changed, removed or tested; every reason says what to do.</summary>
internal sealed class CameraRefusedException(IReadOnlyList<string> reasons) : Exception(string.Join(' ', reasons))
{
    /// <summary>In words, for people.</summary>
    public IReadOnlyList<string> Reasons { get; } = reasons;
}
