/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that the library sees while it is fuzzed, in the place of mfa_file.c: the presets as they are shipped, one
 * preset of the input's, and one secret.
 */
#ifndef FILES_H
#define FILES_H

/* Is in the file of this path, and in the environment variable of this name. No input holds it but by being told. */
#define FILES_SECRET "cAnArY-7f3a"
#define FILES_SECRET_PATH "/run/secrets/fuzz"
#define FILES_SECRET_VARIABLE "FUZZ_SECRET"

/* Makes `own`, borrowed until the next call, the preset of that name, beside those shipped; NULL: there is none at all. */
void files_set_presets(const char *own);

#endif
