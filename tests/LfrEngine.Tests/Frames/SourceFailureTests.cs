using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Detection;
using Xunit;

namespace LfrEngine.Tests.Frames;

/// <summary>What is done about each failure of a source, in code and in docs/sources.md, and what a camera's text says.</summary>
public sealed class SourceFailureTests
{
    [Fact]
    public void Table_OfTheDocument_IsThatOfTheCode()
    {
        var rows = File.ReadLines(Path.Combine(RepoRoot.Path, "docs", "sources.md"))
            .Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => l.Split('|', StringSplitOptions.TrimEntries))
            .Where(c => Enum.TryParse<MediaError>(c[1].Trim('`', ' ', '*'), out _))
            .ToDictionary(c => Enum.Parse<MediaError>(c[1].Trim('`', ' ', '*')), c => (Marked: c[1].EndsWith('*'), Live: Reaction(c[3]), File: Reaction(c[4])));

        MediaError[] failures = [.. Enum.GetValues<MediaError>().Except([MediaError.None, MediaError.BufferTooSmall, MediaError.EncodeFailed])];
        Assert.Equal(failures.Order(), rows.Keys.Order());
        foreach ((MediaError error, var row) in rows)
        {
            Assert.Equal((error, row.Live), (error, SourceFailure.Of(error, isLive: true, hasDelivered: false)));
            Assert.Equal((error, row.File), (error, SourceFailure.Of(error, isLive: false, hasDelivered: false)));
            Assert.Equal((error, row.File), (error, SourceFailure.Of(error, isLive: false, hasDelivered: true)));
            SourceReaction later = row.Marked || row.Live == SourceReaction.WaitLong ? row.Live : SourceReaction.Wait;
            Assert.Equal((error, later), (error, SourceFailure.Of(error, isLive: true, hasDelivered: true)));
        }
    }

    [Fact]
    public void NextPause_Waiting_GrowsToAQuarterOfAMinute()
    {
        TimeSpan pause = TimeSpan.Zero;
        var seconds = new List<double>();
        for (int i = 0; i < 8; i++)
            seconds.Add((pause = SourceFailure.NextPause(SourceReaction.Wait, pause)).TotalSeconds);

        Assert.Equal([0.5, 1, 2, 4, 8, 15, 15, 15], seconds);
        Assert.Equal(TimeSpan.FromMinutes(5), SourceFailure.NextPause(SourceReaction.WaitLong, TimeSpan.Zero));
        Assert.Contains("lock the account", SourceFailure.Describe(SourceReaction.WaitLong, "no", TimeSpan.FromMinutes(5)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftp://host/x", false)]
    [InlineData("nonsense://user:secret@host/x", false)]
    [InlineData("rtsp://", false)]
    [InlineData("http:///x", false)]
    [InlineData("", false)]
    [InlineData("rtsp://admin:p@ss#1/2%@10.0.0.5/live", true)]
    [InlineData("RTSP://10.0.0.5/live", true)]
    [InlineData("udp://:5004", true)]
    [InlineData("/dev/video9", true)]
    [InlineData("a,b=c.mp4", true)]
    [InlineData("C:\\cam\\a.mp4", true)]
    [InlineData("file:///cam/a.mp4", true)]
    public void Fault_OfAnAddress_IsSaidWithoutSecrets(string source, bool isSound)
    {
        string? fault = SourceAddress.Fault(source);

        Assert.Equal(isSound, fault is null);
        Assert.DoesNotContain("secret", fault ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rtsp://u:p#1@h/x", true)]
    [InlineData("http://h/x", true)]
    [InlineData("/dev/video0", true)]
    [InlineData("file:///a.mp4", false)]
    [InlineData("C:\\cam\\a.mp4", false)]
    [InlineData("a.mp4", false)]
    public void IsLive_OfAnAddress_IsKnown(string source, bool isLive) => Assert.Equal(isLive, SourceAddress.IsLive(source));

    [Theory]
    [InlineData("x.mp4,rotate=45")]
    [InlineData("x.mp4,transport=udp")]
    [InlineData("rtsp://h/x,transport=quic")]
    [InlineData("x.mp4,mirror,mirror")]
    [InlineData("rtsp://h/x,loop")]
    [InlineData("x.mp4,rotate=90,rotate=180")]
    public void Split_OptionsThatMakeNoSense_AreSaid(string text) => Assert.NotNull(SourceOptions.Split(text, out _, out _));

    [Fact]
    public void Split_AnySourceWithAnyOptions_GivesBoth()
    {
        Gen<string> sources = Gen.Elements("rtsp://u:p,=ss@h/x", "a,b=c.mp4", "http://h/x?a=1,b=2,mirrored", "x,rotat=3", ",", "x,mirror=1", "x,transport");
        Gen<(string, int, bool, bool)> cases = from source in sources
                                               from degrees in Gen.Elements(0, 90, 180, 270)
                                               from mirror in Gen.Elements(true, false)
                                               from mirrorFirst in Gen.Elements(true, false)
                                               select (source, degrees, mirror, mirrorFirst);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            (string expected, int degrees, bool mirror, bool first) = c;
            string flag = mirror ? ",mirror" : "";
            string text = $"{expected}{(first ? flag : "")},rotate={degrees}{(first ? "" : flag)}";
            return SourceOptions.Split(text, out string source, out SourceOptions options) is null && source == expected && options == new SourceOptions(RtspTransport.Auto, degrees, mirror);
        }).QuickCheckThrowOnFailure();
        Assert.Null(SourceOptions.Split("rtsp://h/x,transport=udp,rotate=180,mirror", out _, out SourceOptions all));
        Assert.Equal(new SourceOptions(RtspTransport.Udp, 180, true), all);
        Assert.Null(SourceOptions.Split("x.mp4,loop", out _, out SourceOptions looped));
        Assert.Equal(new SourceOptions(Loop: true), looped);
    }

    [Fact]
    public void Split_AnyText_GivesAnAnswerOrASentence() => Prop.ForAll<NonNull<string>>(text =>
    {
        string? fault = SourceOptions.Split(text.Get, out string source, out _);
        _ = SourceAddress.Fault(text.Get);
        return fault is not null || text.Get.StartsWith(source, StringComparison.Ordinal);
    }).QuickCheckThrowOnFailure();

    private static SourceReaction Reaction(string words) => words switch
    {
        "waits" => SourceReaction.Wait,
        "waits long" => SourceReaction.WaitLong,
        "gives up" => SourceReaction.GiveUp,
        _ => throw new InvalidDataException($"\"{words}\" is no reaction."),
    };
}
