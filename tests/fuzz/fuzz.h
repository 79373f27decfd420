/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fuzz targets share. Each fuzz_*.c is a program of its own, run by libFuzzer; cmocka's assertions end it, and so
 * show it the input.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For libFuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The input, or what is left of it. */
struct fuzz_input {
    const char *data;
    size_t len;
};

/* Takes one byte; 0 at the end. */
unsigned fuzz_take_byte(struct fuzz_input *input);

/* Takes what stands before the next NUL, and the NUL; NUL-terminated, owned by the caller, released with free. */
char *fuzz_take_text(struct fuzz_input *input);

/* As fuzz_take_text, of the line that comes next. */
char *fuzz_take_line(struct fuzz_input *input);

/* Takes all that is left, NUL-terminated; `*len` does not count that NUL. Owned by the caller, released with free. */
char *fuzz_take_rest(struct fuzz_input *input, size_t *len);

/* How deep objects and arrays are nested; 0: the value is neither. */
size_t fuzz_json_depth(const json_t *value);

/* True of one line of printable ASCII. */
bool fuzz_is_line(const char *text);

#endif
