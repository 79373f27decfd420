/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder for the files of a test, which goes with everything in it.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include <stddef.h>

#define FOLDER_PATH_SIZE 512

struct folder {
    char path[FOLDER_PATH_SIZE / 2];
    char file[FOLDER_PATH_SIZE]; /* the path that was asked for last */
};

void folder_init(struct folder *folder);
void folder_clear(struct folder *folder);

/* The path of a file, there or not; borrowed until the next one is asked for. */
const char *folder_path(struct folder *folder, const char *name);

/* Both write a file and return its path, borrowed as that of folder_path. */
const char *folder_write(struct folder *folder, const char *name, const char *text);
const char *folder_write_bytes(struct folder *folder, const char *name, const void *bytes, size_t len);

#endif
