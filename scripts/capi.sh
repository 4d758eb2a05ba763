#!/usr/bin/env bash
# Publishes liblfr.so (native-interop/capi) with NativeAOT into build/capi and runs its tests.
#   scripts/capi.sh              publish, ABI test, tests and examples in C, C++ and Python
#   scripts/capi.sh publish      only build/capi: liblfr.so, its headers and the libraries it needs
#   scripts/capi.sh compare [N]  the demonstration clip through C and through `lfr run`: alerts, scores and trace must be equal; prints the numbers of docs/embedding.md, of N rounds (3)
#   scripts/capi.sh asan         the C tests and the C example with AddressSanitizer and UndefinedBehaviorSanitizer
#   scripts/capi.sh fuzz [N]     N random calls of every function from four threads (10 million)
#   scripts/capi.sh frte         NIST's interfaces over the library: initialise, fork, work in the children
#   scripts/capi.sh gstreamer    the GStreamer example
#   scripts/capi.sh memory       what loads hold against what lfr_memory_estimate says
# LFR_CAPI_LEVELS="v2 v3 v4" names the levels of processors that are built, the lowest first: one alone saves a minute and a half.
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
what=${1:-test}
capi=native-interop/capi out=build/capi weights=${LFR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lfr-engine}

publish() {
    build_native
    need_packages gcc=gcc
    local log level levels lowest
    read -ra levels <<<"${LFR_CAPI_LEVELS:-v2 v3 v4}"
    lowest=${levels[0]}
    mkdir -p "$out/include"
    cp "$capi"/include/* "$out/include/"
    # What the library is made of; nothing is there yet: find fails, and it is made.
    [ "$(cat "$out/levels" 2>/dev/null)" = "${levels[*]}" ] && [ -z "$(find "$capi"/*.cs* "$capi"/{Engine,Interop,Runs,Watchlists} engine/LfrEngine engine/LfrEngine.Evaluation native-interop/LfrEngine.Native Directory.*.props -newer "$out/liblfr.so" -type f -not -path '*/obj/*' -not -path '*/bin/*' -print -quit 2>/dev/null || echo new)" ] && return
    log=$(log_file capi)
    rm -rf "$out/levels" "$out/glibc-hwcaps"
    # NativeAOT fixes the instruction sets when it compiles: one build for each level of processors. The dynamic linker takes the highest that the machine has.
    for level in "${levels[@]}"; do
        with_progress "Publishing liblfr.so for x86-64-$level" "$log" dotnet publish "$capi/LfrEngine.CApi.csproj" -c Release -r linux-x64 -v quiet -clp:NoSummary -p:UseSharedCompilation=true \
            -p:IlcInstructionSet="x86-64-$level" -p:NativeIntermediateOutputPath="obj/native-$level/" -o "$out/publish-$level" || { tail -n 20 "$log" >&2; fail "liblfr.so could not be published."; }
        [ "$level" = "$lowest" ] || { mkdir -p "$out/glibc-hwcaps/x86-64-$level" && cp "$out/publish-$level/lfr.so" "$out/glibc-hwcaps/x86-64-$level/liblfr.so"; }
    done
    cp "$out/publish-$lowest/liblfr_media.so" "$out/publish-$lowest/libonnxruntime.so" "$out/"
    cp "$out/publish-$lowest/lfr.so" "$out/liblfr.so"
    rm -rf "$out"/publish-v?
    printf '%s\n' "${levels[*]}" >"$out/levels"
}

# build NAME SOURCE OPTION…: a C or C++ program that finds the library where it was published.
build() {
    local compiler=(gcc -std=c99)
    [ "${2##*.}" = c ] || compiler=(g++ -std=c++17)
    "${compiler[@]}" -O1 -g -Wall -Wextra -Werror -pedantic -I"$out/include" "$2" -o "$out/$1" -L"$out" -llfr -Wl,-rpath,"$root/$out" -lpthread -lm "${@:3}"
}

# The woman of the demonstration, and the clip she walks through; and a server for it.
material() {
    need_packages ffmpeg=ffmpeg python3=python3 openssl=openssl 'file:/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib=gir1.2-gst-rtsp-server-1.0' \
        file:/usr/lib/python3/dist-packages/gi=python3-gi 'file:/usr/lib/*/gstreamer-1.0/libgstrtp.so=gstreamer1.0-plugins-good' 'file:/usr/lib/*/gstreamer-1.0/libgstapp.so=gstreamer1.0-plugins-base'
    server=tests/LfrEngine.Native.Tests/Media/rtsp_server.py
    [ -d "$weights/faceplugin-face-recognition-js@0.0.1" ] || "$root/lfr" setup >&2
    clip=$(find "$weights/demo" -name 'street-*.mp4' 2>/dev/null | head -n 1)
    if [ -z "$clip" ]; then
        "$root/lfr" demo --out-dir "$out/demo" >&2
        clip=$(find "$weights/demo" -name 'street-*.mp4' | head -n 1)
    fi
    photo=$out/photo.jpg
    [ -f "$photo" ] || ffmpeg -v error -y -i "$weights/@vladmandic+face-api@1.7.15/demo/sample3.jpg" -vf crop=460:580:960:120 -frames:v 1 -q:v 2 "$photo"
    # The same with the brow painted over, above the eyes.
    brow=$out/brow.jpg
    [ -f "$brow" ] || ffmpeg -v error -y -i "$photo" -vf drawbox=x=70:y=60:w=320:h=140:color=0x303036:t=fill -frames:v 1 -q:v 2 "$brow"
    key=$out/receipt-key.pem
    [ -f "$key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$key"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    openssl pkey -in "$key" -pubout -out "$scratch/receipt-key.pub"
    openssl ecparam -name prime256v1 -genkey -noout | openssl pkey -pubout -out "$scratch/other-key.pub"
    python3 "$capi/test/evidence.py" models "$key" "$scratch"
}

# The header and the library have the same functions, and no structure has moved.
abi() {
    build layout "$capi/test/layout.c"
    "$out/layout" | diff -u "$capi/test/layout-linux-x64.txt" - >&2 || fail "A structure of lfr_engine.h has another layout than test/layout-linux-x64.txt: what is there must stay."
    diff -u <(grep -oE '^LFR_API .*[ *]lfr_[a-z0-9_]+\(' "$capi/include/lfr_engine.h" | grep -oE 'lfr_[a-z0-9_]+\($' | tr -d '(' | sort) \
        <(nm -D --defined-only "$out/liblfr.so" | awk '$2 == "T" && $3 !~ /^DotNet/ { sub(/@.*/, "", $3); print $3 }' | sort) >&2 || fail "lfr_engine.h and liblfr.so differ in their functions (< header, > library)."
    # Types and signatures as well: the table of all functions, compiled from the header.
    need_packages abidiff=abigail-tools
    gcc -std=c99 -g -shared -fPIC -Wl,--unresolved-symbols=ignore-all -I"$out/include" "$capi/test/abi.c" -o "$out/liblfr_abi.so"
    abidw --no-show-locs --no-corpus-path --no-comp-dir-path --drop-private-types --headers-dir "$out/include" "$out/liblfr_abi.so" >"$out/abi.xml"
    abidiff --no-added-syms "$capi/test/abi-linux-x64.xml" "$out/abi.xml" >"$out/abi.txt" || { [ $(($? & 12)) -eq 0 ] || { cat "$out/abi.txt" >&2; fail "A type or signature of lfr_engine.h has changed (test/abi-linux-x64.xml): what is there must stay."; }; }
    # The oldest C library that it runs with, and those beside it: docs/embedding.md says so.
    local newest
    newest=$(find "$out" -name '*.so' -exec readelf --dyn-syms -W {} + | grep -oE 'GLIBC_[0-9.]+' | sort -V | tail -n 1)
    [ "$newest" = GLIBC_2.34 ] || fail "The libraries need $newest, and docs/embedding.md says GLIBC_2.34."
    say "ABI: $(nm -D --defined-only "$out/liblfr.so" | grep -c ' T lfr_') functions, layouts as recorded, $newest"
}

# The wheel, and a fresh environment that it is installed into; NumPy is Debian's.
wheel() {
    need_packages file:/usr/bin/python3=python3 file:/usr/lib/python3*/ensurepip=python3-venv file:/usr/lib/python3/dist-packages/numpy=python3-numpy
    export PYTHONDONTWRITEBYTECODE=1
    /usr/bin/python3 -m venv --system-site-packages "$scratch/venv"
    "$scratch/venv/bin/pip" wheel -q --no-index --no-deps --no-build-isolation -w "$scratch/wheel" "$capi/python"
    "$scratch/venv/bin/pip" install -q --no-index "$scratch"/wheel/lfr-*.whl
}

publish
case $what in
    publish) ;;
    test)
        material
        abi
        build capi_test "$capi/test/capi_test.c"
        "$out/capi_test" models "$weights" "$photo" "$clip" "$scratch" "$server"
        build since_0_2 "$capi/test/since_0_2.c"
        "$out/since_0_2" models "$weights" "$photo" "$clip" "$scratch" "$key" "$brow"
        build bounds "$capi/test/bounds.c" -std=c11
        "$out/bounds" models "$weights" "$photo" "$clip" "$scratch"
        # Its exit code also says whether the deadline was met, which is the machine's affair.
        "$root/lfr" receipt verify "$scratch/receipt.json" --key "$scratch/receipt-key.pub" >"$scratch/receipt.txt" || true
        grep -q '^genuine: ' "$scratch/receipt.txt" || { cat "$scratch/receipt.txt" >&2; fail "lfr does not accept the receipt of the library."; }
        "$root/lfr" evidence verify "$scratch/evidence.json" --key "$scratch/receipt-key.pub" >&2
        build held "$capi/test/held.c"
        build fuzz "$capi/test/fuzz.c" -std=c11
        "$out/fuzz" models "$weights" "$photo" 20000
        build watch "$capi/example/watch.c"
        # With every call of the system that has to do with a network: there is none.
        need_packages strace=strace
        strace -f --seccomp-bpf -qq -e trace=network -e signal=none -o "$scratch/network.txt" "$out/watch" models "$weights" "$photo" "$clip" >"$scratch/c.txt"
        [ ! -s "$scratch/network.txt" ] || { head "$scratch/network.txt" >&2; fail "The library uses the network."; }
        need_packages g++=g++
        build cpp_test "$capi/test/cpp_test.cpp"
        "$out/cpp_test" models "$weights" "$photo" "$scratch"
        build watch_cpp "$capi/example/watch.cpp"
        "$out/watch_cpp" models "$weights" "$photo" "$clip" >"$scratch/cpp.txt"
        wheel
        # -I: the package is the installed one, not that beside the test.
        "$scratch/venv/bin/python" -I "$capi/python/test_lfr.py" models "$weights" "$photo" "$clip" "$scratch" >"$scratch/python.txt"
        # The ten lines of the page that goes with the wheel.
        # shellcheck disable=SC2016 # Backquotes of Markdown.
        sed -n '/^```python/,/^```$/p' "$capi/python/README.md" | sed "1d;\$d;s|\"weights\"|\"$weights\"|;s|photo.jpg|$photo|;s|clip.mp4|$clip|" >"$scratch/ten.py"
        [ "$(grep -c . "$scratch/ten.py")" -le 10 ] || fail "The example in Python has more than ten lines."
        "$scratch/venv/bin/python" -I "$scratch/ten.py" | grep -q 'gate person-1 0\.' || fail "The example in Python prints no alert."
        tail -n 1 "$scratch/python.txt"
        cat "$scratch/c.txt"
        trace=$(grep -oE 'trace [0-9a-f]{64}' "$scratch/c.txt") || fail "The C example printed no trace."
        for language in cpp python; do
            grep -q "$trace" "$scratch/$language.txt" || fail "The trace of $language differs from that of the C example."
        done
        ;;
    asan)
        material
        need_packages gcc=gcc
        for program in test/capi_test test/since_0_2 test/bounds example/watch; do
            gcc -std=c11 -O1 -g -fsanitize=address,undefined -I"$out/include" "$capi/$program.c" -o "$out/${program#*/}_asan" -L"$out" -llfr -Wl,-rpath,"$root/$out" -lpthread -lm
        done
        # Leaks are counted by the test itself: the runtime's own memory, which holds the pointers, cannot be seen from outside. Its faults are its own to handle.
        export ASAN_OPTIONS=detect_leaks=0:handle_segv=0:use_sigaltstack=0 UBSAN_OPTIONS=halt_on_error=1
        "$out/capi_test_asan" models "$weights" "$photo" "$clip" "$scratch" "$server"
        "$out/since_0_2_asan" models "$weights" "$photo" "$clip" "$scratch" "$key" "$brow"
        "$out/bounds_asan" models "$weights" "$photo" "$clip" "$scratch"
        "$out/watch_asan" models "$weights" "$photo" "$clip"
        ;;
    compare)
        material
        build numbers "$capi/test/numbers.c"
        "$out/numbers" models "$weights" "$photo" "$clip" "$scratch" >"$scratch/c.jsonl"
        # lfr compiles for the processor that is there: where the library was built for an older one, so must it.
        case $(cat "$out/levels") in
            v2) export DOTNET_EnableAVX=0 ;;
            v3 | "v2 v3") export DOTNET_EnableAVX512=0 ;;
        esac
        managed() { "$root/lfr" run --camera "gate=$1" --watchlist "$scratch/list.lfr" --key-file "$scratch/list.key" --pace max --json; }
        native() { "$out/numbers" models "$weights" "$photo" "$1" "$scratch" run; }
        managed "$clip" >"$scratch/lfr.jsonl"
        # Speed as processor time per frame, which a busy machine changes little: of the clip three times over, less that of the clip, so that no start counts. In turn.
        ffmpeg -v error -y -stream_loop 2 -i "$clip" -c copy "$scratch/long.mp4"
        TIMEFORMAT='%U %S'
        for _ in $(seq "${2:-3}"); do
            for way in native managed; do
                for video in "$clip" "$scratch/long.mp4"; do
                    { time "$way" "$video" >>"$scratch/$way.jsonl" 2>/dev/null; } 2>>"$scratch/$way.times"
                done
            done
        done
        build_managed perf perf/LfrEngine.Perf/LfrEngine.Perf.csproj perf/LfrEngine.Perf
        dotnet perf/LfrEngine.Perf/bin/Release/net10.0/LfrEngine.Perf.dll search-list "$scratch/list.lfr" "$scratch/list.key" >"$scratch/search.jsonl"
        wheel
        python3 "$capi/test/compare.py" "$scratch/c.jsonl" "$scratch/lfr.jsonl" "$out/liblfr.so" "$scratch"
        "$scratch/venv/bin/python" -I "$capi/test/push_cost.py" models "$weights" "$photo"
        ;;
    fuzz)
        material
        build fuzz "$capi/test/fuzz.c" -std=c11
        "$out/fuzz" models "$weights" "$photo" "${2:-10000000}"
        ;;
    frte)
        material
        need_packages g++=g++
        g++ -std=c++17 -O1 -g -Wall -Wextra -Werror -I"$capi/nist/interface" -I"$out/include" "$capi/nist/frte.cpp" "$capi/nist/frte_test.cpp" -o "$out/frte_test" -L"$out" -llfr -Wl,-rpath,"$root/$out"
        ffmpeg -v error -y -i "$photo" -f rawvideo -pix_fmt rgb24 "$scratch/photo.rgb"
        mkdir -p "$scratch/config"
        ln -s "$root/models" "$scratch/config/models"
        ln -s "$weights" "$scratch/config/weights"
        "$out/frte_test" "$scratch/config" "$scratch/photo.rgb" 460 580 "$scratch"
        ;;
    gstreamer)
        material
        need_packages lib:gstreamer-app-1.0=libgstreamer-plugins-base1.0-dev file:/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstlibav.so=gstreamer1.0-libav \
            file:/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstisomp4.so=gstreamer1.0-plugins-good file:/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstplayback.so=gstreamer1.0-plugins-base
        build numbers "$capi/test/numbers.c"
        "$out/numbers" models "$weights" "$photo" "$clip" "$scratch" >"$scratch/c.jsonl"
        read -ra flags <<<"$(pkg-config --cflags --libs gstreamer-app-1.0 gstreamer-video-1.0)"
        gcc -std=c11 -O1 -g -Wall -Wextra -Werror -I"$out/include" "$capi/example/gst_appsink.c" -o "$out/gst_appsink" -L"$out" -llfr -Wl,-rpath,"$root/$out" "${flags[@]}"
        "$out/gst_appsink" models "$weights" "$scratch/list.lfr" "$scratch/list.key" "filesrc location=$clip ! decodebin ! videoconvert" | tee "$scratch/gst.txt"
        grep -q '^alert gst .* person-1' "$scratch/gst.txt" || fail "The GStreamer example raised no alert."
        ;;
    memory)
        material
        build numbers "$capi/test/numbers.c"
        "$out/numbers" models "$weights" "$photo" "$clip" "$scratch" >"$scratch/c.jsonl"
        build memory "$capi/test/memory.c"
        # Cameras, width, height, workers, and frames that the decoder keeps.
        for load in "1 640 360 1 2" "4 640 360 1 2" "1 1280 720 1 2" "1 1280 720 2 2" "2 1280 720 2 2" "4 1280 720 2 2" "1 1920 1080 2 2" "2 1920 1080 2 2" "1 3840 2160 2 2" "1 1280 720 1 16"; do
            read -ra one <<<"$load"
            ffmpeg -v error -y -t 3 -ss 2 -i "$clip" -vf "scale=${one[1]}:${one[2]}" -c:v libx264 -preset veryfast -refs "${one[4]}" "$scratch/load.mp4"
            "$out/memory" models "$weights" "$scratch/list.lfr" "$scratch/list.key" "$scratch/load.mp4" "${one[@]}"
        done
        # Enrolment alone, of small and of large pictures.
        for side in 460:580 2760:3480; do
            ffmpeg -v error -y -i "$photo" -vf "scale=$side" -q:v 3 "$scratch/large.jpg"
            "$out/memory" models "$weights" "$scratch/large.jpg" "${side%:*}" "${side#*:}"
        done
        ;;
    *) fail "usage: scripts/capi.sh [test|publish|compare|asan|fuzz|frte|gstreamer|memory]" ;;
esac
