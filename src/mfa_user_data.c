/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_user_data.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mfa_destination.h"
#include "mfa_encode.h"
#include "mfa_placeholder.h"
#include "mfa_policy.h"
#include "mfa_template.h"
#include "mfa_url.h"

/* --- Checking --------------------------------------------------------------------------------------------------- */

static bool is_scalar(const json_t *value)
{
    return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
}

static bool holds_nul(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value);
}

/* Written with the digits that a double keeps, a number near the largest of them would be beyond it. */
#define LARGEST_NUMBER 1e300

static bool is_too_large(const json_t *value)
{
    return json_is_real(value) && (json_real_value(value) > LARGEST_NUMBER || json_real_value(value) < -LARGEST_NUMBER);
}

/* Numbers and booleans count by an upper bound of their text. */
static size_t value_len(const json_t *value)
{
    return json_is_string(value) ? json_string_length(value) : 24;
}

static enum mfa_status refuse(struct mfa_parameter_problem *problem, const char *key, const char *message)
{
    snprintf(problem->path, sizeof problem->path, "#/%s", key);
    problem->message = message;
    return MFA_ERR_SYNTAX;
}

enum mfa_status mfa_user_data_check(const json_t *user_data, struct mfa_parameter_problem *problem)
{
    const char *key = NULL;
    json_t *value = NULL;
    size_t total_len = 0;

    *problem = (struct mfa_parameter_problem){.message = ""};
    if (json_object_size(user_data) > MFA_USER_DATA_MAX_KEYS)
        return refuse(problem, "", "There are more than 32 variables.");
    json_object_foreach((json_t *)(uintptr_t)user_data, key, value)
    {
        if (!mfa_placeholder_is_name(key, strlen(key)))
            return refuse(problem, "", "A variable's name must be a letter or _, then letters, digits, _ . or -.");
        if (strcmp(key, MFA_VARIABLE_CODE) == 0)
            return refuse(problem, key, "This name is reserved.");
        if (!is_scalar(value))
            return refuse(problem, key, "The value must be a string, a number or a boolean.");
        if (is_too_large(value))
            return refuse(problem, key, "The number is too large.");
        if (holds_nul(value))
            return refuse(problem, key, "The value must not hold a NUL.");
        total_len += strlen(key) + value_len(value);
    }
    if (total_len > MFA_USER_DATA_MAX_LEN)
        return refuse(problem, "", "The variables are larger than 4096 bytes.");
    return MFA_OK;
}

/* --- The hint --------------------------------------------------------------------------------------------------- */

static void mask_email(const char *address, const char *at, char hint[static MFA_HINT_SIZE])
{
    int domain_len = strlen(at) < MFA_HINT_SIZE - 8 ? (int)strlen(at) : 0;

    /* A multi-byte first character would be cut in half. */
    if (at == address || (unsigned char)address[0] >= 0x80)
        snprintf(hint, MFA_HINT_SIZE, "***%.*s", domain_len, at);
    else
        snprintf(hint, MFA_HINT_SIZE, "%c***%.*s", address[0], domain_len, at);
}

#define SHOWN_FRONT 2
#define SHOWN_BACK 4
#define MIN_MASKED_DIGITS 3
#define MAX_DIGITS 20

/* Appends `masked` stars in groups of three, the first of them of two when the number does not divide. */
static size_t append_stars(char *hint, size_t masked)
{
    size_t len = 0;
    size_t group = masked % 3 == 0 ? 3 : masked % 3;

    while (masked > 0) {
        hint[len++] = ' ';
        memset(hint + len, '*', group);
        len += group;
        masked -= group;
        group = 3;
    }
    return len;
}

static void mask_number(const char *text, char hint[static MFA_HINT_SIZE])
{
    char digits[MAX_DIGITS + 1] = "";
    size_t count = 0;
    size_t len = 0;

    for (const char *c = text; *c != '\0' && count < MAX_DIGITS; c++)
        if (*c >= '0' && *c <= '9')
            digits[count++] = *c;
    if (count < SHOWN_FRONT + MIN_MASKED_DIGITS + SHOWN_BACK) {
        snprintf(hint, MFA_HINT_SIZE, "***%s", count > 4 ? digits + count - 2 : "");
        return;
    }
    len = (size_t)snprintf(hint, MFA_HINT_SIZE, "%s%.2s", digits[0] == '0' ? "" : "+", digits);
    len += append_stars(hint + len, count - SHOWN_FRONT - SHOWN_BACK);
    snprintf(hint + len, MFA_HINT_SIZE - len, " %.2s %.2s", digits + count - 4, digits + count - 2);
}

/* User data may come percent-encoded. What is too long for any receiver is cut. Returns false when that leaves no text. */
static bool decode(const char *text, char decoded[static MFA_DESTINATION_SIZE])
{
    size_t len = 0;
    size_t taken = 0;

    for (; *text != '\0' && len < MFA_DESTINATION_SIZE - 1; text += taken)
        decoded[len++] = mfa_url_decoded(text, strnlen(text, MFA_URL_ESCAPE_LEN), &taken);
    decoded[len] = '\0';
    return mfa_encode_is_utf8(decoded, strlen(decoded));
}

void mfa_user_data_hint(const json_t *user_data, const struct mfa_endpoint *endpoint, char hint[static MFA_HINT_SIZE])
{
    char number[MFA_DESTINATION_NUMBER_SIZE];
    char decoded[MFA_DESTINATION_SIZE];
    const char *destination = mfa_destination_find(user_data, endpoint, number);
    const char *at = NULL;

    hint[0] = '\0';
    if (destination == NULL)
        return;
    if (!decode(destination, decoded))
        decoded[0] = '\0';
    at = strrchr(decoded, '@');
    if (at != NULL)
        mask_email(decoded, at, hint);
    else
        mask_number(decoded, hint);
    sodium_memzero(number, sizeof number);
    sodium_memzero(decoded, sizeof decoded);
}
