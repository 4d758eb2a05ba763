namespace LfrEngine.Web.Texts;

/// <summary>Texts of the audit page: <c>AuditTexts.resx</c>.</summary>
public sealed class AuditTexts;
