/* SPDX-License-Identifier: Apache-2.0 */
#include "resident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"

static const char head[] = "http:\n"
                           "  ip: 127.0.0.1\n"
                           "  port: 0\n"
                           "auth:\n"
                           "  adminAccessKey: an-administrators-key-for-the-bench\n"
                           "  passwordHashing: minimum\n";

static void write_config(const char *path, const char *mfa_yaml)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(head, file) == EOF ||
        (mfa_yaml != NULL && fprintf(file, "services:\n  mfa:\n%s", mfa_yaml) < 0) || fclose(file) != 0)
        abort();
}

static void path_in(const struct resident *resident, const char *name, char out[static 128])
{
    snprintf(out, 128, "%s/%s", resident->folder, name);
}

void resident_start(struct resident *resident, const char *mfa_yaml)
{
    const char *build = getenv("BUILD");
    char config[128], data[128], none[128], plugins[4096];
    struct host_options options = {
        .config = config, .plugins = plugins, .data = data, .call_deadline_ms = CALLS_DEADLINE_MS};

    *resident = (struct resident){.folder = "/tmp/mfa-bench-XXXXXX"};
    if (mkdtemp(resident->folder) == NULL)
        abort();
    path_in(resident, "config.yml", config);
    path_in(resident, "data", data);
    path_in(resident, "none", none);
    snprintf(plugins, sizeof plugins, "%s/plugins", build != NULL ? build : "build");
    if (mfa_yaml == NULL) {
        options.plugins = none;
        if (mkdir(none, 0755) != 0)
            abort();
    }
    write_config(config, mfa_yaml);
    if (host_start(&resident->host, &options) != CORE_OK)
        abort();
}

void resident_stop(struct resident *resident)
{
    char command[128];

    host_stop(&resident->host);
    host_clear(&resident->host);
    snprintf(command, sizeof command, "rm -rf '%s'", resident->folder);
    if (system(command) != 0)
        abort();
}
