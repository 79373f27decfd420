/* SPDX-License-Identifier: Apache-2.0 */
#include "smsapi.h"

#include "hold.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

/* Accepts `Bearer KEY`, which the service documents, and `Bearer: KEY`, which its users copy from one another. */
static bool is_authorized(struct MHD_Connection *connection)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!value || strncmp(value, "Bearer", 6) != 0)
        return false;
    value += value[6] == ':' ? 7 : 6;
    return value[0] == ' ' && value[strspn(value, " ")] != '\0';
}

static const char *find_digits(const char *text, size_t len_min, size_t len_max)
{
    size_t len = text ? strlen(text) : 0;
    return len >= len_min && len <= len_max && strspn(text, DIGITS) == len ? text : NULL;
}

static struct reply refuse_unauthorized(void)
{
    return reply_error(MHD_HTTP_UNAUTHORIZED, "authorization_failed", "Authorization failed");
}

static struct reply refuse_number(void)
{
    return reply_error(MHD_HTTP_BAD_REQUEST, "invalid_phone_number", "The value is not valid mobile number.");
}

static const char *find_number(const json_t *body)
{
    const char *number = json_string_value(json_object_get(body, "phone_number"));
    return find_digits(number && *number == '+' ? number + 1 : number, 4, 15);
}

struct reply smsapi_create_code(struct MHD_Connection *connection, const json_t *body, struct codes *codes,
                                struct phone *phone)
{
    if (!is_authorized(connection))
        return refuse_unauthorized();
    const char *number = find_number(body);
    if (!number)
        return refuse_number();

    struct reply reply = {0};
    char secret_code[CODES_LEN + 1] = "";
    char secret_text[64] = "";
    if (!codes_draw(codes, number, hold_now_ms(), secret_code))
        goto out;
    snprintf(secret_text, sizeof secret_text, "Your code: %s", secret_code);
    if (!phone_receive(phone, number, "SMSAPI", secret_text))
        goto out;

    unsigned char id[12];
    char id_hex[2 * sizeof id + 1];
    randombytes_buf(id, sizeof id);
    sodium_bin2hex(id_hex, sizeof id_hex, id, sizeof id);
    reply = reply_json(MHD_HTTP_CREATED, json_pack("{s:s, s:s, s:s, s:n}", "id", id_hex, "code", secret_code,
                                                   "phone_number", number, "from"));
out:
    sodium_memzero(secret_code, sizeof secret_code);
    sodium_memzero(secret_text, sizeof secret_text);
    return reply;
}

struct reply smsapi_verify_code(struct MHD_Connection *connection, const json_t *body, struct codes *codes)
{
    if (!is_authorized(connection))
        return refuse_unauthorized();
    const char *number = find_number(body);
    if (!number)
        return refuse_number();
    const char *code = find_digits(json_string_value(json_object_get(body, "code")), 4, 10);
    if (!code)
        return reply_error(MHD_HTTP_BAD_REQUEST, "invalid_code", "MFA code has invalid format");

    switch (codes_check(codes, number, code, hold_now_ms())) {
    case CODES_RIGHT: return reply_text(MHD_HTTP_NO_CONTENT, "text/plain", "");
    case CODES_EXPIRED: return reply_json(MHD_HTTP_REQUEST_TIMEOUT, json_array());
    case CODES_WRONG: break;
    }
    return reply_error(MHD_HTTP_NOT_FOUND, "not_found", "Not found");
}
