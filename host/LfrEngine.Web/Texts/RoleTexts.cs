namespace LfrEngine.Web.Texts;

/// <summary>Names of roles for people, by <see cref="Security.Roles"/>: <c>RoleTexts.resx</c>.</summary>
public sealed class RoleTexts;
