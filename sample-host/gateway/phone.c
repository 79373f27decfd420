/* SPDX-License-Identifier: Apache-2.0 */
#include "phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCREEN_COLUMNS 44

struct phone {
    json_t *numbers; /* number -> array of messages; jansson keeps the order of insertion */
};

static size_t utf8_sequence_len(unsigned char first)
{
    return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static void print_repeated(const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        fputs(piece, stdout);
}

/* Prints one line of at most SCREEN_COLUMNS characters and returns where the next one starts. It breaks at the last
 * blank that fits. What a terminal would obey, the C0 and C1 controls, is shown as '.'. */
static const char *print_line(const char *text)
{
    const char *end = text;
    const char *blank = NULL;
    size_t columns = 0;
    size_t columns_to_blank = 0;
    for (; *end && *end != '\n' && columns < SCREEN_COLUMNS; columns++) {
        if (*end == ' ') {
            blank = end;
            columns_to_blank = columns;
        }
        end += utf8_sequence_len((unsigned char)*end);
    }
    if (*end && *end != ' ' && *end != '\n' && blank) {
        end = blank;
        columns = columns_to_blank;
    }

    fputs("  \u2502 ", stdout);
    for (const char *at = text; at < end;) {
        size_t len = utf8_sequence_len((unsigned char)*at);
        bool control =
            (unsigned char)*at < 0x20 || *at == 0x7f || ((unsigned char)*at == 0xc2 && (unsigned char)at[1] < 0xa0);
        fwrite(control ? "." : at, control ? 1 : len, 1, stdout);
        at += len;
    }
    print_repeated(" ", SCREEN_COLUMNS - columns);
    fputs(" \u2502\n", stdout);
    return *end == ' ' || *end == '\n' ? end + 1 : end;
}

static void print_screen(const char *number, const char *sender, const char *text)
{
    fputs("\n  \u256d", stdout);
    print_repeated("\u2500", SCREEN_COLUMNS + 2);
    fputs("\u256e\n", stdout);

    /* Room for all of it: cut by bytes, a name could end in half a character. */
    char heading[PHONE_TEXT_MAX + sizeof "phone "];
    snprintf(heading, sizeof heading, "phone %s", number);
    print_line(heading);
    snprintf(heading, sizeof heading, "%s:", sender);
    print_line(heading);
    do
        text = print_line(text);
    while (*text);

    fputs("  \u2570", stdout);
    print_repeated("\u2500", SCREEN_COLUMNS + 2);
    fputs("\u256f\n", stdout);
    fflush(stdout);
}

struct phone *phone_new(void)
{
    struct phone *phone = calloc(1, sizeof *phone);
    if (!phone)
        return NULL;
    phone->numbers = json_object();
    if (!phone->numbers) {
        phone_free(phone);
        return NULL;
    }
    return phone;
}

static bool keep(struct phone *phone, const char *number, json_t *message)
{
    json_t *messages = json_object_get(phone->numbers, number);
    if (!messages) {
        if (json_object_size(phone->numbers) >= PHONE_NUMBERS_MAX)
            json_object_del(phone->numbers, json_object_iter_key(json_object_iter(phone->numbers)));
        messages = json_array();
        if (json_object_set_new(phone->numbers, number, messages) != 0)
            return false;
    }
    if (json_array_size(messages) >= PHONE_MESSAGES_MAX)
        json_array_remove(messages, 0);
    return json_array_append(messages, message) == 0;
}

bool phone_receive(struct phone *phone, const char *number, const char *sender, const char *text)
{
    if (strlen(text) > PHONE_TEXT_MAX || strlen(sender) > PHONE_TEXT_MAX || strlen(number) > PHONE_TEXT_MAX)
        return false;
    json_t *message = json_pack("{s:s, s:s}", "from", sender, "text", text);
    bool kept = message && keep(phone, number, message);
    json_decref(message);
    if (kept)
        print_screen(number, sender, text);
    return kept;
}

json_t *phone_messages(const struct phone *phone, const char *number)
{
    json_t *messages = json_object_get(phone->numbers, number);
    return messages ? json_copy(messages) : json_array();
}

void phone_free(struct phone *phone)
{
    if (!phone)
        return;
    json_decref(phone->numbers);
    free(phone);
}
