#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct {
    picture_folder *folder;
    const char *path;
    bool complete;
} listing;

static bool named_like_picture(const char *name)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".bmp", ".webp"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < FF_ARRAY_ELEMS(extensions); i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

/* JPEG, PNG, BMP, GIF, TIFF, WebP, HEIC, AVIF. */
static bool begins_like_picture(const char *path)
{
    static const struct {
        int at;
        int size;
        const char *bytes;
    } marks[] = {{0, 3, "\xFF\xD8\xFF"}, {0, 8, "\x89PNG\r\n\x1A\n"}, {0, 2, "BM"}, {0, 4, "GIF8"}, {0, 4, "II*\0"}, {0, 4, "MM\0*"},
                 {8, 4, "WEBP"}, {4, 7, "ftyphei"}, {4, 7, "ftyphev"}, {4, 8, "ftypmif1"}, {4, 8, "ftypmsf1"}, {4, 8, "ftypavif"}, {4, 8, "ftypavis"}};
    char start[12];
    int64_t size = 0;
    int descriptor = platform_open(path, &size);
    if (descriptor < 0)
        return false;
    int64_t count = platform_read_at(descriptor, start, sizeof start, 0);
    platform_close(descriptor);
    for (size_t i = 0; i < FF_ARRAY_ELEMS(marks); i++)
        if (count >= marks[i].at + marks[i].size && memcmp(start + marks[i].at, marks[i].bytes, (size_t)marks[i].size) == 0)
            return true;
    return false;
}

/* The first bytes of a file decide whether it is a picture. A file that only has the name of a picture counts as damaged, which is reported when it is read. */
static bool add_picture(void *opaque, const char *name)
{
    listing *list = opaque;
    picture_folder *folder = list->folder;
    if (name[0] == '.')
        return true;
    size_t size = strlen(list->path) + strlen(name) + 2;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%s/%s", list->path, name);
    if (path != NULL && !named_like_picture(name) && !begins_like_picture(path)) {
        free(path);
        return true;
    }
    char **longer = path != NULL ? realloc(folder->paths, ((size_t)folder->count + 1) * sizeof *longer) : NULL;
    list->complete = longer != NULL;
    if (longer == NULL) {
        free(path);
        return false;
    }
    folder->paths = longer;
    folder->paths[folder->count++] = path;
    return true;
}

static int compare_bytes(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

int32_t folder_list(picture_folder *folder, const char *path)
{
    *folder = (picture_folder){0};
    listing list = {folder, path, true};
    if (!platform_list(path, add_picture, &list))
        return lfr_fail(LFR_MEDIA_CANNOT_OPEN, "cannot read the folder %s: %s", path, strerror(errno));
    if (!list.complete) {
        folder_free(folder);
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for the list of pictures in %s", path);
    }
    if (folder->count == 0)
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "the folder \"%s\" contains no picture (JPEG, PNG, BMP, WebP, GIF, TIFF, HEIC or AVIF)", path);
    qsort(folder->paths, (size_t)folder->count, sizeof *folder->paths, compare_bytes);
    return LFR_MEDIA_OK;
}

void folder_free(picture_folder *folder)
{
    for (int64_t i = 0; i < folder->count; i++)
        free(folder->paths[i]);
    free(folder->paths);
    *folder = (picture_folder){0};
}
