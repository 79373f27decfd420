/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast the customer's single example is rendered, against memcpy of the same output in the same run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mfa_template.h"

#define ROUNDS 9
#define TIMES 500000

static const char text[] = "https://api.smsmode.com/http/1.6/sendSMS.do?accessToken=your-api-key&message={{ message }}"
                           "&emetteur=Pryv%20Lab&numero={{ number }}";
static const char user_data[] =
    "{\"number\":\"41791231212\",\"message\":\"Your%20Pryv%20Lab%20MFA%20code%20is%3A%20{{ code }}\"}";

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double render_rate(const struct mfa_template *tmpl, const struct mfa_variables *variables,
                          struct mfa_buffer *out)
{
    double start = seconds();

    for (size_t i = 0; i < TIMES; i++) {
        out->len = 0;
        if (mfa_template_render(tmpl, variables, out) != MFA_OK)
            abort();
    }
    return TIMES / (seconds() - start);
}

static double copy_rate(const char *from, size_t len, char *to)
{
    double start = seconds();

    for (size_t i = 0; i < TIMES; i++) {
        memcpy(to, from, len);
        __asm__ volatile("" : : "r"(to) : "memory"); /* each copy counts */
    }
    return TIMES / (seconds() - start);
}

int main(void)
{
    struct mfa_template *tmpl = NULL;
    const char *problem = NULL;
    json_t *data = json_loads(user_data, 0, NULL);
    const struct mfa_variables variables = {.user_data = data, .code_secret = "123456", .code_in_values = true};
    struct mfa_buffer out;
    char *copy = malloc(16384);
    double rendered = 0;
    double copied = 0;

    mfa_buffer_init(&out, 16384);
    if (data == NULL || copy == NULL || mfa_template_parse(&tmpl, text, MFA_TEMPLATE_URL, &problem) != MFA_OK)
        return 1;
    for (size_t i = 0; i < ROUNDS; i++) {
        double rate = render_rate(tmpl, &variables, &out);

        rendered = rate > rendered ? rate : rendered;
        rate = copy_rate(out.data, out.len, copy);
        copied = rate > copied ? rate : copied;
    }
    printf("rendering of %zu bytes: %.2f million/s; memcpy of them: %.1f million/s; memcpy is %.1f times as fast\n",
           out.len, rendered / 1e6, copied / 1e6, copied / rendered);
    free(copy);
    mfa_buffer_clear(&out);
    mfa_template_free(tmpl);
    json_decref(data);
    return 0;
}
