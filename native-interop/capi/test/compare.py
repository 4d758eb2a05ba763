"""Compares a clip through C (numbers.c) with the same through `lfr run --json`, and prints the numbers. Ends with 1 when they differ."""
import json
import os
import statistics
import struct
import sys

c, lfr = ([json.loads(line) for line in open(path, encoding="utf-8") if line.startswith("{")] for path in sys.argv[1:3])


def single(value):
    """The bits of a float32."""
    return struct.pack("<f", value)


c_alerts = [(a["alert"], single(a["score"]), a["shots"]) for a in c if "alert" in a]
lfr_alerts = [(a["candidate"]["id"], single(a["score"]), a["comparedShots"]) for a in lfr if a["type"] in ("alert", "sighting")]
calls = next(line for line in c if "searchMicroseconds" in line)
ours, theirs = c[-1], next(line for line in lfr if line["type"] == "summary")
print(f"alerts: {len(c_alerts)} through C, {len(lfr_alerts)} through lfr run; traces {ours['traceSha256'][:16]}, {theirs['cameras'][0]['traceSha256'][:16]}")
print(f"library {os.path.getsize(sys.argv[3]) / 1e6:.1f} MB; networks loaded in {ours['loadSeconds']:.2f} s; start to first alert {ours['startToFirstAlertSeconds']:.2f} s; "
      f"at rest {ours['restMiB']:.0f} MiB; {ours['framesPerSecond']:.0f} frames/s, {ours['framesPerSecond'] / theirs['framesPerSecond']:.2f} of lfr run")


def per_frame(path):
    """Milliseconds on the processor, of each round: the clip three times over less the clip."""
    seconds = [sum(map(float, line.split())) for line in open(path, encoding="utf-8")]
    return [(long - short) / (2 * ours["frames"]) * 1000 for short, long in zip(seconds[::2], seconds[1::2])]


native, managed = per_frame(sys.argv[4]), per_frame(sys.argv[5])
print(f"on the processor, of {len(native)} rounds in turn: {statistics.median(native):.2f} ms a frame through C, {statistics.median(managed):.2f} through lfr run; "
      f"speed {statistics.median(m / n for n, m in zip(native, managed)):.2f} of lfr run")
print(f"a call, on the processor: compare {calls['compareMicroseconds']:.2f} us, search of one person {calls['searchMicroseconds']:.2f} us")
if not c_alerts or c_alerts != lfr_alerts or ours["traceSha256"] != theirs["cameras"][0]["traceSha256"]:
    sys.exit("C and lfr run differ.")
