using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>The table of what may follow what.</summary>
public sealed class AlertTransitionTests
{
    private static readonly Guid[] Officers = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];

    [Fact]
    public void After_EveryPairOfStates_IsTheTableOfTheIssue()
    {
        (AlertState From, AlertState To)[] allowed =
        [
            (AlertState.Raised, AlertState.Viable), (AlertState.Raised, AlertState.Rejected),
            (AlertState.Viable, AlertState.Engaged),
            (AlertState.Engaged, AlertState.Confirmed), (AlertState.Engaged, AlertState.Incorrect),
            (AlertState.Confirmed, AlertState.Arrest), (AlertState.Confirmed, AlertState.OtherDisposal), (AlertState.Confirmed, AlertState.Safeguarded), (AlertState.Confirmed, AlertState.NoAction),
        ];
        foreach (AlertState from in Enum.GetValues<AlertState>())
        {
            foreach (AlertState to in Enum.GetValues<AlertState>())
            {
                Assert.Equal(allowed.Contains((from, to)), AlertTransitions.After(from, hasPictures: true).Contains(to));
                Assert.Equal(allowed.Contains((from, to)) && to is not (AlertState.Viable or AlertState.Rejected), AlertTransitions.After(from, hasPictures: false).Contains(to));
            }
        }
    }

    [Fact]
    public void PermissionFor_EveryState_IsTheOperatorsForTheJudgementOnly()
    {
        foreach (AlertState to in Enum.GetValues<AlertState>().Where(s => s != AlertState.Raised))
            Assert.Equal(to is AlertState.Viable or AlertState.Rejected ? Permissions.JudgeAlerts : Permissions.EngageAlerts, AlertTransitions.PermissionFor(to));
    }

    /// <summary>Whatever is tried in whatever order by whomever, and whenever the pictures are erased: what is recorded adds up to the state, who judged never engages, and without pictures nothing is judged or opened again.</summary>
    [Fact]
    public void RefusalOf_RandomWalks_StateIsAlwaysWhatTheEntriesAddUpTo()
    {
        // One step: who, where to, and whether to take back (0), to take back something else (1), to erase the pictures first (2), or to go forward.
        Gen<(int Officer, int To, int Way)[]> walks =
            from steps in Gen.Choose(0, 40)
            from walk in (from officer in Gen.Choose(0, Officers.Length - 1) from to in Gen.Choose(0, 9) from way in Gen.Choose(0, 9) select (officer, to, way)).ArrayOf(steps)
            select walk;
        int longest = 0, undone = 0, same = 0, late = 0, completed = 0;
        Prop.ForAll(walks.ToArbitrary(), walk =>
        {
            var entries = new List<AlertEvent>();
            AlertState state = AlertState.Raised;
            bool hasPictures = true;
            foreach ((int who, int wanted, int way) in walk)
            {
                IReadOnlyList<AlertEvent> standing = AlertTransitions.Standing(entries);
                Assert.Equal(state, AlertTransitions.StateOf(entries));
                Assert.Equal(state, standing.Count == 0 ? AlertState.Raised : standing[^1].To);
                Guid officer = Officers[who];
                AlertState to = (AlertState)wanted;
                long? undoes = way switch
                {
                    0 when standing.Count > 0 => standing[^1].Id,
                    1 => entries.Count - (wanted % 3),
                    _ => null,
                };
                if (way == 0 && standing.Count > 0)
                    to = standing[^1].From;
                // Seldom, so that walks get far before.
                hasPictures &= way != 2 || wanted > 1;
                Refusal? refusal = AlertTransitions.RefusalOf(standing, to, undoes, officer, hasPictures, _ => true);
                late += refusal == Refusal.PicturesErased ? 1 : 0;
                Assert.True(hasPictures || refusal is not null || to is not (AlertState.Raised or AlertState.Viable or AlertState.Rejected));
                if (AlertTransitions.Undoable(entries, hasPictures) is { } undoable)
                    Assert.Null(AlertTransitions.RefusalOf(standing, standing[^1].From, undoable, standing[^1].OfficerId, hasPictures, _ => true) is { } no and not Refusal.SamePerson ? no : null);
                if (refusal == Refusal.SamePerson)
                    same++;
                if (refusal is not null)
                    continue;
                completed += hasPictures ? 0 : 1;
                if (undoes is null)
                {
                    Assert.Contains(to, AlertTransitions.After(state, hasPictures));
                    if (AlertTransitions.PermissionFor(to) == Permissions.EngageAlerts)
                        Assert.DoesNotContain(standing, e => e.To == AlertState.Viable && e.OfficerId == officer);
                }
                else
                {
                    Assert.Equal(standing[^1].Id, undoes);
                    undone++;
                }
                entries.Add(new AlertEvent { Id = entries.Count + 1, OfficerId = officer, OfficerName = "", Note = "", From = state, To = to, UndoesId = undoes });
                state = to;
                // As the service does.
                hasPictures &= to != AlertState.Rejected;
                longest = Math.Max(longest, AlertTransitions.Standing(entries).Count);
            }
            // Nothing that was recorded ever goes away, and every prefix is a state too.
            for (int i = 0; i < entries.Count; i++)
                Assert.Equal(entries[i].From, AlertTransitions.StateOf(entries.Take(i)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
        // The walks got everywhere.
        Assert.Equal(4, longest);
        Assert.True(undone > 0 && same > 0 && late > 0 && completed > 0, $"{undone} undone, {same} refused to the same person, {late} refused without pictures, {completed} recorded without pictures");
    }

    [Fact]
    public void Standing_EntryOfAnotherState_IsRefused()
    {
        AlertEvent jump = new() { Id = 1, OfficerName = "", Note = "", From = AlertState.Raised, To = AlertState.Confirmed };
        AlertEvent undoesNothing = new() { Id = 1, OfficerName = "", Note = "", From = AlertState.Raised, To = AlertState.Raised, UndoesId = 7 };

        Assert.Throws<InvalidDataException>(() => AlertTransitions.Standing([jump]));
        Assert.Throws<InvalidDataException>(() => AlertTransitions.Standing([undoesNothing]));
    }
}
