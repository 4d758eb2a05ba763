# Sourced by ./lfr: `./lfr publish win-x64` makes a folder with the program for Windows that needs no .NET there. Runs on Debian.
# shellcheck shell=bash

publish_usage() {
    cat >&2 <<'USAGE'
Usage: ./lfr publish win-x64 [--ffmpeg FOLDER] [-o FOLDER] [-p:PROPERTY=VALUE…]

  --ffmpeg FOLDER  A shared build of FFmpeg 7.1 for Windows: include, lib and bin. Without it the program decodes neither video nor photos.
  -o FOLDER        Where the program goes; build/win-x64 if not given. It must not exist, or be empty.
  -p:PROPERTY=…    Passed on to dotnet. -p:LfrStandIns=false takes ComputeSharp, Silk.NET, FFmpeg.AutoGen and
                   Microsoft.ML.OnnxRuntime.DirectML from NuGet where they are served: the whole GPU path.
USAGE
    exit 2
}

# publish_for_windows ARGUMENT…
: "${program:?is set by the script that sources this}"
publish_for_windows() {
    local ffmpeg="" out=build/win-x64 properties=() libraries log
    [ "${1:-}" = win-x64 ] || publish_usage
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            --ffmpeg) ffmpeg=${2:-}; shift 2 || publish_usage ;;
            -o) out=${2:-}; shift 2 || publish_usage ;;
            -p:*) properties+=("$1"); shift ;;
            *) publish_usage ;;
        esac
    done
    [ -n "$out" ] || publish_usage
    [ -z "$(ls -A "$out" 2>/dev/null)" ] || fail "$out is not empty. Give another folder with -o, or remove it."
    mkdir -p "$out" || fail "$out cannot be made."
    out=$(cd "$out" && pwd)

    if [ -n "$ffmpeg" ]; then
        if [ ! -d "$ffmpeg/include/libavcodec" ] || ! compgen -G "$ffmpeg/bin/avcodec-*.dll" >/dev/null; then
            fail "$ffmpeg is not a shared build of FFmpeg for Windows: include/libavcodec or bin/avcodec-*.dll is missing."
        fi
        ffmpeg=$(cd "$ffmpeg" && pwd)
        need_packages x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64
        log=$(log_file native-windows)
        with_progress "Building the decode shim for Windows" "$log" make_native_for_windows "$ffmpeg" \
            || { tail -n 20 "$log" >&2; fail "The decode shim did not build; the whole log is $log."; }
        properties+=("-p:LfrMediaLibrary=$root/build/media-windows/lfr_media.dll")
    fi
    # Real packages bring a library of their own.
    case " ${properties[*]:-} " in
        *" -p:LfrStandIns=false "*) ;;
        *)
            libraries=$(start dotnet "$program" models restore --directml) || exit
            properties+=("-p:LfrOnnxRuntimeFolder=$libraries")
            ;;
    esac
    log=$(log_file publish)
    # Its own folder for what is built on the way: the same projects are built for this system elsewhere.
    with_progress "Publishing lfr.exe" "$log" dotnet publish host/LfrEngine.Cli/LfrEngine.Cli.csproj -c Release -r win-x64 --self-contained true \
        --artifacts-path build/windows -o "$out" -v minimal -clp:NoSummary "${properties[@]}" \
        || { grep -E 'error|warning' "$log" | sort -u | head -n 20 >&2; fail "The build failed; the whole log is $log."; }

    cp LICENSE THIRD-PARTY-NOTICES.md host/deploy/lfr-service.ps1 "$out/"
    cp docs/windows.md "$out/README.md"
    if [ -n "$ffmpeg" ]; then
        cp "$ffmpeg"/bin/*.dll "$out/"
        # FFmpeg says in each of its libraries how it was configured, and with it under which licence it may be passed on.
        local licence
        licence=$(grep -a -o 'libavcodec license: [ -~]*' "$out"/avcodec-*.dll | head -n 1) || true
        printf 'FFmpeg, from %s\n%s\nWho passes this folder on must follow this licence.\n' "$(basename "$ffmpeg")" "${licence:-Its licence is not stated in avcodec.}" >"$out/FFMPEG-LICENCE.txt"
        cp "$ffmpeg"/COPYING* "$ffmpeg"/LICENSE* "$out/" 2>/dev/null || true
        say "${licence:-FFmpeg states no licence}: follow it when you pass the folder on."
    else
        say "Without --ffmpeg: this program decodes neither video nor photos."
    fi
    (cd "$out" && rm -f SHA256SUMS && find . -type f -printf '%P\n' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum >"$root/build/SHA256SUMS.new" && mv "$root/build/SHA256SUMS.new" SHA256SUMS)
    printf '%s\n' "$out"
}

make_native_for_windows() {
    cmake -S native-interop/media -B build/media-windows -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=x86_64 \
        -DCMAKE_C_COMPILER=x86_64-w64-mingw32-gcc -DFFMPEG_ROOT="$1" && cmake --build build/media-windows
}
