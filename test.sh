#!/usr/bin/env bash
# Sets up and runs the tests; ends with "N passed, N failed, N skipped", counted from the test programs' own reports.
#   ./test.sh            all tests
#   ./test.sh --quick    all but the classes marked [Trait("Speed", "slow")]; lists the slow ones with their latest times
#   ./test.sh ARGUMENT…  passed to every test program, for example: ./test.sh -class '*Watchlist*'
# Up to five failed tests of a program run once more, without the others; those that pass then are named at the end.
# LFR_TEST_ALL=1 measures accuracy over all pictures instead of a fixed part of them.
root=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
quick=
if [ "${1:-}" = --quick ]; then
    quick=1
    shift
    set -- -trait- Speed=slow "$@"
fi
build_native
# Real peers and independent references: ffmpeg makes clips, GStreamer serves RTSP, OpenCV (by NuGet) needs GTK's library, SciPy and scikit-learn check the statistics.
need_packages ffmpeg=ffmpeg 'file:/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib=gir1.2-gst-rtsp-server-1.0' \
    'file:/usr/lib/python3/dist-packages/gi=python3-gi' 'file:/usr/lib/*/gstreamer-1.0/libgstrtp.so=gstreamer1.0-plugins-good' \
    'file:/usr/lib/*/gstreamer-1.0/libgstapp.so=gstreamer1.0-plugins-base' 'file:/usr/lib/*/libgtk-3.so.0=libgtk-3-0' \
    'file:/usr/lib/python3/dist-packages/scipy=python3-scipy' 'file:/usr/lib/python3/dist-packages/sklearn=python3-sklearn'
# A Vulkan device that every machine can have, the layer that checks how it is used, and the shader compiler.
need_packages 'file:/usr/lib/*/libvulkan.so.1=libvulkan1' 'file:/usr/share/vulkan/icd.d/lvp_icd.*=mesa-vulkan-drivers' \
    'file:/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json=vulkan-validationlayers' glslangValidator=glslang-tools
# The console is tested in a real browser, with a real PostgreSQL and a real MQTT broker; the scripts are checked by ShellCheck.
need_packages chromium=chromium 'file:/usr/lib/postgresql/*/bin/initdb=postgresql' 'file:/usr/sbin/mosquitto=mosquitto' shellcheck=shellcheck
build_managed tests LfrEngine.sln tests LfrEngine.sln
dotnet host/LfrEngine.Cli/bin/Release/net10.0/lfr.dll models restore >&2 || fail "The models could not be restored."

results=build/results
[ -z "$quick" ] || results=build/results/quick
mkdir -p "$results"
rm -rf "$results"/*.xml "$results"/*.log "$results"/*.failed "$results/again"

# one RESULTS NAME ARGUMENT…: one test program, or what keeps and changes records once more on the other store. Its report and what it printed are in RESULTS; printed when it has ended.
one() {
    local results=$1 report=$2 name=${2%.postgresql} began=$SECONDS
    shift 2
    if [ "$report" != "$name" ]; then
        # By hand: all of it, `LFR_TEST_STORE=postgresql ./test.sh -trait- Store=sqlite`.
        export LFR_TEST_STORE=postgresql
        [ $# -gt 0 ] || set -- -trait- Store=sqlite -class '*.Security.*' -class '*.AlertServiceTests' -class '*.RetentionTests' -class '*.AuthorityServiceTests' -class '*.FieldCheckTests'
    fi
    printf '%s begins\n' "$report" >&2
    dotnet "tests/$name/bin/Release/net10.0/$name.dll" -noLogo -noColor -result-xml "$results/$report.xml" "$@" >"$results/$report.log" 2>&1 || : >"$results/$report.failed"
    { printf '%s, ended after %d s:\n' "$report" $((SECONDS - began)) && cat "$results/$report.log"; } >&2
}
export -f one

# The longest first, and two at a time: a part of each waits, for a browser, a stream or a clock, and two processors have room for both.
programs=(LfrEngine.Cli.Tests LfrEngine.Web.Tests LfrEngine.Tests LfrEngine.Lab.Tests LfrEngine.Native.Tests)
[ $# -gt 0 ] || programs+=(LfrEngine.Web.Tests.postgresql)
for project in tests/*.Tests; do
    name=$(basename "$project")
    [[ " ${programs[*]} " == *" $name "* ]] || programs+=("$name")
done
say "Running the tests (results: $results)"
printf '%s\n' "${programs[@]}" | xargs -P 2 -I NAME bash -c 'one "$@"' _ "$results" NAME "$@"

# failures REPORT: the methods of its failed tests, each once.
failures() { sed 's/<test /\n<test /g' "$1" | sed -nE 's/^<test .* result="Fail".* type="([^"]*)" method="([^"]*)".*/\1.\2/p' | sort -u; }

# A few failed ones once more, each program by itself: on a shared machine a server, a browser or a camera in real time may have waited too long beside the others.
# What passes now is counted as passed, and named: such a test, or what it tests, is to be mended.
for report in "$results"/*.xml; do
    name=$(basename "$report" .xml)
    [ -e "$results/$name.failed" ] || continue
    mapfile -t methods < <(failures "$report")
    if [ "${#methods[@]}" -eq 0 ] || [ "${#methods[@]}" -gt 5 ]; then
        continue
    fi
    mkdir -p "$results/again"
    say "$name: ${#methods[@]} failed, once more without the others:"
    # shellcheck disable=SC2046 # A name of a method has no blanks.
    one "$results/again" "$name" -parallelMode none $(printf -- '-method %s ' "${methods[@]}")
done

# count WHAT REPORT: one <assembly …> element per program carries the totals.
count() { grep -o "<assembly [^>]*>" "$2" | grep -oE " $1=\"[0-9]+\"" | grep -oE '[0-9]+' | awk '{ n += $1 } END { print n + 0 }'; }

passed=0 failed=0 skipped=0 broken=0 alone=()
for name in "${programs[@]}"; do
    report=$results/$name.xml again=$results/again/$name.xml
    if [ ! -s "$report" ]; then
        say "$name left no report."
        failed=$((failed + 1))
        continue
    fi
    passed=$((passed + $(count passed "$report")))
    skipped=$((skipped + $(count skipped "$report")))
    fell=$(count failed "$report") errors=$(count errors "$report")
    if [ -s "$again" ] && [ "$(count total "$again")" -ge "$fell" ]; then
        still=$(count failed "$again")
        [ "$still" -le "$fell" ] || still=$fell
        mapfile -t -O "${#alone[@]}" alone < <(comm -23 <(failures "$report") <(failures "$again"))
        passed=$((passed + fell - still))
        fell=$still errors=$((errors + $(count errors "$again")))
    elif [ -e "$results/$name.failed" ]; then
        broken=1
    fi
    failed=$((failed + fell + errors))
done

# Read to the end: `head` would leave, and end what writes to it with an error.
# slowest HOW_MANY WHICH REPORT…: the classes whose tests took longest, with their seconds; of those whose tests contain WHICH.
slowest() {
    local most=$1 which=$2
    shift 2
    cat "$@" 2>/dev/null | sed 's/<test /\n<test /g' | grep '^<test ' | grep -F -- "$which" | sed -nE 's/.* time="([0-9.]+)".* type="LfrEngine\.([^"]*)".*/\1 \2/p' \
        | awk '{ seconds[$2] += $1 } END { for (name in seconds) printf "%8.1f s  %s\n", seconds[name], name }' | sort -rn | awk -v most="$most" 'NR <= most' >&2
}

if [ -n "$quick" ]; then
    say "Left out (Speed=slow), with the times of the latest full run here:"
    slowest 100 'name="Speed" value="slow"' build/results/*.xml
elif [ $# -eq 0 ]; then
    say "The slowest classes:"
    slowest 20 "" "$results"/*.xml
fi
# The failed ones once more, at the end and with the beginning of why: what the programs printed may be long.
find "$results" -name '*.log' -exec awk '/^    [^ ].* \[FAIL\]$/ { left = 12; print "Failed:" } left > 0 { print substr($0, 1, 400); left-- }' {} + >&2
for test in "${alone[@]}"; do
    say "Failed beside the others, passed without them, to be mended: $test"
done
[ "$broken" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
[ "$passed" -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
