using LfrEngine.Frames;
using LfrEngine.Pipeline;

namespace LfrEngine.Records.Cameras;

/// <summary>Checks whether the camera is mounted in the wrong orientation, so that faces are upright only after rotation.</summary>
/// <param name="models">Borrowed.</param>
internal sealed class TurnCheck(EngineModels models) : IDisposable
{
    // Each picture that is not upright is searched four times; a few are enough.
    private const int MostVotes = 12, FewestVotes = 3;

    private readonly StillAnalyzer analyzer = new(models, StillAnalyzer.StillSettings);
    private readonly int[] votes = new int[4];

    /// <summary>Judges one frame.</summary>
    /// <param name="frame">Borrowed.</param>
    public void Add(in FrameView frame)
    {
        if (votes.Sum() >= MostVotes)
            return;
        UprightTurn turn = analyzer.FindTurn(frame);
        analyzer.Wipe();
        if (turn is { IsClear: true, IsSure: true })
            votes[turn.Degrees / 90]++;
    }

    /// <summary>Clockwise rotation that the picture needs, degrees; 0 if none, or if no face was seen well enough.</summary>
    public int Judge()
    {
        int most = Array.IndexOf(votes, votes.Max());
        return votes[most] >= FewestVotes && votes[most] * 2 > votes.Sum() ? most * 90 : 0;
    }

    public void Dispose() => analyzer.Dispose();
}
