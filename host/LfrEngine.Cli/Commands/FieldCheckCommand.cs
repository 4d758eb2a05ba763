using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr fieldcheck plan</c>: how many role-players must walk.</summary>
internal static class FieldCheckCommand
{
    public static Command Create()
    {
        Option<double> rate = new Option<double>("--rate") { Description = "Share of walks expected to be found, 0 to 1.", DefaultValueFactory = _ => 0.9 }.Above(0, 1);
        Option<double> difference = new Option<double>("--difference") { Description = "By how much less often one group is found, 0 to 1; at most the rate.", DefaultValueFactory = _ => 0.2 }.Above(0, 1);
        Option<double> power = new Option<double>("--power") { Description = "Probability wanted of seeing that difference.", DefaultValueFactory = _ => GroupTrial.Power }.From(0.5, 0.99);
        Option<int> groups = new Option<int>("--groups") { Description = "Number of groups, all of the same size.", DefaultValueFactory = _ => 2 }.From(2, 20);
        var json = new Option<bool>("--json") { Description = "Print JSON (docs/json.md)." };
        var plan = new Command("plan", "Tell how many walks each group of role-players needs, so that a difference between groups shows.") { rate, difference, power, groups, json };
        plan.SetAction(parsed =>
        {
            (double expected, double wanted) = (parsed.GetValue(rate), parsed.GetValue(difference));
            if (wanted > expected)
                throw new CommandFailure(ExitCode.Usage, "--difference is larger than --rate: a group cannot be found less often than never.");
            int each = GroupTrial.PassagesPerGroup(expected, wanted, parsed.GetValue(power), parsed.GetValue(groups))
                ?? throw new CommandFailure(ExitCode.Usage, "More than 100,000 walks for each group. Choose a larger --difference.");
            var report = new FieldCheckPlan(expected, wanted, parsed.GetValue(power), parsed.GetValue(groups), each);
            if (parsed.GetValue(json))
                CliJson.Print(report, CliJson.Lines.FieldCheckPlan);
            else
                Console.Out.WriteLine($"{new Counted(each):walk|walks} for each of {report.Groups} groups, {report.WalksTogether} together.");
            return ExitCode.Success;
        });
        return new Command("fieldcheck", "Health check with role-players.") { plan };
    }
}

/// <summary>A plan, as JSON.</summary>
/// <param name="Rate">Expected of the others.</param>
/// <param name="Difference">By how much lower that of one group is.</param>
/// <param name="Power">Probability of seeing it.</param>
/// <param name="Groups">How many.</param>
/// <param name="WalksPerGroup">What each needs.</param>
internal sealed record FieldCheckPlan(double Rate, double Difference, double Power, int Groups, int WalksPerGroup)
{
    public long WalksTogether => (long)WalksPerGroup * Groups;
}
