#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t lfr_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

size_t platform_stack_below(const void *here)
{
    /* Of the first thread the end is found in a file of the system: once is enough. */
    static _Thread_local uintptr_t lowest;
    if (lowest == 0) {
        pthread_attr_t attributes;
        void *start = NULL;
        size_t size = 0, guard = 0;
        if (pthread_getattr_np(pthread_self(), &attributes) != 0)
            return SIZE_MAX;
        if (pthread_attr_getstack(&attributes, &start, &size) == 0 && pthread_attr_getguardsize(&attributes, &guard) == 0)
            lowest = (uintptr_t)start + guard;
        pthread_attr_destroy(&attributes);
    }
    return lowest == 0 ? SIZE_MAX : (uintptr_t)here > lowest ? (uintptr_t)here - lowest : 0;
}

size_t platform_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void *platform_map(size_t size, bool *locked)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    *locked = mlock(memory, size) == 0;
    madvise(memory, size, MADV_DONTDUMP);
#ifdef MADV_WIPEONFORK
    madvise(memory, size, MADV_WIPEONFORK);
#endif
    return memory;
}

void platform_unmap(void *memory, size_t size)
{
    munmap(memory, size);
}

void platform_sleep_ms(int milliseconds)
{
    poll(NULL, 0, milliseconds);
}

path_kind platform_path_kind(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return PATH_MISSING;
    return S_ISREG(status.st_mode)   ? PATH_FILE
           : S_ISDIR(status.st_mode) ? PATH_FOLDER
           : S_ISCHR(status.st_mode) ? PATH_DEVICE
           : S_ISBLK(status.st_mode) ? PATH_BLOCK_DEVICE
           : S_ISFIFO(status.st_mode) ? PATH_PIPE
           : S_ISSOCK(status.st_mode) ? PATH_SOCKET
                                      : PATH_OTHER;
}

int platform_open(const char *path, int64_t *size)
{
    /* Without O_NONBLOCK, opening a named pipe would wait for a writer. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    *size = 0;
    if (descriptor >= 0 && fstat(descriptor, &status) == 0) {
        if (!S_ISREG(status.st_mode)) {
            close(descriptor);
            errno = EINVAL;
            return -1;
        }
        *size = status.st_size;
    }
    return descriptor;
}

int64_t platform_read_at(int descriptor, void *buffer, size_t size, int64_t position)
{
    ssize_t count;
    do
        count = pread(descriptor, buffer, size, position);
    while (count < 0 && errno == EINTR);
    return count;
}

void platform_close(int descriptor)
{
    close(descriptor);
}

bool platform_list(const char *path, bool (*found)(void *opaque, const char *name), void *opaque)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return false;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_type != DT_DIR && !found(opaque, entry->d_name))
            break;
    closedir(folder);
    return true;
}
