#!/usr/bin/env bash
# Makes what is handed out, into build/packages.
#   scripts/package.sh nuget     NuGet packages, and a console program that is built from them and run
#   scripts/package.sh host      lfr as tar.gz for linux-x64 and linux-arm64, each unpacked and run (the second under qemu)
#   scripts/package.sh native    liblfr.so for arm64, by Debian's cross compiler, run under qemu
#   scripts/package.sh deb       Debian packages for amd64: lfr, liblfr, liblfr-dev; checked with lintian, installed on a new system, and a program built with them there
#   scripts/package.sh wheel     the Python package with the library inside
#   scripts/package.sh image     lfr as an OCI image in a tar file, made of the Debian packages without a container engine
#   scripts/package.sh windows   lfr for Windows as a zip; with video and photos if LFR_FFMPEG_WINDOWS names a shared build of FFmpeg 7.1
#   scripts/package.sh sbom      the parts of all that, CycloneDX
#   scripts/package.sh sums      SHA256SUMS
#   scripts/package.sh           all of them, in this order, in place of what was there
# The version is that of the newest tag (v1.2.3), with the number of commits since; without a tag, that of Directory.Build.props.
# shellcheck disable=SC2016 # Backquotes and dollars in single quotes are meant: they are Markdown, sed and pkg-config.
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
out=$root/build/packages weights=${LFR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lfr-engine}
arm=$root/build/arm64 suite=bookworm
mkdir -p "$out"
# Everything made in passing; gone in the end.
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' Directory.Build.props)
if described=$(git describe --tags --match 'v[0-9]*' 2>/dev/null); then
    described=${described#v}
    case $described in
        # v1.2.3-4-gabcdef: four commits after it.
        *-*-g*) version=${described%-g*} && version=${version%-*}-dev.${version##*-} ;;
        *) version=$described ;;
    esac
fi
# Of the newest commit: the same sources give the same archives.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
export SOURCE_DATE_EPOCH

# In a folder of their own, with paths mapped: no name of this machine's folders in what is handed out.
build_options=(-c Release -m:1 -v quiet -clp:NoSummary --artifacts-path "$root/build/package-build" -p:Version="$version" -p:ContinuousIntegrationBuild=true)

log=$(log_file package)
run() { local what=$1; shift; with_progress "$what" "$log" "$@" || { tail -n 20 "$log" >&2; fail "$what failed; the whole log is $log."; }; }

# nothing_of_here FOLDER: what is handed out names no folder of this checkout and nobody's home.
nothing_of_here() {
    local found
    found=$(grep -rlFa -e "$root/" -e "$HOME/.nuget/" "$1" || true)
    [ -z "$found" ] || fail "These name a folder of this machine: $found"
}

nuget() {
    need_packages unzip=unzip
    build_native
    arm64_shim
    rm -f "$out"/*.nupkg "$out"/*.snupkg
    local project package
    for project in native-interop/LfrEngine.Native engine/LfrEngine engine/LfrEngine.Vulkan engine/LfrEngine.Evaluation engine/LfrEngine.DirectX; do
        run "Packing ${project##*/}" dotnet pack "$project" "${build_options[@]}" -o "$out" -p:LfrWrapperAssets=all -p:LfrMediaArm64="$arm/media/liblfr_media.so"
    done
    [ -f "$out/LfrEngine.DirectX.$version.nupkg" ] || say "LfrEngine.DirectX is not packed here: that needs Windows, where its real packages are."
    for package in "$out"/*.nupkg; do
        mkdir -p "$place/nupkg/${package##*/}"
        unzip -qo "$package" -d "$place/nupkg/${package##*/}"
    done
    nothing_of_here "$place/nupkg"
    [ -f "$place/nupkg/LfrEngine.Native.$version.nupkg/runtimes/linux-arm64/native/liblfr_media.so" ] || fail "The decoder for arm64 is not in LfrEngine.Native."

    # A stranger's program: a feed, a project and a page of code, outside this checkout.
    local there=$place/stranger
    mkdir "$there"
    cat >"$there/nuget.config" <<EOF
<configuration>
  <config><add key="globalPackagesFolder" value="$there/packages" /></config>
  <packageSources><add key="local" value="$out" /></packageSources>
  <!-- What others made is not fetched again. -->
  <fallbackPackageFolders><add key="known" value="${NUGET_PACKAGES:-$HOME/.nuget/packages}" /></fallbackPackageFolders>
</configuration>
EOF
    cat >"$there/Watch.csproj" <<EOF
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
        printf 'Console.WriteLine($"{typeof(LfrEngine.Vulkan.Devices.VulkanDevice).Name}, {typeof(LfrEngine.Evaluation.Evidence.EvidenceDocument).Name}");\n'
    } >"$there/Program.cs"
    photo_and_clip
    run "Building a program from the packages" dotnet build "$there/Watch.csproj" -c Release -v quiet -clp:NoSummary
    dotnet "$there/bin/Release/net10.0/Watch.dll" "$place/photo.jpg" "$place/clip.mp4" >"$place/said.txt"
    grep '^entrance: person-1 with 0\.' "$place/said.txt" >&2 || fail "The program that was built from the packages raised no alert."
}

# A woman of the demonstration, and a clip of two seconds that shows her.
photo_and_clip() {
    need_packages ffmpeg=ffmpeg
    [ -d "$weights/@vladmandic+face-api@1.7.15" ] || "$root/lfr" setup >&2
    ffmpeg -v error -y -i "$weights/@vladmandic+face-api@1.7.15/demo/sample3.jpg" -vf crop=460:580:960:120 -frames:v 1 "$place/photo.jpg"
    ffmpeg -v error -y -loop 1 -framerate 25 -i "$place/photo.jpg" -t 2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p "$place/clip.mp4"
}

# ---- The program ----

# The decoder's C part for arm64 in build/arm64, against Debian's FFmpeg for arm64, which is only unpacked: nothing of this machine's changes.
arm64_shim() {
    need_packages mmdebstrap=mmdebstrap aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu file:/usr/aarch64-linux-gnu/lib/crti.o=libc6-dev-arm64-cross cmake=cmake make=make qemu-aarch64-static=qemu-user-static
    if [ ! -e "$arm/.system" ]; then
        rm -rf "$arm"
        mkdir -p "$arm"
        run "Fetching FFmpeg for arm64" mmdebstrap --variant=extract --architectures=arm64 --include=libavdevice-dev,libavformat-dev,libavcodec-dev,libavutil-dev,libstdc++6,libssl3,zlib1g,ca-certificates \
            "$suite" "$arm/system" /etc/apt/sources.list.d/debian.sources
        # As update-alternatives would, which does not run where packages are only unpacked.
        ln -s blas/libblas.so.3 lapack/liblapack.so.3 "$arm/system/usr/lib/aarch64-linux-gnu/"
        # Where qemu's guest looks first: ONNX Runtime ends when it finds this machine's processors.
        mkdir -p "$arm/system/proc"
        printf 'processor\t: 0\nFeatures\t: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm asimddp\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n' >"$arm/system/proc/cpuinfo"
        mkdir "$arm/ffmpeg"
        ln -s ../system/usr/include/aarch64-linux-gnu "$arm/ffmpeg/include"
        ln -s ../system/usr/lib/aarch64-linux-gnu "$arm/ffmpeg/lib"
        # NativeAOT tells its linker --target=, which only clang knows.
        printf '#!/bin/bash\nset -e\nfor a in "$@"; do case $a in @*) sed -i /--target=/d "${a#@}" ;; esac; done\nexec aarch64-linux-gnu-gcc $(printf "%%s\\n" "$@" | grep -v -e ^--target=)\n' >"$arm/gcc"
        chmod +x "$arm/gcc"
        touch "$arm/.system"
    fi
    stale "$arm/.media" native-interop/media || return 0
    run "Building the decode shim for arm64" make_arm64_shim
    touch "$arm/.media"
}

make_arm64_shim() {
    cmake -S native-interop/media -B "$arm/media" -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc \
        -DCMAKE_SKIP_RPATH=ON -DFFMPEG_ROOT="$arm/ffmpeg" && cmake --build "$arm/media"
}

# on_arm64 PROGRAM ARGUMENT…: under qemu, with the libraries of Debian for arm64. The pages of the runtime's code stay writable: qemu is slow to change them.
on_arm64() { env -u DOTNET_ROOT DOTNET_EnableWriteXorExecute=0 qemu-aarch64-static -L "$arm/system" "$@"; }

# launcher PROGRAM: the start script, as ./lfr has it for a checkout.
launcher() {
    cat <<EOF
#!/bin/sh
# What the C library frees is overwritten; no diagnostics port, no dumps, no core files; as much locked memory as this user may have.
export GLIBC_TUNABLES="glibc.malloc.perturb=165:glibc.malloc.tcache_count=0\${GLIBC_TUNABLES:+:\$GLIBC_TUNABLES}"
export DOTNET_EnableDiagnostics=0 DOTNET_DbgEnableMiniDump=0
ulimit -c 0
# shellcheck disable=SC3045
ulimit -S -l "\$(ulimit -H -l)" 2>/dev/null || true
[ "\${1:-}" != setup ] || { shift; set -- models restore "\$@"; }
exec "$1" "\$@"
EOF
}

# publish_host RID FOLDER: lfr with the language runtime in it.
publish_host() {
    run "Publishing lfr for $1" dotnet publish host/LfrEngine.Cli/LfrEngine.Cli.csproj "${build_options[@]}" -r "$1" --self-contained -o "$2"
    # Symbols and texts for programmers; and the tracing of a library that Debian has in another version.
    find "$2" \( -name '*.pdb' -o -name 'LfrEngine*.xml' -o -name lfr.xml -o -name libcoreclrtraceptprovider.so \) -delete
    local strip=strip
    [ "$1" != linux-arm64 ] || { strip=aarch64-linux-gnu-strip && cp "$arm/media/liblfr_media.so" "$2/"; }
    "$strip" --strip-unneeded "$2/liblfr_media.so" "$2/libe_sqlite3.so"
    [ -z "$(find "$2" -name 'LfrEngine.StandIn.*')" ] || fail "What stands in for the Windows packages is for tests only."
    nothing_of_here "$2"
}

host() {
    local rid name there=$place/there
    build_native
    arm64_shim
    for rid in linux-x64 linux-arm64; do
        name=lfr-$version-$rid
        mkdir -p "$place/$name" "$there"
        publish_host "$rid" "$place/$name/lib"
        cp LICENSE THIRD-PARTY-NOTICES.md CHANGELOG.md SECURITY.md "$place/$name"
        launcher "\$(dirname \"\$(readlink -f \"\$0\")\")/lib/lfr" >"$place/$name/lfr"
        chmod 755 "$place/$name/lfr"
        # The same files give the same archive.
        tar -C "$place" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -n >"$out/$name.tar.gz"
        # As somebody who has only the archive.
        tar -C "$there" -xzf "$out/$name.tar.gz"
        if [ "$rid" = linux-x64 ]; then
            try_host "$rid" "$there/$name/lfr"
        else
            try_host "$rid" on_arm64 "$there/$name/lib/lfr"
        fi
        rm -rf "${place:?}/$name" "${there:?}/$name"
        say "$out/$name.tar.gz"
    done
}

# try_host WHAT COMMAND…: lfr, without the .NET that this machine may have: its version, and that it finds FFmpeg and the decoders.
try_host() {
    local what=$1 said
    shift
    said=$(unset DOTNET_ROOT; PATH=/usr/bin:/bin; "$@" --version | cut -d+ -f1)
    [ "$said" = "$version" ] || fail "lfr of $what says that it is \"$said\", not $version."
    (unset DOTNET_ROOT; PATH=/usr/bin:/bin; "$@" doctor || true) >"$place/doctor.txt" 2>&1
    [ "$(grep -cE '^│ ok +│ (FFmpeg|decoders) ' "$place/doctor.txt")" = 2 ] || { cat "$place/doctor.txt" >&2; fail "lfr of $what does not find FFmpeg."; }
    say "  $what: $(sed -nE 's/^│ ok +│ system +│ ([^│]*[^│ ]) +│.*/\1/p' "$place/doctor.txt")"
}

# What `./lfr publish win-x64` makes, in one file. It cannot be tried here.
windows() {
    need_packages zip=zip
    local name=lfr-$version-win-x64 ffmpeg=()
    [ -z "${LFR_FFMPEG_WINDOWS:-}" ] || ffmpeg=(--ffmpeg "$LFR_FFMPEG_WINDOWS")
    "$root/lfr" publish win-x64 "${ffmpeg[@]}" -o "$place/$name" -p:Version="$version" -p:ContinuousIntegrationBuild=true >&2
    nothing_of_here "$place/$name"
    find "$place/$name" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
    rm -f "$out/$name.zip"
    (cd "$place" && find "$name" -type f | LC_ALL=C sort | TZ=UTC zip -qX -@ "$out/$name.zip")
    say "$out/$name.zip"
}

# liblfr.so for arm64: one file for all its processors.
native() {
    local name=liblfr-$version-linux-arm64 to=$place/aot newest program
    arm64_shim
    if ! with_progress "Compiling liblfr.so for arm64" "$log" dotnet publish native-interop/capi/LfrEngine.CApi.csproj "${build_options[@]}" -r linux-arm64 -o "$to" \
        -p:CppCompilerAndLinker="$arm/gcc" -p:ObjCopyName=aarch64-linux-gnu-objcopy; then
        say "liblfr.so for arm64 is not made here: $(grep -m1 -E 'error' "$log" | cut -c1-300)"
        return
    fi
    mkdir -p "$place/$name"
    cp "$to/lfr.so" "$place/$name/liblfr.so"
    cp "$to/libonnxruntime.so" "$arm/media/liblfr_media.so" "$place/$name"
    cp -r native-interop/capi/include "$place/$name"
    cp LICENSE THIRD-PARTY-NOTICES.md CHANGELOG.md "$place/$name"
    aarch64-linux-gnu-strip --strip-unneeded "$place/$name"/*.so
    nothing_of_here "$place/$name"
    # The C library that docs/embedding.md names, the same layouts as on x64, and an alert.
    newest=$(readelf --dyn-syms -W "$place/$name"/*.so | grep -oE 'GLIBC_[0-9.]+' | sort -V | tail -n 1)
    [ "$newest" = GLIBC_2.34 ] || fail "The libraries for arm64 need $newest, and docs/embedding.md says GLIBC_2.34."
    photo_and_clip
    for program in test/layout example/watch; do
        aarch64-linux-gnu-gcc -std=c99 -O1 -Inative-interop/capi/include "native-interop/capi/$program.c" -o "$place/${program#*/}" -L"$place/$name" -llfr -Wl,-rpath-link="$arm/ffmpeg/lib"
    done
    on_arm64 -E LD_LIBRARY_PATH="$place/$name" "$place/layout" | diff -u native-interop/capi/test/layout-linux-x64.txt - >&2 || fail "A structure of lfr_engine.h has another layout on arm64."
    on_arm64 -E LD_LIBRARY_PATH="$place/$name" "$place/watch" models "$weights" "$place/photo.jpg" "$place/clip.mp4" >"$place/arm64.txt" || true
    grep -E 'person-1' "$place/arm64.txt" >&2 || fail "The C example raised no alert on arm64: $(tail -n 1 "$place/arm64.txt")"
    tar -C "$place" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -n >"$out/$name.tar.gz"
    say "$out/$name.tar.gz"
}

# The image is made of Debian's packages: a base image of .NET, which `dotnet publish -t:PublishContainer` needs, comes from a registry, and the program brings its runtime along anyway.
image() {
    need_packages mmdebstrap=mmdebstrap umoci=umoci skopeo=skopeo
    local system=$place/system archive=$out/lfr-$version-oci.tar
    [ -f "$out/lfr_${version}_amd64.deb" ] || deb
    # What of Debian the package asks for, by name.
    local needed
    needed=$(dpkg-deb -f "$out/lfr_${version}_amd64.deb" Depends | sed 's/([^)]*)//g;s/|[^,]*//g;s/ //g')
    run "Making a system of Debian's packages" mmdebstrap --variant=essential --architectures=amd64 --include="$needed,ca-certificates" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='printf "lfr:x:990:\n" >>"$1/etc/group"; printf "lfr:x:990:990::/var/lib/lfr:/usr/sbin/nologin\n" >>"$1/etc/passwd"; install -d -m 700 -o 990 -g 990 "$1/var/lib/lfr"' \
        --customize-hook="copy-in '$out/lfr_${version}_amd64.deb' /" --customize-hook='chroot "$1" dpkg -i /lfr_'"${version}"'_amd64.deb && rm "$1"/lfr_*.deb' \
        --customize-hook='rm -rf "$1"/var/log/* "$1"/var/cache/*' \
        "$suite" "$system.tar" /etc/apt/sources.list.d/debian.sources
    mkdir "$system"
    tar -C "$system" --exclude='./dev/*' -xf "$system.tar"
    nothing_of_here "$system/usr/lib/lfr-engine"
    [ -z "$(find "$system/var/cache/apt" "$system/var/lib/apt/lists" -type f ! -name lock -print -quit 2>/dev/null)" ] || fail "There is a cache of apt in the image."
    run "Making the image" make_image "$system.tar" "$archive"
    rm "$system.tar"
    # As a container engine reads it.
    skopeo inspect --config "oci-archive:$archive" | grep -q '"/usr/bin/lfr"' || fail "The image does not start lfr."
    # With nothing but what is in it, as its user. The language runtime needs /proc; the mount goes with its namespace.
    try_host "the image" unshare --mount sh -c 'mount -t proc proc "$0/proc" && HOME=/var/lib/lfr exec /usr/sbin/chroot --userspec=lfr:lfr "$0" "$@"' "$system" /usr/bin/lfr
    say "$archive"
}

make_image() {
    local layout=$place/oci
    umoci init --layout "$layout" && umoci new --image "$layout:$version" && umoci raw add-layer --image "$layout:$version" "$1" \
        && umoci config --image "$layout:$version" --created "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" --architecture amd64 --os linux --config.user lfr --config.workingdir /var/lib/lfr --config.volume /var/lib/lfr \
            --config.entrypoint /usr/bin/lfr --config.cmd --help --config.env LFR_CONFIG=/var/lib/lfr/key --config.label org.opencontainers.image.version="$version" --config.label org.opencontainers.image.licenses=MIT \
        && rm -f "$2" && skopeo copy "oci:$layout:$version" "oci-archive:$2:lfr:$version"
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
    printf 'lfr-engine (%s) stable; urgency=medium\n\n  * See /usr/share/doc/lfr/CHANGELOG.md.gz of the package lfr.\n\n -- %s  %s\n' "$version" "$maintainer" "$(date -Rud "@$SOURCE_DATE_EPOCH")" \
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
    nothing_of_here "$tree"
    dpkg-deb --root-owner-group -Zxz -z2 --build "$tree" "$out/$1_${version}_amd64.deb" >/dev/null
    say "$out/$1_${version}_amd64.deb"
}

# needs FILE…: what libraries and programs need of Debian.
needs() { (cd "$place" && mkdir -p debian && touch debian/control && dpkg-shlibdeps --ignore-missing-info -O -l"$(dirname "$1")" "$@" 2>/dev/null | sed -n 's/^shlibs:Depends=//p'); }

# The manual page, from docs/commands.md, which is made from the program.
manual() {
    printf '.TH LFR 1 "%s" "LfrEngine %s" "User Commands"\n.SH NAME\nlfr \\- live facial recognition against a watchlist\n.SH SYNOPSIS\n.B lfr\n.I command\n.RI [ options ]\n' "$(date -ud "@$SOURCE_DATE_EPOCH" +%F)" "$version"
    printf '.SH DESCRIPTION\nThe engine finds candidates; trained people decide. The service is lfr.service; its configuration is /etc/lfr/lfr.json.\n.SH COMMANDS\n'
    sed -n '/^### lfr /,/^## lfr-lab/p' docs/commands.md | sed -E '/^## lfr-lab/d;/^```/d;/^\| \| \|$/d;/^\|---/d;s/\\\|/|/g;s/\\/\\e/g;s/\[([^]]*)\]\([^)]*\)/\1/g' \
        | sed -E 's/^#{3,} (.*)$/.SS "\1"/;s/^\| `([^`]*)`([^|]*)\| (.*) \|$/.TP\n.B \1\2\n\3/;s/`//g;s/^([.'"'"'][^STB])/\\\&\1/;s/--/\\-\\-/g' | sed '/^$/d'
    printf '.SH "EXIT STATUS"\n'
    sed -n '/^## Exit codes/,/^Ctrl-C/p' docs/commands.md | sed -nE 's/^\| ([0-9]+) \| (.*) \|$/.TP\n.B \1\n\2/p'
}

deb() {
    need_packages dpkg-shlibdeps=dpkg-dev lintian=lintian
    "$root/scripts/capi.sh" publish
    local tree lib=usr/lib/x86_64-linux-gnu/lfr-engine
    begin liblfr
    mkdir -p "$tree/$lib"
    cp -a build/capi/liblfr.so build/capi/liblfr_media.so build/capi/libonnxruntime.so "$tree/$lib/"
    [ ! -d build/capi/glibc-hwcaps ] || cp -a build/capi/glibc-hwcaps "$tree/$lib/"
    find "$tree/$lib" -name '*.so' -exec chmod 644 {} + -exec strip --strip-unneeded {} +
    finish liblfr libs "$(needs "$tree/$lib"/*.so)" "live facial recognition as a library" \
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
    # Whoever has systemd has the service, and so the user that it runs as.
    printf '#!/bin/sh\nset -e\nif [ "$1" = configure ] && command -v systemd-sysusers >/dev/null; then\n    systemd-sysusers lfr.conf\nfi\n' >"$tree/DEBIAN/postinst"
    chmod 755 "$tree/DEBIAN/postinst"
    gzip -n9 <CHANGELOG.md >"$tree/usr/share/doc/lfr/CHANGELOG.md.gz"
    cp THIRD-PARTY-NOTICES.md "$tree/usr/share/doc/lfr/"
    # OpenSSL is found by the language runtime when it starts.
    finish lfr utils "$(needs "$tree/usr/lib/lfr-engine"/*.so "$tree/usr/lib/lfr-engine/lfr"), libssl3" "live facial recognition for trained officers" \
        "Cameras in, alerts out; every other face is erased from memory. The command line, the console in the browser, and the service."
    install_debs
    lintian --allow-root --fail-on error,warning --info "$out"/*_"${version}"_amd64.deb >&2 || fail "lintian objects."
}

# As somebody who installs them on a new system: a program is compiled and linked as pkg-config and CMake say, lfr runs, and nothing stays when they are removed.
install_debs() {
    local package
    need_packages mmdebstrap=mmdebstrap
    mkdir -p "$place/try"
    for package in lfr liblfr liblfr-dev; do cp "$out/${package}_${version}_amd64.deb" "$place/try/"; done
    printf '#include <lfr_engine.h>\n#include <stdio.h>\nint main(void) { return puts(lfr_version()) < 0; }\n' >"$place/try/version.c"
    printf 'cmake_minimum_required(VERSION 3.20)\nproject(try C)\nfind_package(lfr %s REQUIRED)\nadd_executable(version version.c)\ntarget_link_libraries(version lfr::lfr)\n' "${version%%-*}" >"$place/try/CMakeLists.txt"
    cat >"$place/try/try.sh" <<'EOF'
set -eux
cd /try
apt-get install -y --no-install-recommends ./*.deb
gcc version.c -o version $(pkg-config --cflags --libs lfr)
./version
cmake -S . -B cmake
cmake --build cmake
cmake/version
lfr --version
lfr doctor || true
dpkg --verify lfr liblfr liblfr-dev
apt-get purge -y lfr liblfr liblfr-dev
left=$(find /etc /usr /var/lib/lfr -name '*lfr*' 2>/dev/null || true)
[ -z "$left" ]
EOF
    run "Installing the packages on a new system" mmdebstrap --format=null --variant=minbase --architectures=amd64 --include=gcc,libc6-dev,pkg-config,cmake,make,ca-certificates \
        --customize-hook="copy-in '$place/try' /" --customize-hook='chroot "$1" sh /try/try.sh >&2' "$suite" /dev/null /etc/apt/sources.list.d/debian.sources
    [ "$(grep -cE '^│ ok +│ (FFmpeg|decoders) ' "$log")" = 2 ] || fail "lfr does not find FFmpeg where its packages are installed; the log is $log."
    rm -r "$place/try"
}

# ---- Python ----

wheel() {
    need_packages python3=python3
    "$root/scripts/capi.sh" publish
    rm -f "$out"/lfr-*.whl
    say "$out/$(PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=native-interop/capi/python python3 -c 'import sys, wheel_backend; print(wheel_backend.build_wheel(sys.argv[1]))' "$out")"
}

# ---- What is in it ----

# CycloneDX: what NuGet resolved, by its own tool; the models, which npm's packages bring; Debian's packages that the decoder links to.
sbom() {
    local tool=$root/build/tools/dotnet-CycloneDX
    build_native
    [ -x "$tool" ] || run "Installing CycloneDX" dotnet tool install --tool-path "$root/build/tools" CycloneDX --version 6.3.1
    run "Resolving the graph" dotnet restore host/LfrEngine.Cli/LfrEngine.Cli.csproj -v quiet
    run "Reading the graph" "$tool" host/LfrEngine.Cli/LfrEngine.Cli.csproj -rs -dpr -ns -o "$place" -fn nuget.json -F UnsafeJson -spv 1.6 -sn lfr-engine -sv "$version"
    python3 - "$place/nuget.json" >"$out/lfr-$version.cdx.json" <<'EOF'
import datetime, glob, hashlib, json, os, re, subprocess, sys, uuid

bom = json.load(open(sys.argv[1], encoding="utf-8"))
# What only the build uses is not handed out; what stands in for the Windows packages is our own.
left_out = {c["bom-ref"] for c in bom["components"] if c.get("scope") == "excluded"}
parts = {c["bom-ref"]: c for c in bom["components"] if c["bom-ref"] not in left_out}
edges = {d["ref"]: set(d.get("dependsOn", [])) - left_out for d in bom["dependencies"] if d["ref"] not in left_out}
root = bom["metadata"]["component"]["bom-ref"]
bom["metadata"]["component"]["licenses"] = [{"license": {"id": "MIT"}}]
bom["metadata"]["timestamp"] = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def add(reference, **part):
    parts[reference] = {"bom-ref": reference, "purl": reference, **part}
    edges[reference] = set()
    edges.setdefault(root, set()).add(reference)


for path in sorted(glob.glob("models/*.json")):
    model = json.load(open(path, encoding="utf-8"))
    source = model.get("source") if isinstance(model, dict) else None
    if source and "npm" in source:
        add(f"pkg:npm/{source['npm'].replace('@', '%40')}@{source['version']}#{source['path']}", type="machine-learning-model", name=model["id"], version=source["version"],
            hashes=[{"alg": "SHA-256", "content": model["sha256"]}], licenses=[{"license": {"name": model["licence"]}}])
linked = subprocess.run(["ldd", "build/media/liblfr_media.so"], capture_output=True, text=True, check=True).stdout
files = re.findall(r"=> (/\S+)", linked)
owned = subprocess.run(["dpkg", "-S", *files, *map(os.path.realpath, files)], capture_output=True, text=True).stdout
owners = sorted({line.rsplit(": ", 1)[0].split(":")[0] for line in owned.splitlines() if not line.startswith("diversion ")})
versions = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", *owners], capture_output=True, text=True, check=True).stdout.splitlines()
for name, number in sorted({tuple(line.split(" ")) for line in versions}):
    add(f"pkg:deb/debian/{name}@{number.replace(':', '%3A')}", type="library", name=name, version=number)
bom["components"] = [parts[k] for k in sorted(parts)]
bom["dependencies"] = [{"ref": k, "dependsOn": sorted(edges[k])} for k in sorted(edges)]
bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(json.dumps(bom, sort_keys=True).encode()).hexdigest())}"
json.dump(bom, sys.stdout, indent=1, ensure_ascii=False)
# Each name that the graph points to is there, and what we know to be in it is.
known = set(parts) | {root}
missing = sorted({d for e in edges.values() for d in e} - known)
kinds = {kind: sum(r.startswith(f"pkg:{kind}/") for r in known) for kind in ("nuget", "npm", "deb")}
names = {c["name"] for c in parts.values()}
if missing or min(kinds.values()) == 0 or not {"Microsoft.ML.OnnxRuntime", "Google.Protobuf", "mobilefacenet-512"} <= names or not any(n.startswith("libavcodec") for n in names):
    sys.exit(f"The SBOM is not whole: {missing[:3]} {kinds}")
print(f"SBOM: {kinds['nuget']} NuGet, {kinds['npm']} npm, {kinds['deb']} Debian parts", file=sys.stderr)
EOF
}

sums() {
    rm -f "$out/SHA256SUMS"
    (cd "$out" && LC_ALL=C && sha256sum -- * >../sums && mv ../sums SHA256SUMS && sha256sum --quiet -c SHA256SUMS)
    say "$out/SHA256SUMS"
}

case ${1:-all} in
    nuget | host | native | deb | wheel | image | windows | sbom | sums) "$1" ;;
    all)
        rm -f "$out"/*
        nuget && host && native && deb && wheel && image && windows && sbom && sums
        ;;
    *) fail "usage: scripts/package.sh [nuget|host|native|deb|wheel|image|windows|sbom|sums]" ;;
esac
