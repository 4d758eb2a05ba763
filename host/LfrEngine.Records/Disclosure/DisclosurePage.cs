using System.Globalization;
using System.Net;
using System.Text;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;

namespace LfrEngine.Records.Disclosure;

/// <summary>The page of a bundle: everything in it in plain English, and how to check it without this program.</summary>
internal static class DisclosurePage
{
    private const string Style =
        "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2rem}table{border-collapse:collapse}"
        + "th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#eee}.w{overflow-x:auto}figure{display:inline-block;margin:0 1rem 1rem 0}img{max-width:18rem;height:auto}"
        + "pre{background:#f3f3f3;padding:.75rem;overflow-x:auto}code{font-family:ui-monospace,monospace;font-size:.9em}@media print{@page{size:A4;margin:12mm}body{margin:0;max-width:none;font-size:10pt}}";

    // ECDSA signatures are stored as two numbers of 32 bytes; openssl wants them in DER.
    private const string ByHand =
        """
        # 1. The list of files: is it signed by the installation? Put its public key beside it as INSTALLATION.pem.
        head -n -2 manifest.json | sed '1s/^{"disclosure": //' | head -c -2 > signed.txt
        tail -n 1 manifest.json | sed 's/^"signature": "//; s/"}$//' | base64 -d > signature.bin
        r=$(head -c 32 signature.bin | od -An -tx1 | tr -d ' \n')
        s=$(tail -c 32 signature.bin | od -An -tx1 | tr -d ' \n')
        printf 'asn1=SEQUENCE:both\n[both]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$r" "$s" > signature.txt
        openssl asn1parse -genconf signature.txt -noout -out signature.der
        openssl dgst -sha256 -verify INSTALLATION.pem -signature signature.der signed.txt

        # 2. Is every file the one in the list? Compare with "sha256" in manifest.json.
        openssl dgst -sha256 index.html *.jpg alert.json authority*.json evidence.json policy.json audit.jsonl figures.json receipts/*
        """;

    /// <summary>The page, without its own hash in it.</summary>
    public static string Write(DisclosureManifest manifest, DisclosedAlert alert, Authority authority, EvidenceDocument? evidence, DeploymentFigures? figures, IReadOnlyList<AuditEntry> trail)
    {
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Disclosure of an alert</title>\n<style>").Append(Style).Append("</style>\n</head>\n<body>\n");
        page.Append("<h1>Disclosure of an alert of live facial recognition</h1>\n");
        Paragraph(page, $"Made by {manifest.MadeBy} at {At(manifest.MadeAt)} on the installation \"{manifest.Installation}\", for: {manifest.Reason}");
        Paragraph(page, "The engine compared a face in the street with photos on a watchlist and found them alike. That is not an identification. A trained officer judged the two pictures; what officers decided is listed below.");
        Pictures(page, manifest, alert);
        Facts(page, alert);
        Rests(page, alert, authority, evidence);
        Table(page, "Decisions", ["Time", "Officer", "From", "To", "Note"], alert.Decisions.Select(d => (string[])[At(d.At), d.Officer, $"{d.From}", $"{d.To}", d.HasNote ? "written, not disclosed" : ""]));
        Table(page, "The audit trail about this alert", ["Entry", "Time", "Who", "What", "Details"],
            trail.Where(e => e.Subject == $"alert/{alert.Id}").Select(e => (string[])[Number(e.Sequence), At(e.At), e.ActorName, e.Action, e.Details]));
        Paragraph(page, "audit.jsonl has these entries and all entries about the deployment. Each contains the hash of the entry before, so none can be altered or removed unnoticed. Entries about other things are left out: their hashes stand for them. Seals are the installation's signatures over the chain, made at the time.");
        if (figures is not null)
            Table(page, "Figures of the deployment", TransparencyText.Columns, [TransparencyText.Cells(figures)]);
        Table(page, "The files", ["File", "What it is", "SHA-256"], manifest.Parts.Select(p => (string[])[p.Name, p.What, p.Sha256]));
        if (manifest.Absent.Count > 0)
            Table(page, "Files that are not here", ["File", "Why"], manifest.Absent.Select(p => (string[])[p.Name, p.Reason]));
        page.Append("<h2>How to check it</h2>\n");
        Paragraph(page, "With the program lfr, offline. It checks every hash and signature, the audit trail and its seals, whether the score reaches the threshold of the authority, and counts the figures again:");
        page.Append("<pre>lfr disclosure verify FILE.zip --key INSTALLATION.pem</pre>\n");
        Paragraph(page, "By hand, in the unpacked folder on Linux. Ask the force for the installation's public key by another way than this file.");
        page.Append("<pre id=\"by-hand\">").Append(WebUtility.HtmlEncode(ByHand)).Append("</pre>\n");
        Paragraph(page, "authority.json, evidence.json, policy.json and the receipts are built like manifest.json: a text, the public key of whoever signed it, and the signature. Check them in the same way, with the first word of the file in the place of \"disclosure\".");
        Paragraph(page, "The hash of an entry of audit.jsonl is the SHA-256 of the JSON array [sequence, microseconds since 1970, actorId, actorName, action, subject, details, previousHash], without white space. A seal signs SEQUENCE:HASH.");
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static void Pictures(StringBuilder page, DisclosureManifest manifest, DisclosedAlert alert)
    {
        page.Append("<h2>The pictures</h2>\n");
        if (!alert.Pictures.Exist)
        {
            Paragraph(page, $"The pictures, and what was known about the person, were erased at {At(alert.Pictures.ErasedAt!.Value)}. {alert.Pictures.Why} They cannot be restored: the key with which they were encrypted was destroyed.");
            return;
        }
        foreach ((string name, string words) in new[] { (DisclosureFormat.Probe, "The face as the camera saw it"), (DisclosureFormat.Reference, "The photo on the watchlist") })
        {
            if (manifest.Parts.Any(p => p.Name == name))
                page.Append(CultureInfo.InvariantCulture, $"<figure><img src=\"{name}\" alt=\"{words}\"><figcaption>{words}</figcaption></figure>\n");
        }
    }

    private static void Facts(StringBuilder page, DisclosedAlert alert)
    {
        var rows = new List<string[]>
        {
            (string[])["Alert", alert.Id.ToString()],
            (string[])["Seen", $"{At(alert.CapturedAt)}, camera {alert.Camera}"],
            (string[])["Category", alert.Category + (alert.RolePlayer ? " (a consenting role-player who tested the system)" : "")],
            (string[])["Score", $"{Score(alert.Score)}. Alerts start at {Score(alert.Threshold)}."],
            (string[])["Likeness, as officers saw it", $"{alert.Likeness}"],
            (string[])["Shots that agreed", $"{alert.AgreeingShots} of {alert.ComparedShots}"],
            (string[])["Quality of the best shot", alert.Quality.ToString("0.00", CultureInfo.InvariantCulture)],
            (string[])["Likelihood ratio", alert.Likelihood is { } ratio ? FormattableString.Invariant($"10^{ratio.Log10:0.00}{(ratio.AtBound ? ", the limit of what the measurement can show" : "")}. {ratio.Words}") : "None: the evidence has no calibration for this alert."],
            (string[])["State", $"{alert.State}"],
        };
        if (alert.Person is { } person)
        {
            rows.Add(["Person on the watchlist", person.Name]);
            rows.Add(["Case reference", person.Reference]);
            rows.Add(["Legal basis", person.LegalBasis]);
            rows.Add(["Source of the photo", person.ImageSource]);
            if (person.QualityWarnings.Count > 0)
                rows.Add(["What is wrong with the picture", string.Join("; ", person.QualityWarnings)]);
        }
        Table(page, "The alert", ["What", "Value"], rows);
        if (alert.Sightings.Count > 0)
            Table(page, "Further sightings that joined it", ["Time", "Camera", "Score"], alert.Sightings.Select(s => (string[])[At(s.CapturedAt), s.Camera, Score(s.Score)]));
    }

    private static void Rests(StringBuilder page, DisclosedAlert alert, Authority authority, EvidenceDocument? evidence)
    {
        Table(page, "The authority", ["What", "Value"],
        [
            ["Deployment", authority.Name], ["Purpose", authority.Purpose], ["Place", authority.Place], ["From, to", $"{At(authority.Start)}, {At(authority.End)}"],
            ["Signed by", authority.AuthorisingOfficer.Name + (authority.SecondOfficer is { } second ? $", and second by {second.Name}" : "")], ["Drafted by", authority.Drafter.Name],
            ["Cameras", string.Join(", ", authority.Cameras.Select(c => c.Name))], ["People on the list", Number(authority.Watchlist.People)],
            ["Policy pack", authority.Policy is { } policy ? $"{policy.Name} {policy.Version}" : "none"],
        ]);
        Table(page, "The networks", ["Task", "Name", "SHA-256"], alert.Models.Select(m => (string[])[m.Task, m.Id, m.Sha256]));
        if (evidence?.Find(alert.Threshold, Math.Max(1, authority.Watchlist.People)) is { } point)
        {
            page.Append("<h2>What the threshold rests on</h2>\n");
            Paragraph(page, FormattableString.Invariant($"Measured by a laboratory at {At(evidence.MadeAt)}, with {point.GallerySize:#,0} people enrolled, at a threshold of {point.Threshold:0.####}: of {point.NonMated:#,0} attempts of people who were not enrolled, {point.FalsePositives:#,0} gave a false alert (rate {NumberText.Of(point.Fpir)}, 95 % interval {NumberText.Of(point.FpirLow)} to {NumberText.Of(point.FpirHigh)}); of {point.Mated:#,0} attempts of people who were, {point.TruePositives:#,0} were found (rate {NumberText.Of(point.Tpir)}, {NumberText.Of(point.TpirLow)} to {NumberText.Of(point.TpirHigh)})."));
        }
    }

    private static void Paragraph(StringBuilder page, string text) => page.Append("<p>").Append(Safe(text)).Append("</p>\n");

    private static void Table(StringBuilder page, string title, IEnumerable<string> columns, IEnumerable<string[]> rows)
    {
        page.Append("<h2>").Append(Safe(title)).Append("</h2>\n<div class=\"w\" tabindex=\"0\" role=\"region\" aria-label=\"").Append(Safe(title)).Append("\"><table>\n<thead><tr>");
        foreach (string column in columns)
            page.Append("<th scope=\"col\">").Append(Safe(column)).Append("</th>");
        page.Append("</tr></thead>\n<tbody>\n");
        foreach (string[] row in rows)
            page.Append("<tr>").AppendJoin("", row.Select(cell => $"<td>{Safe(cell)}</td>")).Append("</tr>\n");
        page.Append("</tbody></table></div>\n");
    }

    private static string Safe(string text) => WebUtility.HtmlEncode(Shown.Text(text));

    private static string At(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    private static string Score(float score) => score.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
