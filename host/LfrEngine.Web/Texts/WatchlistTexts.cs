namespace LfrEngine.Web.Texts;

/// <summary>Texts of the pages of watchlists: <c>WatchlistTexts.resx</c> beside this file.</summary>
public sealed class WatchlistTexts;
