"""Compares a clip through C (numbers.c) with the same through `lfr run --json`, and prints the numbers. Ends with 1 when they differ.

Usage: compare.py C.jsonl LFR.jsonl LIBRARY FOLDER; in FOLDER what the rounds of scripts/capi.sh left: native.times, managed.times, native.jsonl, managed.jsonl and search.jsonl.
"""
import json
import os
import statistics
import struct
import sys


def documents(path):
    return [json.loads(line) for line in open(path, encoding="utf-8") if line.startswith("{")]


def single(value):
    """The bits of a float32."""
    return struct.pack("<f", value)


folder = sys.argv[4]
c, lfr = documents(sys.argv[1]), documents(sys.argv[2])
c_alerts = [(a["alert"], single(a["score"]), a["shots"]) for a in c if "alert" in a]
lfr_alerts = [(a["candidate"]["id"], single(a["score"]), a["comparedShots"]) for a in lfr if a["type"] in ("alert", "sighting")]
calls = next(line for line in c if "searchMicroseconds" in line)
ours, theirs = c[-1], next(line for line in lfr if line["type"] == "summary")
rounds = [d for d in documents(f"{folder}/native.jsonl") if "traceSha256" in d]
managed_rounds = [d for d in documents(f"{folder}/managed.jsonl") if d["type"] == "summary"]
# Of the clip and of the clip three times over, in turn.
first = min(rounds, key=lambda d: d["startToFirstAlertSeconds"])
fastest, fastest_managed = (max(d["framesPerSecond"] for d in all_rounds[1::2]) for all_rounds in (rounds, managed_rounds))
print(f"alerts: {len(c_alerts)} through C, {len(lfr_alerts)} through lfr run; traces {ours['traceSha256'][:16]}, {theirs['cameras'][0]['traceSha256'][:16]}")
print(f"library {os.path.getsize(sys.argv[3]) / 1e6:.1f} MB; at rest {min(d['restMiB'] for d in rounds):.0f} MiB; networks loaded in {min(d['loadSeconds'] for d in rounds):.2f} s")
print(f"start to first alert, the best of {len(rounds)}: {first['startToFirstAlertSeconds']:.2f} s, on the processor {min(d['startToFirstAlertProcessorSeconds'] for d in rounds):.2f} s")
print(f"frames/s, the best of {len(rounds) // 2}: {fastest:.1f} through C, {fastest_managed:.1f} through lfr run, {fastest / fastest_managed:.3f} of it")


def per_frame(path):
    """Milliseconds on the processor, of each round: the clip three times over less the clip."""
    seconds = [sum(map(float, line.split())) for line in open(path, encoding="utf-8")]
    return [(long - short) / (2 * ours["frames"]) * 1000 for short, long in zip(seconds[::2], seconds[1::2])]


native, managed = per_frame(f"{folder}/native.times"), per_frame(f"{folder}/managed.times")
print(f"on the processor, of {len(native)} rounds in turn: {statistics.median(native):.2f} ms a frame through C, {statistics.median(managed):.2f} through lfr run; "
      f"speed {statistics.median(managed) / statistics.median(native):.3f} of lfr run, by round " + " ".join(f"{m / n:.3f}" for n, m in zip(native, managed)))
search = documents(f"{folder}/search.jsonl")[0]
print(f"a call, on the processor: compare {calls['compareMicroseconds']:.2f} us; search of one person {calls['searchMicroseconds']:.2f} us through C, {search['managedSearchMicroseconds']:.2f} us managed "
      f"(scores {calls['score']:.6f} and {search['score']:.6f}): {calls['searchMicroseconds'] - search['managedSearchMicroseconds']:+.2f} us")
if not c_alerts or c_alerts != lfr_alerts or ours["traceSha256"] != theirs["cameras"][0]["traceSha256"]:
    sys.exit("C and lfr run differ.")
