using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace LfrEngine.Records.Security;

/// <summary>Signs with an officer's key, right after the officer proved their presence (<see cref="StepUp"/>).</summary>
public sealed class OfficerSigning(StepUp stepUp, IDataProtectionProvider protection)
{
    private readonly IDataProtector keys = protection.CreateProtector("officer-signing-key");

    /// <summary>Signs, with password and one-time code as proof.</summary>
    /// <param name="officer">Who signs.</param>
    /// <param name="password">As typed.</param>
    /// <param name="code">Six digits of the authenticator app.</param>
    /// <param name="text">What is signed.</param>
    /// <returns>Base64 of the ECDSA P-256 signature over SHA-256 of the text, IEEE P1363 form.</returns>
    /// <exception cref="ProofRefusedException">The proof does not hold.</exception>
    public async Task<string> SignAsync(Officer officer, string password, string code, byte[] text)
    {
        await stepUp.ProveAsync(officer.Id, password, code);
        return Sign(officer, text);
    }

    /// <summary>Signs, with the passkey's answer as proof, which the page has just asked for.</summary>
    /// <inheritdoc cref="SignAsync(Officer, string, string, byte[])"/>
    public string SignByPasskey(Officer officer, byte[] text)
    {
        stepUp.Take(officer.Id);
        return Sign(officer, text);
    }

    /// <summary>An officer's key: the public half as PEM, the private half as stored.</summary>
    public (string PublicPem, byte[] Stored) CreateKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] plain = key.ExportPkcs8PrivateKey();
        byte[] stored = keys.Protect(plain);
        CryptographicOperations.ZeroMemory(plain);
        return (key.ExportSubjectPublicKeyInfoPem(), stored);
    }

    private string Sign(Officer officer, byte[] text)
    {
        byte[] plain = keys.Unprotect(officer.SigningKey);
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(plain, out _);
        CryptographicOperations.ZeroMemory(plain);
        return Convert.ToBase64String(key.SignData(text, HashAlgorithmName.SHA256));
    }
}
