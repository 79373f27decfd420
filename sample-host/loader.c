/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_api.h"
#include "log.h"
#include "plugin.h"

#define NAME_MAX_LEN 32

/* --- the file ------------------------------------------------------------------------------------------------------ */

/* Group and others alike: whoever may write the file, or put another in its place, runs code as the host. */
static const char *ownership_objection(const struct stat *info)
{
    if (info->st_uid != 0 && info->st_uid != geteuid())
        return "is owned by another user";
    if (info->st_mode & (S_IWGRP | S_IWOTH))
        return "can be written by others";
    return NULL;
}

/* `path` is absolute and free of links. Returns NULL or the reason to refuse the file, static text. */
static const char *file_objection(const char *path)
{
    char directory[PATH_MAX];
    struct stat info;
    const char *objection;

    if (stat(path, &info) != 0)
        return strerrorname_np(errno);
    if (!S_ISREG(info.st_mode))
        return "is not a regular file";
    if ((objection = ownership_objection(&info)))
        return objection;
    (void)snprintf(directory, sizeof(directory), "%s", path);
    if (stat(dirname(directory), &info) != 0)
        return strerrorname_np(errno);
    return ownership_objection(&info) ? "is in a directory that can be written by others" : NULL;
}

/* --- the descriptor ------------------------------------------------------------------------------------------------- */

static bool is_written_in(const char *text, const char *alphabet, size_t len_max)
{
    size_t len = strnlen(text, len_max + 1);

    return len > 0 && len <= len_max && strspn(text, alphabet) == len;
}

const char *loader_objection(const struct core_plugin_descriptor *descriptor)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    if (descriptor->magic != CORE_PLUGIN_MAGIC)
        return "has a descriptor with a wrong magic number";
    if (!CORE_HAS(descriptor, profile_fields)) /* the last of 1.0 */
        return "has a descriptor that is too short";
    if (descriptor->api_major != CORE_API_MAJOR)
        return "was built for another major version of the plugin API";
    if (descriptor->requires_minor > CORE_API_MINOR)
        return "needs a newer minor version of the plugin API";
    if (!descriptor->name || !descriptor->version || !descriptor->config_section)
        return "has no name, version or configuration section";
    if (!descriptor->create || !descriptor->destroy || !descriptor->hooks)
        return "has no create, destroy or hooks";
    if (!CORE_HAS(descriptor->hooks, login)) /* the last of 1.0 */
        return "has a table of hooks that is too short";
    if (!descriptor->hooks->stop)
        return "has no stop hook";
    if (!is_written_in(descriptor->name, lower, NAME_MAX_LEN))
        return "has a malformed name";
    for (const char *const *field = descriptor->profile_fields; field && *field; field++)
        if (!is_written_in(*field, word, NAME_MAX_LEN))
            return "claims a malformed profile field";
    return NULL;
}

static bool claims_field(const struct core_plugin_descriptor *descriptor, const char *name)
{
    for (const char *const *field = descriptor->profile_fields; field && *field; field++)
        if (strcmp(*field, name) == 0)
            return true;
    return false;
}

static const char *clash_objection(const struct core_plugin_descriptor *descriptor,
                                   const struct core_plugin_descriptor *other)
{
    if (strcmp(descriptor->name, other->name) == 0)
        return "has the name of another plugin";
    for (const char *const *field = descriptor->profile_fields; field && *field; field++)
        if (claims_field(other, *field))
            return "claims a profile field of another plugin";
    return NULL;
}

/* --- one plugin -------------------------------------------------------------------------------------------------------- */

static core_status refuse(const char *file, const char *reason)
{
    log_line(CORE_LOG_ERROR, "plugin %s: %s", file, reason);
    return CORE_ERR_CONFIG;
}

static core_status open_library(struct plugin *plugin, const char *dir, const char *name)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    if (len < 0 || (size_t)len >= sizeof(path))
        return refuse(name, "has a path that is too long");
    plugin->file = realpath(path, NULL);
    if (!plugin->file)
        return refuse(path, strerror(errno));
    const char *objection = file_objection(plugin->file);
    if (objection)
        return refuse(plugin->file, objection);
    plugin->library = dlopen(plugin->file, RTLD_NOW | RTLD_LOCAL);
    if (!plugin->library)
        return refuse(plugin->file, dlerror());
    plugin->descriptor = dlsym(plugin->library, CORE_PLUGIN_SYMBOL);
    if (!plugin->descriptor)
        return refuse(plugin->file, "does not export " CORE_PLUGIN_SYMBOL);
    return CORE_OK;
}

static core_status judge(struct host *host, const struct plugin *plugin)
{
    const char *objection = loader_objection(plugin->descriptor);

    for (size_t i = 0; i < host->plugin_count && !objection; i++)
        if (&host->plugins[i] != plugin)
            objection = clash_objection(plugin->descriptor, host->plugins[i].descriptor);
    return objection ? refuse(plugin->file, objection) : CORE_OK;
}

static core_status create(struct host *host, struct plugin *plugin)
{
    struct core_config section;
    core_status status = host_config_section(&host->config, plugin->descriptor->config_section, &section);

    if (status != CORE_OK)
        return refuse(plugin->file, "its configuration cannot be read");
    plugin->is_creating = true;
    status = plugin->descriptor->create(&plugin->table, &section, &plugin->instance);
    plugin->is_creating = false;
    if (status != CORE_OK) {
        plugin->instance = NULL;
        return refuse(plugin->file, "could not be created, see above");
    }
    if (!plugin->instance) {
        plugin->library = NULL; /* not closed: threads that nobody can stop may run in it */
        return refuse(plugin->file, "create gave no instance");
    }
    log_line(CORE_LOG_INFO, "plugin %s %s: loaded from %s", plugin->descriptor->name, plugin->descriptor->version,
             plugin->file);
    return CORE_OK;
}

/* --- all of them --------------------------------------------------------------------------------------------------------- */

static int is_plugin_name(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 3 && strcmp(entry->d_name + len - 3, ".so") == 0;
}

static core_status load_one(struct host *host, const char *dir, const char *name)
{
    struct plugin *plugin = &host->plugins[host->plugin_count];

    plugin->host = host;
    plugin->position = (uint32_t)host->plugin_count++;
    host_api_init(plugin);
    core_status status = open_library(plugin, dir, name);
    if (status == CORE_OK)
        status = judge(host, plugin);
    return status;
}

/* A section without its plugin would leave its owner without what it configures, MFA for one. */
core_status loader_check_claimed(const struct host *host, const struct host_config *config)
{
    const char **claimed = calloc(host->plugin_count + 1, sizeof(*claimed));
    core_status status = CORE_ERR_MEMORY;

    if (!claimed)
        return status;
    for (size_t i = 0; i < host->plugin_count; i++)
        claimed[i] = host->plugins[i].descriptor->config_section;
    status = host_config_check_claimed(config, claimed, host->plugin_count);
    free(claimed);
    return status;
}

core_status loader_load(struct host *host, const char *dir)
{
    struct dirent **names = NULL;
    int count = scandir(dir, &names, is_plugin_name, alphasort);
    core_status status = count < 0 ? CORE_ERR_CONFIG : CORE_OK;

    if (count < 0)
        log_line(CORE_LOG_ERROR, "the plugins directory %s: %s", dir, strerror(errno));
    if (count == 0)
        log_line(CORE_LOG_WARN, "there is no plugin in %s", dir);
    if (count > 0) {
        host->plugins = calloc((size_t)count, sizeof(*host->plugins));
        if (!host->plugins)
            status = CORE_ERR_MEMORY;
    }
    for (int i = 0; i < count; i++) {
        if (status == CORE_OK)
            status = load_one(host, dir, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (status == CORE_OK)
        status = loader_check_claimed(host, &host->config);
    for (size_t i = 0; i < host->plugin_count && status == CORE_OK; i++)
        status = create(host, &host->plugins[i]);
    if (status != CORE_OK)
        loader_stop(host);
    return status;
}

void loader_stop(struct host *host)
{
    for (size_t i = host->plugin_count; i > 0; i--) {
        struct plugin *plugin = &host->plugins[i - 1];
        if (plugin->instance)
            plugin->descriptor->hooks->stop(plugin->instance);
    }
}

void loader_unload(struct host *host)
{
    for (size_t i = host->plugin_count; i > 0; i--) {
        struct plugin *plugin = &host->plugins[i - 1];
        if (plugin->instance)
            plugin->descriptor->destroy(plugin->instance);
        if (plugin->library)
            (void)dlclose(plugin->library);
        free(plugin->file);
    }
    free(host->plugins);
    host->plugins = NULL;
    host->plugin_count = 0;
}
