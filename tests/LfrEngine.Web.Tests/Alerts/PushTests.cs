using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using LfrEngine.Web.Tests.Browser;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>Notifications by Web Push, to a push service of our own on loopback.</summary>
[Trait("Speed", "slow")]
public sealed class PushTests(BrowserFixture browser)
{
    [Fact]
    public async Task Alert_RaisedAndJudged_TellsThoseWhoActAndNothingAboutIt()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using PushService service = await PushService.StartAsync();
        await using RunningHost host = await RunningHost.StartAsync(Configured);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        using var olga = new Phone(service, "olga");
        using var eve = new Phone(service, "eve");
        using var gone = new Phone(service, "gone");
        using HttpClient atDesk = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator)), inStreet = await host.ClientAsync(await host.AddOfficerAsync("eve", Roles.EngagementOfficer)),
            left = await host.ClientAsync(await host.AddOfficerAsync("lea", Roles.EngagementOfficer)), moved = await host.ClientAsync(await host.AddOfficerAsync("mo", Roles.EngagementOfficer));
        await olga.SubscribeAsync(atDesk);
        await eve.SubscribeAsync(inStreet);
        using var lea = new Phone(service, "lea");
        await lea.SubscribeAsync(left);
        await gone.SubscribeAsync(moved);
        service.Answers["/gone"] = HttpStatusCode.Gone;
        using (HttpResponseMessage signedOut = await left.PostAsync(new Uri("/account/sign-out", UriKind.Relative), null, token))
            Assert.Equal(HttpStatusCode.Found, signedOut.StatusCode);
        await Eventually.HoldsAsync(() => host.ReadAsync(async s => await s.Sessions.CountAsync(x => x.PushAddress != null) == 3), "three phones take notifications");

        Guid alert = await material.RaiseAsync(await material.AddPersonAsync(WatchlistCategory.MissingOrVulnerable), WatchlistCategory.MissingOrVulnerable);
        await Eventually.HoldsAsync(() => Task.FromResult(service.Of("/olga").Length == 1), "the operator's phone was told");
        Assert.Equal("""{"title":"New alert to judge","page":"duty","vulnerable":true}""", olga.Read(service.Of("/olga").Single()));
        await material.Alerts.DecideAsync(await material.OfficerAsync("otto", Roles.Operator), alert, AlertState.Viable, "");
        await Eventually.HoldsAsync(() => Task.FromResult(service.Of("/eve").Length == 1), "the engagement officer's phone was told");
        Assert.Equal("""{"title":"New alert to act on","page":"alerts/street","vulnerable":true}""", eve.Read(service.Of("/eve").Single()));

        // Ended with the session; and a browser that has unsubscribed is asked once.
        Assert.Empty(service.Of("/lea"));
        await Eventually.HoldsAsync(() => host.ReadAsync(async s => await s.Sessions.CountAsync(x => x.PushAddress != null) == 2), "the phone that is gone is forgotten");
        Assert.Single(service.Of("/gone"));

        Pushed pushed = service.Of("/eve").Single();
        Assert.Equal(("aes128gcm", "300", "high", "alert"), (pushed.Encoding, pushed.Ttl, pushed.Urgency, pushed.Topic));
        AssertSigned(pushed.Authorization);
    }

    [Theory]
    [InlineData("https://elsewhere.example/x")]
    [InlineData("http://10.0.0.1/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData(null)]
    public void Allows_OtherAddresses_AreRefused(string? address)
    {
        var push = new PushConfig { Contact = "mailto:duty@force.example" };
        Assert.False(push.Allows(address));
        Assert.True(push.Allows("https://fcm.googleapis.com/fcm/send/abc"));
        Assert.True(push.Allows("https://web.push.apple.com/abc"));
        Assert.False(push.Allows("https://push.apple.com.evil.example/abc"));
        Assert.False(push.Allows("http://fcm.googleapis.com/abc"));
    }

    [Fact]
    public async Task Street_NotificationsTurnedOn_AreShownByTheBrowserAndLeadToTheAlert()
    {
        await using PushService service = await PushService.StartAsync();
        await using RunningHost host = await RunningHost.StartAsync(Configured);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer eve = await host.AddOfficerAsync("eve", Roles.EngagementOfficer);
        using (HttpClient refused = await host.ClientAsync(eve))
        using (HttpResponseMessage answer = await refused.PostAsJsonAsync("/session/push", new { address = "https://elsewhere.example/x", key = "a", secret = "b" }, TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        using var phone = new Phone(service, "phone");
        BrowserNewContextOptions options = BrowserFixture.Phone;
        options.Permissions = ["notifications"];
        await browser.WithPageAsync(host, eve, async page =>
        {
            IPage p = page.Page;
            // The browser's own push service is on the internet: its address and keys are ours, all else is the browser's.
            await p.AddInitScriptAsync($$"""
                let made = null;
                PushManager.prototype.getSubscription = async () => made;
                PushManager.prototype.subscribe = async wanted => {
                    if (!wanted.userVisibleOnly || atob(wanted.applicationServerKey.replaceAll("-", "+").replaceAll("_", "/")).length !== 65)
                        throw new Error("no key");
                    return made = { toJSON: () => ({ endpoint: "{{phone.Address}}", keys: { p256dh: "{{phone.Key}}", auth: "{{phone.Secret}}" } }), unsubscribe: async () => made = null };
                };
                """);
            await page.GoAsync("/alerts/street");
            await p.EvaluateAsync("navigator.serviceWorker.ready.then(() => true)");
            await p.ReloadAsync();
            await Expect(p.Locator("#push")).ToHaveTextAsync("Notifications are off");
            await page.AssertAccessibleAsync();
            await p.Locator("#push").ClickAsync();
            await Expect(p.Locator("#push")).ToHaveTextAsync("Notifications are on");

            Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
            await material.Alerts.DecideAsync(await material.OfficerAsync("otto", Roles.Operator), alert, AlertState.Viable, "");
            await Eventually.HoldsAsync(() => Task.FromResult(service.Of("/phone").Length == 1), "the push service was told");

            // Handed to the browser as a push service would.
            ICDPSession cdp = await page.Page.Context.NewCDPSessionAsync(p);
            var registered = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            cdp.Event("ServiceWorker.workerRegistrationUpdated").OnEvent += (_, e) =>
            {
                foreach (JsonElement registration in e!.Value.GetProperty("registrations").EnumerateArray())
                    registered.TrySetResult(registration.GetProperty("registrationId").GetString()!);
            };
            await cdp.SendAsync("ServiceWorker.enable");
            await cdp.SendAsync("ServiceWorker.deliverPushMessage", new Dictionary<string, object>
            {
                ["origin"] = ConsolePage.OriginOf(host),
                ["registrationId"] = await registered.Task.WaitAsync(TestContext.Current.CancellationToken),
                ["data"] = phone.Read(service.Of("/phone").Single()),
            });
            await p.WaitForFunctionAsync("async () => (await (await navigator.serviceWorker.ready).getNotifications()).some(n => n.title === 'New alert to act on' && n.data === 'alerts/street')");

            await p.Locator("#push").ClickAsync();
            await Expect(p.Locator("#push")).ToHaveTextAsync("Notifications are off");
        }, options);
        Assert.Equal(0, await host.ReadAsync(s => s.Sessions.CountAsync(x => x.PushAddress != null)));
    }

    private static HostConfig Configured(HostConfig config, string folder) => config with { Push = new PushConfig { Contact = "mailto:duty@force.example", Services = ["127.0.0.1"] } };

    // RFC 8292: "vapid t=TOKEN, k=KEY".
    private static void AssertSigned(string authorization)
    {
        Dictionary<string, string> parts = authorization["vapid ".Length..].Split(',').Select(p => p.Trim().Split('=', 2)).ToDictionary(p => p[0], p => p[1]);
        byte[] point = Base64Url.DecodeFromChars(parts["k"]);
        using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = point[1..33], Y = point[33..] } });
        string[] jwt = parts["t"].Split('.');
        Assert.True(key.VerifyData(Encoding.ASCII.GetBytes($"{jwt[0]}.{jwt[1]}"), Base64Url.DecodeFromChars(jwt[2]), HashAlgorithmName.SHA256));
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(jwt[1]));
        // The library leaves out the port; push services have none.
        Assert.Equal(("http://127.0.0.1", "mailto:duty@force.example"), (claims.RootElement.GetProperty("aud").GetString(), claims.RootElement.GetProperty("sub").GetString()));
    }

    private sealed record Pushed(string Path, string Authorization, string Encoding, string Ttl, string Urgency, string Topic, byte[] Body);

    /// <summary>A push service: takes what is pushed.</summary>
    private sealed class PushService : IAsyncDisposable
    {
        private readonly ConcurrentQueue<Pushed> received = new();
        private readonly WebApplication app;

        private PushService(WebApplication app) => this.app = app;

        public ConcurrentDictionary<string, HttpStatusCode> Answers { get; } = new();

        public string Origin => new Uri(app.Urls.First()).GetLeftPart(UriPartial.Authority);

        public static async Task<PushService> StartAsync()
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            WebApplication app = builder.Build();
            var service = new PushService(app);
            app.Run(async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                IHeaderDictionary h = context.Request.Headers;
                service.received.Enqueue(new Pushed(context.Request.Path, h.Authorization.ToString(), h.ContentEncoding.ToString(), h["TTL"].ToString(), h["Urgency"].ToString(), h["Topic"].ToString(), body.ToArray()));
                context.Response.StatusCode = (int)service.Answers.GetValueOrDefault(context.Request.Path, HttpStatusCode.Created);
            });
            await app.StartAsync();
            return service;
        }

        public Pushed[] Of(string path) => [.. received.Where(r => r.Path == path)];

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }

    /// <summary>What a browser does: keys of its own, and reading what comes (RFC 8291).</summary>
    private sealed class Phone(PushService service, string name) : IDisposable
    {
        private readonly ECDiffieHellman keys = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        private readonly byte[] secret = RandomNumberGenerator.GetBytes(16);

        public string Address => $"{service.Origin}/{name}";

        public string Key => Base64Url.EncodeToString(PointOf(keys));

        public string Secret => Base64Url.EncodeToString(secret);

        public async Task SubscribeAsync(HttpClient officer)
        {
            using HttpResponseMessage answer = await officer.PostAsJsonAsync("/session/push", new { address = Address, key = Key, secret = Secret }, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        }

        public string Read(Pushed pushed)
        {
            byte[] salt = pushed.Body[..16], theirs = pushed.Body[21..(21 + pushed.Body[20])], sealedText = pushed.Body[(21 + pushed.Body[20])..];
            using var other = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = theirs[1..33], Y = theirs[33..] } });
            byte[] shared = keys.DeriveRawSecretAgreement(other.PublicKey);
            byte[] input = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, 32, secret, [.. "WebPush: info\0"u8, .. PointOf(keys), .. theirs]);
            byte[] key = HKDF.DeriveKey(HashAlgorithmName.SHA256, input, 16, salt, "Content-Encoding: aes128gcm\0"u8.ToArray()), nonce = HKDF.DeriveKey(HashAlgorithmName.SHA256, input, 12, salt, "Content-Encoding: nonce\0"u8.ToArray());
            byte[] text = new byte[sealedText.Length - 16];
            using var gcm = new AesGcm(key, 16);
            gcm.Decrypt(nonce, sealedText.AsSpan(..^16), sealedText.AsSpan(^16..), text);
            // Two ends the text of the last record; zeros may follow.
            return Encoding.UTF8.GetString(text.AsSpan(..Array.LastIndexOf(text, (byte)2)));
        }

        public void Dispose() => keys.Dispose();

        private static byte[] PointOf(ECDiffieHellman keys)
        {
            ECPoint q = keys.ExportParameters(includePrivateParameters: false).Q;
            return [4, .. q.X!, .. q.Y!];
        }
    }
}
