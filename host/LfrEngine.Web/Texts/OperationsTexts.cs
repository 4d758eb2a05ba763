namespace LfrEngine.Web.Texts;

/// <summary>Texts of the operations page: <c>OperationsTexts.resx</c> beside this file.</summary>
public sealed class OperationsTexts;
