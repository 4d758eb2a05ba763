namespace LfrEngine.Web.Texts;

/// <summary>Texts of signing in and of one's own account: <c>AccountTexts.resx</c>.</summary>
public sealed class AccountTexts;
