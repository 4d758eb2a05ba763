namespace LfrEngine.Web.Texts;

/// <summary>Words of the authority as it is shown, printed and signed: <c>AuthorityTexts.resx</c>. It has one wording, in English, so this file has no translation.</summary>
public sealed class AuthorityTexts;
