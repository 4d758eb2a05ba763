using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.CApi.Interop;
using LfrEngine.Files;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.CApi.Runs;

/// <summary>The erasure receipt of a run: the document of `lfr run --receipt`, which `lfr receipt verify` reads (docs/json.md).</summary>
/// <remarks>Written here value by value: the host's types are above the engine, and scripts/capi.sh has `lfr` verify one.</remarks>
internal static unsafe class ErasureReceipt
{
    /// <summary>A private key on P-256, PEM.</summary>
    public static ECDsa ReadKey(byte* pem)
    {
        ECDsa key;
        try
        {
            key = SignedFile.KeyFrom(Text.Read(pem, "private_key"));
        }
        catch (CryptographicException e)
        {
            throw Check.Bad($"private_key cannot be used: {e.Message}");
        }
        try
        {
            ECParameters parts = key.ExportParameters(includePrivateParameters: true);
            CryptographicOperations.ZeroMemory(parts.D);
            if (parts.Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value)
                return key;
        }
        catch (CryptographicException)
        {
            key.Dispose();
            throw Check.Bad("private_key is a public key: give the private one.");
        }
        key.Dispose();
        throw Check.Bad("private_key is not on the curve P-256.");
    }

    public static byte[] Sign(ECDsa key, RunTotals totals, IReadOnlyList<CameraStatus> cameras, DateTimeOffset startedAt, DateTimeOffset endedAt, Guid watchlist, EngineModels models)
    {
        byte[] receipt = Write(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("formatVersion", 1);
            json.WriteString("run", totals.RunId);
            json.WriteString("startedAt", startedAt);
            json.WriteString("endedAt", endedAt);
            json.WriteString("watchlistId", watchlist);
            json.WriteStartArray("cameras");
            foreach (CameraStatus camera in cameras)
                json.WriteStringValue(camera.Name);
            json.WriteEndArray();
            json.WriteNumber("frames", cameras.Sum(c => c.FramesAnalysed));
            json.WriteNumber("framesDropped", cameras.Sum(c => c.FramesDropped));
            json.WriteNumber("facesSeen", cameras.Sum(c => c.FacesSeen));
            json.WriteNumber("shotsCompared", cameras.Sum(c => c.ShotsCompared));
            json.WriteNumber("alerts", totals.AlertsRaised);
            WriteLifetimes(json, totals.Erasure);
            json.WriteStartObject("erased");
            json.WriteNumber("frameBuffersWiped", totals.Media.BuffersWiped);
            json.WriteNumber("cropsAndEmbeddingsWiped", totals.ShotsErased);
            json.WriteNumber("packetsWiped", totals.Media.PacketsWiped);
            json.WriteNumber("frameBuffersHeld", totals.Media.BuffersOutstanding);
            json.WriteNumber("bytesNotLocked", MediaStatistics.Read().BytesUnlocked + LockedMemory.UnlockedBytes);
            json.WriteNumber("deviceBuffersWiped", 0);
            json.WriteNumber("deviceBuffersLost", 0);
            json.WriteEndObject();
            json.WriteStartObject("buildSha256");
            foreach (string file in OwnFolder.Libraries)
                json.WriteString(Path.GetFileName(file), PackageCache.HashOf(file));
            json.WriteEndObject();
            json.WriteStartObject("modelSha256");
            foreach (OnnxModel model in models.All)
                json.WriteString(model.Manifest.Id, model.Manifest.Sha256);
            json.WriteEndObject();
            json.WriteEndObject();
        });
        byte[] signature = key.SignData(receipt, HashAlgorithmName.SHA256);
        string publicKey = JsonEncodedText.Encode(key.ExportSubjectPublicKeyInfoPem()).ToString();
        return [.. "{\"receipt\": "u8, .. receipt, .. Encoding.UTF8.GetBytes($",\n\"publicKey\": \"{publicKey}\",\n\"signature\": \"{Convert.ToBase64String(signature)}\"}}\n")];
    }

    private static void WriteLifetimes(Utf8JsonWriter json, ErasureClock clock)
    {
        json.WriteStartObject("lifetimes");
        foreach ((string name, LatencyHistogram lived) in new[]
        {
            ("frame", clock.Frame), ("tensor", ErasureClock.Tensor), ("crop", clock.Crop), ("embedding", clock.Embedding), ("activation", ErasureClock.Activation), ("afterVerdict", clock.AfterVerdict),
        })
        {
            json.WriteStartObject(name);
            json.WriteNumber("count", lived.Count);
            json.WriteNumber("p50Ms", lived.PercentileMs(0.5));
            json.WriteNumber("p99Ms", lived.PercentileMs(0.99));
            json.WriteNumber("maximumMs", lived.MaximumMs);
            json.WriteEndObject();
        }
        json.WriteNumber("deadlineMs", ErasureClock.DeadlineMs);
        json.WriteNumber("deadlineBreaches", clock.DeadlineBreaches);
        json.WriteEndObject();
    }

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        return buffer.WrittenSpan.ToArray();
    }
}
