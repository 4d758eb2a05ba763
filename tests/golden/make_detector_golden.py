"""Writes the golden values of the detector heads and of non-maximum suppression.

Independent of the C# code: plain loops over the formulas that each family published, in double precision.
The raw network outputs are not stored: both sides draw them from the same generator.

    /usr/bin/python3 tests/golden/make_detector_golden.py        (needs Debian's python3-numpy)

Formulas:
  ultraface, retinaface   SSD, arXiv:1512.02325, with variances 0.1 and 0.2; RetinaFace, arXiv:1905.00641
  yunet                   OpenCV's FaceDetectorYN
  scrfd                   arXiv:2105.04714: distances to the edges, in strides
"""
import json
import math
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


class Lcg:
    """state = state * 1664525 + 1013904223 mod 2^32; the upper 24 bits over 2^24 are exact in float32."""

    def __init__(self, seed):
        self.state = seed & 0xFFFFFFFF

    def unit(self):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 8) / 16777216.0

    def tensor(self, count, low, high):
        return [float(np.float32(low + (high - low) * self.unit())) for _ in range(count)]


def cells(side, stride):
    return math.ceil(side / stride)


def priors(width, height, levels, clip):
    """Normalised centre x, centre y, width, height, in the published order."""
    for stride, sizes in levels:
        columns, rows = cells(width, stride), cells(height, stride)
        for row in range(rows):
            for column in range(columns):
                for size in sizes:
                    prior = [(column + 0.5) / columns, (row + 0.5) / rows, size / width, size / height]
                    yield [min(max(v, 0.0), 1.0) for v in prior] if clip else prior


def ssd(width, height, threshold, levels, clip, scores, locations, landmarks):
    faces = []
    for i, (cx, cy, w, h) in enumerate(priors(width, height, levels, clip)):
        if scores[2 * i + 1] < threshold:
            continue
        l = locations[4 * i:4 * i + 4]
        x = cx + l[0] * 0.1 * w
        y = cy + l[1] * 0.1 * h
        bw = w * math.exp(l[2] * 0.2)
        bh = h * math.exp(l[3] * 0.2)
        box = [(x - bw / 2) * width, (y - bh / 2) * height, (x + bw / 2) * width, (y + bh / 2) * height]
        points = []
        if landmarks:
            for k in range(5):
                points.append((cx + landmarks[10 * i + 2 * k] * 0.1 * w) * width)
                points.append((cy + landmarks[10 * i + 2 * k + 1] * 0.1 * h) * height)
        faces.append((scores[2 * i + 1], box, points))
    return faces


def ultraface(width, height, threshold, tensors):
    levels = [(8, (10, 16, 24)), (16, (32, 48)), (32, (64, 96)), (64, (128, 192, 256))]
    return ssd(width, height, threshold, levels, True, tensors[0], tensors[1], None)


def retinaface(width, height, threshold, tensors):
    levels = [(8, (16, 32)), (16, (64, 128)), (32, (256, 512))]
    return ssd(width, height, threshold, levels, False, tensors[1], tensors[0], tensors[2])


def yunet(width, height, threshold, tensors):
    faces = []
    for level, stride in enumerate((8, 16, 32)):
        cls, obj, bbox, kps = (tensors[level + 3 * k] for k in range(4))
        columns = width // stride
        for row in range(height // stride):
            for column in range(columns):
                i = row * columns + column
                c = min(max(cls[i], 0.0), 1.0)
                o = min(max(obj[i], 0.0), 1.0)
                score = math.sqrt(c * o)
                if score < threshold:
                    continue
                x = (column + bbox[4 * i]) * stride
                y = (row + bbox[4 * i + 1]) * stride
                w = math.exp(bbox[4 * i + 2]) * stride
                h = math.exp(bbox[4 * i + 3]) * stride
                points = []
                for k in range(5):
                    points.append((kps[10 * i + 2 * k] + column) * stride)
                    points.append((kps[10 * i + 2 * k + 1] + row) * stride)
                faces.append((score, [x - w / 2, y - h / 2, x + w / 2, y + h / 2], points))
    return faces


def scrfd(width, height, threshold, tensors):
    faces = []
    for level, stride in enumerate((8, 16, 32)):
        scores, bbox, kps = (tensors[level + 3 * k] for k in range(3))
        i = 0
        for row in range(height // stride):
            for column in range(width // stride):
                for _ in range(2):
                    if scores[i] >= threshold:
                        x, y = column * stride, row * stride
                        d = [v * stride for v in bbox[4 * i:4 * i + 4]]
                        points = []
                        for k in range(5):
                            points.append(x + kps[10 * i + 2 * k] * stride)
                            points.append(y + kps[10 * i + 2 * k + 1] * stride)
                        faces.append((scores[i], [x - d[0], y - d[1], x + d[2], y + d[3]], points))
                    i += 1
    return faces


def count(width, height, strides, per_cell):
    return sum(cells(width, s) * cells(height, s) * n for s, n in zip(strides, per_cell))


def shapes(family, width, height):
    """(elements, low, high) of each output."""
    if family == "ultraface":
        n = count(width, height, (8, 16, 32, 64), (3, 2, 2, 3))
        return [(2 * n, 0, 1), (4 * n, -3, 3)]
    if family == "retinaface":
        n = count(width, height, (8, 16, 32), (2, 2, 2))
        return [(4 * n, -3, 3), (2 * n, 0, 1), (10 * n, -4, 4)]
    n = [count(width, height, (s,), (1,)) for s in (8, 16, 32)]
    if family == "yunet":
        return ([(k, -0.25, 1.25) for k in n] + [(k, -0.25, 1.25) for k in n]
                + [(4 * k, -1.5, 1.5) for k in n] + [(10 * k, -2, 2) for k in n])
    n = [2 * k for k in n]
    return [(k, 0, 1) for k in n] + [(4 * k, 0.25, 6) for k in n] + [(10 * k, -4, 4) for k in n]


def digits(values, places=5):
    return [round(v, places) for v in values]


def write(name, document):
    path = os.path.join(HERE, f"detector_{name}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")
    print(name, os.path.getsize(path), "bytes")


def heads():
    cases = {
        "ultraface": (ultraface, [(320, 240, 0.985, 1), (160, 96, 0.95, 2), (416, 416, 0.995, 3)]),
        "retinaface": (retinaface, [(320, 224, 0.985, 11), (96, 160, 0.95, 12)]),
        "yunet": (yunet, [(320, 224, 0.97, 21), (96, 160, 0.9, 22)]),
        "scrfd": (scrfd, [(320, 224, 0.985, 31), (96, 160, 0.95, 32)]),
    }
    for family, (decode, runs) in cases.items():
        document = []
        for width, height, threshold, seed in runs:
            ranges = shapes(family, width, height)
            random = Lcg(seed)
            tensors = [random.tensor(*r) for r in ranges]
            threshold = float(np.float32(threshold))
            faces = decode(width, height, threshold, tensors)
            document.append({
                "width": width, "height": height, "threshold": threshold, "seed": seed,
                "ranges": [[low, high] for _, low, high in ranges],
                "faces": [digits([s], 7) + digits(b) + digits(p) for s, b, p in faces],
            })
            print(family, width, height, len(faces), "faces")
        write(family, document)


def intersection(a, b):
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def area(a):
    return (a[2] - a[0]) * (a[3] - a[1])


def iou(a, b):
    shared = intersection(a, b)
    return shared / (area(a) + area(b) - shared)


def greedy(faces, threshold):
    kept = []
    for face in faces:
        if all(iou(face[1:5], k[1:5]) < threshold for k in kept):
            kept.append(face)
    return kept


def blend(faces, threshold):
    rest, kept = list(faces), []
    while rest:
        cluster = [f for f in rest if f is rest[0] or iou(rest[0][1:5], f[1:5]) >= threshold]
        weights = np.array([f[0] for f in cluster])
        values = np.array([f[1:] for f in cluster])
        kept.append([cluster[0][0]] + list((weights[:, None] * values).sum(0) / weights.sum()))
        rest = [f for f in rest if all(f is not c for c in cluster)]
    return kept


def drop_nested(faces, containment):
    kept = []
    for face in faces:
        if all(intersection(face[1:5], k[1:5]) <= containment * area(face[1:5]) for k in kept):
            kept.append(face)
    return kept


def suppression():
    seed, number, clusters, threshold, containment = 41, 200, 12, 0.375, 0.7
    random = Lcg(seed)
    anchors = [random.tensor(2, 40, 400) + random.tensor(1, 20, 80) for _ in range(clusters)]
    faces = []
    for i in range(number):
        x, y, side = anchors[i % clusters]
        jitter = random.tensor(4, -0.5, 0.5)
        score = random.tensor(1, 0, 1)[0]
        box = [x + side * jitter[0], y + side * jitter[1], x + side * (1.25 + jitter[2]), y + side * (1.25 + jitter[3])]
        box = [float(np.float32(v)) for v in box]
        points = random.tensor(10, 0, 400)
        faces.append([score] + box + points)
    faces.sort(key=lambda f: -f[0])
    write("nms", {
        "seed": seed, "number": number, "clusters": clusters, "iouThreshold": threshold, "containment": containment,
        "greedy": [digits(f[:1], 7) + digits(f[1:]) for f in greedy(faces, threshold)],
        "blend": [digits(f[:1], 7) + digits(f[1:]) for f in blend(faces, threshold)],
        "nested": [digits(f[:1], 7) + digits(f[1:]) for f in drop_nested(faces, float(np.float32(containment)))],
    })
    print([len(f(faces, t)) for f, t in ((greedy, threshold), (blend, threshold), (drop_nested, containment))])


if __name__ == "__main__":
    heads()
    suppression()
