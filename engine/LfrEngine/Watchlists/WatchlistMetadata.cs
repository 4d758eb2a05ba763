using System.Text.Json;
using System.Text.Json.Serialization;

namespace LfrEngine.Watchlists;

/// <summary>The JSON section of a watchlist file: everything that is not biometric and not already in the header.</summary>
internal sealed record WatchlistMetadata(string Version, WatchlistIdentity[] Identities)
{
    public void Write(GrowingBuffer<byte> destination)
    {
        using var writer = new Utf8JsonWriter(new GrowingBufferWriter(destination));
        JsonSerializer.Serialize(writer, this, WatchlistJson.Default.WatchlistMetadata);
    }

    /// <exception cref="WatchlistException">InvalidContent.</exception>
    public static WatchlistMetadata Parse(ReadOnlySpan<byte> json)
    {
        WatchlistMetadata? metadata;
        try
        {
            metadata = JsonSerializer.Deserialize(json, WatchlistJson.Default.WatchlistMetadata);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            // The message could contain a name, so it stays in the inner exception.
            throw new WatchlistException(WatchlistFailure.InvalidContent, "The list of identities does not match this format.", error);
        }
        if (metadata is null || Array.IndexOf(metadata.Identities, null) >= 0)
            throw WatchlistRules.Broken("A required value in the list of identities is empty.");
        return metadata;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(WatchlistMetadata))]
internal sealed partial class WatchlistJson : JsonSerializerContext;
