# Sourced by ./lfr and ./lfr-lab.
# shellcheck shell=bash

# start COMMAND…: replaces this process by a program that handles faces.
start() {
    local stream
    # The descriptor number of a closed standard stream would be given to some file of the runtime, and libraries would write their messages into that file.
    # So the stream is replaced by one that cannot be written to, which the program treats like a closed one.
    for stream in 1 2; do
        [ -e "/dev/fd/$stream" ] || eval "exec $stream</dev/null"
    done
    # The C library overwrites what it frees, at once: FFmpeg's own heap holds packets of the stream. No diagnostics port, no dumps, no core files.
    export GLIBC_TUNABLES="glibc.malloc.perturb=165:glibc.malloc.tcache_count=0${GLIBC_TUNABLES:+:$GLIBC_TUNABLES}"
    export DOTNET_EnableDiagnostics=0 DOTNET_DbgEnableMiniDump=0
    ulimit -c 0
    # Faces live in locked memory: raise the limit to what this user may have.
    ulimit -S -l "$(ulimit -H -l)" 2>/dev/null || true
    exec "$@"
}
