/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast the customer's single example is rendered, against memcpy of the same output in the same run.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "mfa_template.h"

#define ROUNDS 9
#define TIMES 500000

static const char text[] = "https://api.smsmode.com/http/1.6/sendSMS.do?accessToken=your-api-key&message={{ message }}"
                           "&emetteur=Pryv%20Lab&numero={{ number }}";
static const char user_data[] =
    "{\"number\":\"41791231212\",\"message\":\"Your%20Pryv%20Lab%20MFA%20code%20is%3A%20{{ code }}\"}";

struct bench {
    struct mfa_template *tmpl;
    struct mfa_variables variables;
    struct mfa_buffer out;
    char copy[1024];
};

/* Nanoseconds of one rendering. */
static double render(void *context)
{
    struct bench *bench = context;
    double start = measure_now_s();

    for (size_t i = 0; i < TIMES; i++) {
        bench->out.len = 0;
        if (mfa_template_render(bench->tmpl, &bench->variables, &bench->out) != MFA_OK)
            abort();
    }
    return (measure_now_s() - start) / TIMES * 1e9;
}

/* Nanoseconds of one copy of what was rendered. */
static double copy(void *context)
{
    struct bench *bench = context;
    double start = measure_now_s();

    for (size_t i = 0; i < TIMES; i++) {
        memcpy(bench->copy, bench->out.data, bench->out.len);
        __asm__ volatile("" : : "r"(bench->copy) : "memory"); /* each copy counts */
    }
    return (measure_now_s() - start) / TIMES * 1e9;
}

int main(void)
{
    const char *problem = NULL;
    json_t *data = json_loads(user_data, 0, NULL);
    struct bench bench = {.variables = {.user_data = data, .code_secret = "123456", .code_in_values = true}};
    struct measure_pair pair;

    mfa_buffer_init(&bench.out, sizeof bench.copy);
    if (data == NULL || mfa_template_parse(&bench.tmpl, text, MFA_TEMPLATE_URL, &problem) != MFA_OK)
        return 1;
    pair = measure_in_turn(render, copy, &bench, ROUNDS);
    measure_print_row(&(struct measure_row){.row = "render",
                                            .what = "rendering the customer's single example",
                                            .against = "memcpy of the same output",
                                            .unit = "ns",
                                            .value = pair.value,
                                            .reference = pair.reference,
                                            .goal = MEASURE_AT_MOST,
                                            .limit = 25,
                                            .context = json_pack("{s:I}", "bytes", (json_int_t)bench.out.len)});
    mfa_buffer_clear(&bench.out);
    mfa_template_free(bench.tmpl);
    json_decref(data);
    return 0;
}
