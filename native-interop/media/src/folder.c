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

static bool is_picture(const char *name)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".bmp", ".webp"};
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name)
        return false;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(extensions); i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

static bool add_picture(void *opaque, const char *name)
{
    listing *list = opaque;
    if (!is_picture(name))
        return true;
    picture_folder *folder = list->folder;
    char **longer = realloc(folder->paths, ((size_t)folder->count + 1) * sizeof *longer);
    if (longer != NULL)
        folder->paths = longer;
    size_t size = strlen(list->path) + strlen(name) + 2;
    char *path = longer != NULL ? malloc(size) : NULL;
    list->complete = path != NULL;
    if (path != NULL) {
        snprintf(path, size, "%s/%s", list->path, name);
        folder->paths[folder->count++] = path;
    }
    return list->complete;
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
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "the folder %s holds no jpg, jpeg, png, bmp or webp file", path);
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
