using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Files;
using LfrEngine.Matching;

namespace LfrEngine.Models;

/// <summary>Everything the engine knows about one model; one JSON file under <c>models/</c>, or one that a user brings.</summary>
/// <remarks>Schema and an example of each family: models/README.md.</remarks>
public sealed record ModelManifest
{
    /// <summary>Name by which configuration chooses the model.</summary>
    public required string Id { get; init; }

    /// <summary>detect, verify, landmarks or embed.</summary>
    public required ModelTask Task { get; init; }

    /// <summary>How the outputs are read: ultraface, yunet, scrfd, retinaface, blazeface, onet, landmarks68, mesh468, embedder.</summary>
    public required string Family { get; init; }

    /// <summary>One line for people.</summary>
    public string Description { get; init; } = "";

    /// <summary>Licence of the weights.</summary>
    public required string Licence { get; init; }

    /// <summary>What the weights were trained on; the licence does not say that.</summary>
    public ModelTrainingData TrainingData { get; init; } = ModelTrainingData.Unstated;

    /// <summary>Where the file comes from.</summary>
    public required ModelSource Source { get; init; }

    /// <summary>SHA-256 of the file, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The network's input.</summary>
    public required ModelInput Input { get; init; }

    /// <summary>Tensors to read, in the family's order; a tensor inside the graph is exposed, and nodes that fed only other outputs are removed.</summary>
    public required string[] Outputs { get; init; }

    /// <summary>Length of an embedding; embedders only.</summary>
    public int EmbeddingLength { get; init; }

    /// <summary>Comparison-score thresholds and the evidence they rest on; embedders only.</summary>
    public ModelThreshold[] Thresholds { get; init; } = [];

    /// <summary>Makes scores of covered probes comparable with the others; embedders only. Covers without a scale are compared as if uncovered.</summary>
    public CoverScale[] CoverScales { get; init; } = [];

    /// <summary>Tensors that may use 8-bit integers on processors where that is faster; null for none.</summary>
    public ModelQuantisation? Int8 { get; init; }

    /// <summary>Folder of the manifest, to resolve <see cref="ModelSource.File"/>.</summary>
    [JsonIgnore]
    public string Folder { get; init; } = "";

    /// <summary>Reads and checks a manifest.</summary>
    /// <exception cref="ModelLoadException">The file is missing, is not JSON, or lacks something.</exception>
    public static ModelManifest Read(string path)
    {
        try
        {
            return Parse(InputFile.ReadBytes(path), path) with { Folder = Path.GetDirectoryName(Path.GetFullPath(path))! };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException($"The model manifest {path} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }

    /// <summary>Checks a manifest.</summary>
    /// <param name="json">The file.</param>
    /// <param name="path">Its name, for messages.</param>
    /// <exception cref="ModelLoadException">It is not JSON, or lacks something.</exception>
    internal static ModelManifest Parse(byte[] json, string path)
    {
        ModelManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(json, ModelJson.Default.ModelManifest) ?? throw new ModelLoadException($"The model manifest {path} is empty.");
        }
        catch (JsonException e)
        {
            throw new ModelLoadException($"{JsonTrouble.Words($"The model manifest {path} is not valid", e)} models/README.md describes its fields.", e);
        }
        // The generated reader leaves omitted properties null, regardless of the type's default.
        manifest = manifest with
        {
            Thresholds = manifest.Thresholds ?? [], CoverScales = manifest.CoverScales ?? [], Description = manifest.Description ?? "", TrainingData = manifest.TrainingData ?? ModelTrainingData.Unstated,
        };
        if (manifest.Input.Mean.Length != manifest.Input.ChannelCount || manifest.Input.Scale.Length != manifest.Input.ChannelCount)
            throw new ModelLoadException($"The model manifest {path} has a \"mean\" of length {manifest.Input.Mean.Length} and a \"scale\" of length {manifest.Input.Scale.Length}; give a value for each channel, of which there are {manifest.Input.ChannelCount}.");
        if (manifest.Input.Mean.Concat(manifest.Input.Scale).Any(v => !float.IsFinite(v)))
            throw new ModelLoadException($"The model manifest {path} has a mean or a scale that is not a number.");
        if ((manifest.Task == ModelTask.Landmarks && manifest.Family != "mesh468") != (manifest.Input.Channels == ChannelOrder.Grey))
            throw new ModelLoadException($"The model manifest {path} has the channels {manifest.Input.Channels}; landmarks68 needs grey, all other families rgb or bgr.");
        if (manifest.Source.Bytes is { } bytes && (bytes is not [>= 0, _] || bytes[1] <= bytes[0] || manifest.Source.Npm is null))
            throw new ModelLoadException($"The model manifest {path} has \"bytes\" that are not [first, end] of a file in an npm package.");
        if (manifest.Sha256.Length != 64 || !manifest.Sha256.All(char.IsAsciiHexDigitLower))
            throw new ModelLoadException($"The model manifest {path} has no SHA-256 of 64 lower-case hexadecimal digits; `sha256sum FILE` prints it.");
        if (manifest.Source.Url is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out Uri? address) && address.Scheme == Uri.UriSchemeHttps))
            throw new ModelLoadException($"The model manifest {path} has a \"url\" that does not begin with https://.");
        if (manifest.Outputs.Length == 0 || manifest.Outputs.Any(string.IsNullOrEmpty))
            throw new ModelLoadException($"The model manifest {path} has no outputs, or an empty output name.");
        if (manifest.Thresholds.Any(t => t is null))
            throw new ModelLoadException($"The model manifest {path} has an empty entry in \"thresholds\".");
        if (Array.Find(manifest.Thresholds, t => t.Value is not (> 0 and <= 1)) is { } threshold)
            throw new ModelLoadException(FormattableString.Invariant($"The model manifest {path} has {threshold.Value} as the threshold \"{threshold.Name}\"; it must be above 0 and at most 1."));
        if (Array.Exists(manifest.CoverScales, s => s is not { IsUsable: true } || manifest.CoverScales.Count(other => other?.Cover == s.Cover) > 1))
            throw new ModelLoadException($"The model manifest {path} has an entry in \"coverScales\" that is empty, has no cover or the same cover as another, a slope or a deviation that is not above 0, or a value that is not a number.");
        if (manifest.Int8?.Ranges.FirstOrDefault(r => r.Value is not [float smallest, float largest] || !(smallest <= largest)).Key is { } tensor)
            throw new ModelLoadException($"The model manifest {path} has no range [smallest, largest] for the tensor \"{tensor}\" in \"int8\".");
        if (manifest.Task == ModelTask.Embed && manifest.EmbeddingLength < 1)
            throw new ModelLoadException($"The model manifest {path} is an embedder without an embeddingLength.");
        return manifest;
    }
}

/// <summary>What a model is for.</summary>
public enum ModelTask
{
    /// <summary>Finds faces.</summary>
    Detect,

    /// <summary>Distinguishes faces from things that only look like one, on the crop of a detection.</summary>
    Verify,

    /// <summary>Places points on a face.</summary>
    Landmarks,

    /// <summary>Makes embeddings.</summary>
    Embed,
}

/// <summary>What is known about the data that weights were trained on.</summary>
/// <param name="State">Whether it is known, and free to use.</param>
/// <param name="Words">Which data, and who says so; a sentence.</param>
public sealed record ModelTrainingData(TrainingDataState State, string Words)
{
    /// <summary>For a manifest that does not mention it.</summary>
    public static ModelTrainingData Unstated { get; } = new(TrainingDataState.Unknown, "Not stated in the manifest.");
}

/// <summary>Whether the training data of a model is known.</summary>
public enum TrainingDataState
{
    /// <summary>The training data is not stated.</summary>
    Unknown,

    /// <summary>Known, but offered for research only.</summary>
    ResearchOnly,

    /// <summary>Known and free to use.</summary>
    Known,
}

/// <summary>Origin of a file: an npm package by name, version and path inside it, a download address, or a file next to the manifest.</summary>
public sealed record ModelSource
{
    /// <summary>npm package name.</summary>
    public string? Npm { get; init; }

    /// <summary>Exact version of the package.</summary>
    public string? Version { get; init; }

    /// <summary>Path inside the package.</summary>
    public string? Path { get; init; }

    /// <summary>First byte and end (exclusive), if the model is a part of the file at <see cref="Path"/>; null for all of it.</summary>
    public long[]? Bytes { get; init; }

    /// <summary>Path relative to the manifest, for models added by a user.</summary>
    public string? File { get; init; }

    /// <summary>https address from which <c>lfr models add</c> downloads the file.</summary>
    public string? Url { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Npm is null ? Url ?? File ?? "nowhere" : $"npm {Npm}@{Version} {Path}{(Bytes is null ? "" : $", bytes {Bytes[0]} to {Bytes[1]}")}";
}

/// <summary>Tensors that may be held in 8 bits.</summary>
/// <param name="Ranges">Smallest and largest value by tensor; an operator whose inputs and result are all listed runs on integers.</param>
/// <param name="Evidence">Origin of the ranges, and the accuracy with and without them.</param>
public sealed record ModelQuantisation(IReadOnlyDictionary<string, float[]> Ranges, string Evidence);

/// <summary>One threshold and its evidence.</summary>
/// <param name="Name">Name for configuration, for example <c>default</c>.</param>
/// <param name="Value">Comparison score, inclusive.</param>
/// <param name="Evidence">Data, protocol, error rate and interval.</param>
public sealed record ModelThreshold(string Name, float Value, string Evidence);

/// <summary>A set of sample photos to restore.</summary>
/// <param name="Id">Name of the set.</param>
/// <param name="Description">One line for people.</param>
/// <param name="Files">The files.</param>
internal sealed record SampleSet(string Id, string Description, SampleFile[] Files);

/// <summary>One sample photo in an npm package.</summary>
/// <param name="Npm">Package name.</param>
/// <param name="Version">Exact version.</param>
/// <param name="Licence">Licence as the package states it.</param>
/// <param name="Path">Path inside the package.</param>
/// <param name="Sha256">SHA-256, lower-case hexadecimal.</param>
internal sealed record SampleFile(string Npm, string Version, string Licence, string Path, string Sha256);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(SampleSet))]
internal sealed partial class ModelJson : JsonSerializerContext;
