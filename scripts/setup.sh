# Sourced by ./lfr, ./lfr-lab and ./test.sh: installs what is missing and builds what is out of date. Prints nothing when there is nothing to do.
# shellcheck shell=bash
set -euo pipefail
: "${root:?is set by the script that sources this}"
cd "$root"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 3; }

# log_file NAME: prints the path of a log that this user can write. One left by another user is not touched.
log_file() {
    local log=build/$1.log
    { : >"$log"; } 2>/dev/null || log=$(mktemp "${TMPDIR:-/tmp}/lfr-$1.XXXXXX")
    printf '%s\n' "$log"
}

# with_progress WHAT LOG COMMAND…: runs a command with its output in a log, and says every 15 s that it is still running.
with_progress() {
    local what=$1 log=$2 began=$SECONDS ticker status=0
    shift 2
    say "$what (log: $log)"
    (
        # Ends by itself when the script that started it has ended. The pause must not keep anybody's pipe open.
        while sleep 15 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
            say "  still running after $((SECONDS - began)) s$(grep -o '[^ /]* -> ' "$log" 2>/dev/null | tail -n 1 | sed 's/\(.*\) -> /; finished so far: \1/')"
        done
    ) &
    ticker=$!
    "$@" >"$log" 2>&1 || status=$?
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    [ "$status" -ne 0 ] || say "  done in $((SECONDS - began)) s"
    return "$status"
}

# mark STAMP: makes the stamp new, also where another user made the old one.
mark() { rm -f "$1" && : >"$1"; }

# need_packages PROBE=PACKAGE…: a command, a library's pkg-config module (lib:) or a file (file:), and the Debian package that brings it.
need_packages() {
    local missing=() entry probe package
    for entry in "$@"; do
        probe=${entry%%=*} package=${entry#*=}
        case $probe in
            lib:*) pkg-config --exists "${probe#lib:}" 2>/dev/null || missing+=("$package") ;;
            file:*) compgen -G "${probe#file:}" >/dev/null || missing+=("$package") ;;
            *) command -v "$probe" >/dev/null || missing+=("$package") ;;
        esac
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local line="apt-get install -y --no-install-recommends ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        fail "Missing: ${missing[*]} (Debian names). Install them with your system's package manager, then run this again."
    fi
    local as=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as=(sudo -n); else
            fail "Missing Debian packages. Run this, then the command again:
    sudo apt-get update && sudo $line"
        fi
    fi
    local log
    log=$(log_file apt)
    "${as[@]}" apt-get update -qq >/dev/null || true
    # shellcheck disable=SC2086 # The line is words.
    DEBIAN_FRONTEND=noninteractive with_progress "Installing Debian packages: ${missing[*]}" "$log" "${as[@]}" $line \
        || { tail -n 5 "$log" >&2; fail "apt-get failed; the whole log is $log."; }
}

# Called before anything is written: a built checkout runs for everybody, but only its owner can build it.
need_own_checkout() {
    local place owner
    for place in build native-interop/LfrEngine.Native host/LfrEngine.Cli; do
        [ -e "$place" ] || place=.
        for part in "$place" "$place/bin" "$place/obj"; do
            [ ! -e "$part" ] || [ -w "$part" ] || {
                owner=$(stat -c %U "$part")
                fail "$1, and $(id -un) cannot write to $(readlink -f "$part"): it belongs to $owner or is read-only. Either let $owner run ./lfr setup there once (and again after each change), or use a copy of your own:
    git clone $root ~/lfr-engine && ~/lfr-engine/lfr setup"
            }
        done
    done
    [ -d "${HOME:-}" ] || fail "$1, and there is no home folder for the .NET tools: HOME is \"${HOME:-}\". Set HOME to a folder of your own, then run this again."
}

command -v dotnet >/dev/null || fail "The .NET 10 SDK is missing. See https://learn.microsoft.com/dotnet/core/install/linux-debian, then run this again."
[ -d build ] || need_own_checkout "This checkout is not built yet"
mkdir -p build

# stale STAMP PATH…: whether anything under the paths is newer than the stamp.
stale() {
    local stamp=$1; shift
    [ ! -e "$stamp" ] || [ -n "$(find "$@" \( -name bin -o -name obj \) -prune -o -type f -newer "$stamp" -print -quit)" ]
}

build_native() {
    stale build/.native native-interop/media || return 0
    need_own_checkout "The decode shim must be built"
    need_packages pkg-config=pkg-config cmake=cmake cc=gcc make=make npm=npm ffmpeg=ffmpeg lib:libavformat=libavformat-dev lib:libavcodec=libavcodec-dev \
        lib:libavutil=libavutil-dev lib:libavdevice=libavdevice-dev
    local log
    log=$(log_file native)
    with_progress "Building the decode shim" "$log" make_native \
        || { tail -n 20 "$log" >&2; fail "The decode shim did not build; the whole log is $log."; }
    mark build/.native
}

make_native() { cmake -S native-interop/media -B build/media -DCMAKE_BUILD_TYPE=Release && cmake --build build/media; }

# build_managed STAMP PROJECT PATH…: builds a project or solution if one of the paths, or a source that every project uses, has changed.
build_managed() {
    local stamp=build/.$1 project=$2
    shift 2
    stale "$stamp" engine native-interop/LfrEngine.Native host models Directory.Build.props Directory.Packages.props BannedSymbols.txt build/.native "$@" || return 0
    need_own_checkout "${project%.*} must be built: it is not, or its source has changed since"
    local log
    log=$(log_file managed)
    # With the compiler server, also where the environment turns it off: without it every project starts a compiler of its own, which doubles the time.
    with_progress "Building ${project%.*}" "$log" dotnet build "$project" -c Release -v minimal -clp:NoSummary -p:UseSharedCompilation=true \
        || { grep -E 'error|warning' "$log" | sort -u | head -n 20 >&2; fail "The build failed; the whole log is $log."; }
    mark "$stamp"
}
