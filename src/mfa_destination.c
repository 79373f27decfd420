/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_destination.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_url.h"

/* The shortest subscriber numbers that are dialled in full; what has fewer digits is somebody's name for something. */
#define NUMBER_MIN_DIGITS 7

#define NUMBER_MAX_DIGITS 15

static const char *const names[] = {"phone", "phone_number", "number", "to", "email"};

const char *mfa_destination_name(size_t i)
{
    return i < sizeof names / sizeof names[0] ? names[i] : NULL;
}

bool mfa_destination_is_name(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

const char *mfa_destination_find(const json_t *user_data, const struct mfa_endpoint *endpoint,
                                 char number[static MFA_DESTINATION_NUMBER_SIZE])
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *value = json_object_get(user_data, names[i]);
        if (endpoint != NULL && !mfa_endpoint_uses(endpoint, names[i]))
            continue;
        if (json_is_string(value) && json_string_length(value) > 0)
            return json_string_value(value);
        if (!json_is_number(value))
            continue;
        if (json_is_integer(value))
            snprintf(number, MFA_DESTINATION_NUMBER_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            snprintf(number, MFA_DESTINATION_NUMBER_SIZE, "%.0f", json_real_value(value));
        return number;
    }
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes the next character, decoded, off `*text`. Returns 0 at the end, and only there. */
static char take_character(const char **text)
{
    size_t taken = 0;
    char c = '\0';

    if (**text == '\0')
        return '\0';
    c = mfa_url_decoded(*text, strnlen(*text, MFA_URL_ESCAPE_LEN), &taken);
    *text += taken;
    return c != '\0' ? c : ' ';
}

static bool is_number(const char *text)
{
    size_t digits = 0;
    char c = '\0';

    while ((c = take_character(&text)) != '\0') {
        if (c == '@')
            return false;
        digits += is_digit(c);
    }
    return digits >= NUMBER_MIN_DIGITS;
}

static bool is_kept(char c, bool is_of_number, bool is_first)
{
    if (is_of_number)
        return is_digit(c) && !(is_first && c == '0');
    return strchr(" \t\n\v\f\r", c) == NULL;
}

void mfa_destination_normalise(const char *text, char normal[static MFA_DESTINATION_SIZE])
{
    bool is_of_number = is_number(text);
    size_t len = 0;
    char c = '\0';

    while ((c = take_character(&text)) != '\0' && len < MFA_DESTINATION_SIZE - 1)
        if (is_kept(c, is_of_number, len == 0))
            normal[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    normal[len] = '\0';
}

/* --- One receiver ------------------------------------------------------------------------------------------------ */

static size_t count_of(const char *text, bool (*is_counted)(char c))
{
    size_t count = 0;
    char c = '\0';

    while ((c = take_character(&text)) != '\0')
        count += is_counted(c);
    return count;
}

static bool is_at(char c)
{
    return c == '@';
}

/* What services take for the end of one receiver and the beginning of the next. */
static bool is_separator(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f || strchr(",;|", c) != NULL;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_beyond_ascii(char c)
{
    return (unsigned char)c >= 0x80;
}

/* Extensions and escaped escapes would make ever new spellings of one number. */
static bool is_foreign_to_numbers(char c)
{
    return !is_digit(c) && strchr(" +-.()/", c) == NULL;
}

/* Names and comments beside an address would make ever new spellings of it. */
static bool is_foreign_to_addresses(char c)
{
    return strchr(" <>()[]\"\\", c) != NULL;
}

static bool is_foreign_to_names(char c)
{
    return !is_digit(c) && !is_letter(c) && strchr("-._", c) == NULL;
}

/* What a service calls somebody: no number, however many digits are in it. */
static bool is_name(const char *text)
{
    return is_letter(text[0]) && count_of(text, is_foreign_to_names) == 0;
}

/* Behind the scheme of a URI, as in "tel:+41791231212". */
static const char *skip_scheme(const char *text)
{
    size_t len = 0;

    while (is_letter(text[len]))
        len++;
    return len > 0 && text[len] == ':' ? text + len + 1 : text;
}

static bool is_one_receiver(const char *text)
{
    const size_t ats = count_of(text, is_at);
    char normal[MFA_DESTINATION_SIZE];
    bool is_good = false;

    /* What the code is put into is another receiver each time. */
    if (strstr(text, "{{") != NULL)
        return false;
    /* Services may read the digits of other scripts. */
    if (count_of(text, is_separator) > 0 || ats > 1 || (ats == 0 && count_of(text, is_beyond_ascii) > 0))
        return false;
    if (ats == 1)
        return count_of(text, is_foreign_to_addresses) == 0;
    if (!is_number(text) || is_name(text))
        return true;
    mfa_destination_normalise(text, normal);
    is_good = count_of(skip_scheme(text), is_foreign_to_numbers) == 0 && strlen(normal) <= NUMBER_MAX_DIGITS;
    sodium_memzero(normal, sizeof normal);
    return is_good;
}

/* A point in a number would come and go with its spelling. */
static bool is_receiver(const json_t *value)
{
    return json_is_string(value) ? is_one_receiver(json_string_value(value)) : !json_is_real(value);
}

enum mfa_status mfa_destination_check(const json_t *user_data, const struct mfa_endpoint *endpoint,
                                      struct mfa_parameter_problem *problem)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *value = json_object_get(user_data, names[i]);

        if (!mfa_endpoint_uses(endpoint, names[i]) || is_receiver(value))
            continue;
        snprintf(problem->path, sizeof problem->path, "#/%s", names[i]);
        problem->message = "The value must be one number or address, and nothing else.";
        return MFA_ERR_SYNTAX;
    }
    return MFA_OK;
}
