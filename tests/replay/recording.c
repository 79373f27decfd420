/* SPDX-License-Identifier: Apache-2.0 */
#include "recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/data/providers/"

static json_t *load(const char *path)
{
    json_error_t error;
    json_t *data = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (!json_is_object(data))
        fail_msg("%s:%d: %s", path, error.line, data ? "no object" : error.text);
    return data;
}

void recordings_load(struct recordings *out)
{
    glob_t files;

    assert_int_equal(glob(FOLDER "[!_]*.json", 0, NULL, &files), 0);
    out->items = calloc(files.gl_pathc, sizeof *out->items);
    assert_non_null(out->items);
    for (out->count = 0; out->count < files.gl_pathc; out->count++) {
        const char *path = files.gl_pathv[out->count];
        const char *name = path + strlen(FOLDER);
        out->items[out->count] = (struct recording){
            .path = strdup(path), .name = strndup(name, strlen(name) - strlen(".json")), .data = load(path)};
    }
    globfree(&files);
}

void recordings_clear(struct recordings *recordings)
{
    for (size_t i = 0; i < recordings->count; i++) {
        free(recordings->items[i].path);
        free(recordings->items[i].name);
        json_decref(recordings->items[i].data);
    }
    free(recordings->items);
    *recordings = (struct recordings){0};
}

json_t *recorded_attacks(const char *kind)
{
    json_t *attacks = load(FOLDER "_attacks.json");
    json_t *list = json_incref(json_object_get(attacks, kind));

    json_decref(attacks);
    assert_true(json_array_size(list) > 0);
    return list;
}

const json_t *recorded(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);

    if (!member)
        fail_msg("no %s in the recording", key);
    return member;
}

const char *recorded_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(recorded(object, key));

    if (!text)
        fail_msg("%s is no text in the recording", key);
    return text;
}

const json_t *recorded_endpoint(const struct recording *recording, const char *call)
{
    const json_t *config = recorded(recording->data, "config");

    return json_object_get(recorded(recorded(config, "sms"), "endpoints"), call);
}

json_t *recorded_captures(const struct recording *recording, const char *call)
{
    const json_t *captured = json_object_get(recording->data, "captured");
    const json_t *nonce = json_object_get(captured, "nonce");

    if (captured && strcmp(call, "verify") == 0)
        return json_deep_copy(captured);
    return nonce ? json_pack("{s:o}", "nonce", json_deep_copy(nonce)) : json_object();
}
