namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr cameras</c>: finds and tests cameras.</summary>
internal static class CamerasCommand
{
    public static Command Create() => new("cameras", "Find cameras on the network and test one.") { CamerasDiscoverCommand.Create(), CamerasTestCommand.Create() };
}
