using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Files;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Disclosure;

/// <summary>Public keys that must have signed, PEM. Without a key only the file's own key is used: that shows that nothing was altered, not who signed.</summary>
/// <param name="Installation">Who made the bundle.</param>
/// <param name="Officers">Who may have signed the authority.</param>
/// <param name="Laboratories">Who may have signed the evidence.</param>
/// <param name="Policies">Who may have signed the policy pack.</param>
internal sealed record DisclosureKeys(string Installation, IReadOnlyList<string> Officers, IReadOnlyList<string> Laboratories, IReadOnlyList<string> Policies);

/// <summary>Checks a bundle, with nothing but the file and public keys.</summary>
internal sealed partial class DisclosureCheck
{
    private const int MostFiles = 1000, LargestManifest = 4 << 20, ChunkBytes = 64 << 10;

    private readonly Dictionary<string, byte[]> texts = new(StringComparer.Ordinal);
    private readonly List<string> faults = [];
    private readonly List<string> said = [];
    private readonly DisclosureKeys keys;

    private DisclosureCheck(DisclosureKeys keys) => this.keys = keys;

    /// <summary>The signed list of parts.</summary>
    public DisclosureManifest Manifest { get; private set; } = null!;

    /// <summary>Of the file, as the installation's audit trail names it.</summary>
    public string Sha256 { get; private set; } = "";

    /// <summary>Everything that is wrong, each a sentence that begins with the name of a part.</summary>
    public IReadOnlyList<string> Faults => faults;

    /// <summary>What was found to be right, in words.</summary>
    public IReadOnlyList<string> Said => said;

    /// <summary>File names of the receipts that entries of a deployment name, in order.</summary>
    public static IReadOnlyList<string> ReceiptsIn(IEnumerable<AuditEntry> entries, Guid deployment) =>
        [.. entries.Where(e => e.Subject == $"deployment/{deployment}" && e.Action is "deployment.paused" or "deployment.ended").Select(ReceiptShelf.NamedIn).OfType<string>()];

    /// <summary>The figures of one deployment; null if it has not been started.</summary>
    public static DeploymentFigures? FiguresOf(string installation, IEnumerable<AuditEntry> entries, Guid deployment)
    {
        var ledger = new TransparencyLedger();
        ledger.Add(installation, entries);
        return ledger.Report(null, null).Deployments.FirstOrDefault(d => d.Id == deployment.ToString());
    }

    /// <summary>Checks a bundle.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keys">Who must have signed.</param>
    /// <param name="trail">Whole trail of the installation, checked; null to do without.</param>
    /// <exception cref="CommandFailure">It is not a bundle, is damaged, or its list of parts was altered or signed by another key: nothing in it can be relied on.</exception>
    public static DisclosureCheck Of(string path, DisclosureKeys keys, IReadOnlyList<AuditEntry>? trail = null)
    {
        var check = new DisclosureCheck(keys);
        try
        {
            using FileStream file = InputFile.OpenStream(path);
            if (file.Length > DisclosureFormat.LargestBytes)
                throw new CommandFailure(ExitCode.Input, $"{path} is larger than {DisclosureFormat.LargestBytes >> 20} MiB. That is not a disclosure bundle.");
            check.Sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
            file.Position = 0;
            using var zip = new ZipArchive(file, ZipArchiveMode.Read);
            check.ReadParts(path, zip);
        }
        catch (InvalidDataException e)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} is not a disclosure bundle, or is damaged or cut off. {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Input, $"{path} cannot be read: {FileTrouble.Words(e)}", e);
        }
        check.CheckContent(trail);
        return check;
    }

    private void ReadParts(string path, ZipArchive zip)
    {
        // Before anything is unpacked: names, number and sizes.
        if (zip.Entries.Count > MostFiles || zip.Entries.Any(e => e.Length is < 0 or > DisclosureFormat.LargestUnpacked) || zip.Entries.Sum(e => e.Length) > DisclosureFormat.LargestUnpacked)
            throw new CommandFailure(ExitCode.Input, $"{path} is not a disclosure bundle: it would unpack to more than {DisclosureFormat.LargestUnpacked >> 20} MiB or {MostFiles} files.");
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            if (!PartName().IsMatch(entry.FullName))
                throw new CommandFailure(ExitCode.Input, $"{path} is not a disclosure bundle: \"{Shown.Name(entry.FullName)}\" is not the name of a part.");
            if (zip.Entries.Count(e => e.FullName == entry.FullName) > 1)
                throw new CommandFailure(ExitCode.Input, $"{path} is not a disclosure bundle: it has {entry.FullName} twice.");
        }
        if (zip.GetEntry(DisclosureFormat.Manifest) is not { Length: <= LargestManifest } list)
            throw new CommandFailure(ExitCode.Input, $"{path} is not a disclosure bundle: it has no {DisclosureFormat.Manifest}.");
        Manifest = SignedDocument.Trusted(() => SignedFile.Read(Unpack(list, list.Length, keep: true).Text!, DisclosureFormat.Manifest, DisclosureFormat.Kind.Property, DisclosureFormat.Kind.Name, keys.Installation, DisclosureFormat.Json<DisclosureManifest>()));
        if (Manifest.FormatVersion != DisclosureFormat.Version)
            throw new CommandFailure(ExitCode.Input, $"{path} has format {Manifest.FormatVersion}; this program reads {DisclosureFormat.Version}.");
        using ECDsa signer = SignedFile.KeyFrom(keys.Installation);
        said.Add($"{DisclosureFormat.Manifest}: signed by installation {SignedFile.Fingerprint(signer)}, not altered");

        HashSet<string> listed = [.. Manifest.Parts.Select(p => p.Name)];
        faults.AddRange(zip.Entries.Where(e => e.FullName != DisclosureFormat.Manifest && !listed.Contains(e.FullName)).Select(e => $"{e.FullName} is in the file, but not in the signed list."));
        foreach (DisclosedPart part in Manifest.Parts)
            ReadPart(zip, part);
        said.Add($"{new Counted(Manifest.Parts.Count - faults.Count):part|parts}: as in the signed list");
    }

    private void ReadPart(ZipArchive zip, DisclosedPart part)
    {
        if (zip.GetEntry(part.Name) is not { } entry)
        {
            faults.Add($"{part.Name} is in the signed list, but not in the file.");
            return;
        }
        try
        {
            (string sha256, byte[]? text) = Unpack(entry, part.Bytes, keep: !part.Name.EndsWith(".jpg", StringComparison.Ordinal));
            if (sha256 != part.Sha256)
                faults.Add($"{part.Name} has been altered: its SHA-256 is {sha256}, the signed list has {part.Sha256}.");
            else if (text is not null)
                texts[part.Name] = text;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException)
        {
            faults.Add($"{part.Name} is damaged and cannot be unpacked.");
        }
    }

    // A picture is hashed as it is read, and nothing of it is kept. A part longer than stated has another hash: the rest is not read.
    private static (string Sha256, byte[]? Text) Unpack(ZipArchiveEntry entry, long most, bool keep)
    {
        var chunk = new byte[ChunkBytes];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var text = new MemoryStream();
        try
        {
            using Stream stream = entry.Open();
            for (long total = 0; total <= most && stream.Read(chunk) is var read and > 0; total += read)
            {
                hash.AppendData(chunk, 0, read);
                if (keep)
                    text.Write(chunk, 0, read);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(chunk);
        }
        return (Convert.ToHexStringLower(hash.GetHashAndReset()), keep ? text.ToArray() : null);
    }

    private void CheckContent(IReadOnlyList<AuditEntry>? trail)
    {
        Require(DisclosureFormat.Page);
        DisclosedAlert? alert = Require(DisclosureFormat.Alert) is { } alertText ? Parse(DisclosureFormat.Alert, alertText, DisclosureFormat.Json<DisclosedAlert>()) : null;
        (Authority Document, string Text)? signed = ReadAuthority(DisclosureFormat.Authority);
        AuditSlice? slice = ReadSlice(trail);
        if (alert is not null)
        {
            if (alert.Id != Manifest.Alert || alert.Deployment != Manifest.Deployment)
                faults.Add($"{DisclosureFormat.Alert} is about another alert than the signed list.");
            CheckPictures(alert);
        }
        if (alert is not null && signed is { } authority)
            CheckAlert(alert, authority.Document, ReadEvidence(alert, authority.Document));
        if (signed is { } named)
            CheckPolicy(named.Document);
        if (slice is null)
            return;
        if (alert is not null && signed is { } text)
            CheckSignatures(alert, text.Document, text.Text, slice);
        if (alert is not null)
            CheckTrailOf(alert, slice);
        CheckReceipts(slice, signed?.Document);
        CheckFigures(slice);
    }

    private byte[]? Require(string name)
    {
        if (texts.TryGetValue(name, out byte[]? text))
            return text;
        // A part of the list that is missing or altered has been named.
        if (!Manifest.Parts.Any(p => p.Name == name))
            faults.Add($"{name} is not in the bundle{(Manifest.Absent.FirstOrDefault(a => a.Name == name) is { } absent ? $": {absent.Reason}" : ".")}");
        return null;
    }

    private T? Parse<T>(string name, byte[] text, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (JsonSerializer.Deserialize(text, type) is { } value)
                return value;
            faults.Add($"{name} is empty.");
        }
        catch (JsonException e)
        {
            faults.Add($"{name} cannot be read. {JsonTrouble.Words("The file", e)}");
        }
        return null;
    }

    // Signed by the key it names, which must be one of the trusted ones if there are any.
    private T? Signed<T>(string name, SignedKind kind, IReadOnlyList<string> trusted, string option, Func<byte[], string, T> read)
        where T : class
    {
        if (Require(name) is not { } file)
            return null;
        try
        {
            string pem = SignedDocument.SignerPem(file, name, kind);
            T document = read(file, pem);
            using ECDsa signer = SignedFile.KeyFrom(pem);
            string fingerprint = SignedFile.Fingerprint(signer);
            if (trusted.Count == 0)
                said.Add($"{name}: signed by the key {fingerprint}, not altered; give {option} to check whose that is");
            else if (trusted.Any(t => IsSame(signer, t)))
                said.Add($"{name}: signed by the key {fingerprint} of {option}, not altered");
            else
                faults.Add($"{name} is signed by the key {fingerprint}, which is not one of {option}.");
            return document;
        }
        catch (Exception e) when (e is SignedFileException or CommandFailure)
        {
            faults.Add(e.Message);
            return null;
        }
    }

    private static bool IsSame(ECDsa signer, string pem)
    {
        using ECDsa trusted = SignedFile.KeyFrom(pem);
        return trusted.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(signer.ExportSubjectPublicKeyInfo());
    }

    private (Authority Document, string Text)? ReadAuthority(string name) =>
        Signed(name, AuthoritySetup.Kind, keys.Officers, "--officer-key", (file, pem) => SignedFile.Read(file, name, AuthoritySetup.Kind.Property, AuthoritySetup.Kind.Name, pem, Authority.Json)) is { } authority
            ? (authority, TextOf(name, AuthoritySetup.Kind)) : null;

    private string TextOf(string name, SignedKind kind)
    {
        using JsonDocument document = JsonDocument.Parse(texts[name]);
        return document.RootElement.GetProperty(kind.Property).GetRawText();
    }

    private (string Key, string Signature) SignatureOf(string name)
    {
        using JsonDocument document = JsonDocument.Parse(texts[name]);
        return (document.RootElement.GetProperty("publicKey").GetString()!, document.RootElement.GetProperty("signature").GetString()!);
    }

    private EvidenceDocument? ReadEvidence(DisclosedAlert alert, Authority authority)
    {
        EvidenceDocument? evidence = Signed(DisclosureFormat.Evidence, EvidenceFile.Kind, keys.Laboratories, "--laboratory-key", (file, pem) => EvidenceDocument.Read(file, DisclosureFormat.Evidence, pem));
        if (evidence is null || authority.Categories.FirstOrDefault(c => c.Category.Name() == alert.Category) is not { } category)
            return evidence;
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(texts[DisclosureFormat.Evidence]));
        if (sha256 != category.Evidence.FileSha256)
            faults.Add($"{DisclosureFormat.Evidence} is not the evidence that the authority names: its SHA-256 is {sha256}, the authority has {category.Evidence.FileSha256}.");
        else
            said.Add($"{DisclosureFormat.Evidence}: the evidence that the authority names");
        return evidence;
    }

    private void CheckAlert(DisclosedAlert alert, Authority authority, EvidenceDocument? evidence)
    {
        if (authority.Deployment != Manifest.Deployment)
            faults.Add($"{DisclosureFormat.Authority} is the authority of another deployment.");
        if (authority.Categories.FirstOrDefault(c => c.Category.Name() == alert.Category) is not { } category)
        {
            faults.Add($"{DisclosureFormat.Alert}: the authority does not allow to seek people of the category {alert.Category}.");
            return;
        }
        if (alert.Threshold != (float)category.Threshold)
            faults.Add(FormattableString.Invariant($"{DisclosureFormat.Alert}: the threshold {alert.Threshold} is not that of the authority, {category.Threshold}."));
        if (!(alert.Score >= (float)category.Threshold))
            faults.Add(FormattableString.Invariant($"{DisclosureFormat.Alert}: the score {alert.Score} does not reach the threshold of the authority, {category.Threshold}."));
        else
            said.Add(FormattableString.Invariant($"{DisclosureFormat.Alert}: score {alert.Score:0.###}, threshold of the authority {category.Threshold:0.####}"));
        if (!authority.Cameras.Any(c => c.Name == alert.Camera))
            faults.Add($"{DisclosureFormat.Alert}: the authority does not name the camera {Shown.Name(alert.Camera)}.");
        if (alert.CapturedAt < authority.Start || alert.CapturedAt > authority.End)
            faults.Add($"{DisclosureFormat.Alert}: the face was seen outside the time of the authority.");
        if (!alert.Models.SequenceEqual(authority.Models))
            faults.Add($"{DisclosureFormat.Alert}: the networks are not those of the authority.");
        if (evidence is not null && Likenesses.Of(alert.Score, alert.Threshold, evidence, authority.Watchlist.People) is var word && word != alert.Likeness)
            faults.Add($"{DisclosureFormat.Alert}: the evidence gives the score the word {word}, not {alert.Likeness}.");
    }

    private void CheckPictures(DisclosedAlert alert)
    {
        bool probe = Manifest.Parts.Any(p => p.Name == DisclosureFormat.Probe);
        if (probe != alert.Pictures.Exist)
            faults.Add($"{DisclosureFormat.Alert} says that the pictures {(alert.Pictures.Exist ? "exist" : "were erased")}, and the bundle says otherwise.");
        else
            said.Add(probe ? "pictures: in the bundle" : $"pictures: erased at {alert.Pictures.ErasedAt:u}. {alert.Pictures.Why}");
    }

    private void CheckPolicy(Authority authority)
    {
        if (authority.Policy is not { } named)
        {
            said.Add($"{DisclosureFormat.Policy}: the authority names no policy pack");
            return;
        }
        if (Signed(DisclosureFormat.Policy, SignedPolicy.Kind, keys.Policies, "--policy-key", (file, pem) => SignedFile.Read(file, DisclosureFormat.Policy, SignedPolicy.Kind.Property, SignedPolicy.Kind.Name, pem, PolicyPack.Json)) is not { } pack)
            return;
        string sha256 = SignedPolicy.HashOf(texts[DisclosureFormat.Policy]);
        if (sha256 != named.Sha256)
            faults.Add($"{DisclosureFormat.Policy} is not the policy pack that the authority names: the SHA-256 of its text is {sha256}, the authority has {named.Sha256}.");
        else
            said.Add($"{DisclosureFormat.Policy}: the pack that the authority names, {pack.Name} {pack.Version}");
    }

    private AuditSlice? ReadSlice(IReadOnlyList<AuditEntry>? trail)
    {
        if (Require(DisclosureFormat.Trail) is not { } text)
            return null;
        using ECDsa signer = SignedFile.KeyFrom(keys.Installation);
        AuditSlice slice = AuditSlice.Read(text, signer);
        if (slice.Fault is null && slice.Installation != Manifest.Installation)
            faults.Add($"{DisclosureFormat.Trail} is the trail of \"{Shown.Name(slice.Installation)}\", not of \"{Shown.Name(Manifest.Installation)}\".");
        if (slice.Fault is { } fault)
        {
            faults.Add($"{DisclosureFormat.Trail} is not intact: {fault}.");
            return null;
        }
        said.Add($"{DisclosureFormat.Trail}: {new Counted(slice.Entries.Count):entry|entries} whole and {slice.LeftOut} as hashes, in one chain under {new Counted(slice.Seals.Count):seal|seals}; {slice.Tied} of the whole entries rest on a seal alone, "
            + $"the others also on hashes of entries left out{(trail is null ? ", which the whole trail confirms (--trail)" : "")}");
        if (trail is not null && slice.Compare(trail, Manifest.Deployment, Manifest.Alert) is { } differs)
            faults.Add($"{DisclosureFormat.Trail} does not agree with the whole trail: {differs}.");
        else if (trail is not null)
            said.Add($"{DisclosureFormat.Trail}: agrees with the whole trail, and nothing about the deployment is left out");
        return slice;
    }

    // As the engine checks them before it starts: text, key, signer and time are bound by the entry of the audit trail.
    private void CheckSignatures(DisclosedAlert alert, Authority authority, string text, AuditSlice slice)
    {
        (string key, string signature) = SignatureOf(DisclosureFormat.Authority);
        var record = new DeploymentRecord
        {
            Id = Manifest.Deployment,
            Name = authority.Name,
            AuthorityText = text,
            SignedBy = alert.Signed?.By,
            SignedAt = alert.Signed?.At,
            Signature = signature,
            SignerPublicKey = key,
        };
        if (authority.SecondOfficer is not null && ReadAuthority(DisclosureFormat.Second) is { } second)
        {
            if (second.Text != text)
                faults.Add($"{DisclosureFormat.Second} has another text than {DisclosureFormat.Authority}.");
            (record.SecondSignerPublicKey, record.SecondSignature) = SignatureOf(DisclosureFormat.Second);
            (record.SecondSignedBy, record.SecondSignedAt) = (alert.SecondSigned?.By, alert.SecondSigned?.At);
        }
        var reasons = new List<string>();
        SignatureProof.Check(record, authority, [.. slice.Entries.Where(e => e.Subject == $"deployment/{Manifest.Deployment}")], reasons);
        faults.AddRange(reasons.Select(r => $"{DisclosureFormat.Authority}: {r}"));
        if (reasons.Count == 0)
            said.Add($"{DisclosureFormat.Authority}: signed by {authority.AuthorisingOfficer.Name}{(authority.SecondOfficer is { } also ? $" and {also.Name}" : "")}, as the audit trail recorded it");
    }

    private void CheckTrailOf(DisclosedAlert alert, AuditSlice slice)
    {
        AuditEntry[] own = [.. slice.Entries.Where(e => e.Subject == AlertActions.SubjectOf(alert.Id))];
        if (own.FirstOrDefault(e => e.Action == AlertActions.Raised) is not { } raised)
        {
            faults.Add($"{DisclosureFormat.Trail} has no entry that the alert was raised.");
            return;
        }
        // The same serialiser wrote both, so equal numbers have equal texts.
        using (JsonDocument details = JsonDocument.Parse(raised.Details), disclosed = JsonDocument.Parse(texts[DisclosureFormat.Alert]))
        {
            string? Raw(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement value) ? value.GetRawText() : null;
            foreach (string name in (string[])["score", "threshold", "camera", "category", "likeness", "rolePlayer"])
            {
                if (Raw(details.RootElement, name) != Raw(disclosed.RootElement, name))
                    faults.Add($"{DisclosureFormat.Alert}: \"{name}\" is not what the audit trail recorded when the alert was raised.");
            }
            string? ratio = disclosed.RootElement.TryGetProperty("likelihood", out JsonElement likelihood) ? Raw(likelihood, "log10") : null;
            if (Raw(details.RootElement, "log10LikelihoodRatio") != ratio || Raw(details.RootElement, "deploymentId") != Raw(disclosed.RootElement, "deployment"))
                faults.Add($"{DisclosureFormat.Alert}: the likelihood ratio or the deployment is not what the audit trail recorded when the alert was raised.");
        }
        string[] decided = [.. own.Where(e => e.Action == AlertActions.Decided).Select(e =>
        {
            using JsonDocument details = JsonDocument.Parse(e.Details);
            return $"{details.RootElement.GetProperty("entry")} {details.RootElement.GetProperty("to")} {e.ActorName}";
        })];
        if (!decided.SequenceEqual(alert.Decisions.Select(d => $"{d.Entry} {JsonNamingPolicy.CamelCase.ConvertName(d.To.ToString())} {d.Officer}")))
            faults.Add($"{DisclosureFormat.Alert}: the decisions are not those of the audit trail.");
        if (own.Any(e => e.Action == AlertActions.PicturesErased) == alert.Pictures.Exist)
            faults.Add($"{DisclosureFormat.Alert}: whether the pictures exist is not what the audit trail says.");
    }

    private void CheckReceipts(AuditSlice slice, Authority? authority)
    {
        IReadOnlyList<string> named = ReceiptsIn(slice.Entries, Manifest.Deployment);
        foreach (string name in named)
        {
            string part = DisclosureFormat.Receipts + name;
            if (Signed(part, ErasureReceipt.Kind, [keys.Installation], "--key", (file, pem) => ErasureReceipt.Verify(file, part, pem)) is { } receipt
                && (name != $"{Manifest.Deployment:N}-{receipt.Run}.json" || (authority is not null && receipt.WatchlistId != authority.Watchlist.Id)))
                faults.Add($"{part} is the receipt of another run or watchlist.");
        }
        faults.AddRange(texts.Keys.Where(t => t.StartsWith(DisclosureFormat.Receipts, StringComparison.Ordinal) && !named.Contains(t[DisclosureFormat.Receipts.Length..])).Select(t => $"{t} is not named by the audit trail."));
    }

    private void CheckFigures(AuditSlice slice)
    {
        DeploymentFigures? counted = FiguresOf(Manifest.Installation, slice.Entries, Manifest.Deployment);
        if (Require(DisclosureFormat.Figures) is not { } text)
            return;
        if (counted is null || Encoding.UTF8.GetString(text) != DisclosureFormat.Text(counted) + "\n")
            faults.Add($"{DisclosureFormat.Figures}: the figures are not those that {DisclosureFormat.Trail} gives.");
        else
            said.Add($"{DisclosureFormat.Figures}: counted again from {DisclosureFormat.Trail}, and the same: {new Counted(counted.TotalAlerts):alert|alerts}, {counted.PositiveAlerts} positive, {counted.IncorrectAlerts} incorrect{(counted.FacesSeen is { } seen ? FormattableString.Invariant($", {seen:#,0} faces seen") : ", not ended")}");
    }

    [GeneratedRegex(@"\A(manifest\.json|index\.html|alert\.json|probe\.jpg|reference\.jpg|evidence\.json|authority\.json|authority-second\.json|policy\.json|audit\.jsonl|figures\.json|receipts/[A-Za-z0-9-]{1,120}\.json)\z")]
    private static partial Regex PartName();
}
