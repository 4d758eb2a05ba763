"""Writes evidence files as a laboratory signs them, for since_0_2.c. Usage: evidence.py MODELS PRIVATE_KEY FOLDER"""
import base64
import glob
import json
import subprocess
import sys

models, key, folder = sys.argv[1:4]
manifests = [json.load(open(path, encoding="utf-8")) for path in glob.glob(f"{models}/*.json")]
hashes = {m["id"]: m["sha256"] for m in manifests if isinstance(m, dict) and "sha256" in m}
public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], capture_output=True, text=True, check=True).stdout


def half(der, at):
    """A number of a DER signature, as 32 bytes; and where the next begins."""
    size = der[at + 1]
    return der[at + 2 : at + 2 + size].lstrip(b"\0").rjust(32, b"\0"), at + 2 + size


def write(name, **changes):
    rates = {"fpir": 0.003, "fpirLow": 0.0006, "fpirHigh": 0.009, "falsePositives": 3, "nonMated": 1000, "tpir": 0.95, "tpirLow": 0.92, "tpirHigh": 0.97, "truePositives": 190, "mated": 200}
    points = [{"gallerySize": size, "threshold": 0.48, **rates, "groups": []} for size in (100, 1000)]
    evidence = {"formatVersion": 1, "madeAt": "2026-01-02T03:04:05+00:00", "protocol": "identify", "embedderId": "mobilefacenet-512", "embedderSha256": hashes["mobilefacenet-512"],
                "modelSha256": hashes, "buildSha256": {}, "dataSha256": "0" * 64, "seed": 1, "points": points, **changes}
    text = json.dumps(evidence)
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), capture_output=True, check=True).stdout
    r, after = half(der, 2)
    s, _ = half(der, after)
    with open(f"{folder}/{name}.json", "w", encoding="utf-8") as file:
        file.write(f'{{"evidence": {text},\n"publicKey": {json.dumps(public)},\n"signature": "{base64.b64encode(r + s).decode()}"}}\n')


write("evidence")
write("evidence-detector", modelSha256={**hashes, "ultraface-rfb-320": "0" * 64})
write("evidence-embedder", embedderId="other", embedderSha256="0" * 64)
write("evidence-format", formatVersion=2)
write("evidence-part", points=None)
