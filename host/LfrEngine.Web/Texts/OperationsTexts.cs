namespace LfrEngine.Web.Texts;

/// <summary>Texts of the operations page: <c>OperationsTexts.resx</c>.</summary>
public sealed class OperationsTexts;
