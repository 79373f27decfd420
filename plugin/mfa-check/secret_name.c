/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_name.h"

#include <string.h>
#include <strings.h>

static const char *const words[] = {"password",      "passwd",    "passphrase", "pass",  "pwd",
                                    "secret",        "token",     "credential", "auth",  "key",
                                    "authorization", "signature", "sig",        "cookie"};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Words are written together as well: "authkey", "APIKey". */
static bool ends_with_one(const char *word, size_t len)
{
    if (len > 0 && (word[len - 1] == 's' || word[len - 1] == 'S') && ends_with_one(word, len - 1))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t word_len = strlen(words[i]);

        if (len >= word_len && strncasecmp(word + len - word_len, words[i], word_len) == 0)
            return true;
    }
    return false;
}

/* The length of the letters that `name` begins with, up to the next capital behind a small one. */
static size_t word_len(const char *name, size_t len)
{
    size_t at = 0;

    while (at < len && is_letter(name[at]) && !(at > 0 && is_lower(name[at - 1]) && !is_lower(name[at])))
        at++;
    return at;
}

static bool is_client_id(const char *name, size_t len)
{
    return (len == strlen("client_id") && strncasecmp(name, "client_id", len) == 0) ||
           (len == strlen("clientId") && strncasecmp(name, "clientId", len) == 0);
}

bool secret_name_is(const char *name, size_t len)
{
    for (size_t at = 0; at < len;) {
        const size_t word = word_len(name + at, len - at);

        if (ends_with_one(name + at, word))
            return true;
        at += word > 0 ? word : 1;
    }
    return is_client_id(name, len);
}
