/* Decodes as a camera process would, and then waits to be searched.
 *   media_child FILE THREADS HOW
 * HOW: close     reads all frames and closes the reader
 *      memory    the same, from bytes that lie in memory (wiped at the end)
 *      abandon   reads half of the frames and closes
 *      pause     reads half of the frames, scrubs, and keeps the reader open
 *      picture   encodes the first frame as JPEG and PNG, then closes
 * Says "ready" when it is to be searched; ends with its input. Knows nothing of what is searched for. */
#include "lfr_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s: %s\n", what, lfr_media_last_error());
        exit(1);
    }
}

static void encode(const lfr_frame_info *frame)
{
    /* Room that is given back to the system: the file is the caller's, not the encoder's. */
    size_t room = 16 << 20;
    uint8_t *file = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    lfr_image image = {
        .struct_size = sizeof image,
        .format = LFR_PIXEL_I420,
        .width = frame->width,
        .height = frame->height,
        .range = LFR_RANGE_FULL,
    };
    for (int plane = 0; plane < 3; plane++) {
        image.plane[plane] = frame->plane[plane];
        image.row_stride[plane] = frame->row_stride[plane];
    }
    int64_t written;
    lfr_encoder *encoder;
    require(lfr_encoder_open(LFR_IMAGE_JPEG, 90, &encoder) == LFR_MEDIA_OK, "jpeg");
    require(lfr_encoder_encode(encoder, &image, file, (int64_t)room, &written) == LFR_MEDIA_OK, "jpeg");
    lfr_encoder_close(encoder);
    image.format = LFR_PIXEL_GREY;
    require(lfr_encoder_open(LFR_IMAGE_PNG, 90, &encoder) == LFR_MEDIA_OK, "png");
    require(lfr_encoder_encode(encoder, &image, file, (int64_t)room, &written) == LFR_MEDIA_OK, "png");
    lfr_encoder_close(encoder);
    munmap(file, room);
}

int main(int count, char **arguments)
{
    require(count == 4, "usage");
    const char *how = arguments[3];
    lfr_media_options options = {
        .struct_size = sizeof options,
        .decoder_threads = atoi(arguments[2]),
        .picture_interval_us = 40000,
    };
    lfr_media *media;
    require(lfr_media_create(NULL, &media) == LFR_MEDIA_OK, "create");
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (strcmp(how, "memory") == 0) {
        FILE *file = fopen(arguments[1], "rb");
        require(file != NULL, "file");
        setvbuf(file, NULL, _IONBF, 0);
        fseek(file, 0, SEEK_END);
        size = (size_t)ftell(file);
        rewind(file);
        bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(fread(bytes, 1, size, file) == size, "read");
        fclose(file);
        require(lfr_media_open_memory(media, bytes, (int64_t)size, &options) == LFR_MEDIA_OK, "open");
    } else {
        require(lfr_media_open(media, arguments[1], &options) == LFR_MEDIA_OK, "open");
    }

    int half = strcmp(how, "abandon") == 0 || strcmp(how, "pause") == 0;
    int frames = 0;
    lfr_frame *frame;
    int32_t status;
    while ((status = lfr_media_read(media, &frame)) == LFR_MEDIA_OK) {
        lfr_frame_info info = {.struct_size = sizeof info};
        require(lfr_frame_get_info(frame, &info) == LFR_MEDIA_OK, "info");
        if (frames == 0 && strcmp(how, "picture") == 0)
            encode(&info);
        lfr_frame_release(frame);
        if (++frames == 30 && half)
            break;
    }
    require(frames >= 30 && (half || status == LFR_MEDIA_END), "frames");
    if (strcmp(how, "pause") == 0)
        require(lfr_media_scrub(media) == LFR_MEDIA_OK, "scrub");
    else
        lfr_media_close(media);
    if (bytes != NULL)
        munmap(bytes, size);

    puts("ready");
    fflush(stdout);
    return getchar() == EOF ? 0 : 0;
}
