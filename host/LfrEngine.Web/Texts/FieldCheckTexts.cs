namespace LfrEngine.Web.Texts;

/// <summary>Texts of the health check in the field: <c>FieldCheckTexts.resx</c>.</summary>
public sealed class FieldCheckTexts;
