"""The Python package. Usage: test_lfr.py MODELS WEIGHTS PHOTO VIDEO SCRATCH"""
import ctypes
import os
import pathlib
import signal
import sys
import threading

import lfr
import numpy as np
from lfr import _structures

models, weights, photo_path, video, scratch = sys.argv[1:6]

# The layouts are those of the header.
for line in (pathlib.Path(__file__).parent / "../test/layout-linux-x64.txt").read_text().splitlines():
    name, *numbers = line.split()
    if name.startswith("lfr_api"):
        continue
    kind, _, member = name.partition(".")
    structure = getattr(_structures, kind)
    if member:
        field = getattr(structure, member)
        assert [field.offset, field.size] == [int(n) for n in numbers], line
    else:
        assert ctypes.sizeof(structure) == int(numbers[0]), line


def fails(status, call):
    try:
        call()
    except lfr.LfrError as error:
        assert error.name == status, (error.name, str(error))
        return str(error)
    raise AssertionError(f"no {status}")


def grey(height, width):
    return np.full((height, width), 90, np.uint8)


def colour(height, width):
    return np.full((height, width, 3), 90, np.uint8)


assert "no/such/folder" in fails("LFR_BAD_ARGUMENT", lambda: lfr.Engine("/no/such/folder", weights))
photo = pathlib.Path(photo_path).read_bytes()
with lfr.Engine(models, weights) as engine:
    faces = engine.detect(photo)
    assert faces and faces[0].score > 0

    # As Pillow gives its pixels: bytes, not an address. A picture whose first pixel were taken for one would end the process.
    class Pixels:
        __array_interface__ = {"shape": (64, 64, 3), "typestr": "|u1", "version": 3, "data": bytes([200]) * (64 * 64 * 3)}

    assert engine.detect(Pixels()) == []
    assert engine.detect(colour(64, 64)) == [] and engine.detect(grey(64, 64), order="rgb") == []
    # A part of a larger picture is read where it lies; nothing else that is not rows of pixels.
    assert engine.detect(colour(80, 80)[8:72, 4:68]) == []
    assert engine.detect(colour(1, 64)[::-1]) == []
    for wrong, said in (
        (np.zeros((8, 8, 4), np.uint8), "uint8"),
        (colour(8, 16)[:, ::2], "side by side"),
        (colour(8, 16)[::-1], "uppermost first"),
        (np.lib.stride_tricks.as_strided(colour(8, 16), (8, 16, 3), (0, 3, 1)), "uppermost first"),
        (np.zeros((8, 8, 3), np.float32), "float32"),
    ):
        try:
            engine.detect(wrong)
        except ValueError as error:
            assert said in str(error), error
            continue
        raise AssertionError("a picture of the wrong kind was taken")
    face = engine.template(photo, faces[0].box)
    again = engine.read_template(face.to_bytes())
    assert face.compare(again) > 0.9999
    vector = face.to_numpy()
    assert vector.shape == (512,) and vector.dtype == np.float32 and abs(float(vector @ vector) - 1) < 1e-3
    assert engine.template(photo, faces[0].box, role="probe").compare(face) > 0.9
    fails("LFR_BAD_TEMPLATE", lambda: engine.read_template(b"nothing"))
    fails("LFR_NO_FACE", lambda: engine.template(colour(64, 64)))
    with engine.builder() as builder:
        person = builder.add_person("person-1", "Jörg", "suspect")
        assert builder.add_photo(person, b"nothing").verdict == "rejected"
        assert builder.add_photo(person, photo).verdict != "rejected"
        watchlist = builder.build()
    key = b"0123456789abcdef0123456789abcdef"
    # What ctypes would take and pass on as something else.
    for kind, call in (
        (TypeError, lambda: watchlist.save(scratch + "/text.lfr", key.decode())),
        (TypeError, lambda: engine.builder().add_photo(0, "photo.jpg")),
        (TypeError, lambda: engine.read_template("text")),
        (OverflowError, lambda: engine.builder().add_photo(1 << 32, photo)),
        (ValueError, lambda: watchlist.save(scratch + "/cut\0.lfr", key)),
        (ValueError, lambda: engine.detect(colour(120, 160), order="xyz")),
        (ValueError, lambda: engine.builder().add_person("a", "A", "fast")),
        (ValueError, lambda: engine.template(photo, role="fast")),
        (ValueError, lambda: engine.run(watchlist).add_source("a", video, "fast")),
        (ValueError, lambda: engine.run(watchlist, thresholds={"fast": 0.5})),
        (TypeError, lambda: engine.run(None)),
        (TypeError, lambda: watchlist.search(None, 0.3)),
        (ValueError, lambda: watchlist.search(face, 0.3, most=0)),
        (OverflowError, lambda: watchlist.search(face, 0.3, most=1 << 32)),
        (TypeError, lambda: face.compare("face")),
    ):
        try:
            call()
        except kind as error:
            # In words of this package, not of Python's own types.
            assert "tuple" not in str(error) and "list." not in str(error) and "_handle" not in str(error), error
            continue
        raise AssertionError(f"{kind.__name__} was expected.")
    with engine.builder() as builder:
        assert builder.add_person("none", "A") == 0 and builder.add_person("person-1", "B") == 1
        builder.remove_person(0)
        assert builder.add_photo(0, photo).verdict != "rejected"
        builder.build().close()
    try:
        builder.build()
        raise AssertionError("a closed builder was taken")
    except ValueError as error:
        assert "closed" in str(error)
    # The options reach the library.
    fails("LFR_BAD_ARGUMENT", lambda: engine.run(watchlist, thresholds=2))
    fails("LFR_BAD_ARGUMENT", lambda: engine.run(watchlist, worker_threads=-1))
    fails("LFR_BAD_ARGUMENT", lambda: engine.run(watchlist, detect_every_ms=-2))
    fails("LFR_BAD_ARGUMENT", lambda: engine.run(watchlist, grid_long_side=1))
    evidence, public = ((pathlib.Path(scratch) / name).read_bytes() for name in ("evidence.json", "receipt-key.pub"))
    measured = engine.check_evidence(evidence, public.decode(), people=100, threshold=0.48, passers_by=1000)
    assert measured["gallery_size"] == 100 and measured["protocol"] == "identify" and measured["expected_low"] < 3 < measured["expected_high"], measured
    fails("LFR_NOT_MEASURED", lambda: engine.check_evidence(evidence, public.decode(), people=100, threshold=0.9))
    watchlist.save(scratch + "/python.lfr", key)
    watchlist.close()
    fails("LFR_WRONG_KEY", lambda: engine.load(scratch + "/python.lfr", key[::-1]))
    watchlist = engine.load(scratch + "/python.lfr", key)
    found = watchlist.search(face, 0.3)
    assert [f.person_index for f in found] == [person] and found[0].score > 0.9
    assert watchlist.lookalikes(0.3) == []

    with engine.run(watchlist) as run:
        camera = run.add_camera("pushed", "max")
        run.start()
        frame = colour(120, 160)
        assert all(camera.push(frame, i * 40000) for i in range(5))
        camera.end()
        assert list(run) == [] and run.camera(0)["frames_decoded"] == 5 and run.summary()["is_over"] == 1
        assert not camera.push(frame, 400000)
        camera.close()

    # Nothing listens at this port: Ctrl-C ends the wait.
    with engine.run(watchlist, thresholds={"suspect": 0.5}, worker_threads=1, detect_every_ms=-1) as run:
        run.add_source("never", "rtsp://127.0.0.1:1/live")
        fails("LFR_BAD_STATE", run.next_alert)
        fails("LFR_BAD_STATE", run.next_event)
        run.start()
        assert run.next_alert(1) is None
        interrupt, rescue = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)), threading.Timer(90, run.stop)
        interrupt.start()
        rescue.start()
        try:
            alerts = list(run)
        except KeyboardInterrupt:
            alerts = None
        rescue.cancel()
        assert alerts is None, "Ctrl-C was not delivered"

    with engine.run(watchlist) as run:
        run.add_source("file", video, "max")
        run.start()
        for alert in run:
            with alert:
                pixels = alert.pixels()
                assert pixels.ndim == 3 and pixels.std() > 1 and (pixels[:, :, ::-1] == alert.pixels("rgb")).all()
                assert alert.photo()[:2] == b"\xff\xd8" and alert.category == "suspect" and alert.person_name == "Jörg"
                print(f"alert {alert.camera} at {alert.completed_us / 1e6:.2f} s: {alert.person_id}, score {alert.score:.9g}")
        print(f"trace {run.camera(0)['trace_sha256']}")
        told = list(iter(lambda: run.next_event(0), None))
        assert [(e.kind, e.state) for e in told][-2:] == [("camera", "ended"), ("over", "opening")], told
        assert "Parameter" not in fails("LFR_BAD_ARGUMENT", lambda: run.receipt("no key"))
    for handle in (face, again, watchlist):
        handle.close()
fails("LFR_OUT_OF_MEMORY", lambda: lfr.Engine(models, weights, max_memory_bytes=1 << 12))
report = lfr.memory()
assert report["held_bytes"] <= report["peak_bytes"] and report["max_memory_bytes"] == 0 and report["blocks_outstanding"] == 0, report
assert lfr.open_handles() == 0, lfr.open_handles()
print("Python: 0 failed")
