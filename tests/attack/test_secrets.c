/* SPDX-License-Identifier: Apache-2.0
 *
 * After every flow has been gone through, secrets are looked for where an attacker with a copy of the disk, the log or the
 * memory would look.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attack.h"

#define SECRETS_MAX 64

/* Ten digits do not turn up by chance. */
static const struct attack_settings settings = {.sms = "codeLength: 10"};

/* libcurl does not wipe the buffers it sends with, and the configuration stays in the host's memory: of what passes through
 * there only the disk is looked at. */
enum keeping { NOT_ON_DISK, NOWHERE };

struct secret {
    enum keeping keeping;
    const char *what;
    char *text;
};

static struct secret secrets[SECRETS_MAX];
static size_t secret_count;

static void plant(enum keeping keeping, const char *what, const char *text)
{
    assert_true(secret_count < SECRETS_MAX);
    secrets[secret_count++] = (struct secret){.keeping = keeping, .what = what, .text = strdup(text)};
}

static void forget_all(void)
{
    for (size_t i = 0; i < secret_count; i++)
        free(secrets[i].text);
    secret_count = 0;
}

static void plant_login(const struct pending_login *login)
{
    plant(NOT_ON_DISK, "a code", login->code);
    plant(NOWHERE, "an mfaToken", login->mfa_token);
}

static json_t *recover_body(const char *code)
{
    return json_pack("{s:s, s:s, s:s}", "username", "canaries", "password", USER_PASSWORD, "recoveryCode", code);
}

/* Enrolment, wrong and right codes, re-sends, logins left waiting, recovery, and all over again. */
static void go_through_all(struct stage *stage)
{
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, "canaries", NULL);
    for (size_t i = 0; i < json_array_size(codes); i++)
        plant(NOWHERE, "a recovery code", json_string_value(json_array_get(codes, i)));
    for (size_t i = 0; i < 3; i++) {
        struct pending_login login = stage_login(stage, "canaries");
        http_expect(send_wrong_code(stage, "canaries", &login, 0), 400, NULL);
        plant_login(&login);
        http_expect(user_mfa(stage_url(stage), "canaries", "challenge", login.mfa_token, NULL), 200, NULL);
        gateway_last_code(stage->gateway, login.code);
        plant(NOT_ON_DISK, "a code", login.code);
        if (i > 0) { /* the first one is left waiting */
            char *token = user_verify(stage_url(stage), "canaries", login.mfa_token, login.code);
            plant(NOWHERE, "an access token", token);
            free(token);
        }
        pending_login_clear(&login);
    }
    gateway_answer_next(stage->gateway, (struct gateway_script){.status = 500});
    expect_refused(stage, "canaries", user_login_answer(stage_url(stage), "canaries"), 400, "invalid-operation");
    http_expect(user_mfa(stage_url(stage), "canaries", "recover", NULL, recover_body(secrets[0].text)), 200, NULL);
    plant(NOWHERE, "the password", USER_PASSWORD);
    plant(NOT_ON_DISK, "the administrator's key", ADMIN_KEY);
    json_decref(codes);
}

/* --- Files ------------------------------------------------------------------------------------------------------- */

static size_t files_seen;

static int look_into_file(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)place;
    if (kind != FTW_F)
        return 0;
    size_t size = (size_t)status->st_size;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = malloc(size + 1);
    assert_true(fd >= 0 && bytes);
    ssize_t got = read(fd, bytes, size);
    assert_true(got >= 0);
    for (size_t i = 0; i < secret_count; i++)
        if (memmem(bytes, (size_t)got, secrets[i].text, strlen(secrets[i].text)))
            fail_msg("%s is in %s: %s", secrets[i].what, path, secrets[i].text);
    free(bytes);
    close(fd);
    files_seen++;
    return 0;
}

static void A70_no_secret_is_in_the_log_or_in_a_data_file(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &settings);
    go_through_all(&stage);
    for (size_t round = 0; round < 2; round++) { /* while it runs, and once more after its end */
        files_seen = 0;
        assert_int_equal(nftw(host_data_dir(stage.host), look_into_file, 16, FTW_PHYS), 0);
        assert_true(files_seen > 0);
        for (size_t i = 0; i < secret_count; i++)
            if (host_log_has(stage.host, secrets[i].text))
                fail_msg("%s is in the log: %s", secrets[i].what, secrets[i].text);
        if (round == 0)
            host_stop(stage.host);
    }
    host_free(stage.host);
    gateway_stop(stage.gateway);
    forget_all();
}

/* --- Memory ------------------------------------------------------------------------------------------------------ */

static const struct secret *found;

static size_t look_into_region(int memory, unsigned long from, unsigned long to)
{
    size_t size = to - from;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    ssize_t got = pread(memory, bytes, size, (off_t)from);
    for (size_t i = 0; got > 0 && i < secret_count; i++)
        if (secrets[i].keeping == NOWHERE && memmem(bytes, (size_t)got, secrets[i].text, strlen(secrets[i].text)))
            found = &secrets[i];
    free(bytes);
    return got > 0 ? (size_t)got : 0;
}

/* All that the host can write to. Returns how much that is; 0: this system does not let us look. */
static size_t look_into_memory(const struct stage *stage)
{
    char path[64];
    char *line = NULL;
    size_t line_size = 0;
    size_t seen = 0;
    snprintf(path, sizeof path, "/proc/%ld/mem", (long)host_pid(stage->host));
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%ld/maps", (long)host_pid(stage->host));
    FILE *maps = fopen(path, "r");
    assert_non_null(maps);
    while (memory >= 0 && getline(&line, &line_size, maps) > 0) {
        unsigned long from = 0;
        unsigned long to = 0;
        char rights[5] = "";
        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && rights[0] == 'r' && rights[1] == 'w')
            seen += look_into_region(memory, from, to);
    }
    free(line);
    fclose(maps);
    if (memory >= 0)
        close(memory);
    return seen;
}

static void A71_secrets_are_gone_from_memory_when_they_are_done_with(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &settings);
    go_through_all(&stage);
    size_t seen = look_into_memory(&stage);
    for (int i = 0; i < 40 && found; i++) { /* a client has its last answer before the host is done with the request */
        pause_ms(50);
        found = NULL;
        seen = look_into_memory(&stage);
    }
    if (found)
        fail_msg("%s is in memory: %s", found->what, found->text);
    stage_close(&stage);
    forget_all();
    if (seen == 0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A70_no_secret_is_in_the_log_or_in_a_data_file),
        cmocka_unit_test(A71_secrets_are_gone_from_memory_when_they_are_done_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
