/* SPDX-License-Identifier: Apache-2.0 */
#define STRUCT_SIZE 16
#include "bad_plugin.h"
