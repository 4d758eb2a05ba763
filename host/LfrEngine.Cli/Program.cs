using LfrEngine.Cli.Commands;
using LfrEngine.Native.Hardening;

// First: no core files, no dumps, no access to this memory by other processes.
ProcessHardening.Apply();

var root = new RootCommand("LfrEngine: live facial recognition against a watchlist. The engine finds candidates; trained people decide.")
{
    RunCommand.Create(),
    CamerasCommand.Create(),
    EnrolCommand.Create(),
    DemoCommand.Create(),
    DoctorCommand.Create(),
    ReceiptCommand.Create(),
    EvidenceCommand.Create(),
    AuthorityCommand.Create(),
    PolicyCommand.Create(),
    DisclosureCommand.Create(),
    ModelsCommand.Create(),
    VerifyCommand.Create(),
    DetectCommand.Create(),
    BenchCommand.Create(),
    ServeCommand.Create(),
    ConfigCommand.Create(),
    AuditCommand.Create(),
    ExportCommand.Create(),
    WatchlistCommand.Create(),
    VetCommand.Create(),
    RetentionCommand.Create(),
    OfficersCommand.Create(),
    FieldCheckCommand.Create(),
};

return await CommandRunner.RunAsync(root, args, "lfr");
