namespace LfrEngine.Web.Texts;

/// <summary>Texts of receipts and of a deployment's result: <c>ReceiptTexts.resx</c>.</summary>
public sealed class ReceiptTexts;
