"""The Python package. Usage: test_lfr.py MODELS WEIGHTS PHOTO VIDEO SCRATCH"""
import ctypes
import pathlib
import sys

import lfr
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


class Array:
    """What NumPy shows of an array, without NumPy."""

    def __init__(self, height, width, channels=3, strides=None, typestr="|u1"):
        self.bytes = (ctypes.c_uint8 * (height * width * channels))(*([90] * (height * width * channels)))
        shape = (height, width, channels) if channels > 1 else (height, width)
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": typestr, "data": (ctypes.addressof(self.bytes), False), "strides": strides}


assert "no/such/folder" in fails("LFR_BAD_ARGUMENT", lambda: lfr.Engine("/no/such/folder", weights))
photo = pathlib.Path(photo_path).read_bytes()
with lfr.Engine(models, weights) as engine:
    faces = engine.detect(photo)
    assert faces and faces[0].score > 0
    assert engine.detect(Array(64, 64)) == [] and engine.detect(Array(64, 64, 1), order="rgb") == []
    for wrong in (Array(8, 8, 4), Array(8, 8, strides=(48, 6, 1)), Array(8, 8, typestr="<f4")):
        try:
            engine.detect(wrong)
        except ValueError:
            continue
        raise AssertionError("a picture of the wrong kind was taken")
    face = engine.template(photo, faces[0].box)
    again = engine.read_template(face.to_bytes())
    assert face.compare(again) > 0.9999
    fails("LFR_BAD_TEMPLATE", lambda: engine.read_template(b"nothing"))
    fails("LFR_NO_FACE", lambda: engine.template(Array(64, 64)))
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
        (ValueError, lambda: engine.detect(Array(120, 160), order="xyz")),
    ):
        try:
            call()
        except kind:
            continue
        raise AssertionError(f"{kind.__name__} was expected.")
    watchlist.save(scratch + "/python.lfr", key)
    watchlist.close()
    fails("LFR_WRONG_KEY", lambda: engine.load(scratch + "/python.lfr", key[::-1]))
    watchlist = engine.load(scratch + "/python.lfr", key)
    found = watchlist.search(face, 0.3)
    assert [f.person_index for f in found] == [person] and found[0].score > 0.9

    with engine.run(watchlist) as run:
        camera = run.add_camera("pushed", "max")
        run.start()
        frame = Array(120, 160)
        assert all(camera.push(frame, i * 40000) for i in range(5))
        camera.end()
        assert list(run) == [] and run.camera(0)["frames_decoded"] == 5 and run.summary()["is_over"] == 1
        assert not camera.push(frame, 400000)
        camera.close()

    with engine.run(watchlist) as run:
        run.add_source("file", video, "max")
        run.start()
        for alert in run:
            with alert:
                assert alert.photo()[:2] == b"\xff\xd8" and alert.category == "suspect" and alert.person_name == "Jörg"
                print(f"alert {alert.camera} at {alert.completed_us / 1e6:.2f} s: {alert.person_id}, score {alert.score:.9g}")
        print(f"trace {run.camera(0)['trace_sha256']}")
    for handle in (face, again, watchlist):
        handle.close()
assert lfr.open_handles() == 0, lfr.open_handles()
print("Python: 0 failed")
