using System.Text;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Native.Files;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;

namespace LfrEngine.Records.Policies;

/// <summary>The policy packs under which authorities here were drafted, in <c>policies</c> of the data folder: a deployment keeps its rules when newer ones apply.</summary>
internal sealed class PolicyShelf(Installation installation)
{
    /// <summary>The pack whose rules apply to new deployments; null if there is none.</summary>
    public SignedPolicy? Current => installation.Policy;

    /// <summary>Keeps a pack.</summary>
    public void Keep(SignedPolicy policy)
    {
        string path = PathOf(policy.Sha256);
        if (Find(policy.Sha256) is null)
            OutputFile.Write(path, Encoding.UTF8.GetString(policy.File.Span));
    }

    /// <summary>A kept pack; null if it is missing or has been altered.</summary>
    /// <param name="sha256">Of its text, as the authority names it.</param>
    public PolicyPack? Find(string sha256)
    {
        if (FileOf(sha256) is not { } file)
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(file);
            return document.RootElement.GetProperty(SignedPolicy.Kind.Property).Deserialize(PolicyPack.Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The signed file of a kept pack; null if it is missing or has been altered.</summary>
    /// <param name="sha256">Of its text, as the authority names it.</param>
    public byte[]? FileOf(string sha256)
    {
        try
        {
            byte[] file = InputFile.ReadBytes(PathOf(sha256));
            // The authority is signed and names the hash: whoever signed the pack was checked when it was drafted.
            return SignedPolicy.HashOf(file) == sha256 ? file : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The files of all kept packs.</summary>
    public IEnumerable<string> Files() => Directory.EnumerateFiles(Path.GetDirectoryName(PathOf("_"))!, "*.json").Order(StringComparer.Ordinal);

    /// <summary>The rules under which an authority was signed; null if there are none, or if they are missing.</summary>
    public PolicyPack? Of(Authority? authority) => authority?.Policy is { } named ? Find(named.Sha256) : null;

    private string PathOf(string sha256) => installation.DataPath("policies", $"{sha256}.json");
}
