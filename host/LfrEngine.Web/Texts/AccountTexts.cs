namespace LfrEngine.Web.Texts;

/// <summary>Texts of the sign-in and account pages: <c>AccountTexts.resx</c>.</summary>
public sealed class AccountTexts;
