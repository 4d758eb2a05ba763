#!/usr/bin/env bash
# Makes what is handed out, into build/packages.
#   scripts/package.sh nuget     NuGet packages, and a console program that is built from them and run
#   scripts/package.sh host      lfr as tar.gz for linux-x64, zip for win-x64
#   scripts/package.sh image     lfr as an OCI image in a tar file, made without a container engine
#   scripts/package.sh deb       Debian packages: lfr, liblfr0, liblfr-dev; checked with lintian
#   scripts/package.sh sbom      the parts of all that, CycloneDX
#   scripts/package.sh sums      SHA256SUMS
#   scripts/package.sh           all of them, in this order
# The version is that of the newest tag (v1.2.3), with the number of commits since; without a tag, that of Directory.Build.props.
# shellcheck disable=SC2016 # Backquotes and dollars in single quotes are meant: they are Markdown, sed and pkg-config.
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
out=$root/build/packages weights=${LFR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lfr-engine}
mkdir -p "$out"

version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' Directory.Build.props)
if described=$(git describe --tags --match 'v[0-9]*' 2>/dev/null); then
    described=${described#v}
    case $described in
        # v1.2.3-4-gabcdef: four commits after it.
        *-*-g*) version=${described%-g*} && version=${version%-*}-dev.${version##*-} ;;
        *) version=$described ;;
    esac
fi

log=$(log_file package)
run() { local what=$1; shift; with_progress "$what" "$log" "$@" || { tail -n 20 "$log" >&2; fail "$what failed; the whole log is $log."; }; }

nuget() {
    build_native
    rm -f "$out"/*.nupkg "$out"/*.snupkg
    local project
    for project in native-interop/LfrEngine.Native engine/LfrEngine engine/LfrEngine.Vulkan engine/LfrEngine.Evaluation engine/LfrEngine.DirectX; do
        run "Packing ${project##*/}" dotnet pack "$project" -c Release -m:1 -v quiet -clp:NoSummary -o "$out" -p:Version="$version" -p:ContinuousIntegrationBuild=true -p:LfrWrapperAssets=all
    done
    [ -f "$out/LfrEngine.DirectX.$version.nupkg" ] || say "LfrEngine.DirectX is not packed here: that needs Windows, where its real packages are."

    # A stranger's program: a feed, a project and a page of code, outside this checkout.
    local place
    place=$(mktemp -d)
    trap 'rm -rf "$place"' RETURN
    cat >"$place/nuget.config" <<EOF
<configuration>
  <config><add key="globalPackagesFolder" value="$place/packages" /></config>
  <packageSources><add key="local" value="$out" /></packageSources>
  <!-- What others made is not fetched again. -->
  <fallbackPackageFolders><add key="known" value="${NUGET_PACKAGES:-$HOME/.nuget/packages}" /></fallbackPackageFolders>
</configuration>
EOF
    cat >"$place/Watch.csproj" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <InvariantGlobalization>true</InvariantGlobalization>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="LfrEngine" Version="$version" />
    <PackageReference Include="LfrEngine.Vulkan" Version="$version" />
    <PackageReference Include="LfrEngine.Evaluation" Version="$version" />
  </ItemGroup>
</Project>
EOF
    # The example of docs/embedding.md, with what it takes for given.
    {
        sed -n '/^```csharp$/,/^using EngineModels/p' docs/embedding.md | sed '1d;$d'
        printf 'string photo = args[0], source = args[1];\nModelCatalog catalog = ModelCatalog.Default;\nAction<string> tell = Console.WriteLine;\nCancellationToken stopping = default;\n'
        sed -n '/^```csharp$/,/^```$/p' docs/embedding.md | sed -n '/^using EngineModels/,$p' | sed '$d'
        printf 'Console.WriteLine($"{typeof(LfrEngine.Vulkan.VulkanSearch).Name}, {typeof(LfrEngine.Evaluation.Statistics.ScoreHistogram).Name}");\n'
    } >"$place/Program.cs"
    photo_and_clip "$place"
    run "Building a program from the packages" dotnet build "$place/Watch.csproj" -c Release -v quiet -clp:NoSummary
    dotnet "$place/bin/Release/net10.0/Watch.dll" "$place/photo.jpg" "$place/clip.mp4" | tee "$place/said.txt"
    grep -q '^entrance: person-1 with 0\.' "$place/said.txt" || fail "The program that was built from the packages raised no alert."
}

# A woman of the demonstration, and a clip of two seconds that shows her.
photo_and_clip() {
    need_packages ffmpeg=ffmpeg
    ffmpeg -v error -y -i "$weights/@vladmandic+face-api@1.7.15/demo/sample3.jpg" -vf crop=460:580:960:120 -frames:v 1 "$1/photo.jpg"
    ffmpeg -v error -y -loop 1 -framerate 25 -i "$1/photo.jpg" -t 2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p "$1/clip.mp4"
}

# lay PLACE: licences and a start script beside lib, where lfr was published.
lay() {
    cp LICENSE THIRD-PARTY-NOTICES.md CHANGELOG.md SECURITY.md "$1"
    launcher "\$(dirname \"\$(readlink -f \"\$0\")\")/lib/lfr" >"$1/lfr"
    chmod 755 "$1/lfr"
}

# launcher PROGRAM: the start script, as ./lfr has it for a checkout.
launcher() {
    cat <<EOF
#!/bin/sh
# What the C library frees is overwritten; no diagnostics port, no dumps, no core files; as much locked memory as this user may have.
export GLIBC_TUNABLES="glibc.malloc.perturb=165:glibc.malloc.tcache_count=0\${GLIBC_TUNABLES:+:\$GLIBC_TUNABLES}"
export DOTNET_EnableDiagnostics=0 DOTNET_DbgEnableMiniDump=0
ulimit -c 0
ulimit -S -l "\$(ulimit -H -l)" 2>/dev/null || true
[ "\${1:-}" != setup ] || { shift; set -- models restore "\$@"; }
exec "$1" "\$@"
EOF
}

publish_host() { # RID FOLDER ARGUMENT…
    local rid=$1 to=$2
    shift 2
    run "Publishing lfr for $rid" dotnet publish host/LfrEngine.Cli/LfrEngine.Cli.csproj -c Release -r "$rid" --self-contained -m:1 -v quiet -clp:NoSummary -o "$to" -p:Version="$version" -p:ContinuousIntegrationBuild=true "$@"
    find "$to" -name '*.pdb' -delete
    find "$to" -maxdepth 1 -name 'LfrEngine*.xml' -delete
}

host() {
    build_native
    local name=lfr-$version-linux-x64 place
    place=$(mktemp -d)
    trap 'rm -rf "$place"' RETURN
    mkdir -p "$place/$name"
    publish_host linux-x64 "$place/$name/lib"
    lay "$place/$name"
    # The same files give the same archive.
    tar -C "$place" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -cf - "$name" | gzip -n9 >"$out/$name.tar.gz"
    # As somebody who has only the archive.
    mkdir "$place/there"
    tar -C "$place/there" -xzf "$out/$name.tar.gz"
    [ "$(env -u DOTNET_ROOT PATH=/usr/bin:/bin "$place/there/$name/lfr" --version | cut -d+ -f1)" = "$version" ] || fail "The unpacked lfr does not say that it is $version."
    say "$out/$name.tar.gz"
    cross_windows "$place"
    say "linux-arm64 is not made here: the decoder's C part must be built against FFmpeg for arm64 (Debian's cross compiler is there, its FFmpeg for arm64 needs the arm64 architecture of dpkg); build on an arm64 machine, where this script makes it."
}

# The managed parts for Windows. Not in it: FFmpeg's and the decoder's libraries, which are built there (docs/windows.md).
cross_windows() {
    local name=lfr-$version-win-x64
    if with_progress "Publishing lfr for win-x64" "$log" dotnet publish host/LfrEngine.Cli/LfrEngine.Cli.csproj -c Release -r win-x64 --self-contained -m:1 -v quiet -clp:NoSummary -o "$1/$name" \
        -p:LfrStandIns=false -p:LfrMediaLibrary=none -p:Version="$version" -p:BaseIntermediateOutputPath=obj/win/; then
        cp LICENSE THIRD-PARTY-NOTICES.md CHANGELOG.md SECURITY.md docs/windows.md "$1/$name"
        (cd "$1" && python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", ".", sys.argv[2])' "$out/$name" "$name")
        say "$out/$name.zip (without FFmpeg's libraries and lfr_media.dll: docs/windows.md)"
    else
        say "The zip for Windows is not made here: $(grep -m1 -oE 'error [A-Z]+[0-9]+: .{0,160}' "$log" || echo "see $log"). Run this script on Windows (docs/windows.md)."
    fi
}

image() {
    build_native
    local archive=$out/lfr-$version-oci.tar.gz
    if with_progress "Making the image" "$log" dotnet publish host/LfrEngine.Cli/LfrEngine.Cli.csproj -c Release -r linux-x64 --self-contained -m:1 -v quiet -clp:NoSummary -t:PublishContainer \
        -p:ContainerArchiveOutputPath="$archive" -p:ContainerRepository=lfr -p:ContainerImageTag="$version" -p:Version="$version"; then
        say "$archive"
    else
        say "The image is not made here: $(grep -m1 -oE 'CONTAINER[0-9]+: .{0,160}|error [A-Z]+[0-9]+: .{0,160}' "$log" || echo "see $log"). Its base comes from a registry that must be reachable."
    fi
}

# ---- Debian ----

# Whoever hands the packages out puts his own name there: LFR_MAINTAINER="Name <address>".
maintainer=${LFR_MAINTAINER:-The LfrEngine developers <lfr-engine@localhost.localdomain>}

# begin PACKAGE: an empty tree in $tree.
begin() {
    tree=$place/$1
    mkdir -p "$tree/DEBIAN" "$tree/usr/share/doc/$1"
    {
        printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: 2026 The LfrEngine developers\nLicense: MIT\n\nLicense: MIT\n'
        sed '1,4d;s/^$/./;s/^/ /' LICENSE
    } >"$tree/usr/share/doc/$1/copyright"
    printf 'lfr-engine (%s) stable; urgency=medium\n\n  * See /usr/share/doc/lfr/CHANGELOG.md.gz of the package lfr.\n\n -- %s  %s\n' "$version" "$maintainer" "$(git log -1 --format=%cD)" \
        | gzip -n9 >"$tree/usr/share/doc/$1/changelog.gz"
}

# finish PACKAGE SECTION DEPENDS SHORT LONG: control file, checksums, archive.
finish() {
    printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: %s\nInstalled-Size: %s\nDepends: %s\nSection: %s\nPriority: optional\nDescription: %s\n' \
        "$1" "$version" "$maintainer" "$(du -sk --exclude=DEBIAN "$tree" | cut -f1)" "$3" "$2" "$4" >"$tree/DEBIAN/control"
    fold -sw 76 <<<"$5" | sed 's/ *$//;s/^/ /' >>"$tree/DEBIAN/control"
    find "$tree" -type d -exec chmod 755 {} +
    find "$tree" -type f ! -perm -100 -exec chmod 644 {} +
    mkdir -p "$tree/usr/share/lintian/overrides"
    {
        [ -n "${LFR_MAINTAINER:-}" ] || printf '# Nobody hands this out yet: LFR_MAINTAINER names who does.\n%s: bogus-mail-host *\n%s: bogus-mail-host-in-debian-changelog *\n' "$1" "$1"
        # Debian 12 has no ONNX Runtime of the version that the networks were tested with; Microsoft links curl and mbed TLS into it.
        [ ! -e "$tree/$lib/libonnxruntime.so" ] && [ "$1" != lfr ] || printf '%s: embedded-library *\n' "$1"
    } >"$tree/usr/share/lintian/overrides/$1"
    [ -s "$tree/usr/share/lintian/overrides/$1" ] || rm -r "$tree/usr/share/lintian"
    (cd "$tree" && find usr -type f -exec md5sum {} + | LC_ALL=C sort -k2 >DEBIAN/md5sums)
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) dpkg-deb --root-owner-group -Zxz --build "$tree" "$out/$1_${version}_amd64.deb" >/dev/null
    say "$out/$1_${version}_amd64.deb"
}

# What a library of ours needs of Debian.
needs() { (cd "$place" && mkdir -p debian && touch debian/control && dpkg-shlibdeps --ignore-missing-info -O -l"$root/build/capi" "${@/#/$root/}" 2>/dev/null | sed -n 's/^shlibs:Depends=//p'); }

# The manual page, from docs/commands.md, which is made from the program.
manual() {
    printf '.TH LFR 1 "%s" "LfrEngine %s" "User Commands"\n.SH NAME\nlfr \\- live facial recognition against a watchlist\n.SH SYNOPSIS\n.B lfr\n.I command\n.RI [ options ]\n' "$(git log -1 --format=%cs)" "$version"
    printf '.SH DESCRIPTION\nThe engine finds candidates; trained people decide. The service is lfr.service; its configuration is /etc/lfr/lfr.json.\n.SH COMMANDS\n'
    sed -n '/^### lfr /,/^## lfr-lab/p' docs/commands.md | sed -E '/^## lfr-lab/d;/^```/d;/^\| \| \|$/d;/^\|---/d;s/\\\|/|/g;s/\\/\\e/g;s/\[([^]]*)\]\([^)]*\)/\1/g' \
        | sed -E 's/^#{3,} (.*)$/.SS "\1"/;s/^\| `([^`]*)`([^|]*)\| (.*) \|$/.TP\n.B \1\2\n\3/;s/`//g;s/^([.'"'"'][^STB])/\\\&\1/;s/--/\\-\\-/g' | sed '/^$/d'
    printf '.SH "EXIT STATUS"\n'
    sed -n '/^## Exit codes/,/^Ctrl-C/p' docs/commands.md | sed -nE 's/^\| ([0-9]+) \| (.*) \|$/.TP\n.B \1\n\2/p'
}

deb() {
    need_packages dpkg-shlibdeps=dpkg-dev lintian=lintian
    "$root/scripts/capi.sh" publish
    local place tree lib=usr/lib/x86_64-linux-gnu/lfr-engine
    place=$(mktemp -d)
    trap 'rm -rf "$place"' RETURN
    begin liblfr
    mkdir -p "$tree/$lib"
    cp -a build/capi/*.so "$tree/$lib/"
    [ ! -d build/capi/glibc-hwcaps ] || cp -a build/capi/glibc-hwcaps "$tree/$lib/"
    find "$tree/$lib" -name '*.so' -exec chmod 644 {} + -exec strip --strip-unneeded {} +
    finish liblfr libs "$(needs build/capi/liblfr.so build/capi/liblfr_media.so build/capi/libonnxruntime.so)" "live facial recognition as a library" \
        "Cameras in, alerts out; every other face is erased from memory. The engine for programs in C, C++ and Python, with the decoder and ONNX Runtime, which lie in a folder of their own."

    begin liblfr-dev
    mkdir -p "$tree/usr/include" "$tree/usr/lib/x86_64-linux-gnu/pkgconfig" "$tree/usr/lib/x86_64-linux-gnu/cmake/lfr" "$tree/usr/share/doc/liblfr-dev/examples"
    cp native-interop/capi/include/* "$tree/usr/include/"
    cp native-interop/capi/example/* "$tree/usr/share/doc/liblfr-dev/examples/"
    printf 'libdir=/%s\n\nName: lfr\nDescription: Live facial recognition as a library\nVersion: %s\nLibs: -L${libdir} -llfr -Wl,-rpath,${libdir}\nCflags: -I/usr/include\n' "$lib" "$version" >"$tree/usr/lib/x86_64-linux-gnu/pkgconfig/lfr.pc"
    cat >"$tree/usr/lib/x86_64-linux-gnu/cmake/lfr/lfrConfig.cmake" <<EOF
# find_package(lfr) gives the target lfr::lfr.
if(NOT TARGET lfr::lfr)
    add_library(lfr::lfr SHARED IMPORTED)
    set_target_properties(lfr::lfr PROPERTIES
        IMPORTED_LOCATION "/$lib/liblfr.so"
        IMPORTED_NO_SONAME ON
        INTERFACE_INCLUDE_DIRECTORIES "/usr/include")
endif()
EOF
    printf 'set(PACKAGE_VERSION "%s")\nif(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)\n    set(PACKAGE_VERSION_COMPATIBLE FALSE)\nelse()\n    set(PACKAGE_VERSION_COMPATIBLE TRUE)\nendif()\n' "$version" >"$tree/usr/lib/x86_64-linux-gnu/cmake/lfr/lfrConfigVersion.cmake"
    finish liblfr-dev libdevel "liblfr (= $version)" "live facial recognition as a library - headers" "Headers for C and C++, pkg-config and CMake files, and examples, for programs that use liblfr."

    begin lfr
    mkdir -p "$tree/usr/bin" "$tree/usr/lib/lfr-engine" "$tree/usr/lib/systemd/system" "$tree/usr/lib/sysusers.d" "$tree/usr/share/man/man1"
    publish_host linux-x64 "$tree/usr/lib/lfr-engine"
    find "$tree/usr/lib/lfr-engine" -type f ! -name lfr -exec chmod 644 {} +
    launcher /usr/lib/lfr-engine/lfr >"$tree/usr/bin/lfr"
    chmod 755 "$tree/usr/bin/lfr"
    sed 's|^ExecStart=/usr/bin/dotnet /usr/lib/lfr/lfr.dll|ExecStart=/usr/lib/lfr-engine/lfr|;/^# LfrEngine on a van/d;/^#   useradd/d' host/deploy/lfr.service >"$tree/usr/lib/systemd/system/lfr.service"
    manual | gzip -n9 >"$tree/usr/share/man/man1/lfr.1.gz"
    printf 'u lfr - "LfrEngine" /var/lib/lfr\n' >"$tree/usr/lib/sysusers.d/lfr.conf"
    gzip -n9 <CHANGELOG.md >"$tree/usr/share/doc/lfr/CHANGELOG.md.gz"
    cp THIRD-PARTY-NOTICES.md "$tree/usr/share/doc/lfr/"
    finish lfr utils "$(needs build/media/liblfr_media.so)" "live facial recognition for trained officers" \
        "Cameras in, alerts out; every other face is erased from memory. The command line, the console in the browser, and the service."
    lintian --fail-on error,warning --info "$out"/*_"${version}"_amd64.deb || fail "lintian objects."
}

# ---- What is in it ----

# CycloneDX from the graphs that the build resolved: NuGet (project.assets.json), npm (the manifests), Debian (what the libraries link to).
sbom() {
    "$root/scripts/capi.sh" publish
    run "Resolving the graph" dotnet restore host/LfrEngine.Cli/LfrEngine.Cli.csproj -v quiet
    VERSION=$version python3 - host/LfrEngine.Cli/obj/project.assets.json native-interop/capi/obj/project.assets.json >"$out/lfr-$version.cdx.json" <<'EOF'
import hashlib, glob, json, os, re, subprocess, sys, uuid

version = os.environ["VERSION"]
components, dependencies = {}, {}
for path in sys.argv[1:]:
    assets = json.load(open(path, encoding="utf-8"))
    target = next(iter(assets["targets"].values()))
    references = {key.split("/")[0]: key for key in target}
    for key, entry in target.items():
        name, number = key.split("/")
        if entry["type"] != "package":
            continue
        library = assets["libraries"][key]
        reference = f"pkg:nuget/{name}@{number}"
        part = {"type": "library", "bom-ref": reference, "name": name, "version": number, "purl": reference}
        if "sha512" in library:
            import base64
            part["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(library["sha512"]).hex()}]
        folder = next((f for f in (os.path.join(root, library["path"]) for root in assets["packageFolders"]) if os.path.isdir(f)), None)
        spec = next(iter(glob.glob(os.path.join(folder, "*.nuspec"))), None) if folder else None
        licence = re.search(r'<license type="expression">([^<]+)<', open(spec, encoding="utf-8-sig").read()) if spec else None
        if licence:
            part["licenses"] = [{"expression": licence[1]}]
        components[reference] = part
        dependencies[reference] = sorted(f"pkg:nuget/{references[n]}".replace("/" + n + "/", f"/{n}@") for n in entry.get("dependencies", {}) if n in references and target[references[n]]["type"] == "package")
for path in sorted(glob.glob("models/*.json")):
    model = json.load(open(path, encoding="utf-8"))
    source = model.get("source") if isinstance(model, dict) else None
    if not source or "npm" not in source:
        continue
    reference = f"pkg:npm/{source['npm'].replace('@', '%40')}@{source['version']}#{source['path']}"
    components[reference] = {"type": "machine-learning-model", "bom-ref": reference, "name": model["id"], "version": source["version"], "purl": reference,
                             "hashes": [{"alg": "SHA-256", "content": model["sha256"]}], "licenses": [{"license": {"name": model["licence"]}}]}
linked = subprocess.run(["ldd", "build/media/liblfr_media.so"], capture_output=True, text=True, check=True).stdout
files = [os.path.realpath(path) for path in re.findall(r"=> (/\S+)", linked)]
owners = sorted({line.split(":")[0] for line in subprocess.run(["dpkg", "-S", *files], capture_output=True, text=True).stdout.splitlines()})
versions = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", *owners], capture_output=True, text=True, check=True).stdout.splitlines()
for owner, number in sorted({tuple(line.split(" ")) for line in versions}):
    reference = f"pkg:deb/debian/{owner}@{number}"
    components[reference] = {"type": "library", "bom-ref": reference, "name": owner, "version": number, "purl": reference, "scope": "required"}
root = f"pkg:generic/lfr-engine@{version}"
ordered = [components[k] for k in sorted(components)]
serial = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest())
json.dump({"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{serial}", "version": 1,
           "metadata": {"component": {"type": "application", "bom-ref": root, "name": "lfr-engine", "version": version, "licenses": [{"license": {"id": "MIT"}}]}},
           "components": ordered,
           "dependencies": [{"ref": root, "dependsOn": sorted(components)}] + [{"ref": k, "dependsOn": dependencies[k]} for k in sorted(dependencies)]},
          sys.stdout, indent=1, ensure_ascii=False)
EOF
    # Each name that the graph points to is there, and what we know to be in it is.
    python3 - "$out/lfr-$version.cdx.json" <<'EOF'
import json, sys
bom = json.load(open(sys.argv[1], encoding="utf-8"))
known = {c["bom-ref"] for c in bom["components"]}
missing = [d for e in bom["dependencies"] for d in e["dependsOn"] if d not in known]
kinds = {kind: sum(r.startswith(f"pkg:{kind}/") for r in known) for kind in ("nuget", "npm", "deb")}
names = {c["name"] for c in bom["components"]}
if missing or min(kinds.values()) == 0 or not {"Microsoft.ML.OnnxRuntime", "Google.Protobuf", "mobilefacenet-512"} <= names or not any(n.startswith("libavcodec") for n in names):
    sys.exit(f"The SBOM is not whole: {missing[:3]} {kinds}")
print(f"SBOM: {kinds['nuget']} NuGet, {kinds['npm']} npm, {kinds['deb']} Debian parts")
EOF
}

sums() {
    rm -f "$out/SHA256SUMS"
    (cd "$out" && LC_ALL=C && sha256sum -- * >../sums && mv ../sums SHA256SUMS && sha256sum --quiet -c SHA256SUMS)
    say "$out/SHA256SUMS"
}

case ${1:-all} in
    nuget | host | image | deb | sbom | sums) "$1" ;;
    all) nuget && host && image && deb && sbom && sums ;;
    *) fail "usage: scripts/package.sh [nuget|host|image|deb|sbom|sums]" ;;
esac
