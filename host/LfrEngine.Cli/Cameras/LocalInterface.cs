using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace LfrEngine.Cli.Cameras;

/// <summary>One IPv4 address of this machine, from which cameras can be looked for.</summary>
internal sealed record LocalInterface(string Name, IPAddress Address)
{
    public override string ToString() => $"{Name} ({Address})";

    /// <summary>All interfaces that are up and support multicast, or the selected one.</summary>
    /// <exception cref="CommandFailure">There is none.</exception>
    public static LocalInterface[] Choose(string? wanted)
    {
        LocalInterface[] all = [.. NetworkInterface.GetAllNetworkInterfaces().Where(i => i.OperationalStatus != OperationalStatus.Down).SelectMany(AddressesOf)];
        if (wanted is not null)
        {
            LocalInterface[] chosen = [.. all.Where(i => i.Name == wanted || i.Address.ToString() == wanted)];
            return chosen.Length > 0 ? chosen
                : throw new CommandFailure(ExitCode.Usage, $"This machine has no interface \"{wanted}\" with an IPv4 address. It has: {(all.Length > 0 ? string.Join(", ", (object[])all) : "none")}.");
        }
        LocalInterface[] usable = [.. NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus != OperationalStatus.Down && i.SupportsMulticast && i.NetworkInterfaceType != NetworkInterfaceType.Loopback).SelectMany(AddressesOf)];
        return usable.Length > 0 ? usable : throw NoNetwork("");
    }

    /// <summary>The failure if nothing can be sent.</summary>
    public static CommandFailure NoNetwork(string detail) =>
        new(ExitCode.Environment, $"No network interface of this machine can multicast{detail}. Connect it to the cameras' network; `ip address` shows its interfaces, --interface chooses one.");

    private static IEnumerable<LocalInterface> AddressesOf(NetworkInterface network) =>
        network.GetIPProperties().UnicastAddresses.Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork).Select(a => new LocalInterface(network.Name, a.Address));
}
