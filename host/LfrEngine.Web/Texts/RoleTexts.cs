namespace LfrEngine.Web.Texts;

/// <summary>Display names of roles, by <see cref="Security.Roles"/>: <c>RoleTexts.resx</c>.</summary>
public sealed class RoleTexts;
