using System.Net;
using LfrEngine.Cli.Cameras;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr cameras discover</c>: finds ONVIF cameras on the local network and their streams.</summary>
internal static class CamerasDiscoverCommand
{
    private const string Variable = "LFR_CAMERA_PASSWORD";

    public static Command Create()
    {
        var network = new Option<string?>("--interface") { Description = "Network interface to use, by name or IPv4 address; default: all that support multicast." };
        var timeout = new Option<double>("--timeout") { Description = "Seconds to wait for answers, and for each answer of a camera.", DefaultValueFactory = _ => 5 }.From(0.5, 60);
        var user = new Option<string?>("--user") { Description = $"User name for cameras that require one. The password is read from ${Variable}, or prompted for; only a digest of it is sent." };
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var command = new Command("discover", "Find ONVIF cameras on the local network and the addresses of their streams.") { network, timeout, user, json };
        command.SetAction((parsed, stopping) =>
        {
            double seconds = parsed.GetValue(timeout);
            return RunAsync(LocalInterface.Choose(parsed.GetValue(network)), TimeSpan.FromSeconds(seconds), Credentials(parsed.GetValue(user)), parsed.GetValue(json), stopping);
        });
        return command;
    }

    private static NetworkCredential? Credentials(string? user)
    {
        if (string.IsNullOrEmpty(user))
            return null;
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } password)
            return new NetworkCredential(user, password);
        if (Console.IsInputRedirected)
            throw new CommandFailure(ExitCode.Usage, $"--user needs a password: set {Variable}.");
        return new NetworkCredential(user, AnsiConsole.Prompt(new TextPrompt<string>($"Password of the camera user {Markup.Escape(user)}:").Secret()));
    }

    private static async Task<int> RunAsync(LocalInterface[] interfaces, TimeSpan timeout, NetworkCredential? credentials, bool json, CancellationToken stopping)
    {
        var warnings = new List<string>();
        DiscoveryAnswer[] answers = await new WsDiscovery(warnings.Add).ProbeAsync(interfaces, timeout, stopping);
        FoundCamera[] cameras = await new CameraFinder(credentials, timeout).AskAsync(answers, stopping);
        if (json)
            CliJson.Print(new DiscoveryReport([.. interfaces.Select(i => i.ToString())], cameras, [.. warnings]), CliJson.Default.DiscoveryReport);
        else if (cameras.Length > 0)
            AnsiConsole.Write(TableOf(cameras));
        foreach (string line in warnings.Concat(cameras.SelectMany(c => c.Warnings.Select(w => $"{c.Address}: {w}"))))
            Console.Error.WriteLine($"Note: {line}.");
        Console.Error.WriteLine(NextStep(cameras, interfaces, timeout, credentials is not null));
        return ExitCode.Success;
    }

    private static Table TableOf(FoundCamera[] cameras)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Camera", "Model", "Address", "Stream", "Picture", "Source for --camera NAME=SOURCE");
        foreach (FoundCamera c in cameras)
        {
            string[] who = [c.Name ?? "unnamed", string.Join(' ', new[] { c.Manufacturer, c.Model }.Where(w => w is not null)), c.Address];
            if (c.State != "ready")
                table.AddRow([.. who.Select(Markup.Escape), "", "", Markup.Escape($"{c.State}: {c.Message}")]);
            // The camera is named once, with its first stream.
            foreach ((int i, FoundProfile p) in c.Profiles.Index())
                table.AddRow([.. (i == 0 && c.State == "ready" ? who : ["", "", ""]).Select(Markup.Escape), Markup.Escape(p.Name), Markup.Escape(Picture(p)), Markup.Escape(p.Source ?? "not available")]);
        }
        return table;
    }

    private static string Picture(FoundProfile profile) =>
        string.Join(", ", new[] { profile.Codec, profile.Width is { } w && profile.Height is { } h ? $"{w}x{h}" : null, profile.FramesPerSecond is { } fps ? $"{fps} fps" : null }.Where(p => p is not null));

    private static string NextStep(FoundCamera[] cameras, LocalInterface[] interfaces, TimeSpan timeout, bool withUser)
    {
        string asked = string.Join(", ", (object[])interfaces);
        if (cameras.Length == 0)
        {
            return $"No camera answered within {timeout.TotalSeconds:0.#} s on {asked}. Check that the camera is on this network, that ONVIF is switched on in its settings, and that no firewall blocks "
                + "UDP from port 3702. You can use a camera that was not found: run `lfr cameras test 'gate=rtsp://…'` with the address from its manual.";
        }
        int refused = cameras.Count(c => c.State == "refused"), ready = cameras.Count(c => c.State == "ready");
        return $"{new Counted(cameras.Length):camera|cameras} on {asked}, {ready} ready"
            + (refused == 0 ? "" : withUser ? $", {refused} refused: check the user name and password" : $", {refused} refused: give --user NAME, with the password in {Variable}")
            + (ready > 0 ? ". Test one with `lfr cameras test 'NAME=SOURCE'`. If a camera requires a password, put it into the address: rtsp://USER:PASSWORD@…" : ".");
    }
}
