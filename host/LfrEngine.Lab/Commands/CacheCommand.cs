using Spectre.Console;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab cache erase</c></summary>
internal static class CacheCommand
{
    public static Command Create()
    {
        var place = new Option<DirectoryInfo?>("--cache") { Description = "Folder of the template cache; default: lab/ in the engine's cache folder." };
        var erase = new Command("erase", "Destroy the key and all templates kept between runs.") { place };
        erase.SetAction(parsed =>
        {
            StandardScreen.HasProduct();
            string folder = parsed.GetValue(place)?.FullName ?? LabOptions.DefaultCache;
            AnsiConsole.WriteLine($"{new Counted(TemplateCache.Erase(folder)):file|files} erased in {folder}.");
            return ExitCode.Success;
        });
        return new Command("cache", "Templates kept between runs, encrypted.") { erase };
    }
}
