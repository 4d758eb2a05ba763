using System.Net;
using System.Security.Cryptography.X509Certificates;
using LfrEngine.Records.Configuration;

namespace LfrEngine.Web.Security;

/// <summary>Answers only under the console's own names, and only to its own pages and to programs: against rebound names, and against pages of other sites that open sockets, streams or forms here.</summary>
internal static class OwnSite
{
    public static void UseOwnSite(this WebApplication app)
    {
        HashSet<string> names = Names(app.Services.GetRequiredService<Installation>());
        app.Use(async (context, next) =>
        {
            string host = context.Request.Host.Host;
            if (!IPAddress.TryParse(host.Trim('[', ']'), out _) && !names.Contains(host) && !(host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && names.Contains("*" + host[dot..])))
                await Results.Problem($"This console is not served under the name \"{host}\". If it is meant to be, add it to \"names\" in lfr.json.", statusCode: StatusCodes.Status421MisdirectedRequest).ExecuteAsync(context);
            else if (context.Request.Headers.Origin is { Count: > 0 } origin && origin != $"{context.Request.Scheme}://{context.Request.Host}")
                await Results.Problem("Requests of other sites are not answered.", statusCode: StatusCodes.Status403Forbidden).ExecuteAsync(context);
            else
                await next(context);
        });
    }

    // Addresses need no name: nobody can point a name of theirs at them and keep it out of the Host header.
    private static HashSet<string> Names(Installation installation)
    {
        HostConfig config = installation.Config;
        HashSet<string> names = new([.. config.Listen.Select(l => new Uri(l).Host), .. config.Names, "localhost", Environment.MachineName], StringComparer.OrdinalIgnoreCase);
        using X509Certificate2 certificate = ServerCertificate.Open(installation);
        foreach (X509SubjectAlternativeNameExtension extension in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
            names.UnionWith(extension.EnumerateDnsNames());
        return names;
    }
}
