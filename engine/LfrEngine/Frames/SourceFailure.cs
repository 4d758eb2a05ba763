using System.Globalization;
using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>What a camera's reader does about a failure of its source.</summary>
internal enum SourceReaction
{
    /// <summary>Tries again without limit, first after half a second, later every 15 seconds.</summary>
    Wait,

    /// <summary>Tries again without limit, every five minutes: cameras lock an account after several wrong passwords.</summary>
    WaitLong,

    /// <summary>Gives up: the source cannot work with these settings.</summary>
    GiveUp,
}

/// <summary>The reaction to each failure of a source. docs/sources.md has the same table; a test compares them.</summary>
internal static class SourceFailure
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LockoutPause = TimeSpan.FromMinutes(5);

    /// <summary>What to do.</summary>
    /// <param name="error">What happened.</param>
    /// <param name="isLive">Network sources and devices come and go; files do not.</param>
    /// <param name="hasDelivered">Whether the source has worked in this run: then it may work again, whatever the error is now.</param>
    public static SourceReaction Of(MediaError error, bool isLive, bool hasDelivered) => error switch
    {
        _ when !isLive => SourceReaction.GiveUp,
        MediaError.Unauthorised => SourceReaction.WaitLong,
        MediaError.OnePicture or MediaError.BadSource or MediaError.BadArgument => SourceReaction.GiveUp,
        _ when hasDelivered => SourceReaction.Wait,
        MediaError.CannotOpen or MediaError.TimedOut or MediaError.ReadError or MediaError.NoVideo or MediaError.OutOfMemory => SourceReaction.Wait,
        _ => SourceReaction.GiveUp,
    };

    /// <summary>How long to wait before the next attempt.</summary>
    /// <param name="reaction">One that waits.</param>
    /// <param name="before">The pause before this one; zero after a frame.</param>
    public static TimeSpan NextPause(SourceReaction reaction, TimeSpan before) =>
        reaction == SourceReaction.WaitLong ? LockoutPause
        : before == TimeSpan.Zero ? FirstPause
        : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, before.Ticks * 2));

    /// <summary>The sentence for the operator.</summary>
    /// <param name="reaction">One that waits.</param>
    /// <param name="why">What happened.</param>
    /// <param name="pause">Until the next attempt.</param>
    public static string Describe(SourceReaction reaction, string why, TimeSpan pause) => reaction == SourceReaction.WaitLong
        ? string.Create(CultureInfo.InvariantCulture, $"{why}; trying again in {pause.TotalMinutes:0.#} min, so that the camera does not lock the account. Correct the password and start again")
        : string.Create(CultureInfo.InvariantCulture, $"{why}; trying again in {pause.TotalSeconds:0.#} s");
}
