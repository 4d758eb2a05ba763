#!/usr/bin/env bash
# Builds FFmpeg 7.1's libraries for Windows on x64 from Debian's source package, for `./lfr publish win-x64 --ffmpeg`: shared, without GPL parts, and
# only what cameras, recordings and photos need. Runs on Debian; takes about ten minutes on two free cores.
#   scripts/ffmpeg-windows.sh [FOLDER]        build/ffmpeg-windows if not given
root=$(cd "$(dirname "$0")/.." && pwd)
invoked_from=$PWD
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

out=${1:-build/ffmpeg-windows}
case $out in /*) ;; *) out=$([ $# -gt 0 ] && printf %s "$invoked_from" || printf %s "$root")/$out ;; esac
source=$root/build/ffmpeg-source
need_packages x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64 nasm=nasm make=make file:/usr/x86_64-w64-mingw32/include/zlib.h=libz-mingw-w64-dev

fetch() {
    mkdir -p "$source/lists/partial"
    cd "$source" || exit
    # Debian 13 has 7.1, whatever this machine runs; its list is kept apart from the system's.
    printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main\n' >sources.list
    local apt=(-o "Dir::Etc::sourcelist=$source/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$source/lists")
    apt-get "${apt[@]}" -qq update
    # The signature of the list vouches for the archive's hash.
    apt-get "${apt[@]}" -qq source --download-only ffmpeg
    rm -rf ffmpeg && mkdir ffmpeg && tar -xf ffmpeg_7.1*.orig.tar.xz -C ffmpeg --strip-components=1
}

# For GPL parts there is no switch here: a build without them may be passed on under the LGPL.
make_ffmpeg() {
    rm -rf "$source/objects"
    mkdir -p "$source/objects"
    cd "$source/objects" || exit
    ../ffmpeg/configure --prefix="$out" --enable-cross-compile --cross-prefix=x86_64-w64-mingw32- --arch=x86_64 --target-os=mingw64 \
        --enable-shared --disable-static --disable-programs --disable-doc --disable-debug --disable-autodetect --disable-everything \
        --disable-avfilter --disable-swscale --disable-swresample --disable-postproc --extra-ldflags=-static-libgcc \
        --enable-w32threads --enable-network --enable-schannel --enable-zlib --enable-d3d11va --enable-dxva2 \
        --enable-protocol=file,pipe,data,crypto,tcp,udp,udplite,rtp,rtmp,http,https,httpproxy,tls \
        --enable-demuxer=mov,matroska,avi,flv,asf,mpegts,mpegps,mpegvideo,h264,hevc,m4v,av1,obu,ivf,rtsp,rtp,sdp,hls,mjpeg,mpjpeg,rawvideo,yuv4mpegpipe,gif \
        --enable-demuxer=image2,image2pipe,image_jpeg_pipe,image_png_pipe,image_webp_pipe,image_bmp_pipe,image_tiff_pipe,image_gif_pipe \
        --enable-decoder=h264,hevc,mjpeg,mjpegb,mpeg1video,mpeg2video,mpeg4,vp8,vp9,av1,png,webp,bmp,tiff,gif,rawvideo,yuv4 \
        --enable-parser=h264,hevc,mjpeg,mpeg4video,mpegvideo,vp8,vp9,av1,png,webp,bmp \
        --enable-bsf=h264_mp4toannexb,hevc_mp4toannexb,extract_extradata,vp9_superframe_split,av1_frame_split \
        --enable-hwaccel=h264_d3d11va,h264_d3d11va2,hevc_d3d11va,hevc_d3d11va2,vp9_d3d11va,vp9_d3d11va2,av1_d3d11va,av1_d3d11va2 \
        --enable-encoder=mjpeg,png --enable-indev=dshow
    make -j"$(nproc)"
    make install
    # Import libraries lie beside the libraries; CMake looks for them in lib.
    cp "$out"/bin/*.lib "$out/lib/" 2>/dev/null || true
    # What they are linked with and Windows does not have.
    cp /usr/x86_64-w64-mingw32/lib/zlib1.dll "$out/bin/" 2>/dev/null || true
    cp ../ffmpeg/COPYING.LGPLv2.1 ../ffmpeg/LICENSE.md "$out/"
}

log=$(log_file ffmpeg-windows)
mkdir -p "$source"
with_progress "Fetching FFmpeg's source" "$log" bash -euc "$(declare -f fetch); source='$source'; fetch" \
    || { tail -n 5 "$log" >&2; fail "FFmpeg's source could not be fetched; the whole log is $log."; }
with_progress "Building FFmpeg for Windows" "$log" bash -euc "$(declare -f make_ffmpeg); source='$source' out='$out'; make_ffmpeg" \
    || { tail -n 20 "$log" >&2; fail "FFmpeg did not build; the whole log is $log."; }
printf '%s\n' "$out"
