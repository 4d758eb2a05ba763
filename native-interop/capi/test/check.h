/* What the tests in C share. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lfr_engine.h"

static int failures, checks;

#define CHECK(condition)                                                                    \
    do {                                                                                    \
        checks++;                                                                           \
        if (!(condition)) {                                                                 \
            failures++;                                                                     \
            fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition, lfr_last_error()); \
        }                                                                                   \
    } while (0)

#define GIVES(call, expected)                                                               \
    do {                                                                                    \
        int32_t given = (call);                                                             \
        checks++;                                                                           \
        if (given != (expected)) {                                                          \
            failures++;                                                                     \
            fprintf(stderr, "%s:%d: %s gives %s, not %s (last error: %s)\n", __FILE__, __LINE__, #call, lfr_status_name(given), lfr_status_name(expected), lfr_last_error()); \
        }                                                                                   \
    } while (0)

/* The sentence of a refused call names what was wrong, on one line, and nothing of the library's own code. */
#define REFUSES(call, expected, word)                                                       \
    do {                                                                                    \
        GIVES(call, expected);                                                              \
        CHECK(strstr(lfr_last_error(), word) != NULL);                                      \
        CHECK(!strpbrk(lfr_last_error(), "\r\n") && !strstr(lfr_last_error(), "(Parameter") && !strstr(lfr_last_error(), "Exception")); \
    } while (0)

/* The library's structure is exactly as large as the header's: one byte less is refused. */
#define SIZED(variable, call)                                                               \
    do {                                                                                    \
        memset(&(variable), 0, sizeof(variable));                                           \
        (variable).struct_size = (uint32_t)sizeof(variable) - 1;                            \
        REFUSES(call, LFR_BAD_ARGUMENT, "struct_size");                                     \
        (variable).struct_size = (uint32_t)sizeof(variable);                                \
        GIVES(call, LFR_OK);                                                                \
    } while (0)

/* A structure that has grown: a byte less than it had first is refused, what it had first is filled, and not a byte more. */
#define GROWN(variable, first, call)                                                        \
    do {                                                                                    \
        memset(&(variable), 0x5a, sizeof(variable));                                        \
        (variable).struct_size = (uint32_t)(first) - 1;                                     \
        REFUSES(call, LFR_BAD_ARGUMENT, "struct_size");                                     \
        (variable).struct_size = (uint32_t)(first);                                         \
        GIVES(call, LFR_OK);                                                                \
        for (size_t i = (first); i < sizeof(variable); i++)                                 \
            CHECK(((const unsigned char *)&(variable))[i] == 0x5a);                         \
        (variable).struct_size = (uint32_t)sizeof(variable);                                \
        GIVES(call, LFR_OK);                                                                \
    } while (0)

static inline int64_t open_handles(int32_t kind)
{
    int64_t count = -1;
    GIVES(lfr_open_handles(kind, &count), LFR_OK);
    return count;
}

static inline uint8_t *read_file(const char *path, int64_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s cannot be opened\n", path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc((size_t)*size);
    if (!bytes || fread(bytes, 1, (size_t)*size, file) != (size_t)*size)
        exit(2);
    fclose(file);
    return bytes;
}

#endif
