# Sourced by ./lfr and ./test.sh: installs what is missing, builds what is stale. Says nothing when there is nothing to do.
# shellcheck shell=bash
set -euo pipefail
cd "$root"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 3; }

# The command, or for a library its pkg-config module, and the Debian package that brings it.
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
    say "Installing Debian packages: ${missing[*]}"
    "${as[@]}" apt-get update -qq >/dev/null || true
    local log=build/apt.log
    [ -w build ] || log=$(mktemp)
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive "${as[@]}" $line >"$log" 2>&1 || { tail -n 5 "$log" >&2; fail "apt-get failed; the whole log is $log."; }
}

# Called before anything is written: a checkout that is built runs for everybody, but only its owner can build it.
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

# Whether anything under the given paths is newer than the stamp.
stale() {
    local stamp=$1; shift
    [ ! -e "$stamp" ] || [ -n "$(find "$@" \( -name bin -o -name obj \) -prune -o -type f -newer "$stamp" -print -quit)" ]
}

build_native() {
    stale build/.native native-interop/media || return 0
    need_own_checkout "The decode shim must be built"
    need_packages pkg-config=pkg-config cmake=cmake cc=gcc make=make npm=npm ffmpeg=ffmpeg lib:libavformat=libavformat-dev lib:libavcodec=libavcodec-dev \
        lib:libavutil=libavutil-dev lib:libavdevice=libavdevice-dev
    say "Building the decode shim"
    { cmake -S native-interop/media -B build/media -DCMAKE_BUILD_TYPE=Release && cmake --build build/media; } >build/native.log 2>&1 \
        || { tail -n 20 build/native.log >&2; fail "The decode shim did not build; the whole log is build/native.log."; }
    touch build/.native
}

# build_managed STAMP PROJECT PATH…: one project or solution, when one of the paths or what all stand on has changed.
build_managed() {
    local stamp=build/.$1 project=$2
    shift 2
    stale "$stamp" engine native-interop/LfrEngine.Native host models Directory.Build.props Directory.Packages.props BannedSymbols.txt build/.native "$@" || return 0
    need_own_checkout "${project%.*} must be built: it is not, or its source has changed since"
    say "Building ${project%.*}"
    dotnet build "$project" -c Release -v quiet -clp:NoSummary >build/managed.log 2>&1 \
        || { grep -E 'error|warning' build/managed.log | sort -u | head -n 20 >&2; fail "The build failed; the whole log is build/managed.log."; }
    touch "$stamp"
}
