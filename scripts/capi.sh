#!/usr/bin/env bash
# Publishes liblfr.so (native-interop/capi) with NativeAOT into build/capi and runs its tests.
#   scripts/capi.sh            publish, ABI test, tests and examples in C, C++ and Python
#   scripts/capi.sh publish    only build/capi: liblfr.so, its headers and the libraries it needs
#   scripts/capi.sh compare    the demonstration clip through C and through `lfr run`: alerts, scores and trace must be equal; prints the numbers of docs/embedding.md
#   scripts/capi.sh asan       the C tests with AddressSanitizer and UndefinedBehaviorSanitizer
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
    [ "$(cat "$out/levels" 2>/dev/null)" = "${levels[*]}" ] && [ -z "$(find "$capi"/*.cs* engine/LfrEngine native-interop/LfrEngine.Native Directory.*.props -newer "$out/liblfr.so" -type f -not -path '*/obj/*' -not -path '*/bin/*' -print -quit 2>/dev/null || echo new)" ] && return
    log=$(log_file capi)
    rm -rf "$out/levels" "$out/glibc-hwcaps"
    # NativeAOT fixes the instruction sets when it compiles: one build for each level of processors. The dynamic linker takes the highest that the machine has.
    for level in "${levels[@]}"; do
        with_progress "Publishing liblfr.so for x86-64-$level" "$log" dotnet publish "$capi/LfrEngine.CApi.csproj" -c Release -r linux-x64 -v quiet -clp:NoSummary \
            -p:IlcInstructionSet="x86-64-$level" -p:NativeIntermediateOutputPath="obj/native-$level/" -o "$out/publish-$level" || { tail -n 20 "$log" >&2; fail "liblfr.so could not be published."; }
        [ "$level" = "$lowest" ] || { mkdir -p "$out/glibc-hwcaps/x86-64-$level" && cp "$out/publish-$level/lfr.so" "$out/glibc-hwcaps/x86-64-$level/liblfr.so"; }
    done
    cp "$out/publish-$lowest/liblfr_media.so" "$out/publish-$lowest/libonnxruntime.so" "$out/"
    cp "$out/publish-$lowest/lfr.so" "$out/liblfr.so"
    rm -rf "$out"/publish-v?
    printf '%s\n' "${levels[*]}" >"$out/levels"
}

# build NAME SOURCE: a C or C++ program that finds the library where it was published.
build() {
    local compiler=(gcc -std=c99)
    [ "${2##*.}" = c ] || compiler=(g++ -std=c++17)
    "${compiler[@]}" -O1 -g -Wall -Wextra -Werror -pedantic -I"$out/include" "$2" -o "$out/$1" -L"$out" -llfr -Wl,-rpath,"$root/$out" -lpthread -lm
}

# The woman of the demonstration, and the clip she walks through.
material() {
    need_packages ffmpeg=ffmpeg
    [ -d "$weights/faceplugin-face-recognition-js@0.0.1" ] || "$root/lfr" setup >&2
    clip=$(find "$weights/demo" -name 'street-*.mp4' 2>/dev/null | head -n 1)
    if [ -z "$clip" ]; then
        "$root/lfr" demo --out-dir "$out/demo" >&2
        clip=$(find "$weights/demo" -name 'street-*.mp4' | head -n 1)
    fi
    photo=$out/photo.jpg
    [ -f "$photo" ] || ffmpeg -v error -y -i "$weights/@vladmandic+face-api@1.7.15/demo/sample3.jpg" -vf crop=460:580:960:120 -frames:v 1 -q:v 2 "$photo"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
}

# The header and the library have the same functions, and no structure has moved.
abi() {
    build layout "$capi/test/layout.c"
    "$out/layout" | diff -u "$capi/test/layout-linux-x64.txt" - >&2 || fail "A structure of lfr_engine.h has another layout than test/layout-linux-x64.txt: what is there must stay."
    diff -u <(grep -oE '^LFR_API .*[ *]lfr_[a-z0-9_]+\(' "$capi/include/lfr_engine.h" | grep -oE 'lfr_[a-z0-9_]+\($' | tr -d '(' | sort) \
        <(nm -D --defined-only "$out/liblfr.so" | awk '$2 == "T" && $3 !~ /^DotNet/ { sub(/@.*/, "", $3); print $3 }' | sort) >&2 || fail "lfr_engine.h and liblfr.so differ in their functions (< header, > library)."
    say "ABI: $(nm -D --defined-only "$out/liblfr.so" | grep -c ' T lfr_') functions, layouts as recorded"
}

publish
case $what in
    publish) ;;
    test)
        material
        abi
        build capi_test "$capi/test/capi_test.c"
        "$out/capi_test" models "$weights" "$photo" "$clip" "$scratch"
        build watch "$capi/example/watch.c"
        "$out/watch" models "$weights" "$photo" "$clip" >"$scratch/c.txt"
        need_packages g++=g++ python3=python3
        build cpp_test "$capi/test/cpp_test.cpp"
        "$out/cpp_test" models "$weights" "$photo" "$scratch"
        build watch_cpp "$capi/example/watch.cpp"
        "$out/watch_cpp" models "$weights" "$photo" "$clip" >"$scratch/cpp.txt"
        PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$capi/python" LFR_LIBRARY=liblfr.so LD_LIBRARY_PATH="$root/$out" python3 "$capi/python/test_lfr.py" models "$weights" "$photo" "$clip" "$scratch" >"$scratch/python.txt"
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
        gcc -std=c99 -O1 -g -fsanitize=address,undefined -I"$out/include" "$capi/test/capi_test.c" -o "$out/capi_asan" -L"$out" -llfr -Wl,-rpath,"$root/$out" -lpthread -lm
        # Leaks are counted by the test itself: the runtime's own memory, which holds the pointers, cannot be seen from outside. Its faults are its own to handle.
        ASAN_OPTIONS=detect_leaks=0:handle_segv=0:use_sigaltstack=0 UBSAN_OPTIONS=halt_on_error=1 "$out/capi_asan" models "$weights" "$photo" "$clip" "$scratch"
        ;;
    compare)
        material
        build numbers "$capi/test/numbers.c"
        "$out/numbers" models "$weights" "$photo" "$clip" "$scratch" >"$scratch/c.jsonl"
        "$root/lfr" run --camera "gate=$clip" --watchlist "$scratch/list.lfr" --key-file "$scratch/list.key" --pace max --json >"$scratch/lfr.jsonl"
        python3 "$capi/test/compare.py" "$scratch/c.jsonl" "$scratch/lfr.jsonl" "$out/liblfr.so"
        ;;
    *) fail "usage: scripts/capi.sh [test|publish|compare|asan]" ;;
esac
