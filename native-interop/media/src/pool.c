#include "internal.h"

#include <libavutil/imgutils.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Enough for the reference frames of H.264 to come and go without a system call. */
#define MAX_FREE_BLOCKS 20
/* Packets have all sizes; rounding up to a power of two, at least this, allows reuse of blocks. */
#define SMALLEST_PACKET_BLOCK ((size_t)16 << 10)
/* Limits the free buffers for a folder of large pictures in many sizes. */
#define MAX_FREE_BYTES ((size_t)128 << 20)
/* Deeper than decoders go. */
#define STACK_BYTES ((size_t)256 * 1024)
/* Left alone at the end of the stack: signal frames, and what calls below this need. */
#define STACK_RESERVE ((size_t)48 * 1024)
/* AVX-512 rows. */
#define ROW_ALIGN 64
/* Decoders read and write a little past a plane's last row. */
#define PLANE_PADDING 128

typedef struct block {
    struct block *previous;
    struct block *next;
    frame_pool *pool;
    uint8_t *memory;
    size_t size;
    bool locked;
} block;

/* Newest first. */
typedef struct {
    block *first;
    block *last;
    int count;
    size_t bytes;
} block_list;

typedef struct {
    _Atomic int64_t buffers_outstanding;
    _Atomic int64_t bytes_allocated;
    _Atomic int64_t bytes_unlocked;
    _Atomic int64_t buffers_wiped;
    _Atomic int64_t packets_wiped;
    _Atomic int64_t packets_shared;
    _Atomic int64_t packets_outstanding;
    _Atomic int64_t scrubs;
} counters;

/* One reference for the caller and one for each pool, as buffers may outlive both the caller and their reader. */
struct lfr_media_account {
    counters counts;
    _Atomic int64_t references;
};

struct frame_pool {
    pool_use use;
    lfr_media_account *account;
    pthread_mutex_t lock;
    block_list free;
    block_list held;
    bool closed;
    _Atomic int64_t refused;
};

static counters process;
static _Atomic int64_t own_budget[4];
static _Atomic int64_t *budget = own_budget;

void lfr_media_share_budget(int64_t *shared)
{
    budget = (_Atomic int64_t *)shared;
}

static bool budget_take(int64_t size)
{
    int64_t held = (budget[LFR_BUDGET_HELD] += size), most = budget[LFR_BUDGET_MOST];
    if (most > 0 && held > most) {
        budget[LFR_BUDGET_HELD] -= size;
        return false;
    }
    return true;
}

/* After it has been mapped. */
static void budget_peak(void)
{
    int64_t held = budget[LFR_BUDGET_HELD], peak = budget[LFR_BUDGET_PEAK];
    while (held > peak && !atomic_compare_exchange_weak(&budget[LFR_BUDGET_PEAK], &peak, held)) {
    }
}

/* For the process, and for the account, which may be NULL. */
#define COUNT(account, what, amount)                                                                                   \
    do {                                                                                                               \
        process.what += (amount);                                                                                      \
        if ((account) != NULL)                                                                                         \
            (account)->counts.what += (amount);                                                                        \
    } while (0)

#ifdef LFR_TEST_HOOKS
/* For the positive control of the forensic tests; never in a library that ships. */
bool lfr_keeps_everything(void)
{
    const char *value = getenv("LFR_TEST_NO_WIPE");
    return value != NULL && value[0] == '1';
}
#endif

void lfr_wipe(void *memory, size_t size)
{
    if (lfr_keeps_everything())
        return;
    memset(memory, 0, size);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}

/* The last bytes that memcpy moved are still in vector registers, and code that saves those (the dynamic linker, a signal)
 * writes them to the stack again. */
#if defined(__x86_64__)
__attribute__((target("avx"))) static void clear_avx(void)
{
    __asm__ __volatile__("vzeroall" : : : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                         "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

__attribute__((target("avx512f"))) static void clear_avx512(void)
{
    __asm__ __volatile__(
        "vpxord %%zmm16, %%zmm16, %%zmm16\n\t"
        "vpxord %%zmm17, %%zmm17, %%zmm17\n\t"
        "vpxord %%zmm18, %%zmm18, %%zmm18\n\t"
        "vpxord %%zmm19, %%zmm19, %%zmm19\n\t"
        "vpxord %%zmm20, %%zmm20, %%zmm20\n\t"
        "vpxord %%zmm21, %%zmm21, %%zmm21\n\t"
        "vpxord %%zmm22, %%zmm22, %%zmm22\n\t"
        "vpxord %%zmm23, %%zmm23, %%zmm23\n\t"
        "vpxord %%zmm24, %%zmm24, %%zmm24\n\t"
        "vpxord %%zmm25, %%zmm25, %%zmm25\n\t"
        "vpxord %%zmm26, %%zmm26, %%zmm26\n\t"
        "vpxord %%zmm27, %%zmm27, %%zmm27\n\t"
        "vpxord %%zmm28, %%zmm28, %%zmm28\n\t"
        "vpxord %%zmm29, %%zmm29, %%zmm29\n\t"
        "vpxord %%zmm30, %%zmm30, %%zmm30\n\t"
        "vpxord %%zmm31, %%zmm31, %%zmm31\n\t"
        : : : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
              "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
}

static void clear_registers(void)
{
    if (__builtin_cpu_supports("avx512f"))
        clear_avx512();
    if (__builtin_cpu_supports("avx"))
        clear_avx();
}
#elif defined(__aarch64__)
static void clear_registers(void)
{
    __asm__ __volatile__(
        "movi v0.2d, #0\n\t"
        "movi v1.2d, #0\n\t"
        "movi v2.2d, #0\n\t"
        "movi v3.2d, #0\n\t"
        "movi v4.2d, #0\n\t"
        "movi v5.2d, #0\n\t"
        "movi v6.2d, #0\n\t"
        "movi v7.2d, #0\n\t"
        "movi v8.2d, #0\n\t"
        "movi v9.2d, #0\n\t"
        "movi v10.2d, #0\n\t"
        "movi v11.2d, #0\n\t"
        "movi v12.2d, #0\n\t"
        "movi v13.2d, #0\n\t"
        "movi v14.2d, #0\n\t"
        "movi v15.2d, #0\n\t"
        "movi v16.2d, #0\n\t"
        "movi v17.2d, #0\n\t"
        "movi v18.2d, #0\n\t"
        "movi v19.2d, #0\n\t"
        "movi v20.2d, #0\n\t"
        "movi v21.2d, #0\n\t"
        "movi v22.2d, #0\n\t"
        "movi v23.2d, #0\n\t"
        "movi v24.2d, #0\n\t"
        "movi v25.2d, #0\n\t"
        "movi v26.2d, #0\n\t"
        "movi v27.2d, #0\n\t"
        "movi v28.2d, #0\n\t"
        "movi v29.2d, #0\n\t"
        "movi v30.2d, #0\n\t"
        "movi v31.2d, #0\n\t"
        : : : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
              "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}
#else
static void clear_registers(void)
{
}
#endif

__attribute__((noinline)) static void wipe_below(size_t size)
{
    uint8_t *below = __builtin_alloca(size);
    lfr_wipe(below, size);
}

__attribute__((noinline)) void lfr_wipe_stack(void)
{
    uint8_t here = 0;
    size_t room = platform_stack_below(&here);
    if (room > STACK_RESERVE)
        wipe_below(FFMIN(STACK_BYTES, room - STACK_RESERVE));
    clear_registers();
}

static void list_add(block_list *list, block *item)
{
    item->previous = NULL;
    item->next = list->first;
    if (list->first != NULL)
        list->first->previous = item;
    else
        list->last = item;
    list->first = item;
    list->count++;
    list->bytes += item->size;
}

static void list_remove(block_list *list, block *item)
{
    if (item->previous != NULL)
        item->previous->next = item->next;
    else
        list->first = item->next;
    if (item->next != NULL)
        item->next->previous = item->previous;
    else
        list->last = item->previous;
    list->count--;
    list->bytes -= item->size;
}

static block *block_map(frame_pool *pool, size_t size)
{
    block *item = calloc(1, sizeof *item);
    if (item == NULL)
        return NULL;
    item->pool = pool;
    item->size = size;
    if (!budget_take((int64_t)size)) {
        pool->refused = (int64_t)size;
        free(item);
        return NULL;
    }
    item->memory = platform_map(size, &item->locked);
    if (item->memory == NULL) {
        budget[LFR_BUDGET_HELD] -= (int64_t)size;
        free(item);
        return NULL;
    }
    budget_peak();
    if (!item->locked) {
        budget[LFR_BUDGET_UNLOCKED] += (int64_t)size;
        COUNT(pool->account, bytes_unlocked, (int64_t)size);
    }
    COUNT(pool->account, bytes_allocated, (int64_t)size);
    return item;
}

static void block_unmap(block *item, lfr_media_account *account)
{
    if (lfr_keeps_everything())
        return;
    platform_unmap(item->memory, item->size);
    budget[LFR_BUDGET_HELD] -= (int64_t)item->size;
    COUNT(account, bytes_allocated, -(int64_t)item->size);
    if (!item->locked) {
        budget[LFR_BUDGET_UNLOCKED] -= (int64_t)item->size;
        COUNT(account, bytes_unlocked, -(int64_t)item->size);
    }
    free(item);
}

lfr_media_account *account_create(void)
{
    lfr_media_account *account = calloc(1, sizeof *account);
    if (account != NULL)
        account->references = 1;
    return account;
}

static lfr_media_account *account_retain(lfr_media_account *account)
{
    if (account != NULL)
        account->references++;
    return account;
}

void account_release(lfr_media_account *account)
{
    if (account != NULL && --account->references == 0)
        free(account);
}

static void pool_free(frame_pool *pool)
{
    account_release(pool->account);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* The AVBuffer's free callback: the decoder holds no reference any more either. */
static void block_release(void *opaque, uint8_t *data)
{
    (void)data;
    block *item = opaque;
    frame_pool *pool = item->pool;
    bool packet = pool->use == POOL_PACKETS;
    /* Freeing the last buffer of a closed pool also frees the pool and its reference to the account, possibly on another thread. */
    lfr_media_account *account = account_retain(pool->account);
    lfr_wipe(item->memory, item->size);
    if (packet)
        COUNT(account, packets_wiped, 1);
    else
        COUNT(account, buffers_wiped, 1);

    pthread_mutex_lock(&pool->lock);
    list_remove(&pool->held, item);
    block *surplus = NULL;
    if (pool->closed) {
        surplus = item;
        item->next = NULL;
    } else {
        list_add(&pool->free, item);
        while (pool->free.count > MAX_FREE_BLOCKS || (pool->free.bytes > MAX_FREE_BYTES && pool->free.count > 1)) {
            block *oldest = pool->free.last;
            list_remove(&pool->free, oldest);
            oldest->next = surplus;
            surplus = oldest;
        }
    }
    bool last = pool->closed && pool->held.count == 0;
    pthread_mutex_unlock(&pool->lock);

    while (surplus != NULL) {
        block *next = surplus->next;
        block_unmap(surplus, account);
        surplus = next;
    }
    if (packet)
        COUNT(account, packets_outstanding, -1);
    else
        COUNT(account, buffers_outstanding, -1);
    if (last)
        pool_free(pool);
    account_release(account);
}

frame_pool *pool_create(pool_use use, lfr_media_account *account)
{
    frame_pool *pool = calloc(1, sizeof *pool);
    if (pool != NULL && pthread_mutex_init(&pool->lock, NULL) != 0) {
        free(pool);
        return NULL;
    }
    if (pool == NULL)
        return NULL;
    pool->use = use;
    pool->account = account_retain(account);
    return pool;
}

void pool_close(frame_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    block *item = pool->free.first;
    pool->free = (block_list){0};
    bool last = pool->held.count == 0;
    lfr_media_account *account = account_retain(pool->account);
    pthread_mutex_unlock(&pool->lock);

    while (item != NULL) {
        block *next = item->next;
        block_unmap(item, account);
        item = next;
    }
    if (last)
        pool_free(pool);
    account_release(account);
}

int64_t pool_refused(const frame_pool *pool)
{
    return pool->refused;
}

int64_t pool_limit(void)
{
    return budget[LFR_BUDGET_MOST];
}

AVBufferRef *pool_get(frame_pool *pool, size_t size)
{
    size_t page = platform_page_size();
    size = (size + page - 1) / page * page;

    pthread_mutex_lock(&pool->lock);
    block *item = pool->free.first;
    while (item != NULL && item->size != size)
        item = item->next;
    if (item != NULL)
        list_remove(&pool->free, item);
    pthread_mutex_unlock(&pool->lock);

    if (item == NULL)
        item = block_map(pool, size);
    if (item == NULL)
        return NULL;
    AVBufferRef *buffer = av_buffer_create(item->memory, item->size, block_release, item, 0);
    if (buffer == NULL) {
        block_unmap(item, pool->account);
        return NULL;
    }
    pthread_mutex_lock(&pool->lock);
    list_add(&pool->held, item);
    pthread_mutex_unlock(&pool->lock);
    if (pool->use == POOL_PACKETS)
        COUNT(pool->account, packets_outstanding, 1);
    else
        COUNT(pool->account, buffers_outstanding, 1);
    return buffer;
}

int pool_adopt_packet(frame_pool *pool, AVPacket *packet)
{
    if (packet->buf == NULL || packet->size <= 0)
        return 0;
    size_t needed = (size_t)packet->size + AV_INPUT_BUFFER_PADDING_SIZE;
    size_t size = SMALLEST_PACKET_BLOCK;
    while (size < needed)
        size *= 2;
    AVBufferRef *copy = pool_get(pool, size);
    if (copy == NULL)
        return AVERROR(ENOMEM);
    memcpy(copy->data, packet->data, (size_t)packet->size);
    if (av_buffer_is_writable(packet->buf))
        lfr_wipe(packet->buf->data, packet->buf->size);
    else
        COUNT(pool->account, packets_shared, 1);
    av_buffer_unref(&packet->buf);
    packet->buf = copy;
    packet->data = copy->data;
    return 0;
}

int pool_get_picture(frame_pool *pool, enum AVPixelFormat format, int width, int height, const int *row_align,
                     pool_picture *picture)
{
    *picture = (pool_picture){0};
    int result = av_image_fill_linesizes(picture->stride, format, width);
    if (result < 0)
        return result;
    ptrdiff_t strides[4];
    for (int plane = 0; plane < 4; plane++) {
        int align = row_align != NULL && row_align[plane] > ROW_ALIGN ? row_align[plane] : ROW_ALIGN;
        picture->stride[plane] = FFALIGN(picture->stride[plane], align);
        strides[plane] = picture->stride[plane];
    }
    size_t sizes[4];
    result = av_image_fill_plane_sizes(sizes, format, height, strides);
    if (result < 0)
        return result;

    size_t offsets[4];
    size_t total = 0;
    for (int plane = 0; plane < 4; plane++) {
        offsets[plane] = total;
        if (sizes[plane] > 0)
            total += (sizes[plane] + PLANE_PADDING + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN;
    }
    picture->buffer = pool_get(pool, total);
    if (picture->buffer == NULL)
        return AVERROR(ENOMEM);
    for (int plane = 0; plane < 4; plane++)
        picture->data[plane] = sizes[plane] > 0 ? picture->buffer->data + offsets[plane] : NULL;
    return 0;
}

bool pool_owns(frame_pool *pool, const AVBufferRef *buffer)
{
    if (buffer == NULL)
        return false;
    pthread_mutex_lock(&pool->lock);
    block *item = pool->held.first;
    while (item != NULL && item->memory != buffer->data)
        item = item->next;
    pthread_mutex_unlock(&pool->lock);
    return item != NULL;
}

int64_t pool_count_residue(frame_pool *pool)
{
    int64_t bytes = 0;
    pthread_mutex_lock(&pool->lock);
    for (const block *item = pool->free.first; item != NULL; item = item->next)
        for (size_t i = 0; i < item->size; i++)
            bytes += item->memory[i] != 0;
    pthread_mutex_unlock(&pool->lock);
    return bytes;
}

void pool_read_stats(const lfr_media_account *account, lfr_media_stats *stats)
{
    const counters *counts = account != NULL ? &account->counts : &process;
    stats->buffers_outstanding = counts->buffers_outstanding;
    stats->bytes_allocated = counts->bytes_allocated;
    stats->bytes_unlocked = counts->bytes_unlocked;
    stats->buffers_wiped = counts->buffers_wiped;
    stats->packets_wiped = counts->packets_wiped;
    stats->packets_shared = counts->packets_shared;
    stats->packets_outstanding = counts->packets_outstanding;
    stats->scrubs = counts->scrubs;
}

void pool_count_scrub(frame_pool *pool)
{
    COUNT(pool->account, scrubs, 1);
}
