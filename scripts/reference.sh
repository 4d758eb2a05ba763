#!/usr/bin/env bash
# Makes the reference of the public API as web pages in build/reference/site, with docfx: scripts/reference.sh
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
build_native
build_managed tests LfrEngine.sln tests LfrEngine.sln
log=$(log_file reference)
make_reference() { rm -rf build/reference && dotnet tool restore && dotnet docfx docs/reference/docfx.json --warningsAsErrors; }
with_progress "Making the reference" "$log" make_reference || { grep -E 'error|warning' "$log" | head -n 20 >&2; fail "The reference was not made; the whole log is $log."; }
say "Open build/reference/site/index.html"
