using System.Globalization;
using LfrEngine.Evaluation.Data;
using LfrEngine.Records.Configuration;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>Limits of a watchlist by category. Every refusal says what to do.</summary>
internal static class WatchlistPolicy
{
    private const int MostText = 256;
    private const int MostResponse = 2000;

    /// <summary>Problems of an entry.</summary>
    public static IEnumerable<string> OfEntry(CategoryPolicy policy, WatchlistCategory category, PersonDetails details, DateOnly reviewedOn, DateOnly today)
    {
        foreach ((string what, string value) in new[] { ("name", details.Name), ("reference", details.Reference), ("legal basis", details.LegalBasis), ("source of the image", details.ImageSource) })
        {
            if (string.IsNullOrWhiteSpace(value))
                yield return $"Enter the {what}.";
            else if (value.Length > MostText || !Shown.IsPlain(value))
                yield return $"The {what} is longer than {MostText} characters or contains line breaks or characters that cannot be seen. Change it.";
        }
        if (details.Response is { Length: > MostResponse })
            yield return $"The response is longer than {MostResponse} characters. Shorten it.";
        else if (details.Response is { } response && !Shown.IsPlain(response, lines: true))
            yield return "The response contains characters that cannot be seen. Type it again.";
        if (details.Lookalike is { } lookalike && (lookalike.Length > MostText || !Shown.IsPlain(lookalike)))
            yield return $"The known lookalike is longer than {MostText} characters or contains line breaks or characters that cannot be seen. Change it.";
        int days = today.DayNumber - reviewedOn.DayNumber;
        if (days < 0)
            yield return $"The review is dated {Text(reviewedOn)}, which is in the future. Enter the day on which it took place.";
        else if (days > policy.ReviewDays)
            yield return $"The entry was last reviewed on {Text(reviewedOn)}, {new Counted(days):day|days} ago, but {category.Name()} allows {policy.ReviewDays}. Review it again and enter the day.";
    }

    /// <summary>Problem of the groups of an entry; null if none.</summary>
    public static string? OfGroups(PersonDetails details, bool rolePlayer, DateOnly today)
    {
        if (details.Groups is not { Count: > 0 } groups)
            return null;
        if (!rolePlayer)
            return "Groups can be recorded of role-players only. Mark the entry as a role-player, or leave the groups out.";
        if (details.Consent is not { } consent || consent.GivenOn == default)
            return "Enter the day on which the role-player consented to the recording of the groups.";
        return consent.GivenOn > today ? $"The consent is dated {Text(consent.GivenOn)}, which is in the future. Enter the day on which it was given." : PersonGroups.Problem(groups);
    }

    /// <summary>Problem of an image; null if none.</summary>
    public static string? OfImage(CategoryPolicy policy, WatchlistCategory category, DateOnly? takenOn, DateOnly today)
    {
        if (takenOn is not { } day)
            return "Enter the day on which the image was taken.";
        int days = today.DayNumber - day.DayNumber;
        return days < 0 ? $"The image is dated {Text(day)}, which is in the future. Enter the day on which it was taken."
            : days > policy.MaximumImageAgeDays ? $"The image was taken on {Text(day)}, {new Counted(days):day|days} ago, but {category.Name()} allows {policy.MaximumImageAgeDays}. Use a newer one."
            : null;
    }

    /// <summary>Problem with the number of people; null if none.</summary>
    public static string? OfSize(CategoryPolicy policy, WatchlistCategory category, int people) => people > policy.MaximumPeople
        ? $"{new Counted(people):person|people} in {category.Name()}, but the policy allows {policy.MaximumPeople}. Remove {people - policy.MaximumPeople}, or have watchlist.{category.Name()}.maximumPeople changed in lfr.json, and in the policy pack if there is one."
        : null;

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
