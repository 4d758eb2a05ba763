using System.CommandLine;
using System.Globalization;
using System.Text;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Simulation;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Files;
using LfrEngine.Frames;
using LfrEngine.Lab.Output;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using Spectre.Console;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab simulate DATA</c>: passage videos with truth, for laboratories without footage.</summary>
internal static class SimulateCommand
{
    private const int ChipSize = 256;

    // The chip shows hair, chin and some of what is around.
    private const float ChipFaces = 1.9f;

    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Stills: folder with one sub-folder per person, or a CSV (file, subject, …)." };
        var output = new Option<DirectoryInfo>("--out") { Description = "Folder for videos, tracks, passages.csv and people.csv.", Required = true };
        var listed = new Option<int>("--listed") { Description = "People on the list; each needs two or more stills.", DefaultValueFactory = _ => 5 }.From(1);
        var others = new Option<int>("--others") { Description = "People who are not on the list.", DefaultValueFactory = _ => 15 }.From(0);
        var cameras = new Option<int>("--cameras") { Description = "Videos; everybody walks past each camera once.", DefaultValueFactory = _ => 1 }.From(1);
        var exclude = new Option<string[]>("--exclude") { Description = "People to leave out.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var seed = new Option<ulong>("--seed") { Description = "Seed of all random choices.", DefaultValueFactory = _ => 1 };
        ModelOptions models = new();
        LockOption locking = new();
        var command = new Command("simulate", "Make passage videos with truth from stills.") { data, output, listed, others, cameras, exclude, seed };
        models.AddTo(command);
        locking.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            OutputPlace.RequireFolder(parsed.GetRequiredValue(output).FullName, "--out");
            StandardScreen.HasProduct();
            locking.Require(parsed);
            FaceDataSet set = FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), parsed.GetValue(exclude)!);
            using EngineModels loaded = models.Load(parsed);
            Run(loaded, set, parsed.GetRequiredValue(output).FullName, parsed.GetValue(listed), parsed.GetValue(others), parsed.GetValue(cameras), parsed.GetValue(seed), stopping);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void Run(EngineModels models, FaceDataSet data, string folder, int listed, int others, int cameras, ulong seed, CancellationToken stopping)
    {
        var random = SeededRandom.For(seed, "people");
        Sample[][] people = [.. data.Samples.GroupBy(s => s.Subject).Select(g => g.ToArray())];
        random.Shuffle<Sample[]>(people);
        Sample[][] several = [.. people.Where(p => p.Length > 1).Take(listed)];
        Sample[][] rest = [.. people.Except(several).Take(others)];
        if (several.Length < listed || rest.Length < others)
            throw new CommandFailure(ExitCode.Input, $"The data contain {new Counted(several.Length):person|people} with two stills and {new Counted(rest.Length):other|others}: too few for --listed {listed} --others {others}.");
        string partial = Path.Combine(folder, $".partial-{Guid.NewGuid():N}");
        try
        {
            OutputFile.Note(partial);
            Directory.CreateDirectory(Path.Combine(partial, "tracks"));
            File.WriteAllLines(Path.Combine(partial, "people.csv"), ["id,name,photos", .. several.Select(p => $"{Quoted(p[0].Subject)},{Quoted(p[0].Subject.Replace('_', ' '))},{Quoted(Path.GetFullPath(p[0].Path))}")]);
            var groupsOf = data.Samples.GroupBy(p => p.Subject).ToDictionary(g => g.Key, g => string.Concat(g.First().Groups.Select(v => "," + Quoted(v))));
            var lines = new List<string> { "video,camera,from,to,subject,person,eye_pixels,track" + string.Concat(data.GroupColumns.Select(c => "," + Quoted(c))) };
            for (int camera = 1; camera <= cameras; camera++)
            {
                string name = $"camera-{camera}", video = name + ".mp4";
                using var scene = new StreetScene(Heads(models, several, rest, stopping), SeededRandom.For(seed, name));
                Film(scene, Path.Combine(partial, video), name, stopping);
                foreach ((int i, Passage passage) in scene.Truth(video, name).Index())
                {
                    string track = Path.Combine("tracks", $"{name}-{i + 1}.csv");
                    File.WriteAllLines(Path.Combine(partial, track), ["ms,left,top,right,bottom,visible", .. passage.Track.Select(t =>
                        string.Create(CultureInfo.InvariantCulture, $"{t.TimeMs:0.###},{t.Box.Left:0.#},{t.Box.Top:0.#},{t.Box.Right:0.#},{t.Box.Bottom:0.#},{t.Visible:0.##}"))]);
                    lines.Add(string.Create(CultureInfo.InvariantCulture, $"{video},{name},{passage.FromMs / 1000:0.###},{passage.ToMs / 1000:0.###},{Quoted(passage.Subject ?? PassageList.NotListed)},{Quoted(passage.Person)},{passage.EyePixels:0.#},{track}{groupsOf[passage.Person]}"));
                }
            }
            File.WriteAllLines(Path.Combine(partial, "passages.csv"), lines);
            foreach (string file in Directory.GetFiles(partial, "*", SearchOption.AllDirectories))
            {
                string target = Path.Combine(folder, Path.GetRelativePath(partial, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Move(file, target, overwrite: true);
            }
            AnsiConsole.WriteLine($"{new Counted(lines.Count - 1):passage|passages} of {new Counted(listed):listed person|listed people} and {new Counted(others):other|others} past {new Counted(cameras):camera|cameras} in {folder}.");
            AnsiConsole.WriteLine($"Next: lfr enrol {Path.Combine(folder, "people.csv")} -o list.lfr, then lfr-lab passages {Path.Combine(folder, "passages.csv")} --watchlist list.lfr");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Output, $"The videos cannot be written to {folder}: {FileTrouble.Words(e)} Free some space, or give another folder with --out.", e);
        }
        finally
        {
            OutputFile.Forget(partial);
            if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
    }

    private static void Film(StreetScene scene, string path, string name, CancellationToken stopping) => ProgressBar.While($"Filming {name}", scene.Frames, report =>
    {
        using var encoder = new VideoEncoder(path);
        using HostBuffer<byte> frame = BufferPool.Rent<byte>(StreetScene.FrameBytes);
        for (int i = 0; i < scene.Frames; i++)
        {
            stopping.ThrowIfCancellationRequested();
            scene.Draw(i, frame);
            encoder.Write(frame);
            report(i + 1);
        }
        encoder.Finish();
        return 0;
    });

    // The first still of a listed person is enrolled; another one walks.
    private static List<Head> Heads(EngineModels models, Sample[][] listed, Sample[][] others, CancellationToken stopping)
    {
        var heads = new List<Head>();
        try
        {
            using var analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings);
            foreach (Sample[] person in listed.Concat(others))
            {
                stopping.ThrowIfCancellationRequested();
                bool isListed = listed.Contains(person);
                if (Cut(analyzer, person[isListed ? 1 : 0], isListed) is { } head)
                    heads.Add(head);
                else
                    Console.Error.WriteLine($"{person[isListed ? 1 : 0].Name}: no face found; {person[0].Subject} does not walk.");
            }
            return heads.Count > 0 ? heads : throw new CommandFailure(ExitCode.Input, "No face was found in any of the stills.");
        }
        catch
        {
            heads.ForEach(h => h.Chip.Dispose());
            throw;
        }
    }

    private static Head? Cut(StillAnalyzer analyzer, Sample still, bool listed)
    {
        InputFile.Check(still.Path);
        using MediaReader reader = MediaReader.Open(still.Path);
        if (reader.Read(out MediaFrame? picture) != DecodeResult.Frame)
            return null;
        using (picture)
        {
            FrameView view = FrameLease.ViewOf(picture!);
            ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
            if (faces.IsEmpty)
                return null;
            using StillFace? face = analyzer.Embed(view, TemplateExtractor.NearestToCentre(faces, view));
            if (face is null)
                return null;
            FaceBox box = face.Landmarks.Box;
            float side = ChipFaces * Math.Max(box.Width, box.Height), left = ((box.Left + box.Right) / 2) - (side / 2), top = ((box.Top + box.Bottom) / 2) - (side / 2), scale = ChipSize / side;
            var chip = new Picture(ChipSize, ChipSize);
            chip.Paint(view, new FaceBox(left, top, left + side, top + side), 0, ChipSize);
            return new Head(still.Subject, listed, chip, new FaceBox((box.Left - left) * scale, (box.Top - top) * scale, (box.Right - left) * scale, (box.Bottom - top) * scale),
                face.Landmarks.Points.InterEyePixels * scale);
        }
    }

    private static string Quoted(string field) => field.AsSpan().IndexOfAny(",\"\n") >= 0 ? new StringBuilder("\"").Append(field.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"').ToString() : field;
}
