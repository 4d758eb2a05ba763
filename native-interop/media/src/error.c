#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static _Thread_local char last_error[512];

LFR_API const char *lfr_media_last_error(void)
{
    return last_error;
}

int32_t lfr_fail(int32_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
    return status;
}

void lfr_mask_url(char *destination, size_t capacity, const char *url)
{
    const char *scheme_end = strstr(url, "://");
    if (scheme_end == NULL) {
        snprintf(destination, capacity, "%s", url);
        return;
    }
    /* The last '@' counts, wherever it stands: passwords hold unescaped '@', '/' and '?' in practice. What follows it is a host only if it looks
     * like one, and a path is shown only if it is plain: cameras take user names and passwords in paths and queries, too. */
    const char *host = scheme_end + 3;
    const char *at = strrchr(host, '@');
    const char *rest = at != NULL ? at + 1 : host;
    size_t name = strspn(rest, LETTERS ".-:[]_");
    bool is_host = rest[name] == '\0' || rest[name] == '/' || rest[name] == '?';
    size_t path = is_host ? strcspn(rest + name, "?") : 0;
    bool is_plain = is_host && strspn(rest + name, LETTERS "/.-_") >= path;
    bool hidden = !is_plain || rest[name + path] != '\0';
    snprintf(destination, capacity, "%.*s%s%.*s%.*s%s", (int)(host - url), url, at != NULL ? "***@" : "", is_host ? (int)name : 0, rest,
             is_plain ? (int)path : 0, rest + (is_host ? name : 0), !hidden ? "" : is_plain ? "?***" : is_host ? "/***" : "***");
}

lfr_error_text lfr_describe(int averror)
{
    lfr_error_text result;
    if (av_strerror(averror, result.text, sizeof result.text) < 0)
        snprintf(result.text, sizeof result.text, "FFmpeg error %d", averror);
    return result;
}
