"""Builds the wheel of lfr: the package with liblfr.so, its variants for newer processors and what it needs beside it.

The libraries are those that `scripts/capi.sh publish` left in build/capi. Nothing is fetched, and the same files give the same wheel.
"""

import base64
import hashlib
import pathlib
import re
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
NATIVE = ROOT / "build" / "capi"
# FFmpeg is the system's, so this is no "manylinux" wheel.
TAG = "py3-none-linux_x86_64"


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    libraries = sorted(NATIVE.glob("*.so")) + sorted(NATIVE.glob("glibc-hwcaps/*/liblfr.so"))
    if NATIVE / "liblfr.so" not in libraries:
        raise SystemExit("There is no build/capi/liblfr.so: run scripts/capi.sh publish first.")
    version = re.search(r"<Version>([^<]+)</Version>", (ROOT / "Directory.Build.props").read_text())[1]
    info = f"lfr-{version}.dist-info"
    files = {f"lfr/{path.name}": path.read_bytes() for path in sorted((HERE / "lfr").glob("*.py")) + [HERE / "lfr" / "py.typed"]}
    files |= {f"lfr/{path.relative_to(NATIVE).as_posix()}": path.read_bytes() for path in libraries}
    files |= {f"{info}/licenses/{name}": (ROOT / name).read_bytes() for name in ("LICENSE", "THIRD-PARTY-NOTICES.md")}
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: lfr\nVersion: {version}\nSummary: Live facial recognition: cameras in, alerts out, everything else erased\n"
        f"Requires-Python: >=3.10\nRequires-Dist: numpy>=1.24\nLicense-File: LICENSE\nLicense-File: THIRD-PARTY-NOTICES.md\n"
        f"Description-Content-Type: text/markdown\n\n{(HERE / 'README.md').read_text()}"
    ).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: lfr\nRoot-Is-Purelib: false\nTag: {TAG}\n".encode()
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n" for name, data in files.items()
    )
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    name = f"lfr-{version}-{TAG}.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            # The oldest time that a zip file knows: the same files give the same wheel.
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if path.endswith(".so") else 0o644) << 16
            wheel.writestr(entry, data)
    return name
