/* SPDX-License-Identifier: Apache-2.0
 *
 * harness_plugins.h: a directory of plugins for the host to load, filled as a test needs it. The host loads them in the order
 * of their names.
 */
#ifndef HARNESS_PLUGINS_H
#define HARNESS_PLUGINS_H

/* Makes one, empty; owned by caller, release with plugins_dir_free. */
char *plugins_dir_new(void);

/* Puts a copy of `$BUILD/built` into it under a name. */
void plugins_dir_add(const char *dir, const char *built, const char *name);

/* Removes it with all that is in it. Accepts NULL. */
void plugins_dir_free(char *dir);

#endif
