#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <windows.h>

/* The path for Windows; the caller frees it. NULL with errno where it is no UTF-8 or memory is short. */
static wchar_t *widen(const char *path, const wchar_t *suffix)
{
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
    wchar_t *wide = length > 0 ? malloc(((size_t)length + wcslen(suffix)) * sizeof *wide) : NULL;
    if (wide == NULL) {
        errno = length > 0 ? ENOMEM : EINVAL;
        return NULL;
    }
    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, length);
    return wcscat(wide, suffix);
}

int64_t lfr_now_ns(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    /* In two parts: the product of a count of days and 10^9 does not fit. */
    return now.QuadPart / frequency.QuadPart * 1000000000 +
           now.QuadPart % frequency.QuadPart * 1000000000 / frequency.QuadPart;
}

size_t platform_stack_below(const void *here)
{
    ULONG_PTR lowest, highest;
    GetCurrentThreadStackLimits(&lowest, &highest);
    return (ULONG_PTR)here > lowest ? (ULONG_PTR)here - lowest : 0;
}

size_t platform_page_size(void)
{
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    return system.dwPageSize;
}

void *platform_map(size_t size, bool *locked)
{
    void *memory = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    *locked = memory != NULL && VirtualLock(memory, size);
    return memory;
}

void platform_unmap(void *memory, size_t size)
{
    (void)size;
    VirtualFree(memory, 0, MEM_RELEASE);
}

void platform_sleep_ms(int milliseconds)
{
    Sleep((DWORD)milliseconds);
}

path_kind platform_path_kind(const char *path)
{
    wchar_t *wide = widen(path, L"");
    struct _stat64 status;
    int result = wide != NULL ? _wstat64(wide, &status) : -1;
    free(wide);
    if (result != 0)
        return PATH_MISSING;
    return S_ISREG(status.st_mode) ? PATH_FILE : S_ISDIR(status.st_mode) ? PATH_FOLDER : PATH_OTHER;
}

int platform_open(const char *path, int64_t *size)
{
    wchar_t *wide = widen(path, L"");
    int descriptor = wide != NULL ? _wopen(wide, _O_RDONLY | _O_BINARY | _O_NOINHERIT) : -1;
    free(wide);
    int64_t length = descriptor >= 0 ? _filelengthi64(descriptor) : 0;
    *size = length > 0 ? length : 0;
    return descriptor;
}

int64_t platform_read_at(int descriptor, void *buffer, size_t size, int64_t position)
{
    if (_lseeki64(descriptor, position, SEEK_SET) < 0)
        return -1;
    return _read(descriptor, buffer, size < INT_MAX ? (unsigned)size : INT_MAX);
}

void platform_close(int descriptor)
{
    _close(descriptor);
}

bool platform_list(const char *path, bool (*found)(void *opaque, const char *name), void *opaque)
{
    wchar_t *pattern = widen(path, L"\\*");
    if (pattern == NULL)
        return false;
    WIN32_FIND_DATAW entry;
    HANDLE search = FindFirstFileW(pattern, &entry);
    free(pattern);
    if (search == INVALID_HANDLE_VALUE) {
        errno = ENOENT;
        return false;
    }
    bool more = true;
    while (more) {
        /* A name of 260 UTF-16 units is at most three times as many bytes. */
        char name[3 * MAX_PATH + 1];
        bool is_file = !(entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY);
        int length = WideCharToMultiByte(CP_UTF8, 0, entry.cFileName, -1, name, sizeof name, NULL, NULL);
        more = !(is_file && length > 0 && !found(opaque, name)) && FindNextFileW(search, &entry);
    }
    FindClose(search);
    return true;
}
