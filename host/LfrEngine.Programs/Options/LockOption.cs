using System.CommandLine;
using LfrEngine.Native.Hardening;

namespace LfrEngine.Programs;

/// <summary><c>--allow-unlocked</c>: unlocked biometric memory is refused unless this option accepts it.</summary>
internal sealed class LockOption
{
    private readonly Option<bool> allow = new("--allow-unlocked") { Description = "Run although less memory can be locked than faces need. Face data could then be swapped to disk." };

    public void AddTo(Command command) => command.Add(allow);

    /// <summary>Checks at the start whether enough memory can be locked; the message says how to raise the limit.</summary>
    /// <exception cref="CommandFailure">Too little can be locked, and this was not accepted.</exception>
    public void Require(ParseResult parsed)
    {
        if (Shortage() is not { } shortage)
            return;
        if (!parsed.GetValue(allow))
            throw new CommandFailure(ExitCode.Environment, $"{shortage} Or accept the risk with --allow-unlocked.");
        Console.Error.WriteLine(shortage);
    }

    /// <summary>The problem and its fix; null if enough can be locked.</summary>
    internal static string? Shortage() => Shortage(ProcessHardening.Inspect(), OperatingSystem.IsWindows());

    /// <inheritdoc cref="Shortage()"/>
    /// <param name="report">Of this process.</param>
    /// <param name="windows">Whether on Windows, where the limit is another.</param>
    internal static string? Shortage(HardeningReport report, bool windows)
    {
        if (report.LockedLimit is not { } limit || limit >= HardeningReport.SmallestUsefulLockBytes)
            return null;
        string swap = windows
            ? "and Windows writes the rest to its page file"
            : report.SwapOn
            ? "and swap is on: pictures of faces could be written to disk"
            : "(swap is off now, but can be turned on at any time)";
        return $"Only {limit >> 10} KiB of memory can be locked, but faces need {HardeningReport.SmallestUsefulLockBytes >> 20} MiB {swap}. "
            + (windows
                ? "Give the account the right \"Increase a process working set\" (SeIncreaseWorkingSetPrivilege) in secpol.msc, Local Policies, User Rights Assignment, and sign in again."
                : "Raise the limit with `ulimit -l unlimited`, LimitMEMLOCK=infinity in a systemd unit, or \"* - memlock unlimited\" in /etc/security/limits.conf and a new login.");
    }
}
