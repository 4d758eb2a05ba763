namespace LfrEngine.Web.Texts;

/// <summary>Texts of the watchlist pages: <c>WatchlistTexts.resx</c>.</summary>
public sealed class WatchlistTexts;
