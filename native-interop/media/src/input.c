#include "internal.h"

#include <errno.h>
#include <string.h>

#define BUFFER_BYTES (64 * 1024)
#define FIRST_PROBE_BYTES 2048
#define PROBE_BYTES (1 << 20)

static int read_bytes(void *opaque, uint8_t *buffer, int wanted)
{
    byte_input *input = opaque;
    if (*input->interrupted)
        return AVERROR_EXIT;
    if (input->descriptor < 0) {
        if (input->position >= input->size)
            return AVERROR_EOF;
        int64_t count = FFMIN(wanted, input->size - input->position);
        memcpy(buffer, input->memory + input->position, (size_t)count);
        input->position += count;
        return (int)count;
    }
    int64_t count = platform_read_at(input->descriptor, buffer, (size_t)wanted, input->position);
    if (count < 0)
        return AVERROR(errno);
    input->position += count;
    return count == 0 ? AVERROR_EOF : (int)count;
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
    byte_input *input = opaque;
    switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
        return input->size;
    case SEEK_SET:
        break;
    case SEEK_CUR:
        offset += input->position;
        break;
    case SEEK_END:
        offset += input->size;
        break;
    default:
        return AVERROR(EINVAL);
    }
    if (offset < 0)
        return AVERROR(EINVAL);
    return input->position = offset;
}

static int32_t make_context(byte_input *input)
{
    uint8_t *buffer = av_malloc(BUFFER_BYTES);
    if (buffer != NULL)
        input->context = avio_alloc_context(buffer, BUFFER_BYTES, 0, input, read_bytes, NULL, seek_bytes);
    if (input->context == NULL) {
        av_free(buffer);
        if (input->descriptor >= 0)
            platform_close(input->descriptor);
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for the input buffer");
    }
    return LFR_MEDIA_OK;
}

const char *path_kind_name(path_kind kind)
{
    switch (kind) {
    case PATH_FOLDER:
        return "a folder";
    case PATH_DEVICE:
    case PATH_BLOCK_DEVICE:
        return "a device";
    case PATH_PIPE:
        return "a named pipe";
    case PATH_SOCKET:
        return "a socket";
    case PATH_OTHER:
        return "something else";
    default:
        return NULL;
    }
}

int32_t input_open_file(byte_input *input, const char *path, const atomic_bool *interrupted)
{
    *input = (byte_input){.interrupted = interrupted};
    input->descriptor = platform_open(path, &input->size);
    int reason = errno;
    const char *other = input->descriptor < 0 ? path_kind_name(platform_path_kind(path)) : NULL;
    if (other != NULL)
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "%s is %s, not a file", path, other);
    errno = reason;
    if (input->descriptor < 0)
        return lfr_fail(LFR_MEDIA_CANNOT_OPEN, "cannot open %s: %s", path, strerror(errno));
    if (input->size == 0) {
        platform_close(input->descriptor);
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "%s is empty", path);
    }
    return make_context(input);
}

int32_t input_open_memory(byte_input *input, const uint8_t *data, int64_t size, const atomic_bool *interrupted)
{
    *input = (byte_input){.descriptor = -1, .memory = data, .size = size, .interrupted = interrupted};
    return make_context(input);
}

bool input_starts_like_mp4(byte_input *input)
{
    uint8_t start[8] = {0};
    input->position = 0;
    return read_bytes(input, start, sizeof start) == (int)sizeof start && memcmp(start + 4, "ftyp", 4) == 0;
}

const AVInputFormat *input_probe(byte_input *input, const char *name)
{
    int most = (int)FFMIN(input->size, PROBE_BYTES);
    frame_pool *pool = pool_create(POOL_FRAMES, NULL);
    AVBufferRef *start = pool != NULL ? pool_get(pool, (size_t)most + AVPROBE_PADDING_SIZE) : NULL;
    const AVInputFormat *found = NULL;
    /* As libavformat does it: a doubtful answer counts only when there is no more to look at. */
    bool last = start == NULL;
    input->refused = last ? (int64_t)most + AVPROBE_PADDING_SIZE : 0;
    for (int wanted = FFMIN(FIRST_PROBE_BYTES, most), have = 0; found == NULL && !last; wanted = FFMIN(2 * wanted, most)) {
        int count = 1;
        while (have < wanted && count > 0) {
            count = read_bytes(input, start->data + have, wanted - have);
            have += FFMAX(count, 0);
        }
        last = wanted == most || count <= 0;
        const AVProbeData probe = {.filename = name != NULL ? name : "", .buf = start->data, .buf_size = have};
        int score = last ? 0 : AVPROBE_SCORE_RETRY;
        found = av_probe_input_format2(&probe, 1, &score);
    }
    av_buffer_unref(&start);
    if (pool != NULL)
        pool_close(pool);
    input->position = 0;
    return found;
}

void input_scrub(byte_input *input)
{
    AVIOContext *context = input->context;
    int64_t position = avio_tell(context);
    if (position < 0)
        return;
    lfr_wipe(context->buffer, (size_t)context->buffer_size);
    context->buf_ptr = context->buf_end = context->buffer;
    context->pos = input->position = position;
    context->eof_reached = 0;
}

void input_close(byte_input *input)
{
    if (input->context != NULL) {
        /* libavformat may have replaced the buffer while it probed; this is the one in use at the end. */
        if (input->context->buffer != NULL)
            lfr_wipe(input->context->buffer, (size_t)input->context->buffer_size);
        av_freep(&input->context->buffer);
        avio_context_free(&input->context);
    }
    if (input->descriptor >= 0)
        platform_close(input->descriptor);
    input->descriptor = -1;
}
