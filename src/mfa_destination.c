/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_destination.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_url.h"

/* The shortest subscriber numbers that are dialled in full; what has fewer digits is somebody's name for something. */
#define NUMBER_MIN_DIGITS 7

static const char *const names[] = {"phone", "phone_number", "number", "to", "email"};

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
