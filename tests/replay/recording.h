/* SPDX-License-Identifier: Apache-2.0
 *
 * recording.h: the files of tests/data/providers; README.md there says what is in them.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <jansson.h>
#include <stddef.h>

struct recording {
    char *path;
    char *name;   /* the file's, without ".json" */
    json_t *data; /* the whole file */
};

struct recordings {
    struct recording *items; /* in the order of their names */
    size_t count;
};

/* Reads every file of the folder but those whose names begin with `_`. The test fails if there is none, or one that is no
 * JSON object. Release with recordings_clear. */
void recordings_load(struct recordings *out);
void recordings_clear(struct recordings *recordings);

/* The hostile values of _attacks.json by their kind, `code` or `value`, an array; owned by caller, release with
 * json_decref. */
json_t *recorded_attacks(const char *kind);

/* A member, which must be there; borrowed. */
const json_t *recorded(const json_t *object, const char *key);
const char *recorded_text(const json_t *object, const char *key);

/* An endpoint of the configuration, by the call: `single`, `challenge` or `verify`. Borrowed; NULL: there is none. */
const json_t *recorded_endpoint(const struct recording *recording, const char *call);

/* The variables besides the user data: in a verify call all that is captured, in others only the nonce. Copied; owned by
 * caller, release with json_decref. */
json_t *recorded_captures(const struct recording *recording, const char *call);

#endif
