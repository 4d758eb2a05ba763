"""What torch's matrix product and top-k take on this card, and what the card can do at the most: for comparison with `LfrEngine.Perf search`.

Usage: python3 perf/peers/torch_search.py [--templates 20000,100000,1000000] [--probes 1,64]

Prints JSON. Needs torch with CUDA. Each time is the median from probes in the processor's memory to candidates there, as `search` measures it;
`cardMs` is the card's own share of it. The bound is the gallery's bytes over the rate at which this card reads memory, measured here.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

import torch

LENGTH, CANDIDATES, TURNS = 512, 5, 30


def numbers(text):
    return [int(n) for n in text.split(",")]


def median_ms(work):
    """Medians of the wall clock and of the card's events."""
    wall, card = [], []
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    for turn in range(TURNS + 3):
        torch.cuda.synchronize()
        start = time.perf_counter()
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        if turn >= 3:
            wall.append((time.perf_counter() - start) * 1e3)
            card.append(begin.elapsed_time(end))
    return statistics.median(wall), statistics.median(card)


def rates():
    """GB/s of reading, and of copying counted both ways, on data far larger than the caches."""
    data = torch.randn(1 << 30, device="cuda")
    target = torch.empty_like(data)
    size = data.numel() * 4
    _, read = median_ms(lambda: data.sum())
    _, copy = median_ms(lambda: target.copy_(data))
    return size / read / 1e6, 2 * size / copy / 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--templates", type=numbers, default=[20_000, 100_000, 1_000_000])
    parser.add_argument("--probes", type=numbers, default=[1, 64])
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    read, copy = rates()
    torch.cuda.empty_cache()
    cells = []
    for templates in options.templates:
        rows = torch.nn.functional.normalize(torch.randn(templates, LENGTH, device="cuda"), dim=1)
        for name, kind in (("float32", torch.float32), ("float16", torch.float16)):
            gallery = rows.to(kind)
            bound = gallery.numel() * gallery.element_size() / read / 1e6
            for probes in options.probes:
                asked = torch.nn.functional.normalize(torch.randn(probes, LENGTH), dim=1).pin_memory()

                def search():
                    scores = asked.to("cuda", non_blocking=True).to(kind) @ gallery.T
                    values, indices = torch.topk(scores, CANDIDATES, dim=1)
                    return values.cpu(), indices.cpu()

                wall, card = median_ms(search)
                cells.append({"templates": templates, "probes": probes, "precision": name, "ms": wall, "cardMs": card, "boundMs": bound})
                print(cells[-1], file=sys.stderr)
        del rows, gallery
        torch.cuda.empty_cache()
    driver = subprocess.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True, check=True).stdout.strip()
    print(json.dumps({"card": torch.cuda.get_device_name(), "driver": driver, "torch": torch.__version__, "readGBs": read, "copyGBs": copy, "cells": cells}, indent=1))


if __name__ == "__main__":
    main()
