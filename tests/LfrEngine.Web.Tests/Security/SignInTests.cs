using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Web.Security;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Security;

/// <summary>The ways in, over real HTTPS without a browser.</summary>
[Trait("Speed", "slow")]
public sealed partial class SignInTests
{
    [Fact]
    public async Task SignIn_PasswordAndCode_OpensTheConsoleAndServesOnce()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        string code = await host.CodeAsync(olga);

        using HttpClient first = BrowserLike(host);
        Assert.Contains("/account/code", await PostAsync(first, "/account/sign-in", ("userName", "olga"), ("password", RunningHost.Password)), StringComparison.Ordinal);
        Assert.Equal("/", await PostAsync(first, "/account/code", ("code", code)));
        Assert.Equal(HttpStatusCode.OK, (await first.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);

        using HttpClient second = BrowserLike(host);
        await PostAsync(second, "/account/sign-in", ("userName", "olga"), ("password", RunningHost.Password));
        Assert.Equal("200", await PostAsync(second, "/account/code", ("code", code)));
        Assert.Equal(HttpStatusCode.Redirect, (await second.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(["officer.signed-in", "officer.sign-in-refused"], (await AuditAsync(host)).Select(e => e.Action));
    }

    [Fact]
    public async Task SignIn_ReturnAddressOfAnotherSite_IsNotFollowed()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        using HttpClient client = BrowserLike(host);
        await PostAsync(client, "/account/sign-in", ("userName", "olga"), ("password", RunningHost.Password));

        Assert.Equal("/", await PostAsync(client, "/account/code?ReturnUrl=%2F%2Fevil.example", ("code", await host.CodeAsync(olga))));
    }

    /// <summary>Guessing slows down, but nobody is locked out by it, and nothing tells whether the name exists.</summary>
    [Fact]
    public async Task SignIn_FiveWrongPasswords_DoNotLockOutTheRightOne()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        await host.AddOfficerAsync("olga", Roles.Operator);
        using HttpClient client = BrowserLike(host);
        for (int i = 0; i < SignInBrake.Free; i++)
            await PostAsync(client, "/account/sign-in", ("userName", "olga"), ("password", "wrong"));

        Assert.Contains("/account/code", await PostAsync(client, "/account/sign-in", ("userName", "olga"), ("password", RunningHost.Password)), StringComparison.Ordinal);
        Assert.Equal(SignInBrake.Free, (await AuditAsync(host)).Count(e => e.Action == "officer.sign-in-refused"));
    }

    [Fact]
    public void Brake_ManyFailures_SpacesAttemptsOnAnyName()
    {
        var clock = new TestTime();
        var brake = new SignInBrake(clock);
        TimeSpan?[] waits = new TimeSpan?[12];
        for (int i = 0; i < waits.Length; i++)
        {
            // Each attempt begins when the one before has been answered.
            waits[i] = brake.Reserve("Olga");
            clock.Offset += waits[i] ?? TimeSpan.Zero;
            brake.Failed("olga");
        }
        Assert.Equal([0, 0, 0, 0, 0, 1, 2, 4, 8, 8, 8, 8], waits.Select(w => Math.Round(w!.Value.TotalSeconds)));
        // All at once: whoever would stand in line for longer is turned away.
        int[] crowd = [.. Enumerable.Range(0, 6).Select(_ => brake.Reserve("olga") is { } wait ? (int)Math.Round(wait.TotalSeconds) : -1)];
        Assert.Equal([8, 16, 24, -1, -1, -1], crowd);
        Assert.Equal(TimeSpan.Zero, brake.Reserve("otto"));
        clock.Offset += TimeSpan.FromMinutes(16);
        Assert.Equal(TimeSpan.Zero, brake.Reserve("olga"));
    }

    [Fact]
    public async Task SignIn_TooManyAttemptsFromOneAddress_MustWait()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient client = BrowserLike(host);
        string token = await FormTokenAsync(client, "/account/sign-in");
        var answers = new List<HttpStatusCode>();
        for (int i = 0; i <= RequestLimits.AttemptsPerMinute; i++)
            answers.Add((await SendAsync(client, "/account/sign-in", "password", token, ("userName", $"nobody-{i}"), ("password", "wrong"))).StatusCode);

        Assert.DoesNotContain(HttpStatusCode.TooManyRequests, answers[..^1]);
        Assert.Equal(HttpStatusCode.TooManyRequests, answers[^1]);
    }

    [Fact]
    public async Task SignIn_PasswordWithoutSecondFactor_OpensOnlyTheOwnAccount()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        OfficerRegister register = host.Services.GetRequiredService<OfficerRegister>();
        string secret = (await register.InviteFirstAsync(TestContext.Current.CancellationToken))!;
        await register.EnrolAsync(secret, Guid.NewGuid(), "ada", "Ada", RunningHost.Password, null);
        using HttpClient client = BrowserLike(host);

        Assert.Equal("/account", await PostAsync(client, "/account/sign-in", ("userName", "ada"), ("password", RunningHost.Password)));
        foreach (string closed in new[] { "/", "/officers", "/_blazor" })
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(closed, UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal((closed, HttpStatusCode.Redirect, "/account"), (closed, answer.StatusCode, answer.Headers.Location?.OriginalString));
        }
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/account", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task Session_OfficerDisabledOrRolesChanged_EndsAtTheNextRequest()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer admin = await host.AddOfficerAsync("ada", Roles.Administrator), olga = await host.AddOfficerAsync("olga", Roles.Operator);
        OfficerRegister register = host.Services.GetRequiredService<OfficerRegister>();
        var actor = new Actor(admin.Id.ToString(), "Ada");
        using HttpClient open = await host.ClientAsync(olga);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(open, "/"));

        await register.SetRolesAsync(actor, olga.Id, [Roles.Operator, Roles.Auditor]);
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(open, "/"));

        await using (LfrStore store = host.Store())
            olga = await store.Users.SingleAsync(o => o.Id == olga.Id, TestContext.Current.CancellationToken);
        using HttpClient again = await host.ClientAsync(olga);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(again, "/"));
        await register.SetDisabledAsync(actor, olga.Id, true);
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(again, "/"));
        using HttpClient fresh = BrowserLike(host);
        Assert.Equal("200", await PostAsync(fresh, "/account/sign-in", ("userName", "olga"), ("password", RunningHost.Password)));
    }

    [Fact]
    public async Task Changes_WithoutTheFormsToken_AreRefused()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        using HttpClient client = host.Client();
        Cookie session = await host.SessionAsync(olga);
        client.DefaultRequestHeaders.Add("Cookie", $"{session.Name}={session.Value}");
        foreach (string address in new[] { "/account/sign-out", "/account/passkey/proof", "/account/passkey/request-options", "/api/v1/anything" })
            Assert.Equal((address, HttpStatusCode.BadRequest), (address, (await client.PostAsync(new Uri(address, UriKind.Relative), null, TestContext.Current.CancellationToken)).StatusCode));

        using HttpClient withToken = await host.ClientAsync(olga);
        Assert.Equal(HttpStatusCode.Redirect, (await withToken.PostAsync(new Uri("/account/sign-out", UriKind.Relative), null, TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task Answers_AllKinds_CarryStrictHeaders()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));
        foreach (string address in new[] { "/", "/account", "/account/sign-in", "/theme.css", "/api/v1/anything", "/no-such-page" })
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(address, UriKind.Relative), TestContext.Current.CancellationToken);
            string policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.True(answer.Headers.CacheControl?.NoStore, address);
        }
    }

    [Fact]
    public async Task Signing_FreshProof_SignsWithTheOfficersKeyAndOnlyThen()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer olga = await host.AddOfficerAsync("olga", Roles.AuthorisingOfficer);
        OfficerSigning signing = host.Services.GetRequiredService<OfficerSigning>();
        byte[] text = "authority"u8.ToArray();
        string code = await host.CodeAsync(olga);

        string unused = await host.CodeAsync(olga);
        await Assert.ThrowsAsync<ProofRefusedException>(() => signing.SignAsync(olga, "wrong", unused, text));
        await Assert.ThrowsAsync<ProofRefusedException>(() => signing.SignAsync(olga, RunningHost.Password, "000000", text));
        string signature = await signing.SignAsync(olga, RunningHost.Password, code, text);
        ProofRefusedException again = await Assert.ThrowsAsync<ProofRefusedException>(() => signing.SignAsync(olga, RunningHost.Password, code, text));
        Assert.Throws<ProofRefusedException>(() => signing.SignByPasskey(olga, text));

        Assert.Contains("works once", again.Message, StringComparison.Ordinal);
        using var key = ECDsa.Create();
        key.ImportFromPem(olga.SigningPublicKey);
        Assert.True(key.VerifyData(text, Convert.FromBase64String(signature), HashAlgorithmName.SHA256));
        host.Services.GetRequiredService<StepUp>().ProvedByPasskey(olga.Id);
        Assert.True(key.VerifyData(text, Convert.FromBase64String(signing.SignByPasskey(olga, text)), HashAlgorithmName.SHA256));
    }

    /// <summary>Another site's page cannot open a socket or a stream here, and a name that somebody pointed at this machine opens nothing.</summary>
    [Fact]
    public async Task Requests_OfOtherSitesOrUnderOtherNames_AreRefused()
    {
        await using RunningHost host = await RunningHost.StartAsync((c, _) => c with { Names = ["van.example"] });
        using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));
        string own = host.Address.GetLeftPart(UriPartial.Authority);
        foreach (string path in new[] { "/_blazor", "/_blazor/negotiate", "/api/v1/alerts/stream", "/api/v1/alerts", "/" })
        {
            Assert.Equal((path, HttpStatusCode.Forbidden), (path, await AskAsync(path, "Origin", "https://evil.example")));
            Assert.Equal((path, HttpStatusCode.Forbidden), (path, await AskAsync(path, "Origin", "null")));
            Assert.NotEqual((path, HttpStatusCode.Forbidden), (path, await AskAsync(path, "Origin", own)));
            Assert.Equal((path, HttpStatusCode.MisdirectedRequest), (path, await AskAsync(path, "Host", "evil.example")));
        }
        Assert.Equal(HttpStatusCode.OK, await AskAsync("/api/v1/alerts", "Host", "VAN.example:8443"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("/api/v1/alerts", "Host", $"localhost:{host.Address.Port}"));

        async Task<HttpStatusCode> AskAsync(string path, string header, string value)
        {
            using var request = new HttpRequestMessage(path.EndsWith("negotiate", StringComparison.Ordinal) ? HttpMethod.Post : HttpMethod.Get, path);
            request.Headers.Add(header, value);
            using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
    }

    /// <summary>A client that keeps cookies, as a browser does.</summary>
    internal static HttpClient BrowserLike(RunningHost host) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = true,
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
    })
    { BaseAddress = new Uri($"https://localhost:{host.Address.Port}") };

    /// <summary>Fills in a page's first form; where it leads, or the status.</summary>
    private static async Task<string> PostAsync(HttpClient client, string path, params (string Name, string Value)[] fields)
    {
        using HttpResponseMessage answer = await SendAsync(client, path, path.Contains("code", StringComparison.Ordinal) ? "code" : "password", await FormTokenAsync(client, path), fields);
        return answer.Headers.Location?.OriginalString.Replace(client.BaseAddress!.GetLeftPart(UriPartial.Authority), "", StringComparison.Ordinal) ?? ((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string path, string form, string token, params (string Name, string Value)[] fields)
    {
        using var content = new FormUrlEncodedContent([new("_handler", form), new("__RequestVerificationToken", token), .. fields.Select(f => new KeyValuePair<string, string>(f.Name, f.Value))]);
        return await client.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
    }

    private static async Task<string> FormTokenAsync(HttpClient client, string path) =>
        Token().Match(await client.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken)).Groups[1].Value;

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path) =>
        (await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode;

    private static async Task<AuditEntry[]> AuditAsync(RunningHost host)
    {
        await using LfrStore store = host.Store();
        return await store.Audit.OrderBy(e => e.Sequence).ToArrayAsync(TestContext.Current.CancellationToken);
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
