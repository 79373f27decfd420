/* SPDX-License-Identifier: Apache-2.0 */
#include "detour.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Its macros would stand for the functions defined here. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

static char address[64]; /* in the language of CURLOPT_CONNECT_TO: any host, any port */
static struct curl_slist connect_to = {.data = address};
static time_t now;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards urls and url_count */
static char **urls;
static size_t url_count;

void detour_to(uint16_t port)
{
    snprintf(address, sizeof address, "::127.0.0.1:%u", (unsigned)port);
}

void detour_set_clock(time_t seconds)
{
    now = seconds;
}

const char *detour_url(size_t i)
{
    pthread_mutex_lock(&mutex);
    const char *url = i < url_count ? urls[i] : NULL;
    pthread_mutex_unlock(&mutex);
    return url;
}

void detour_forget_urls(void)
{
    pthread_mutex_lock(&mutex);
    while (url_count > 0)
        free(urls[--url_count]);
    free(urls);
    urls = NULL;
    pthread_mutex_unlock(&mutex);
}

static void note_url(const char *url)
{
    pthread_mutex_lock(&mutex);
    char **longer = realloc(urls, (url_count + 1) * sizeof *urls);
    if (longer) {
        urls = longer;
        urls[url_count++] = strdup(url);
    }
    pthread_mutex_unlock(&mutex);
}

/* --- In the place of libcurl and the C library ------------------------------------------------------------------ */

CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);
CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);

CURL *__wrap_curl_easy_init(void)
{
    CURL *easy = __real_curl_easy_init();

    if (easy && (__real_curl_easy_setopt(easy, CURLOPT_CONNECT_TO, &connect_to) != CURLE_OK ||
                 __real_curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK)) {
        curl_easy_cleanup(easy);
        return NULL;
    }
    return easy;
}

static CURLcode set_url(CURL *easy, const char *url)
{
    static const char https[] = "https:";
    bool is_https = strncmp(url, https, strlen(https)) == 0;
    char *plain = NULL;

    note_url(url);
    if (asprintf(&plain, "%s%s", is_https ? "http:" : "", is_https ? url + strlen(https) : url) < 0)
        return CURLE_OUT_OF_MEMORY;
    CURLcode result = __real_curl_easy_setopt(easy, CURLOPT_URL, plain);
    free(plain);
    return result;
}

CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    CURLcode result = CURLE_OK;
    va_list argument;

    va_start(argument, option);
    if (option == CURLOPT_URL)
        result = set_url(easy, va_arg(argument, const char *));
    else if ((int)option < CURLOPTTYPE_OBJECTPOINT)
        result = __real_curl_easy_setopt(easy, option, va_arg(argument, long));
    else if ((int)option >= CURLOPTTYPE_OFF_T && (int)option < CURLOPTTYPE_BLOB)
        result = __real_curl_easy_setopt(easy, option, va_arg(argument, curl_off_t));
    else
        result = __real_curl_easy_setopt(easy, option, va_arg(argument, void *));
    va_end(argument);
    return result;
}

__attribute__((visibility("default"))) time_t time(time_t *out)
{
    if (out)
        *out = now;
    return now;
}
