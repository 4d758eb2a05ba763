using LfrEngine.Lab.Commands;
using LfrEngine.Native.Hardening;

// First of all: no core dumps, and no other process may read this memory.
ProcessHardening.Apply();

var root = new RootCommand("LfrEngine laboratory: error rates with their intervals, on the engine that runs in the van.")
{
    VerifyCommand.Create(),
    IdentifyCommand.Create(),
    PassagesCommand.Create(),
    SimulateCommand.Create(),
    CoverCommand.Create(),
    CalibrateCommand.Create(),
    CoverScaleCommand.Create(),
    CoverJudgeCommand.Create(),
    QualityCommand.Create(),
    DetectCommand.Create(),
    CompareCommand.Create(),
    ExplainCommand.Create(),
    KeyCommand.Create(),
    CacheCommand.Create(),
};

return await CommandRunner.RunAsync(root, args, "lfr-lab");
