/* SPDX-License-Identifier: Apache-2.0 */
#include "host_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_tree.h"
#include "log.h"

#define FILE_LEN_MAX (1024 * 1024)
#define DEFAULT_IP "127.0.0.1"
#define DEFAULT_PORT 3000
#define DEFAULT_CONNECTIONS_PER_ADDRESS 1000
#define NOT_SAID UINT32_MAX

/* --- the host's own keys --------------------------------------------------------------------------------------------- */

typedef core_status set_fn(struct host_config *config, const char *key, const yaml_node_t *value);

struct known_key {
    const char *section;
    const char *key;
    const char *full_key;
    set_fn *set;
};

static bool is_null(const yaml_node_t *value)
{
    static const char *const words[] = {"~", "null", "Null", "NULL"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (value->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && config_tree_scalar_is(value, words[i]))
            return true;
    return false;
}

static core_status copy_scalar(const struct host_config *config, const char *key, const yaml_node_t *value, char **out)
{
    if (value->type != YAML_SCALAR_NODE || value->data.scalar.length == 0 ||
        strlen(config_tree_text(value)) != value->data.scalar.length) {
        config_tree_complain(config, key, value, "must be a text that is not empty");
        return CORE_ERR_CONFIG;
    }
    if (is_null(value)) {
        config_tree_complain(config, key, value, "is null: leave the key out, or put the word in quotes");
        return CORE_ERR_CONFIG;
    }
    free(*out);
    *out = strdup(config_tree_text(value));
    return *out ? CORE_OK : CORE_ERR_MEMORY;
}

static core_status set_ip(struct host_config *config, const char *key, const yaml_node_t *value)
{
    struct in_addr ip;
    core_status status = copy_scalar(config, key, value, &config->ip);

    if (status == CORE_OK && inet_pton(AF_INET, config->ip, &ip) != 1) {
        config_tree_complain(config, key, value, "must be an IPv4 address, such as 127.0.0.1");
        status = CORE_ERR_CONFIG;
    }
    return status;
}

/* A number from 0 to 65535; `zero` says what 0 does. */
static core_status read_number(const struct host_config *config, const char *key, const yaml_node_t *value,
                               const char *zero, uint16_t *out)
{
    const char *text = value->type == YAML_SCALAR_NODE ? config_tree_text(value) : "";
    char rule[64];
    unsigned long number = 65536;

    if (*text && strlen(text) <= 5 && strspn(text, "0123456789") == strlen(text))
        number = strtoul(text, NULL, 10);
    if (number > 65535) {
        (void)snprintf(rule, sizeof(rule), "must be a number from 0 to 65535; 0 %s", zero);
        config_tree_complain(config, key, value, rule);
        return CORE_ERR_CONFIG;
    }
    *out = (uint16_t)number;
    return CORE_OK;
}

static core_status set_port(struct host_config *config, const char *key, const yaml_node_t *value)
{
    return read_number(config, key, value, "takes any free port", &config->port);
}

static core_status set_connections_per_address(struct host_config *config, const char *key, const yaml_node_t *value)
{
    uint16_t most = 0;
    core_status status = read_number(config, key, value, "sets no limit", &most);

    config->connections_per_address_max = most;
    return status;
}

static core_status set_admin_key(struct host_config *config, const char *key, const yaml_node_t *value)
{
    core_status status = copy_scalar(config, key, value, &config->secret_admin_key);

    if (status == CORE_OK && strpbrk(config->secret_admin_key, " \t\r\n")) {
        config_tree_complain(config, key, value, "must be without blanks: it is sent in a header");
        status = CORE_ERR_CONFIG;
    }
    return status;
}

static core_status set_password_hashing(struct host_config *config, const char *key, const yaml_node_t *value)
{
    if (config_tree_scalar_is(value, "interactive")) {
        config->passwords_cost = PASSWORDS_INTERACTIVE;
    } else if (config_tree_scalar_is(value, "minimum")) {
        config->passwords_cost = PASSWORDS_MINIMUM;
    } else {
        config_tree_complain(config, key, value, "must be interactive or minimum");
        return CORE_ERR_CONFIG;
    }
    return CORE_OK;
}

static const struct known_key known_keys[] = {
    {"http", "ip", "http.ip", set_ip},
    {"http", "port", "http.port", set_port},
    {"http", "maxConnectionsPerAddress", "http.maxConnectionsPerAddress", set_connections_per_address},
    {"auth", "adminAccessKey", "auth.adminAccessKey", set_admin_key},
    {"auth", "passwordHashing", "auth.passwordHashing", set_password_hashing},
};

#define KNOWN_KEYS (sizeof(known_keys) / sizeof(known_keys[0]))

static core_status refuse_unknown_keys(const struct host_config *config, yaml_document_t *document, const char *section,
                                       const yaml_node_t *mapping)
{
    core_status status = CORE_OK;

    for (const yaml_node_pair_t *i = mapping->data.mapping.pairs.start; i < mapping->data.mapping.pairs.top; i++) {
        const yaml_node_t *name = yaml_document_get_node(document, i->key);
        bool is_known = false;
        for (size_t k = 0; k < KNOWN_KEYS; k++)
            is_known |= strcmp(known_keys[k].section, section) == 0 && config_tree_scalar_is(name, known_keys[k].key);
        if (!is_known) {
            const char *text = name->type == YAML_SCALAR_NODE ? config_tree_text(name) : "(not a text)";
            log_line(CORE_LOG_ERROR, "%s.%s (%s:%zu): is not a key of the host; remove it or correct its spelling",
                     section, text, config->path, name->start_mark.line + 1);
            status = CORE_ERR_CONFIG;
        }
    }
    return status;
}

static core_status read_section(struct host_config *config, yaml_document_t *document, const yaml_node_t *root,
                                const char *section)
{
    const yaml_node_pair_t *pair = NULL;
    core_status status = config_tree_find(config, document, root, section, section, &pair);

    if (status != CORE_OK || !pair)
        return status;
    const yaml_node_t *mapping = yaml_document_get_node(document, pair->value);
    if (mapping->type != YAML_MAPPING_NODE) {
        config_tree_complain(config, section, mapping, "must be a mapping");
        return CORE_ERR_CONFIG;
    }
    status = refuse_unknown_keys(config, document, section, mapping);
    for (size_t k = 0; k < KNOWN_KEYS; k++) {
        const struct known_key *known = &known_keys[k];
        if (strcmp(known->section, section) != 0)
            continue;
        core_status found = config_tree_find(config, document, mapping, known->key, known->full_key, &pair);
        if (found == CORE_OK && pair)
            found = known->set(config, known->full_key, yaml_document_get_node(document, pair->value));
        if (found != CORE_OK)
            status = found;
    }
    return status;
}

static core_status read_own_keys(struct host_config *config, yaml_document_t *document)
{
    const yaml_node_t *root = yaml_document_get_root_node(document);

    if (!root)
        return CORE_OK;
    if (root->type != YAML_MAPPING_NODE) {
        log_line(CORE_LOG_ERROR, "%s:%zu: must be a mapping", config->path, root->start_mark.line + 1);
        return CORE_ERR_CONFIG;
    }
    core_status http = read_section(config, document, root, "http");
    core_status auth = read_section(config, document, root, "auth");
    return http != CORE_OK ? http : auth;
}

/* --- the file ---------------------------------------------------------------------------------------------------------- */

static core_status read_file(struct host_config *config)
{
    FILE *file = fopen(config->path, "re");
    core_status status = CORE_ERR_CONFIG;

    if (!file) {
        log_line(CORE_LOG_ERROR, "%s: cannot be read: %s", config->path, strerror(errno));
        return CORE_ERR_CONFIG;
    }
    config->text = malloc(FILE_LEN_MAX + 1);
    if (!config->text) {
        status = CORE_ERR_MEMORY;
        goto out;
    }
    config->text_len = fread(config->text, 1, FILE_LEN_MAX + 1, file);
    if (ferror(file)) {
        log_line(CORE_LOG_ERROR, "%s: cannot be read: %s", config->path, strerror(errno));
        goto out;
    }
    if (config->text_len > FILE_LEN_MAX) {
        log_line(CORE_LOG_ERROR, "%s: is longer than %d bytes", config->path, FILE_LEN_MAX);
        goto out;
    }
    config->text[config->text_len] = '\0';
    status = CORE_OK;
out:
    (void)fclose(file);
    return status;
}

static bool is_loopback(const char *ip)
{
    return strncmp(ip, "127.", strlen("127.")) == 0;
}

core_status host_config_load(struct host_config *config, const char *path)
{
    yaml_document_t document;

    memset(config, 0, sizeof(*config));
    config->port = DEFAULT_PORT;
    config->connections_per_address_max = NOT_SAID;
    config->passwords_cost = PASSWORDS_INTERACTIVE;
    config->ip = strdup(DEFAULT_IP);
    config->path = strdup(path);
    if (!config->ip || !config->path)
        return CORE_ERR_MEMORY;
    core_status status = read_file(config);
    if (status == CORE_OK)
        status = config_tree_parse(config, &document);
    if (status != CORE_OK)
        return status;
    status = read_own_keys(config, &document);
    yaml_document_delete(&document);
    if (config->connections_per_address_max == NOT_SAID)
        config->connections_per_address_max = is_loopback(config->ip) ? 0 : DEFAULT_CONNECTIONS_PER_ADDRESS;
    return status;
}

void host_config_swap_text(struct host_config *config, struct host_config *other)
{
    char *text = config->text;
    size_t text_len = config->text_len;

    config->text = other->text;
    config->text_len = other->text_len;
    other->text = text;
    other->text_len = text_len;
}

void host_config_clear(struct host_config *config)
{
    if (config->text)
        sodium_memzero(config->text, config->text_len);
    if (config->secret_admin_key)
        sodium_memzero(config->secret_admin_key, strlen(config->secret_admin_key));
    free(config->text);
    free(config->secret_admin_key);
    free(config->ip);
    free(config->path);
    memset(config, 0, sizeof(*config));
}
