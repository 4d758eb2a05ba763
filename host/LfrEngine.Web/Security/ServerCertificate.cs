using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LfrEngine.Files;
using LfrEngine.Records.Configuration;

namespace LfrEngine.Web.Security;

/// <summary>The console's TLS certificate: the configured one, or a self-signed one made at the first start.</summary>
internal static class ServerCertificate
{
    private const int Years = 5;

    /// <summary>Opens the certificate.</summary>
    /// <exception cref="CommandFailure">The certificate cannot be read or made.</exception>
    public static X509Certificate2 Open(Installation installation)
    {
        try
        {
            if (installation.Config.Certificate is { } configured)
                return X509Certificate2.CreateFromPemFile(installation.PathOf(configured.Path), installation.PathOf(configured.KeyPath));
            string path = installation.DataPath("https.pem"), keyPath = installation.DataPath("https-key.pem");
            if (!File.Exists(path) || !File.Exists(keyPath))
                Make(installation, path, keyPath);
            return X509Certificate2.CreateFromPemFile(path, keyPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new CommandFailure(ExitCode.Environment, $"Cannot read or create the HTTPS certificate: {FileTrouble.Words(e)} Check \"certificate\" and \"data\" in lfr.json.", e);
        }
    }

    private static void Make(Installation installation, string path, string keyPath)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName("CN=LfrEngine"), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        string[] hosts = [.. installation.Config.Listen.Select(l => new Uri(l).Host.Trim('[', ']')), "localhost", Environment.MachineName];
        foreach (string host in hosts.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(host, out IPAddress? ip))
                names.AddIpAddress(ip);
            else
                names.AddDnsName(host);
        }
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(Years));
        OutputFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem(), ownerOnly: true);
        OutputFile.Write(path, certificate.ExportCertificatePem(), ownerOnly: true);
    }
}
