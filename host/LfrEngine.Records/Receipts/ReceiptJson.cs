using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Records.Watchlists;

namespace LfrEngine.Records.Receipts;

/// <summary>The text of receipts (docs/json.md).</summary>
[JsonSerializable(typeof(ErasureReceipt))]
[JsonSerializable(typeof(DestructionReceipt))]
internal sealed partial class ReceiptJson : JsonSerializerContext
{
    /// <summary>One document per line.</summary>
    public static ReceiptJson Lines { get; } = new(new JsonSerializerOptions(JsonText.Options));
}
