namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab key</c></summary>
internal static class KeyCommand
{
    public static Command Create()
    {
        var command = new Command("key", "Print the public key of this laboratory, PEM. Whoever uses its evidence puts it into a file that \"laboratories\" of lfr.json names.");
        command.SetAction(_ =>
        {
            StandardScreen.HasProduct();
            using InstallationKey key = InstallationKey.Open();
            Console.Out.WriteLine(key.PublicPem);
            return ExitCode.Success;
        });
        return command;
    }
}
