using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>The demonstration of the console, as a stranger sees it.</summary>
[Trait("Speed", "slow")]
public sealed class ServeDemoTests : IDisposable
{
    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task ServeDemo_AnybodySignsInAndSeesTheAlert_AndNothingRemains()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using Lfr lfr = Lfr.Start(null, [("TMPDIR", temporary.Path)], "serve", "--demo", "https://127.0.0.1:0");
        string line = await lfr.SeesAsync("choose an officer");
        var at = new Uri(Regex.Match(line, @"https://\S+").Value);
        await lfr.SeesAsync("An alert is waiting");
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate is not null };
        using var browser = new HttpClient(handler) { BaseAddress = at };

        string page = WebUtility.HtmlDecode(await browser.GetStringAsync(new Uri("/account/sign-in?ReturnUrl=%2Faccount", UriKind.Relative), token));
        Assert.Contains("Demonstration: sample people", page, StringComparison.Ordinal);
        string form = Regex.Match(page, "<form[^>]*>(?:(?!</form>).)*Olga Sample(?:(?!</form>).)*</form>", RegexOptions.Singleline).Value;
        Dictionary<string, string> fields = Regex.Matches(form, "<input[^>]*name=\"([^\"]+)\"[^>]*value=\"([^\"]*)\"").ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        using HttpResponseMessage answer = await browser.PostAsync(new Uri("/account/sign-in?ReturnUrl=%2Faccount", UriKind.Relative), new FormUrlEncodedContent(fields), token);
        Assert.Equal("/account", answer.RequestMessage!.RequestUri!.AbsolutePath);
        using JsonDocument alerts = JsonDocument.Parse(await browser.GetStringAsync(new Uri("/api/v1/alerts", UriKind.Relative), token));
        Assert.NotEmpty(alerts.RootElement.EnumerateArray());

        lfr.Interrupt();

        (await lfr.EndAsync()).Exits(ExitCode.Success).Says("has been deleted").IsCivil();
        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary.Path));
    }
}
