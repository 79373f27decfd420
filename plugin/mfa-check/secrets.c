/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "mfa_encode.h"
#include "mfa_placeholder.h"
#include "secret_places.h"

#define MASK "***"
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define UTF8_MAX_LEN 4
#define MIN_LEN_IN_WORDS 4

void secrets_clear(struct secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++)
        mfa_secret_free(secrets->list[i].text, secrets->list[i].len);
    free(secrets->list);
    *secrets = (struct secrets){0};
}

/* --- Adding ------------------------------------------------------------------------------------------------------- */

static void add_one(struct secrets *secrets, const char *text, size_t len)
{
    struct secret *list = NULL;

    for (size_t i = 0; i < secrets->count; i++)
        if (secrets->list[i].len == len && memcmp(secrets->list[i].text, text, len) == 0)
            return;
    if (len == 0)
        return;
    list = memory_need(reallocarray(secrets->list, secrets->count + 1, sizeof *list));
    list[secrets->count] = (struct secret){.text = memory_need(malloc(len)), .len = len};
    memcpy(list[secrets->count++].text, text, len);
    secrets->list = list;
}

static void add_encoded(struct secrets *secrets, const char *value, size_t len, mfa_encode_fn *encode)
{
    struct mfa_buffer encoded;

    mfa_buffer_init(&encoded, SIZE_MAX);
    if (memory_checked(encode(&encoded, value, len)) == MFA_OK && encoded.len > 0)
        add_one(secrets, encoded.data, encoded.len);
    mfa_buffer_clear(&encoded);
}

/* As in a query, but for a space, and for what looks like an escape already. */
static enum mfa_status encode_form(struct mfa_buffer *out, const char *value, size_t len)
{
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < len && status == MFA_OK; i++)
        status = value[i] == ' ' ? mfa_buffer_append(out, "+", 1) : mfa_encode_query(out, value + i, 1);
    return status;
}

static void add_in_all_encodings(struct secrets *secrets, const char *value, size_t len)
{
    static mfa_encode_fn *const encodings[] = {mfa_encode_query, encode_form, mfa_encode_json_string, mfa_encode_xml};

    add_one(secrets, value, len);
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++)
        add_encoded(secrets, value, len, encodings[i]);
}

static void add_decoded_escapes(struct secrets *secrets, const char *value, size_t len)
{
    char *copy = memory_need(strndup(value, len));
    int decoded_len = 0;
    char *decoded = NULL;

    for (char *plus = strchr(copy, '+'); plus != NULL; plus = strchr(plus, '+'))
        *plus = ' ';
    decoded = memory_need(curl_easy_unescape(NULL, copy, 0, &decoded_len));
    add_in_all_encodings(secrets, decoded, (size_t)decoded_len);
    curl_free(decoded);
    mfa_secret_free(copy, strlen(copy));
}

static void add_decoded_string(struct secrets *secrets, const char *value, size_t len)
{
    char *quoted = memory_text("\"%.*s\"", (int)len, value);
    json_t *decoded = json_loads(quoted, JSON_DECODE_ANY, NULL);

    if (json_is_string(decoded))
        add_in_all_encodings(secrets, json_string_value(decoded), json_string_length(decoded));
    json_decref(decoded);
    mfa_secret_free(quoted, strlen(quoted));
}

/* `{{ name }}` from end to end. */
static bool is_placeholder(const char *value, size_t len)
{
    struct mfa_placeholder placeholder;

    return mfa_placeholder_find(value, value + len) == value &&
           mfa_placeholder_parse(&placeholder, value, value + len) == NULL && placeholder.len == len;
}

void secrets_add(struct secrets *secrets, const char *value, size_t len)
{
    if (is_placeholder(value, len))
        return;
    add_in_all_encodings(secrets, value, len);
    if (memchr(value, '%', len) != NULL)
        add_decoded_escapes(secrets, value, len);
    if (memchr(value, '\\', len) != NULL)
        add_decoded_string(secrets, value, len);
}

static void add_found(void *ctx, const char *value, size_t len)
{
    secrets_add(ctx, value, len);
}

void secrets_add_from_url(struct secrets *secrets, const char *url, size_t len)
{
    secret_places_in_url(url, len, add_found, secrets);
}

void secrets_add_from_body(struct secrets *secrets, const char *body, size_t len)
{
    secret_places_in_body(body, len, add_found, secrets);
}

void secrets_add_from_header(struct secrets *secrets, const char *name, const char *value)
{
    const char *credentials = value + secret_places_scheme_len(value);

    if (secret_places_is_header(name))
        secrets_add(secrets, credentials, strlen(credentials));
}

/* --- Masking ------------------------------------------------------------------------------------------------------ */

/* The longest secret, of at least `min_len` bytes, that the text begins with; 0: none. */
static size_t secret_len(const struct secrets *secrets, size_t min_len, const char *text, size_t len)
{
    size_t longest = 0;

    for (size_t i = 0; i < secrets->count && !secrets->are_shown; i++) {
        const struct secret *secret = &secrets->list[i];

        if (secret->len >= min_len && secret->len > longest && secret->len <= len &&
            memcmp(secret->text, text, secret->len) == 0)
            longest = secret->len;
    }
    return longest;
}

static void mask(const struct secrets *secrets, size_t min_len, const char *text, size_t len, struct mfa_buffer *out)
{
    mfa_buffer_init(out, SIZE_MAX);
    (void)memory_checked(mfa_buffer_reserve(out, len));
    for (size_t i = 0; i < len;) {
        const size_t masked = secret_len(secrets, min_len, text + i, len - i);

        (void)memory_checked(masked > 0 ? mfa_buffer_append(out, MASK, strlen(MASK))
                                        : mfa_buffer_append(out, text + i, 1));
        i += masked > 0 ? masked : 1;
    }
}

/* The length of the character that the text begins with; 0: it is no UTF-8. */
static size_t character_len(const char *text, size_t len)
{
    for (size_t i = 1; i <= UTF8_MAX_LEN && i <= len; i++)
        if (mfa_encode_is_utf8(text, i))
            return i;
    return 0;
}

static json_t *utf8(const char *text, size_t len)
{
    struct mfa_buffer valid;
    json_t *string = NULL;

    mfa_buffer_init(&valid, SIZE_MAX);
    for (size_t i = 0; i < len;) {
        const size_t character = character_len(text + i, len - i);

        (void)memory_checked(character > 0 ? mfa_buffer_append(&valid, text + i, character)
                                           : mfa_buffer_append_text(&valid, REPLACEMENT));
        i += character > 0 ? character : 1;
    }
    string = memory_need_json(json_stringn(valid.data != NULL ? valid.data : "", valid.len));
    mfa_buffer_clear(&valid);
    return string;
}

json_t *secrets_text(const struct secrets *secrets, const char *text, size_t len)
{
    struct mfa_buffer masked;
    json_t *string = NULL;

    mask(secrets, 1, text, len, &masked);
    string = utf8(masked.data, masked.len);
    mfa_buffer_clear(&masked);
    return string;
}

json_t *secrets_header(const struct secrets *secrets, const char *name, const char *value)
{
    char *text = NULL;
    json_t *string = NULL;

    if (secrets->are_shown || !secret_places_is_header(name))
        return secrets_text(secrets, value, strlen(value));
    text = memory_text("%.*s" MASK, (int)secret_places_scheme_len(value), value);
    string = utf8(text, strlen(text));
    free(text);
    return string;
}

char *secrets_line(const struct secrets *secrets, const char *line)
{
    struct mfa_buffer masked;
    size_t len = 0;

    mask(secrets, MIN_LEN_IN_WORDS, line, strlen(line), &masked);
    return mfa_buffer_take(&masked, &len);
}
