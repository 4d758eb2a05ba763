#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Up to the path, the query or the fragment. */
static size_t authority_length(const char *text)
{
    return strcspn(text, "/?#");
}

/* host, host:port, [address] or [address]:port; *sure: more than a bare name, so hardly a piece of a password or a path. */
static bool is_host(const char *text, bool *sure)
{
    size_t length = authority_length(text);
    size_t name = 0;
    bool dotted = false;
    *sure = false;
    if (text[0] == '[') {
        name = strcspn(text, "]") + 1;
        *sure = true;
    } else {
        while (name < length && (isalnum((unsigned char)text[name]) || strchr(".-_", text[name]) != NULL))
            dotted |= text[name++] == '.';
    }
    if (name == 0 || name > length)
        return false;
    *sure |= dotted || text[length] == '/' || strncasecmp(text, "localhost", length) == 0;
    if (name == length)
        return true;
    char *end;
    long port = text[name] == ':' && isdigit((unsigned char)text[name + 1]) ? strtol(text + name + 1, &end, 10) : 0;
    *sure |= port > 0;
    return port > 0 && port < 65536 && end == text + length;
}

static bool is_address(const char *text)
{
    bool sure;
    return is_host(text, &sure) && (text[0] == '[' || strspn(text, "0123456789.:") == authority_length(text)) && sure;
}

/* The '@' that ends user name and password, or NULL: the last one that an address of numbers follows, else the last one that a
 * host follows, else the last before the path. Passwords hold unescaped '@', '/', '?' and '#' in practice. */
static const char *find_user_end(const char *rest)
{
    const char *best = NULL;
    int best_rank = -1;
    bool sure;
    size_t length = authority_length(rest);
    if (memchr(rest, '@', length) == NULL && is_host(rest, &sure))
        return NULL;
    for (const char *at = strchr(rest, '@'); at != NULL; at = strchr(at + 1, '@')) {
        int rank = is_address(at + 1) ? 2 : is_host(at + 1, &sure) && sure ? 1 : at < rest + length ? 0 : -1;
        if (rank >= 0 && rank >= best_rank) {
            best = at;
            best_rank = rank;
        }
    }
    return best;
}

static bool is_escape(const char *text, const char *end)
{
    return end - text >= 3 && text[0] == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
}

LFR_API int32_t lfr_media_url_login(const char *url, int32_t *start, int32_t *length)
{
    if (url == NULL || start == NULL || length == NULL)
        return lfr_fail(LFR_MEDIA_BAD_ARGUMENT, "lfr_media_url_login: url, start or length is null");
    const char *rest = strstr(url, "://");
    const char *end = rest != NULL ? find_user_end(rest + 3) : NULL;
    *start = end != NULL ? (int32_t)(rest + 3 - url) : 0;
    *length = end != NULL ? (int32_t)(end + 1 - rest - 3) : 0;
    return LFR_MEDIA_OK;
}

char *url_prepare(const char *url)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *rest = strstr(url, "://") + 3;
    const char *end = find_user_end(rest);
    if (end == NULL)
        end = rest;
    char *prepared = av_malloc(strlen(url) + 2 * (size_t)(end - rest) + 1);
    if (prepared == NULL)
        return NULL;
    memcpy(prepared, url, (size_t)(rest - url));
    /* FFmpeg knows schemes in small letters only. */
    for (char *c = prepared; c < prepared + (rest - url); c++)
        *c = (char)tolower((unsigned char)*c);
    char *to = prepared + (rest - url);
    bool in_password = false;
    for (const char *from = rest; from < end; from++) {
        bool separator = *from == ':' && !in_password;
        in_password |= separator;
        if (separator || isalnum((unsigned char)*from) || strchr("-._~", *from) != NULL || is_escape(from, end)) {
            *to++ = *from;
        } else {
            *to++ = '%';
            *to++ = digits[(unsigned char)*from >> 4];
            *to++ = digits[(unsigned char)*from & 15];
        }
    }
    strcpy(to, end);
    return prepared;
}

const char *url_fault(const char *prepared)
{
    const char *rest = strstr(prepared, "://") + 3;
    size_t length = authority_length(rest);
    const char *at = memchr(rest, '@', length);
    if (at != NULL)
        rest = at + 1;
    bool sure;
    /* "udp://:5004" and "udp://@239.0.0.1:5004" listen. */
    if (rest[0] == ':' && isdigit((unsigned char)rest[1]))
        return NULL;
    if (authority_length(rest) == 0)
        return "the address has no host";
    return is_host(rest, &sure) ? NULL : "the host or the port is not valid";
}
