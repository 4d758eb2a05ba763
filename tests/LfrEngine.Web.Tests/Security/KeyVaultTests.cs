using System.Diagnostics;
using System.Security.Cryptography;
using LfrEngine.Memory;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;

namespace LfrEngine.Web.Tests.Security;

/// <summary>What a key has sealed can be read with it alone, and by nobody once it is destroyed.</summary>
public sealed class KeyVaultTests : IDisposable
{
    private static readonly byte[] Plain = RandomNumberGenerator.GetBytes(300);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-vault-");
    private readonly KeyVault vault;
    private readonly Guid key = Guid.NewGuid();

    public KeyVaultTests()
    {
        vault = new KeyVault(new Installation(new HostConfig { Name = "test" }, folder.FullName));
        vault.Create(key);
    }

    private string KeyFile => Path.Combine(folder.FullName, "data", "keys", $"{key:N}.key");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Unseal_SameKeyAndPurpose_GivesTheBytes()
    {
        using HostBuffer<byte> plain = vault.Unseal(key, vault.Seal(key, Plain, "probe"), "probe");

        Assert.Equal(Plain, plain.Span.ToArray());
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(KeyFile) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Fact]
    public void Unseal_AnotherPurposeAnotherKeyOrAnAlteredByte_IsRefused()
    {
        byte[] made = vault.Seal(key, Plain, "probe");
        var other = Guid.NewGuid();
        vault.Create(other);

        Assert.ThrowsAny<CryptographicException>(() => vault.Unseal(key, made, "reference"));
        Assert.ThrowsAny<CryptographicException>(() => vault.Unseal(other, made, "probe"));
        for (int i = 0; i < made.Length; i += 13)
        {
            byte[] altered = [.. made];
            altered[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => vault.Unseal(key, altered, "probe"));
        }
        Assert.ThrowsAny<CryptographicException>(() => vault.Unseal(key, made.AsSpan(0, 20), "probe"));
    }

    [Fact]
    public async Task Destroy_KeyOnDisk_IsOverwrittenAndRemoved()
    {
        byte[] made = vault.Seal(key, Plain, "probe"), secret = File.ReadAllBytes(KeyFile);
        // A second name of the same bytes on the disk.
        string second = Path.Combine(folder.FullName, "second");
        using (Process link = Process.Start("ln", [KeyFile, second]))
            await link.WaitForExitAsync(TestContext.Current.CancellationToken);

        vault.Destroy(key);
        vault.Destroy(key);

        Assert.Equal((false, false), (vault.Has(key), File.Exists(KeyFile)));
        Assert.Empty(vault.All());
        byte[] left = File.ReadAllBytes(second);
        Assert.Equal(secret.Length, left.Length);
        Assert.NotEqual(secret, left);
        Assert.Throws<KeyDestroyedException>(() => vault.Unseal(key, made, "probe"));
        Assert.Throws<KeyDestroyedException>(() => vault.Seal(key, Plain, "probe"));
    }
}
