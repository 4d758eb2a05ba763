#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int is_picture(const struct dirent *entry)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".bmp", ".webp"};
    const char *dot = strrchr(entry->d_name, '.');
    if (dot == NULL || dot == entry->d_name || entry->d_type == DT_DIR)
        return 0;
    for (size_t i = 0; i < FF_ARRAY_ELEMS(extensions); i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return 1;
    return 0;
}

static int compare_bytes(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

int32_t folder_list(picture_folder *folder, const char *path)
{
    *folder = (picture_folder){0};
    struct dirent **entries;
    int count = scandir(path, &entries, is_picture, compare_bytes);
    if (count < 0)
        return lfr_fail(LFR_MEDIA_CANNOT_OPEN, "cannot read the folder %s: %s", path, strerror(errno));
    bool complete = true;
    folder->paths = calloc((size_t)count + 1, sizeof *folder->paths);
    for (int i = 0; i < count; i++) {
        if (folder->paths != NULL && asprintf(&folder->paths[i], "%s/%s", path, entries[i]->d_name) < 0) {
            folder->paths[i] = NULL;
            complete = false;
        }
        free(entries[i]);
    }
    free(entries);
    folder->count = folder->paths != NULL ? count : 0;
    if (folder->paths == NULL || !complete) {
        folder_free(folder);
        return lfr_fail(LFR_MEDIA_OUT_OF_MEMORY, "no memory for the list of pictures in %s", path);
    }
    if (count == 0) {
        folder_free(folder);
        return lfr_fail(LFR_MEDIA_NOT_VIDEO, "the folder %s holds no jpg, jpeg, png, bmp or webp file", path);
    }
    return LFR_MEDIA_OK;
}

void folder_free(picture_folder *folder)
{
    for (int64_t i = 0; i < folder->count; i++)
        free(folder->paths[i]);
    free(folder->paths);
    *folder = (picture_folder){0};
}
