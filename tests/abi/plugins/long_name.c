/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "thirty-three-characters-are-1-too"
#include "bad_plugin.h"
