/* SPDX-License-Identifier: Apache-2.0
 *
 * Every recorded exchange, one test each: the request is what the recording says, and so is what the answer is taken for.
 */
#include "replay.h"
#include "request_match.h"
#include "suite.h"

/* What a challenge leaves in the session is what the recorded verify calls need; the nonce is not the service's. */
static void assert_captured(const struct recording *recording, const json_t *captures)
{
    json_t *expected = recorded_captures(recording, "verify");

    json_object_del(expected, "nonce");
    assert_true(json_equal(captures, expected));
    json_decref(expected);
}

static void goes_as_recorded(void **state)
{
    const struct subject *subject = *state;
    struct replayed replayed;

    replay(&(struct replay_call){.recording = subject->recording,
                                 .name = subject->call,
                                 .code = json_string_value(json_object_get(subject->exchange, "code")),
                                 .response = recorded(subject->exchange, "response")},
           &replayed);
    assert_non_null(replayed.request);
    assert_request_matches(replayed.url, replayed.request, recorded(subject->exchange, "expectRequest"));
    assert_request_means(replayed.url, replayed.request, json_object_get(subject->exchange, "decoded"));
    assert_string_equal(mfa_verdict_name(replayed.finding.verdict), recorded_text(subject->exchange, "outcome"));
    if (replayed.finding.captures_secret)
        assert_captured(subject->recording, replayed.finding.captures_secret);
    replayed_clear(&replayed);
}

static void add_exchanges(struct suite *suite, const struct recording *recording)
{
    struct subject subject = {.recording = recording};
    json_t *exchange = NULL;
    size_t i = 0;

    json_array_foreach(recorded(recording->data, "exchanges"), i, exchange)
    {
        subject.call = recorded_text(exchange, "call");
        subject.exchange = exchange;
        suite_add(suite, goes_as_recorded, &subject, recorded_text(exchange, "id"));
    }
}

int main(void)
{
    struct suite suite;
    suite_init(&suite);
    for (size_t i = 0; i < suite.recordings.count; i++)
        add_exchanges(&suite, &suite.recordings.items[i]);
    int failed = suite_run(&suite, "exchanges");
    suite_clear(&suite);
    return failed;
}
