/* SPDX-License-Identifier: Apache-2.0
 *
 * What it takes to have the plugin: how long from dlopen until it is ready, with a configuration of a thousand lines; how
 * large the file is; and how much memory it keeps resident while idle. Each look is taken in a process of its own, since a
 * library once loaded is loaded.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "measure.h"
#include "resident.h"

#define ROUNDS 11
#define IDLE_S 2 /* the housekeeper has gone round */
#define ENDPOINTS 4
#define RULES 62 /* of each, at four lines */
#define CONFIG_SIZE 65536

/* --- A process of its own ------------------------------------------------------------------------------------------ */

#define FIGURES 8
typedef void look_fn(const void *context, double figures[static FIGURES]);

static void look_apart(look_fn *look, const void *context, double figures[static FIGURES])
{
    int ends[2];
    pid_t child = 0;
    int status = 0;

    if (pipe(ends) != 0 || (child = fork()) < 0)
        abort();
    if (child == 0) {
        look(context, figures);
        _exit(write(ends[1], figures, FIGURES * sizeof *figures) > 0 ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], figures, FIGURES * sizeof *figures) != (ssize_t)(FIGURES * sizeof *figures) ||
        waitpid(child, &status, 0) != child || status != 0)
        abort();
    close(ends[0]);
}

/* --- Starting ------------------------------------------------------------------------------------------------------ */

static double dlopen_s, dlopened_s;

void *__real_dlopen(const char *file, int mode);
void *__wrap_dlopen(const char *file, int mode);

void *__wrap_dlopen(const char *file, int mode)
{
    dlopen_s = measure_now_s();
    void *library = __real_dlopen(file, mode);
    dlopened_s = measure_now_s();
    return library;
}

static size_t write_endpoint(char *out, size_t size, int number)
{
    size_t len = (size_t)snprintf(out, size,
                                  "%s"
                                  "url: 'https://sms%d.example.com/send'\n"
                                  "          body: {to: '{{ number }}', text: '{{ message }}'}\n"
                                  "          outcomes:\n",
                                  number == 0 ? "          " : "            - ", number);

    for (int i = 0; i < RULES; i++)
        len += (size_t)snprintf(out + len, size - len,
                                "            - when:\n"
                                "                status: [%d]\n"
                                "                json: {/error: 'e-%d', /to: '{{ number }}'}\n"
                                "              is: rejected\n",
                                400 + i, i);
    return len;
}

/* The same, two columns to the right, below `fallback`. */
static size_t write_fallback(char *out, size_t size, int number)
{
    char endpoint[CONFIG_SIZE];
    size_t len = 0;
    char *rest = endpoint;

    (void)write_endpoint(endpoint, sizeof endpoint, number);
    for (char *line = strsep(&rest, "\n"); line != NULL && *line != '\0'; line = strsep(&rest, "\n"))
        len += (size_t)snprintf(out + len, size - len, "%s%s\n", strstr(line, "- url") != NULL ? "" : "    ", line);
    return len;
}

static size_t write_long_config(char config[static CONFIG_SIZE])
{
    size_t len = (size_t)snprintf(config, CONFIG_SIZE,
                                  "    mode: single\n"
                                  "    stepUp: {required: true}\n"
                                  "    sms:\n"
                                  "      endpoints:\n"
                                  "        single:\n");
    size_t lines = 0;

    len += write_endpoint(config + len, CONFIG_SIZE - len, 0);
    len += (size_t)snprintf(config + len, CONFIG_SIZE - len, "          fallback:\n");
    for (int i = 1; i < ENDPOINTS; i++)
        len += write_fallback(config + len, CONFIG_SIZE - len, i);
    for (size_t i = 0; i < len; i++)
        lines += config[i] == '\n';
    return lines;
}

/* Milliseconds: from dlopen to ready, and of these in dlopen. */
static void look_at_start(const void *config, double figures[static FIGURES])
{
    struct resident resident;

    resident_start(&resident, config);
    figures[0] = (measure_now_s() - dlopen_s) * 1e3;
    figures[1] = (dlopened_s - dlopen_s) * 1e3;
    resident_stop(&resident);
}

static void measure_start(void)
{
    static char config[CONFIG_SIZE];
    size_t lines = write_long_config(config);
    double all_ms[ROUNDS], dlopen_ms[ROUNDS], short_ms[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        double figures[FIGURES] = {0};
        look_apart(look_at_start, config, figures);
        all_ms[i] = figures[0];
        dlopen_ms[i] = figures[1];
        look_apart(look_at_start, RESIDENT_SINGLE, figures);
        short_ms[i] = figures[0];
    }
    measure_print_row(
        &(struct measure_row){.row = "start",
                              .what = "start: dlopen to ready, with a configuration of 1,000 lines",
                              .unit = "ms",
                              .value = measure_percentile(all_ms, ROUNDS, 0.5),
                              .context = json_pack("{s:I, s:f, s:f}", "lines", (json_int_t)lines, "of_it_dlopen_ms",
                                                   measure_percentile(dlopen_ms, ROUNDS, 0.5), "with_a_short_one_ms",
                                                   measure_percentile(short_ms, ROUNDS, 0.5))});
}

/* --- The file ------------------------------------------------------------------------------------------------------ */

static double file_kib(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        abort();
    return (double)info.st_size / 1024;
}

static json_t *sections_of(const char *path)
{
    char command[8192], line[256], name[64];
    double bytes = 0;
    json_t *sections = json_object();
    FILE *listing = NULL;

    snprintf(command, sizeof command, "size -A -d '%s'", path);
    listing = popen(command, "r");
    if (listing == NULL)
        abort();
    while (fgets(line, sizeof line, listing) != NULL)
        if (sscanf(line, "%63s %lf", name, &bytes) == 2 && bytes >= 1024 && strcmp(name, "Total") != 0)
            json_object_set_new(sections, name, json_real(bytes / 1024));
    pclose(listing);
    return sections;
}

static void measure_file(const char *build)
{
    char plugin[4096], stripped[4096], command[8300];

    snprintf(plugin, sizeof plugin, "%s/plugins/mfa.so", build);
    snprintf(stripped, sizeof stripped, "%s/tests/bench/mfa.so", build);
    snprintf(command, sizeof command, "strip -o '%s' '%s'", stripped, plugin);
    if (system(command) != 0)
        abort();
    measure_print_row(&(struct measure_row){.row = "size",
                                            .what = "size of mfa.so, stripped",
                                            .unit = "KiB",
                                            .value = file_kib(stripped),
                                            .context = sections_of(stripped)});
}

/* --- Memory -------------------------------------------------------------------------------------------------------- */

enum { TOTAL, PLUGIN, LIBRARIES, ANONYMOUS, IN_USE, THREADS };

/* Adds up what is resident, in KiB, by what it is a mapping of. */
static void add_mappings(double figures[static FIGURES])
{
    char line[4352];
    int kind = ANONYMOUS;
    double kib = 0;
    FILE *maps = fopen("/proc/self/smaps", "r");

    if (maps == NULL)
        abort();
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "Rss: %lf kB", &kib) == 1) {
            figures[kind] += kib;
            figures[TOTAL] += kib;
        } else if (strstr(line, "-") != NULL && strstr(line, " r") != NULL) {
            kind = strstr(line, "/mfa.so") != NULL ? PLUGIN : strstr(line, ".so") != NULL ? LIBRARIES : ANONYMOUS;
        }
    }
    fclose(maps);
}

static double count_threads(void)
{
    char line[256];
    double threads = 0;
    FILE *status = fopen("/proc/self/status", "r");

    while (status != NULL && fgets(line, sizeof line, status) != NULL && threads == 0)
        (void)sscanf(line, "Threads: %lf", &threads);
    if (status != NULL)
        fclose(status);
    return threads;
}

static void look_at_memory(const void *config, double figures[static FIGURES])
{
    struct resident resident;

    resident_start(&resident, config);
    sleep(IDLE_S);
    add_mappings(figures);
    struct mallinfo2 info = mallinfo2();
    figures[IN_USE] = (double)(info.uordblks + info.hblkhd) / 1024;
    figures[THREADS] = count_threads();
    resident_stop(&resident);
}

static void measure_memory(void)
{
    double with[FIGURES] = {0}, without[FIGURES] = {0};

    look_apart(look_at_memory, RESIDENT_SINGLE, with);
    look_apart(look_at_memory, NULL, without);
    for (size_t i = 0; i < FIGURES; i++)
        with[i] -= without[i];
    measure_print_row(&(struct measure_row){
        .row = "resident",
        .what = "resident memory of an idle plugin",
        .unit = "KiB",
        .value = with[TOTAL],
        .context = json_pack("{s:f, s:f, s:f, s:f, s:f}", "of_it_mfa_so", with[PLUGIN],
                             "of_it_libraries_the_host_has_not", with[LIBRARIES], "of_it_heap_and_stacks",
                             with[ANONYMOUS], "of_that_allocated", with[IN_USE], "threads", with[THREADS])});
}

int main(void)
{
    const char *build = getenv("BUILD");

    if (sodium_init() < 0)
        abort();
    measure_start();
    measure_file(build != NULL ? build : "build");
    measure_memory();
    return 0;
}
