"""LfrEngine from Python: cameras in, alerts out, everything else erased.

The functions are those of lfr_engine.h, where ownership and threads are documented. Frames and pictures are NumPy arrays of
uint8, or anything with the array interface: height x width for grey, height x width x 3 for BGR (or RGB). They are read where
they lie. The library is that beside this package, or the one that LFR_LIBRARY names.
"""

from __future__ import annotations

import ctypes
import math
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _structures as c

__all__ = ["Alert", "Builder", "Camera", "Candidate", "Engine", "Event", "Face", "LfrError", "PhotoResult", "Run", "Template", "Watchlist", "memory", "open_handles"]

Categories = Literal["wanted", "court-order", "suspect", "missing-or-vulnerable", "at-risk"]
Paces = Literal["auto", "realtime", "max"]
_CATEGORIES = ["wanted", "court-order", "suspect", "missing-or-vulnerable", "at-risk"]
_PACES = ["auto", "realtime", "max"]
_ORDERS, _ROLES = ["bgr", "rgb"], ["list", "probe"]
_GREY, _RGB, _BGR, _FILE = 1, 4, 5, 6
_TIMED_OUT, _ENDED, _BUFFER_TOO_SMALL = 1, 2, -4
# Ctrl-C is delivered between two calls of the library.
_LONGEST_WAIT_MS = 200


def _beside() -> pathlib.Path:
    """The build for the newest processors that this one runs: the dynamic linker looks for it only when a library has no path."""
    folder = pathlib.Path(__file__).parent
    flags: set[str] = set()
    try:
        flags = set(next(line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split())
    except (OSError, StopIteration):
        pass
    v3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}
    v4 = v3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
    for level, needed in (("x86-64-v4", v4), ("x86-64-v3", v3)):
        library = folder / "glibc-hwcaps" / level / "liblfr.so"
        if needed <= flags and library.exists():
            return library
    return folder / "liblfr.so"


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(os.environ.get("LFR_LIBRARY") or str(_beside()))
    library.lfr_last_error.restype = ctypes.c_char_p
    library.lfr_version.restype = ctypes.c_char_p
    library.lfr_status_name.restype = ctypes.c_char_p
    return library


_lib = _load()


class LfrError(Exception):
    """A call failed; the message names what was wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.name: str = _lib.lfr_status_name(status).decode()


def _check(status: int) -> int:
    if status < 0:
        raise LfrError(status, _lib.lfr_last_error().decode(errors="replace"))
    return status


def _sized(kind: Any) -> Any:
    structure = kind()
    structure.struct_size = ctypes.sizeof(kind)
    return structure


def _utf8(text: str | os.PathLike[str]) -> bytes:
    text = os.fspath(text)
    if not isinstance(text, str):
        raise TypeError(f"A text or path is str, not {type(text).__name__}.")
    if "\0" in text:
        raise ValueError("A text or path contains a zero character.")
    return text.encode()


def _given(data: bytes) -> bytes:
    # ctypes would pass the wide characters of a str.
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"bytes are needed, not {type(data).__name__}.")
    return bytes(data)


def _int(value: int, bits: int = 32) -> int:
    # ctypes would cut off what does not fit.
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise OverflowError(f"{value} does not fit {bits} bits.")
    return value


def _choice(value: Any, choices: list[str], name: str) -> int:
    if value not in choices:
        raise ValueError(f"{name} is {', '.join(choices[:-1])} or {choices[-1]}, not {value!r}.")
    return choices.index(value)


def _waited(call: Callable[[int], int], timeout_ms: int, begun: bool) -> int:
    """The status of a call that waits, made in slices. Without limit before the start the library refuses it, and below -1."""
    if _int(timeout_ms) < -1 or (timeout_ms < 0 and not begun):
        return _check(call(timeout_ms))
    end = math.inf if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
    while True:
        left = max(0.0, (end - time.monotonic()) * 1000)
        status = _check(call(math.ceil(min(left, _LONGEST_WAIT_MS))))
        if status != _TIMED_OUT or left <= _LONGEST_WAIT_MS:
            return status


def _bytes_of(function: Any, *arguments: Any) -> bytes:
    size = ctypes.c_int64()
    status = function(*arguments, None, ctypes.c_int64(0), ctypes.byref(size))
    if status != _BUFFER_TOO_SMALL:
        _check(status)
        return b""
    buffer = (ctypes.c_uint8 * size.value)()
    _check(function(*arguments, buffer, size, ctypes.byref(size)))
    return bytes(buffer)


def _image(picture: Any, order: Literal["bgr", "rgb"]) -> Any:
    """A structure that borrows the picture; the caller keeps the picture."""
    _choice(order, _ORDERS, "order")
    image = _sized(c.lfr_image)
    if isinstance(picture, bytes):
        image.format, image.size_bytes = _FILE, len(picture)
        image.plane[0] = ctypes.cast(picture, ctypes.c_void_p).value
        return image
    if not isinstance(picture, np.ndarray):
        if not hasattr(picture, "__array_interface__") and not hasattr(picture, "__array__"):
            raise TypeError("A picture is a NumPy array of uint8, or the bytes of a picture file.")
        # What NumPy cannot read in place, such as a picture whose pixels are bytes, it copies.
        picture = np.asarray(picture)
    image.picture = picture  # It must live as long as the structure that borrows it.
    array = picture.__array_interface__
    shape, strides = array["shape"], array.get("strides")
    grey = len(shape) == 2
    if array["typestr"] != "|u1" or len(shape) not in (2, 3) or (not grey and shape[2] != 3):
        raise ValueError(f"A picture is uint8, height x width or height x width x 3, not {picture.dtype} {shape}.")
    pixel = 1 if grey else 3
    if strides is not None and (strides[1] != pixel or (not grey and strides[2] != 1)):
        raise ValueError("The pixels of a row must lie side by side: use numpy.ascontiguousarray.")
    row = strides[0] if strides is not None and shape[0] > 1 else pixel * shape[1]
    if row < pixel * shape[1]:
        raise ValueError("The rows must lie one after the other, the uppermost first: use numpy.ascontiguousarray.")
    image.format = _GREY if grey else _BGR if order == "bgr" else _RGB
    image.height, image.width = _int(shape[0]), _int(shape[1])
    image.plane[0] = array["data"][0]
    image.row_stride[0] = _int(row)
    image.range = 1
    return image


class _Handle:
    _destroy: str

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self._open: ctypes.c_void_p | None = handle

    @property
    def _handle(self) -> ctypes.c_void_p:
        if self._open is None:
            raise ValueError(f"The {type(self).__name__} was closed.")
        return self._open

    def close(self) -> None:
        """Destroys it, which wipes. Safe to call twice."""
        handle, self._open = self._open, None
        if handle is not None:
            _check(getattr(_lib, self._destroy)(handle))

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_open", None) is not None:
            self.close()


def _of(given: Any, kind: type[_Handle], name: str) -> ctypes.c_void_p:
    if not isinstance(given, kind):
        raise TypeError(f"{name} is of type {kind.__name__}, not {type(given).__name__}.")
    return given._handle


def _made(kind: type[_Handle], function: Any, *arguments: Any) -> ctypes.c_void_p:
    handle = ctypes.c_void_p()
    try:
        _check(function(*arguments, ctypes.byref(handle)))
        return handle
    except BaseException:
        # Ctrl-C is raised when the call has returned: what it made would have no owner.
        if handle:
            getattr(_lib, kind._destroy)(handle)
        raise


@dataclass(frozen=True)
class Face:
    """A face in a picture: left, top, right, bottom in pixels, and a score from 0 to 1."""

    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True)
class PhotoResult:
    """What became of a photo; a rejected one was not added."""

    verdict: Literal["accepted", "doubtful", "rejected"]
    quality: float
    reasons: str


@dataclass(frozen=True)
class Candidate:
    """A person on the list who is like the face searched for."""

    person_index: int
    template_index: int
    score: float


class Template(_Handle):
    """What a face is compared by."""

    _destroy = "lfr_template_destroy"

    def compare(self, other: Template) -> float:
        """Cosine, -1 to 1."""
        score = ctypes.c_float()
        _check(_lib.lfr_template_compare(self._handle, _of(other, Template, "other"), ctypes.byref(score)))
        return score.value

    def to_bytes(self) -> bytes:
        """Not encrypted: keep it as you keep faces."""
        return _bytes_of(_lib.lfr_template_export, self._handle)

    def to_numpy(self) -> npt.NDArray[np.float32]:
        """The embedding, of unit length. A copy: wipe it when you are done (fill(0))."""
        return np.frombuffer(self.to_bytes(), np.float32)[12:-8].copy()


class Watchlist(_Handle):
    """People sought."""

    _destroy = "lfr_watchlist_destroy"

    def save(self, path: str | os.PathLike[str], key: bytes) -> None:
        """Writes it encrypted with 32 to 4096 random bytes."""
        _check(_lib.lfr_watchlist_save(self._handle, _utf8(path), ctypes.byref(_key(key))))

    def search(self, face: Template, threshold: float, most: int = 5) -> list[Candidate]:
        """The people like a face, best first."""
        if _int(most) < 1:
            raise ValueError(f"most is {most}: give 1 or more.")
        found, count = (c.lfr_candidate * most)(), ctypes.c_int32()
        _check(_lib.lfr_search(self._handle, _of(face, Template, "face"), ctypes.c_float(threshold), found, most, ctypes.byref(count)))
        return [Candidate(f.person_index, f.template_index, f.score) for f in found[: count.value]]

    def lookalikes(self, threshold: float) -> list[tuple[int, int, float]]:
        """Pairs of people whose photos reach the threshold, with the score."""
        count = ctypes.c_int32()
        _check(_lib.lfr_watchlist_lookalikes(self._handle, ctypes.c_float(threshold), None, 0, ctypes.byref(count)))
        pairs = (c.lfr_lookalike * max(count.value, 1))()
        _check(_lib.lfr_watchlist_lookalikes(self._handle, ctypes.c_float(threshold), pairs, count.value, ctypes.byref(count)))
        return [(p.person_index[0], p.person_index[1], p.score) for p in pairs[: count.value]]


def _key(secret: bytes) -> Any:
    secret = _given(secret)
    key = _sized(c.lfr_key)
    key.kind, key.size_bytes = 2, len(secret)
    key.data = ctypes.cast(secret, ctypes.c_void_p)
    key.secret = secret  # lives as long as the structure that points to it
    return key


class Builder(_Handle):
    """Makes a watchlist from photos."""

    _destroy = "lfr_builder_destroy"

    def add_person(self, id: str, name: str, category: Categories = "wanted") -> int:
        """Gives the person's place in the list."""
        person, index = _sized(c.lfr_person), ctypes.c_int32()
        person.category, person.id, person.name = _choice(category, _CATEGORIES, "category"), _utf8(id), _utf8(name)
        _check(_lib.lfr_builder_add_person(self._handle, ctypes.byref(person), ctypes.byref(index)))
        return index.value

    def remove_person(self, person: int) -> None:
        """Removes somebody who has no photo: all were rejected. Those added later move up by one place."""
        _check(_lib.lfr_builder_remove_person(self._handle, _int(person)))

    def add_photo(self, person: int, file: bytes) -> PhotoResult:
        """Judges a picture file and adds it unless it is rejected."""
        result = _sized(c.lfr_photo_result)
        file = _given(file)
        _check(_lib.lfr_builder_add_photo(self._handle, _int(person), file, ctypes.c_int64(len(file)), ctypes.byref(result)))
        return PhotoResult(("accepted", "doubtful", "rejected")[result.verdict], result.quality, result.reasons.decode())

    def build(self) -> Watchlist:
        """Makes the watchlist; the builder is spent."""
        return Watchlist(_made(Watchlist, _lib.lfr_builder_build, self._handle))


class Alert(_Handle):
    """Somebody who passed and is like a person on the list."""

    _destroy = "lfr_alert_destroy"

    def __init__(self, handle: ctypes.c_void_p) -> None:
        super().__init__(handle)
        info = _sized(c.lfr_alert_info)
        _check(_lib.lfr_alert_get_info(handle, ctypes.byref(info)))
        self.id: str = info.id.decode()
        self.camera: str = info.camera.decode()
        self.person_id: str = info.person_id.decode()
        self.person_name: str = info.person_name.decode()
        self.joined_alert_id: str | None = info.joined_alert_id.decode() if info.joined_alert_id else None
        self.category: str = _CATEGORIES[info.category]
        self.score: float = info.score
        self.threshold: float = info.threshold
        self.completed_us: int = info.completed_us

    def photo(self) -> bytes:
        """The face as seen, a JPEG."""
        return _bytes_of(_lib.lfr_alert_get_photo, self._handle)

    def pixels(self, order: Literal["bgr", "rgb"] = "bgr") -> npt.NDArray[np.uint8]:
        """The same, height x width x 3. A copy: wipe it when you are done (fill(0))."""
        kind = (_BGR, _RGB)[_choice(order, _ORDERS, "order")]
        width, height = ctypes.c_int32(), ctypes.c_int32()
        status = _lib.lfr_alert_get_pixels(self._handle, kind, None, ctypes.c_int64(0), ctypes.byref(width), ctypes.byref(height))
        if status != _BUFFER_TOO_SMALL:
            _check(status)
        array = np.empty((height.value, width.value, 3), np.uint8)
        _check(_lib.lfr_alert_get_pixels(self._handle, kind, ctypes.c_void_p(array.ctypes.data), ctypes.c_int64(array.nbytes), ctypes.byref(width), ctypes.byref(height)))
        return array


@dataclass(frozen=True)
class Event:
    """Something that happened to a run: "camera" (with its place and state), "watchlist" or "over"."""

    kind: Literal["camera", "watchlist", "over"]
    camera_index: int
    state: Literal["opening", "running", "reconnecting", "ended", "failed"]
    message: str


class Camera(_Handle):
    """A camera whose frames the program pushes."""

    _destroy = "lfr_camera_destroy"

    def __init__(self, handle: ctypes.c_void_p, run: Run) -> None:
        super().__init__(handle)
        self._run = run

    def push(self, frame: Any, time_us: int, timeout_ms: int = -1, order: Literal["bgr", "rgb"] = "bgr") -> bool:
        """Whether the frame was taken: False when there was no room in time, or the camera has ended."""
        image, at = ctypes.byref(_image(frame, order)), ctypes.c_int64(_int(time_us, 64))
        return _waited(lambda ms: _lib.lfr_camera_push(self._handle, image, at, ms), timeout_ms, self._run._begun) == 0

    def end(self) -> None:
        """No more frames will come."""
        _check(_lib.lfr_camera_end(self._handle))


class Run(_Handle):
    """Cameras against a watchlist."""

    _destroy = "lfr_run_destroy"
    _begun = False

    def add_source(self, name: str, address: str | os.PathLike[str], pace: Paces = "auto") -> None:
        """A file, a device or an address that the library opens."""
        _check(_lib.lfr_run_add_source(self._handle, _utf8(name), _utf8(address), _choice(pace, _PACES, "pace")))

    def add_camera(self, name: str, pace: Paces = "auto") -> Camera:
        """A camera whose frames the program pushes."""
        return Camera(_made(Camera, _lib.lfr_run_add_camera, self._handle, _utf8(name), _choice(pace, _PACES, "pace")), self)

    def start(self) -> None:
        """Starts it."""
        _check(_lib.lfr_run_start(self._handle))
        self._begun = True

    def stop(self) -> None:
        """Ends it; everything is wiped."""
        _check(_lib.lfr_run_stop(self._handle))

    def next_alert(self, timeout_ms: int = -1) -> Alert | None:
        """The next alert; None when none came in time or the run has ended. Ctrl-C ends the wait, and so does stop() on another thread."""
        handle = ctypes.c_void_p()
        try:
            return None if _waited(lambda ms: _lib.lfr_run_next_alert(self._handle, ms, ctypes.byref(handle)), timeout_ms, self._begun) else Alert(handle)
        except BaseException:
            # Ctrl-C is raised when the call has returned: an alert holds a picture of a face, and must not be left.
            if handle:
                _lib.lfr_alert_destroy(handle)
            raise

    def __iter__(self) -> Iterator[Alert]:
        while (alert := self.next_alert()) is not None:
            yield alert

    def swap(self, watchlist: Watchlist) -> None:
        """Searches another watchlist from now on."""
        _check(_lib.lfr_run_swap_watchlist(self._handle, _of(watchlist, Watchlist, "watchlist")))

    def next_event(self, timeout_ms: int = -1) -> Event | None:
        """The next event; None when none came in time or the run is over."""
        event = _sized(c.lfr_event)
        if _waited(lambda ms: _lib.lfr_run_next_event(self._handle, ms, ctypes.byref(event)), timeout_ms, self._begun):
            return None
        states: Any = ("opening", "running", "reconnecting", "ended", "failed")
        kinds: Any = ("camera", "watchlist", "over")
        return Event(kinds[event.kind - 1], event.camera_index, states[event.state], event.message.decode())

    def receipt(self, private_key: str) -> bytes:
        """The erasure receipt of a run that is over, signed with a key on P-256 (PEM)."""
        return _bytes_of(_lib.lfr_run_get_receipt, self._handle, _utf8(private_key))

    def camera(self, index: int) -> dict[str, Any]:
        """What a camera is doing."""
        status = _sized(c.lfr_camera_status)
        _check(_lib.lfr_run_get_camera(self._handle, _int(index), ctypes.byref(status)))
        return _values(status)

    def summary(self) -> dict[str, Any]:
        """What was erased, and how fast."""
        summary = _sized(c.lfr_run_summary)
        _check(_lib.lfr_run_get_summary(self._handle, ctypes.byref(summary)))
        return _values(summary)


def _values(structure: Any) -> dict[str, Any]:
    read = {name: getattr(structure, name) for name, _ in structure._fields_ if name not in ("struct_size", "reserved")}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in read.items()}


class Engine(_Handle):
    """The networks."""

    _destroy = "lfr_engine_destroy"

    def __init__(self, models: str | os.PathLike[str], weights: str | os.PathLike[str], max_memory_bytes: int = 0) -> None:
        options = _sized(c.lfr_engine_options)
        options.models_folder, options.weights_folder = _utf8(models), _utf8(weights)
        options.max_memory_bytes = _int(max_memory_bytes, 64)
        super().__init__(_made(Engine, _lib.lfr_engine_create, ctypes.byref(options)))

    def builder(self, version: str = "1") -> Builder:
        """Begins a watchlist."""
        return Builder(_made(Builder, _lib.lfr_builder_create, self._handle, _utf8(version)))

    def load(self, path: str | os.PathLike[str], key: bytes) -> Watchlist:
        """Opens an encrypted watchlist."""
        return Watchlist(_made(Watchlist, _lib.lfr_watchlist_load, self._handle, _utf8(path), ctypes.byref(_key(key))))

    def run(
        self,
        watchlist: Watchlist,
        *,
        thresholds: float | Mapping[Categories, float] = 0,
        worker_threads: int = 0,
        detect_every_ms: int = 0,
        grid_long_side: int = 0,
    ) -> Run:
        """Prepares a run; add cameras, then start it. The options are those of lfr_run_options; thresholds is one for all categories or one for each named."""
        options = _sized(c.lfr_run_options)
        each = thresholds if isinstance(thresholds, Mapping) else dict.fromkeys(_CATEGORIES, thresholds)
        for category, threshold in each.items():
            options.thresholds[_choice(category, _CATEGORIES, "category")] = threshold
        options.worker_threads, options.detect_every_ms, options.grid_long_side = _int(worker_threads), _int(detect_every_ms), _int(grid_long_side)
        return Run(_made(Run, _lib.lfr_run_create, self._handle, _of(watchlist, Watchlist, "watchlist"), ctypes.byref(options)))

    def detect(self, picture: Any, order: Literal["bgr", "rgb"] = "bgr") -> list[Face]:
        """The faces of a picture, largest first."""
        faces, count = (c.lfr_face * 512)(), ctypes.c_int32()
        _check(_lib.lfr_detect(self._handle, ctypes.byref(_image(picture, order)), faces, 512, ctypes.byref(count)))
        return [Face((f.box.left, f.box.top, f.box.right, f.box.bottom), f.score) for f in faces[: min(count.value, 512)]]

    def template(
        self, picture: Any, box: tuple[float, float, float, float] | None = None, order: Literal["bgr", "rgb"] = "bgr", role: Literal["list", "probe"] = "list"
    ) -> Template:
        """Of the largest face, or the one in the box: as on a list's photo, or as of somebody seen."""
        where = None if box is None else ctypes.byref(c.lfr_box(*box))
        return Template(_made(Template, _lib.lfr_template_create_as, self._handle, ctypes.byref(_image(picture, order)), where, _choice(role, _ROLES, "role"), None))

    def read_template(self, data: bytes) -> Template:
        """Reads Template.to_bytes."""
        data = _given(data)
        return Template(_made(Template, _lib.lfr_template_import, self._handle, data, ctypes.c_int64(len(data))))

    def check_evidence(self, file: bytes, public_key: str, people: int, threshold: float = 0, passers_by: int = 0) -> dict[str, Any]:
        """What a laboratory's evidence file says about a threshold (0: the embedder's measured one) on a list of so many people, as in lfr_evidence."""
        file, evidence = _given(file), _sized(c.lfr_evidence)
        arguments = file, ctypes.c_int64(len(file)), _utf8(public_key), ctypes.c_float(threshold), _int(people), ctypes.c_int64(_int(passers_by, 64))
        _check(_lib.lfr_evidence_check(self._handle, *arguments, ctypes.byref(evidence)))
        return _values(evidence)


def memory() -> dict[str, int]:
    """Memory for faces, frames and networks, of all engines of the process."""
    report = _sized(c.lfr_memory)
    _check(_lib.lfr_memory_report(ctypes.byref(report)))
    return _values(report)


def open_handles() -> int:
    """Handles now open, for leak tests."""
    count = ctypes.c_int64()
    _check(_lib.lfr_open_handles(0, ctypes.byref(count)))
    return count.value
