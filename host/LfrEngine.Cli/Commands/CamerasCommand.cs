using System.CommandLine;

namespace LfrEngine.Cli.Commands;

/// <summary><c>lfr cameras</c>: finds cameras and tries one.</summary>
internal static class CamerasCommand
{
    public static Command Create() => new("cameras", "Find cameras on the network and test one.") { CamerasDiscoverCommand.Create(), CamerasTestCommand.Create() };
}
