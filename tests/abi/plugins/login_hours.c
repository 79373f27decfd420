/* SPDX-License-Identifier: Apache-2.0
 *
 * login_hours.c: a plugin of another kind, small and whole: people log in only at certain hours.
 *
 *     services:
 *       loginHours:
 *         from: '08:00'     # UTC, included
 *         until: '18:00'    # excluded; not after `from`: of the next day; '24:00' is known
 *
 * It is built from host-api/ alone. Without its section, or with one that it does not understand, the host does not start;
 * without a clock nobody logs in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_plugin.h"

#define SECTION "services.loginHours"
#define SECTION_MAX 1024
#define MINUTE_MS (60 * 1000)
#define DAY_MINUTES (24 * 60)
#define UNSET (-1)

struct login_hours {
    const struct core_host *host;
    int from_minute; /* both of the day */
    int until_minute;
};

static struct core_span span(const char *text)
{
    return (struct core_span){.data = text, .len = strlen(text)};
}

/* --- configuration --------------------------------------------------------------------------------------------------- */

/* "HH:MM" as minutes, or UNSET. */
static int minute_of_day(const char *text)
{
    int hour = 0, minute = 0, len = 0;

    if (sscanf(text, "%2d:%2d%n", &hour, &minute, &len) != 2 || len != 5 || text[len] != '\0' || minute > 59 ||
        60 * hour + minute > DAY_MINUTES)
        return UNSET;
    return 60 * hour + minute;
}

static bool read_pair(struct login_hours *hours, const char *key, const char *value)
{
    int *minute = NULL;

    if (strcmp(key, "from") == 0)
        minute = &hours->from_minute;
    else if (strcmp(key, "until") == 0)
        minute = &hours->until_minute;
    if (minute == NULL || *minute != UNSET)
        return false;
    *minute = minute_of_day(value);
    return *minute != UNSET;
}

static bool read_line(struct login_hours *hours, char *line)
{
    char key[8], value[8], more[2];

    line[strcspn(line, "#")] = '\0';
    for (char *quote = line; (quote = strpbrk(quote, "'\"")) != NULL;)
        *quote = ' ';
    if (line[strspn(line, " \t\r")] == '\0')
        return true;
    return sscanf(line, " %7[a-z] : %7[0-9:] %1s", key, value, more) == 2 && read_pair(hours, key, value);
}

/* Two flat keys need no library: as lines, in braces and as JSON they differ in nothing but marks. */
static bool read_config(struct login_hours *hours, const struct core_config *config)
{
    char text[SECTION_MAX + 1] = "";
    char *rest = NULL;

    if ((config->format != CORE_CONFIG_YAML && config->format != CORE_CONFIG_JSON) || config->text.len > SECTION_MAX)
        return false;
    if (config->text.data != NULL)
        memcpy(text, config->text.data, config->text.len);
    for (char *line = strtok_r(text, "\n,{}", &rest); line != NULL; line = strtok_r(NULL, "\n,{}", &rest))
        if (!read_line(hours, line))
            return false;
    return hours->from_minute != UNSET && hours->until_minute != UNSET;
}

/* --- hooks ----------------------------------------------------------------------------------------------------------- */

static bool is_open(const struct login_hours *hours)
{
    int64_t unix_ms = 0;

    if (hours->host->wall_clock(hours->host, &unix_ms) != CORE_OK || unix_ms <= 0)
        return false;
    int minute = (int)(unix_ms / MINUTE_MS % DAY_MINUTES);
    if (hours->from_minute < hours->until_minute)
        return minute >= hours->from_minute && minute < hours->until_minute;
    return minute >= hours->from_minute || minute < hours->until_minute;
}

static void login(void *instance, core_call call, const struct core_login *input)
{
    const struct login_hours *hours = instance;
    struct core_result result = {
        .struct_size = sizeof result,
        .outcome = CORE_DENY,
        .http_status = 403,
        .body = span("{\"error\":{\"id\":\"forbidden\",\"message\":\"Nobody can log in at this hour.\"}}")};

    (void)input;
    if (is_open(hours))
        result = (struct core_result){.struct_size = sizeof result, .outcome = CORE_ALLOW};
    (void)hours->host->complete(hours->host, call, &result);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

static core_status create(const struct core_host *host, const struct core_config *config, void **instance)
{
    struct login_hours *hours = NULL;

    *instance = NULL;
    if (!CORE_HAS(host, complete) || host->log == NULL || host->wall_clock == NULL || host->complete == NULL)
        return CORE_ERR_VERSION;
    hours = malloc(sizeof *hours);
    if (hours == NULL)
        return CORE_ERR_MEMORY;
    *hours = (struct login_hours){.host = host, .from_minute = UNSET, .until_minute = UNSET};
    if (!read_config(hours, config)) {
        host->log(host, CORE_LOG_ERROR, span(SECTION ": needs `from` and `until`, both HH:MM, and nothing else"));
        free(hours);
        return CORE_ERR_CONFIG;
    }
    *instance = hours; /* transferred */
    return CORE_OK;
}

static void stop(void *instance)
{
    (void)instance;
}

static const struct core_plugin_hooks hooks = {.struct_size = sizeof hooks, .stop = stop, .login = login};

CORE_PLUGIN_EXPORT const struct core_plugin_descriptor core_plugin_descriptor = {
    .magic = CORE_PLUGIN_MAGIC,
    .struct_size = sizeof core_plugin_descriptor,
    .api_major = CORE_API_MAJOR,
    .api_minor = CORE_API_MINOR,
    .requires_minor = 0,
    .name = "login-hours",
    .version = "1.0",
    .config_section = SECTION,
    .create = create,
    .destroy = free,
    .hooks = &hooks,
};
