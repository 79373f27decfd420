/* SPDX-License-Identifier: Apache-2.0 */
#define MAGIC 0x464f4f44u
#include "bad_plugin.h"
