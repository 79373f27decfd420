/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "memory.h"

/* Ends the program where there is no node, which is for want of memory. */
static int node(int id)
{
    if (id == 0)
        memory_end();
    return id;
}

static int add_scalar(yaml_document_t *document, const char *text, yaml_scalar_style_t style)
{
    return node(yaml_document_add_scalar(document, NULL, (const yaml_char_t *)text, (int)strlen(text), style));
}

static int add_plain(yaml_document_t *document, const json_t *value)
{
    char *text = memory_need(json_dumps(value, JSON_ENCODE_ANY));
    const int id = add_scalar(document, text, YAML_PLAIN_SCALAR_STYLE);

    free(text);
    return id;
}

static int add_value(yaml_document_t *document, const json_t *value);

static int add_mapping(yaml_document_t *document, const json_t *object)
{
    const int id = node(yaml_document_add_mapping(document, NULL, YAML_BLOCK_MAPPING_STYLE));
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const int key_id = add_scalar(document, key, YAML_PLAIN_SCALAR_STYLE);

        (void)node(yaml_document_append_mapping_pair(document, id, key_id, add_value(document, value)));
    }
    return id;
}

static bool has_collection(const json_t *array)
{
    const json_t *value = NULL;
    size_t i = 0;

    json_array_foreach(array, i, value)
    {
        if (json_is_object(value) || json_is_array(value))
            return true;
    }
    return false;
}

static int add_sequence(yaml_document_t *document, const json_t *array)
{
    const yaml_sequence_style_t style = has_collection(array) ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE;
    const int id = node(yaml_document_add_sequence(document, NULL, style));
    const json_t *value = NULL;
    size_t i = 0;

    json_array_foreach(array, i, value)
    {
        (void)node(yaml_document_append_sequence_item(document, id, add_value(document, value)));
    }
    return id;
}

static int add_value(yaml_document_t *document, const json_t *value)
{
    const char *text = json_string_value(value);

    if (json_is_object(value))
        return add_mapping(document, value);
    if (json_is_array(value))
        return add_sequence(document, value);
    if (text == NULL)
        return add_plain(document, value);
    return add_scalar(document, text,
                      strchr(text, '\n') != NULL ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_SINGLE_QUOTED_SCALAR_STYLE);
}

bool yaml_text_print(FILE *out, const json_t *mapping)
{
    yaml_document_t document;
    yaml_emitter_t emitter;
    bool is_good = false;

    (void)node(yaml_document_initialize(&document, NULL, NULL, NULL, 1, 1));
    (void)add_value(&document, mapping);
    (void)node(yaml_emitter_initialize(&emitter));
    yaml_emitter_set_output_file(&emitter, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    is_good = yaml_emitter_open(&emitter) && yaml_emitter_dump(&emitter, &document) && yaml_emitter_flush(&emitter);
    yaml_emitter_delete(&emitter);
    return is_good;
}
